//! Which host serves: AWS Lambda where it started this program and the feature is on, and else this
//! machine.

use std::convert::Infallible;
use std::fmt::Display;
use std::process::ExitCode;

use mcpfn_core::{Builder, port::Platform};
use mcpfn_local::{Hosts, Program, Setting, Setup};

/// Runs a server as this process: on this machine over HTTP, or over stdio with `--stdio`. See
/// `--help`. With the feature `lambda` it serves AWS Lambda instead, when Lambda started the
/// process.
pub fn run(server: impl FnOnce() -> Builder) -> ExitCode {
    let setup = || {
        Ok::<_, Infallible>(Setup {
            builder: server(),
            ports: |platform: Platform| platform,
        })
    };
    run_with(setup, &[])
}

/// [`run`] for a server that has ports of its own, or can fail to start. `settings` are the
/// variables that it reads itself: `--help` lists them, and other variables whose names begin with
/// `MCPFN_` are mistakes.
pub fn run_with<E, P>(
    setup: impl FnOnce() -> Result<Setup<P>, E>,
    settings: &'static [Setting],
) -> ExitCode
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    #[cfg(feature = "lambda")]
    if started_by_lambda() {
        return mcpfn_lambda::run(setup, settings);
    }
    let hosts = if cfg!(feature = "lambda") {
        Hosts::PROCESSES
    } else {
        Hosts::LOCAL
    };
    mcpfn_local::run(setup, &Program { settings, hosts })
}

/// Lambda sets the variable and passes no arguments. A program that another function starts
/// inherits the variable, but is told with an argument (`--stdio`) what to do.
#[cfg(feature = "lambda")]
fn started_by_lambda() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() && std::env::args_os().len() <= 1
}
