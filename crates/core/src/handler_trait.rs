//! Typed handlers: plain functions and closures of the shapes `Fn()`, `Fn(A)` and `Fn(A, Cx)`,
//! turned into one shape.

use std::future::Future;

use crate::context::Cx;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::tool::schema::NoArguments;

/// An asynchronous function that answers a call. `Marker` is inferred: it names the function's
/// shape.
///
/// Implemented for closures and functions that return a future: `Fn()`, `Fn(A)` and `Fn(A, Cx)`,
/// where `A` is read from the call's arguments. The future must own what it uses; `Cx` is passed by
/// value because it is cheap to clone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "expected `|| async {{ .. }}`, `|arguments: A| async move {{ .. }}` or `|arguments: A, \
        cx: Cx| async move {{ .. }}`",
    note = "write the argument's type; take `Cx` by value; return a future that is `Send` (hold no \
        `Rc` or lock guard across `.await`)"
)]
pub trait Handler<Marker>: MaybeSend + MaybeSync + 'static {
    /// What the call's arguments are read into.
    type Arguments: MaybeSend + 'static;
    /// What the handler gives.
    type Output: 'static;

    /// Runs the handler.
    fn run(&self, arguments: Self::Arguments, cx: Cx) -> BoxFuture<'static, Self::Output>;
}

// Three implementations and not one: the marker `()`, `(A,)` or `(A, Cx)` is what keeps them from
// overlapping, and the compiler infers it from the function.
impl<F, Fut> Handler<()> for F
where
    F: Fn() -> Fut + MaybeSend + MaybeSync + 'static,
    Fut: Future + MaybeSend + 'static,
    Fut::Output: 'static,
{
    type Arguments = NoArguments;
    type Output = Fut::Output;

    fn run(&self, _: NoArguments, _: Cx) -> BoxFuture<'static, Self::Output> {
        Box::pin(self())
    }
}

impl<F, A, Fut> Handler<(A,)> for F
where
    F: Fn(A) -> Fut + MaybeSend + MaybeSync + 'static,
    A: MaybeSend + 'static,
    Fut: Future + MaybeSend + 'static,
    Fut::Output: 'static,
{
    type Arguments = A;
    type Output = Fut::Output;

    fn run(&self, arguments: A, _: Cx) -> BoxFuture<'static, Self::Output> {
        Box::pin(self(arguments))
    }
}

impl<F, A, Fut> Handler<(A, Cx)> for F
where
    F: Fn(A, Cx) -> Fut + MaybeSend + MaybeSync + 'static,
    A: MaybeSend + 'static,
    Fut: Future + MaybeSend + 'static,
    Fut::Output: 'static,
{
    type Arguments = A;
    type Output = Fut::Output;

    fn run(&self, arguments: A, cx: Cx) -> BoxFuture<'static, Self::Output> {
        Box::pin(self(arguments, cx))
    }
}
