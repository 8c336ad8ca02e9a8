//! Who calls: OAuth access tokens, API keys, Cloudflare Access and the identities of AWS IAM, as
//! authenticators for `mcpfn-http`. Pure over ports: keys and verdicts of issuers come through
//! `HttpClient`, the time through the platform, and signatures are checked through [`Signatures`],
//! or with the feature `ring` by this crate. The HTTP response to an unauthenticated caller is not
//! here.
//!
//! `mcpfn-settings` reads all of it from variables; `mcpfn-http` asks it about each request. The
//! platform needs an `HttpClient`:
//!
//! ```
//! use std::sync::Arc;
//!
//! let keys = mcpfn_auth::ApiKey::parse(&format!("robot:{}", mcpfn_auth::hash_key("a key")));
//! let mut config = mcpfn_http::Config::default();
//! config.auth.authenticators = vec![Arc::new(mcpfn_auth::ApiKeys::new(keys?))];
//! # Ok::<(), Vec<String>>(())
//! ```

mod access;
mod api_key;
mod bearer;
mod denied;
mod iam;
mod introspection;
mod issuer;
mod issuer_scopes;
mod jwt;
mod kept;
mod oauth;
mod remote;
mod signatures;
mod verified;

pub use access::CloudflareAccess;
pub use api_key::{ApiKey, ApiKeys, KeySource, hash_key, new_key};
pub use bearer::RejectUnknownBearer;
pub use iam::IamScopes;
pub use introspection::Introspection;
pub use issuer_scopes::IssuerScopes;
pub use kept::MAX_KEY_AGE_MS;
pub use oauth::OAuth;
pub use remote::url_mistake;
pub use signatures::{PublicKey, SignatureKey, Signatures};
pub use verified::{caller_of_token, verified_caller};
