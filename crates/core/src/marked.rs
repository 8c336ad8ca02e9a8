//! Functions marked `#[tool]`, `#[prompt]` or `#[resource]`: what lets `.tool(search)` find the
//! description of a function that is still a function. Not what an author writes by hand.
//!
//! 1. `#[tool] async fn search(args: Search, cx: &Cx) -> R` becomes
//!    `fn search(args: Search, cx: &Cx) -> Marked<'_, M, R>`, where `M` is a type made for it, with
//!    `impl IntoTool for M`.
//! 2. Called, it gives a future of `R`, so tests and other functions call it as it was written.
//! 3. Registered, only its type is looked at: it returns a `Marked<'_, M, _>`, so it stands for the
//!    tool that `M` makes.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::send::{BoxFuture, MaybeSend};

/// The future of a marked function; gives what the function returns.
#[must_use = "futures do nothing unless awaited"]
pub struct Marked<'a, Mark, R> {
    future: BoxFuture<'a, R>,
    mark: PhantomData<fn() -> Mark>,
}

impl<'a, Mark, R> Marked<'a, Mark, R> {
    /// Marks a future.
    pub fn new(future: impl Future<Output = R> + MaybeSend + 'a) -> Self {
        Self {
            future: Box::pin(future),
            mark: PhantomData,
        }
    }
}

impl<Mark, R> Future for Marked<'_, Mark, R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        self.future.as_mut().poll(cx)
    }
}

impl<Mark, R> fmt::Debug for Marked<'_, Mark, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marked").finish_non_exhaustive()
    }
}

/// A function that returns a [`Marked`] future. `Shape` is inferred: it is the function's
/// parameters.
pub trait MarkedFn<Shape> {
    /// The type that stands for the function.
    type Mark: Default;
}

impl<'a, F: Fn() -> Marked<'a, Mark, R>, Mark: Default, R> MarkedFn<()> for F {
    type Mark = Mark;
}

impl<'a, F: Fn(A) -> Marked<'a, Mark, R>, A, Mark: Default, R> MarkedFn<(A,)> for F {
    type Mark = Mark;
}

impl<'a, F: Fn(A, B) -> Marked<'a, Mark, R>, A, B, Mark: Default, R> MarkedFn<(A, B)> for F {
    type Mark = Mark;
}
