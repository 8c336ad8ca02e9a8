//! What every request to a service of AWS needs: region, credentials, an address, a signature.
//! Sends nothing, and knows no service.
//!
//! # When to use it
//!
//! To ask a service of AWS through the port `HttpClient`, without the SDK and its start-up time. `mcpfn-lambda` and
//! `mcpfn-files` do.
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
mod signature;

pub use account::{AccessKeys, account, domain, endpoint};
pub use signature::sign;
