//! Ready-made systems for an MCP server, one module each: tools, resources and prompts over the
//! ports of `mcpfn-core`.
//!
//! **In scope:** what a model can do, how it is described to the model, and what is refused. Every
//! tool is an ordinary asynchronous function with `#[tool]`; a toolkit is a function from builder
//! to builder.
//!
//! **Out of scope:** drivers and hosts (a toolkit asks for a port such as `Sql` and does not know
//! who answers), and who may call. The crate builds for wasm32.
//!
//! ```
//! use mcpfn_core::Server;
//! use mcpfn_toolkits::{hello, register};
//!
//! // one by one, as a library
//! let server = Server::builder("shop", "1.0.0").with(hello::toolkit).build()?;
//! assert_eq!(server.counts(), (1, 0, 0));
//!
//! // by name, as the `mcpfn` binary does
//! let variable = |name: &str| std::env::var(name).ok();
//! let server = register(Server::builder("shop", "1.0.0"), "hello, catalog, database", &variable)?.build()?;
//! assert_eq!(server.counts().0, 6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// the macros expand to paths that begin with `::mcpfn`
extern crate mcpfn_core as mcpfn;

pub mod catalog;
pub mod company;
pub mod contracts;
pub mod crm;
pub mod database;
pub mod embedding;
pub mod fetch;
pub mod files;
pub mod github;
pub mod hello;
pub mod inventory;
pub mod knowledge;
pub mod shop;
#[cfg(feature = "skills")]
pub mod skills;
pub mod sql;
#[cfg(feature = "upstream")]
pub mod upstream;
pub mod weather;
pub mod web;

mod analysis;
mod api;
mod config;
mod date;
mod dialect;
mod event_ids;
mod events;
mod fnv;
mod mapping;
mod mistakes;
mod near;
mod outage;
mod pages;
mod prompt_data;
mod registry;
mod rows;
mod say;
mod scan;
mod untrusted;
mod words;
pub mod workflow;

pub use mapping::{MAPPING, Mapping};
pub use mcpfn_ports::{NoSecret, Secret};
pub use mistakes::Mistakes;
pub use registry::{Needs, about, any_needs, defaults, names, register};

/// A number as serde names one that was left out: `#[serde(default = "crate::usual::<20>")]`.
pub(crate) const fn usual<const N: u32>() -> u32 {
    N
}
