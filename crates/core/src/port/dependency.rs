//! The port to what calls need and a server can be without for a time: a database, a store. Asked by
//! probes, never by a call.

use crate::send::{BoxFuture, MaybeSend, MaybeSync};

/// Something outside of the process without which calls fail. The local host asks each one when a
/// load balancer asks it at `/ready`.
///
/// ```
/// use mcpfn_core::{handler::BoxFuture, port::Dependency};
///
/// /// A directory that has to be mounted.
/// struct Mounted(std::path::PathBuf);
///
/// impl Dependency for Mounted {
///     fn check(&self) -> BoxFuture<'_, Result<(), String>> {
///         let there = std::fs::metadata(&self.0);
///         Box::pin(async { there.map(drop).map_err(|error| error.to_string()) })
///     }
/// }
/// # mcpfn_testing::block_on(async {
/// assert_eq!(Mounted("/".into()).check().await, Ok(()));
/// assert!(Mounted("/no/such/mount".into()).check().await.is_err());
/// # });
/// ```
pub trait Dependency: MaybeSend + MaybeSync {
    /// Whether a call would find it in order. Costs little: it is asked up to once a second, and
    /// dropped when it does not answer within one.
    ///
    /// # Errors
    /// When it is not there. The cause is for the log and may name hosts and files, but no secret.
    fn check(&self) -> BoxFuture<'_, Result<(), String>>;
}
