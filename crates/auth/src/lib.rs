//! Who calls: OAuth access tokens, API keys, Cloudflare Access and the identities of AWS IAM, as
//! authenticators for `mcpfn-http`. Pure over ports: keys and verdicts of issuers come through
//! `HttpClient`, the time through the platform, and signatures are checked through [`Signatures`],
//! or with the feature `ring` by this crate. Without the feature `tokens`, which is on by default,
//! there are API keys and callers whom a platform in front verified. The HTTP response to an
//! unauthenticated caller is not here.
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

#[cfg(feature = "tokens")]
mod access;
mod api_key;
mod bearer;
mod denied;
mod grant;
mod iam;
#[cfg(feature = "tokens")]
mod introspection;
#[cfg(feature = "tokens")]
mod issuer;
#[cfg(feature = "tokens")]
mod issuer_scopes;
#[cfg(feature = "tokens")]
mod jwt;
mod kept;
mod name;
#[cfg(feature = "tokens")]
mod oauth;
#[cfg(feature = "tokens")]
mod remote;
#[cfg(feature = "tokens")]
mod signatures;
mod url;
mod verified;

#[cfg(feature = "tokens")]
pub use access::CloudflareAccess;
pub use api_key::{ApiKey, ApiKeys, KeySource, hash_key, new_key};
pub use bearer::RejectUnknownBearer;
pub use iam::IamScopes;
#[cfg(feature = "tokens")]
pub use introspection::Introspection;
#[cfg(feature = "tokens")]
pub use issuer_scopes::IssuerScopes;
pub use kept::MAX_KEY_AGE_MS;
#[cfg(feature = "tokens")]
pub use oauth::OAuth;
#[cfg(feature = "tokens")]
pub use signatures::{PublicKey, SignatureKey, Signatures};
pub use url::url_mistake;
#[cfg(feature = "tokens")]
pub use verified::caller_of_token;
pub use verified::verified_caller;
