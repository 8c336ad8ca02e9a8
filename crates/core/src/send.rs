//! `Send` where the target has threads, nothing where it has none. Not a feature: bounds follow the
//! target, because a feature that removes a bound is not additive.
//!
//! All target `cfg`s of this crate are in this file.

use std::future::Future;
use std::pin::Pin;

/// `Send` on targets with threads; every type on wasm32.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + ?Sized> MaybeSend for T {}

/// `Send` on targets with threads; every type on wasm32.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}

/// `Sync` on targets with threads; every type on wasm32.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSync: Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Sync + ?Sized> MaybeSync for T {}

/// `Sync` on targets with threads; every type on wasm32.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSync {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSync for T {}

/// A future on the heap, `Send` where the target has threads.
#[cfg(not(target_arch = "wasm32"))]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A future on the heap, `Send` where the target has threads.
#[cfg(target_arch = "wasm32")]
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A value of any type, `Send + Sync` where the target has threads.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) type AnyValue = dyn std::any::Any + Send + Sync;

/// A value of any type, `Send + Sync` where the target has threads.
#[cfg(target_arch = "wasm32")]
pub(crate) type AnyValue = dyn std::any::Any;
