//! Functions marked `#[tool]`, `#[prompt]` or `#[resource]`: what lets `.tool(search)` find the
//! description of a function that is still a function. Not what an author writes by hand.
//!
//! 1. `#[tool] async fn search(args: Search, cx: &Cx) -> R` becomes
//!    `fn search(args: Search, cx: &Cx) -> HandlerFuture<'_, M, R>`, where `M` is a type made for it, with
//!    `impl IntoTool for M`.
//! 2. Called, it gives a future of `R`, so tests and other functions call it as it was written.
//! 3. Registered, only its type is looked at: it returns a `HandlerFuture<'_, M, _>`, so it stands for the
//!    tool that `M` makes.
//!
//! A unit struct with the function's name would be simpler, but it would forbid every local
//! variable of that name, also inside derives.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::send::{BoxFuture, MaybeSend};

/// The future of a marked function; gives what the function returns.
#[must_use = "futures do nothing unless awaited"]
pub struct HandlerFuture<'a, Mark, R> {
    future: BoxFuture<'a, R>,
    mark: PhantomData<fn() -> Mark>,
}

impl<'a, Mark, R> HandlerFuture<'a, Mark, R> {
    /// Marks a future.
    pub fn new(future: impl Future<Output = R> + MaybeSend + 'a) -> Self {
        Self {
            future: Box::pin(future),
            mark: PhantomData,
        }
    }
}

impl<Mark, R> Future for HandlerFuture<'_, Mark, R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.future.as_mut().poll(cx)
    }
}

impl<Mark, R> fmt::Debug for HandlerFuture<'_, Mark, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerFuture").finish_non_exhaustive()
    }
}

/// A function that returns a [`HandlerFuture`] future. `Shape` is inferred: it is the function's
/// parameters.
pub trait Registrable<Shape> {
    /// The type that stands for the function.
    type Mark: Default;
}

impl<'a, F: Fn() -> HandlerFuture<'a, Mark, R>, Mark: Default, R> Registrable<()> for F {
    type Mark = Mark;
}

impl<'a, F: Fn(A) -> HandlerFuture<'a, Mark, R>, A, Mark: Default, R> Registrable<(A,)> for F {
    type Mark = Mark;
}

impl<'a, F: Fn(A, B) -> HandlerFuture<'a, Mark, R>, A, B, Mark: Default, R> Registrable<(A, B)>
    for F
{
    type Mark = Mark;
}
