//! The fixture server of the official conformance suite, written with the public interface only.
//! Shared by the binary `everything`, the integration tests and the wasm check.

pub mod asking;
#[cfg(not(target_arch = "wasm32"))]
pub mod bodies;
#[cfg(not(target_arch = "wasm32"))]
pub mod events;
#[cfg(not(target_arch = "wasm32"))]
pub mod fuzzing;
mod prompts;
pub mod renamed;
mod resources;
mod round_trips;
#[cfg(not(target_arch = "wasm32"))]
pub mod shown;
mod tasks;
mod tools;

use mcpfn::{Builder, Server};

/// A server with everything that the suite and the real clients ask for.
pub fn everything() -> Builder {
    everything_within_calls().with(tasks::add)
}

/// What the program `everything` serves: this host also keeps events.
#[cfg(not(target_arch = "wasm32"))]
pub fn everything_with_events() -> Builder {
    everything().with(events::add)
}

/// What a host has that keeps neither.
pub fn everything_within_calls() -> Builder {
    Server::builder("everything", env!("CARGO_PKG_VERSION"))
        .title("Everything")
        .description("Every feature of the protocol, for tests.")
        .instructions("Call what you like: nothing here does anything.")
        .logging()
        .with(tools::add)
        .with(round_trips::add)
        .with(resources::add)
        .with(prompts::add)
        .skills(mcpfn::skill::skills!("skills"))
}
