//! The servers of the fixtures as one Worker; the variable `TEST_SERVER` says which. `watched` is for what only this host does, `store`
//! for the contract of its stores.

#![cfg(target_arch = "wasm32")]

mod policed;
#[path = "../../it/support/servers.rs"]
mod servers;
mod store;
mod watched;

use mcpfn::worker::{Setup, Variables};
use mcpfn::{Once, Platform};

mcpfn::worker::fetch!(setup);

fn setup(variables: &Variables) -> Result<Setup<impl FnOnce(Platform) -> Platform + use<>>, String> {
    let name = variables.find("TEST_SERVER").unwrap_or_else(|| "everything".into());
    let once = variables.once("ONCE")?;
    let server = match name.to_str() {
        Some("watched") => watched::server,
        Some("policed") => policed::server,
        Some("store") => store::server,
        name => servers::named(name.unwrap_or_default()),
    };
    Ok(Setup {
        builder: server(),
        ports: move |platform: Platform| match once {
            Some(once) => platform.with_port::<dyn Once>(once),
            None => platform,
        },
    })
}
