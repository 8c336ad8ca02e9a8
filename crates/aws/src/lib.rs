//! What every request to a service of AWS needs: region, credentials, an address, a signature. It
//! knows no service, and sends nothing but what credentials take that are not in the environment.
//!
//! # When to use it
//!
//! To ask a service of AWS through the port `HttpClient`, without the SDK and its start-up time. `mcpfn-lambda` and
//! `mcpfn-files` do. Region and credentials of this process are an [`AwsAccount`].
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use mcpfn_aws::{AccessKeys, domain, sign};
//! use mcpfn_core::port::HttpRequest;
//!
//! let region = "eu-central-1";
//! let keys = AccessKeys { id: "AKID".into(), secret: "secret".into(), session: None };
//! let url = format!("https://ssm.{region}.{}/", domain(region));
//! let request = HttpRequest::post(url, "application/x-amz-json-1.1", "{}");
//! let now = UNIX_EPOCH + Duration::from_secs(1_785_196_800);
//! let signed = sign(request, "ssm", region, &keys, now)?;
//! assert!(signed.headers.iter().any(|(name, _)| name == "authorization"));
//! # Ok::<(), String>(())
//! ```

mod account;
mod chain;
mod http;
mod keys;
mod signature;

pub use account::{AwsAccount, domain, endpoint};
pub use keys::AccessKeys;
pub use signature::sign;
