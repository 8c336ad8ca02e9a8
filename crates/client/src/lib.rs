//! The port to other HTTP services (`mcpfn_core::HttpClient`) where there are sockets: hyper,
//! rustls with ring, the roots of the web compiled in. HTTP/1.1 only; no redirects, cookies,
//! proxies or retries. Bodies are decompressed, except parts of them (status 206).

mod address;
mod client;
mod connect;
mod content;
mod resolve;
mod target;

pub use client::Client;
pub use resolve::{Resolve, SystemResolver};
