//! Any server of the fixtures as a Lambda bootstrap: `MCPFN_TEST_SERVER` says which.

#[path = "../../it/support/servers.rs"]
mod servers;

use std::convert::Infallible;
use std::process::ExitCode;

use mcpfn::port::Platform;
use mcpfn_lambda::{Setup, Variables};

fn main() -> ExitCode {
    let name = std::env::var("MCPFN_TEST_SERVER").unwrap_or_else(|_| "everything".to_owned());
    let setup = |_: &Variables| {
        Ok::<_, Infallible>(Setup {
            builder: servers::named(&name)(),
            ports: |platform: Platform| platform,
        })
    };
    mcpfn_lambda::run(setup, &[])
}
