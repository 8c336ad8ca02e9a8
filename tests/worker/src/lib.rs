//! The servers of the fixtures as one Worker; the variable `TEST_SERVER` says which. `watched` is for what only this host does.

#![cfg(target_arch = "wasm32")]

#[path = "../../it/support/servers.rs"]
mod servers;
mod watched;

use mcpfn::worker::Variables;

mcpfn::worker::fetch!(|variables: &Variables| {
    let name = variables.find("TEST_SERVER").unwrap_or_else(|| "everything".into());
    mcpfn::worker::served(match name.to_str() {
        Some("watched") => watched::server,
        name => servers::named(name.unwrap_or_default()),
    })
});
