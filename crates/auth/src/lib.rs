//! Who calls: OAuth access tokens, API keys, Cloudflare Access and the identities of AWS IAM, as
//! authenticators for `mcpfn-http`. Pure over ports: keys and verdicts of issuers come through
//! `HttpClient`, the time through the platform, and signatures are checked through [`Signatures`],
//! or with the feature `software` by this crate. What HTTP answers to a caller that proves nothing
//! is not here.
//!
//! A host reads all of it from its variables, and gives it to `mcpfn-http`; the platform needs an
//! `HttpClient`:
//!
//! ```
//! use mcpfn_auth::{Method, Methods, Proofs};
//!
//! let variable = |name: &str| (name == "MCPFN_AUTH").then(|| "none".into());
//! let mut reader = mcpfn_host::Reader::new(variable);
//! let methods = Methods::read(&mut reader, &[Method::OAuth, Method::ApiKey, Method::None]);
//! let proofs = methods.map(|methods| Proofs::read(&mut reader, &methods));
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

pub use access::Access;
pub use api_key::{ApiKey, ApiKeys, KeySource, hash_key, new_key};
pub use bearer::Unclaimed;
pub use iam::IamScopes;
pub use introspection::Introspection;
pub use methods::{Method, Methods};
pub use oauth::OAuth;
pub use settings::{ENVIRONMENT, Proofs};
pub use signatures::{PublicKey, SignatureKey, Signatures};
