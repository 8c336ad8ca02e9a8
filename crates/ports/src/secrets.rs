//! The port to secrets that are kept somewhere else than in a variable. What a secret is for, and
//! what happens without it, is the toolkit's business.

use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

/// Where a host keeps secrets. An implementation may keep what it read for a bounded time.
///
/// ```
/// use mcpfn_core::handler::BoxFuture;
/// use mcpfn_ports::SecretStore;
///
/// /// Knows one secret.
/// struct One;
///
/// impl SecretStore for One {
///     fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<String, String>> {
///         Box::pin(async move {
///             match reference {
///                 "ssm:/weather" => Ok("key".to_owned()),
///                 other => Err(format!("`{other}` does not exist")),
///             }
///         })
///     }
/// }
///
/// assert_eq!(mcpfn_testing::block_on(One.read("ssm:/weather")).as_deref(), Ok("key"));
/// ```
pub trait SecretStore: MaybeSend + MaybeSync {
    /// The text of a secret, by the reference that the operator wrote in its place, such as
    /// `ssm:/NAME`.
    ///
    /// # Errors
    /// Why it can't be read, in a sentence for the log that repeats no secret.
    fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<String, String>>;
}
