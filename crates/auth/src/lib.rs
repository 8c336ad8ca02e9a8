//! Who calls: OAuth access tokens, API keys, Cloudflare Access and the identities of AWS IAM, as
//! authenticators for `mcpfn-http`. Pure over ports: keys and verdicts of issuers come through
//! `HttpClient`, the time through the platform, and signatures are checked through [`Signatures`],
//! or with the feature `ring` by this crate. What HTTP answers to a caller that proves nothing
//! is not here.
//!
//! A host reads all of it from its variables, and gives it to `mcpfn-http`; the platform needs an
//! `HttpClient`:
//!
//! ```
//! use mcpfn_auth::{AuthMethod, AuthMethods, Credentials};
//!
//! let variable = |name: &str| (name == "MCPFN_AUTH").then(|| "none".into());
//! let mut reader = mcpfn_host::EnvReader::new(variable);
//! let methods = AuthMethods::read(&mut reader, &[AuthMethod::OAuth, AuthMethod::ApiKey, AuthMethod::None]);
//! let proofs = methods.map(|methods| Credentials::read(&mut reader, &methods));
//!
//! let mut config = mcpfn_http::Config::default();
//! if let Some(proofs) = reader.finish(proofs)? {
//!     config.auth = proofs.auth;
//! }
//! # Ok::<(), mcpfn_host::SettingsError>(())
//! ```

mod access;
mod api_key;
mod bearer;
mod denied;
mod iam;
mod introspection;
mod issuer;
mod jwt;
mod kept;
mod methods;
mod oauth;
mod remote;
mod settings;
mod signatures;
mod verified;

pub use access::CloudflareAccess;
pub use api_key::{ApiKey, ApiKeys, KeySource, hash_key, new_key};
pub use bearer::RejectUnknownBearer;
pub use iam::IamScopes;
pub use introspection::Introspection;
pub use methods::{AuthMethod, AuthMethods};
pub use oauth::OAuth;
pub use settings::{Credentials, ENVIRONMENT};
pub use signatures::{PublicKey, SignatureKey, Signatures};
pub use verified::verified_caller;
