//! Which host serves: AWS Lambda where it started this program and the feature is on, and else this
//! machine.

use std::process::ExitCode;

use crate::of_target::{Setting, Variables};
use crate::serve::Serve;

/// Runs a server as this process: on this machine over HTTP, or over stdio with `--stdio`. See
/// `--help`. With the feature `lambda` it serves AWS Lambda instead, when Lambda started the
/// process; without the feature `local` it serves nothing else.
pub fn run<Shape>(server: impl Serve<Shape>) -> ExitCode {
    run_with(server, &[])
}

/// [`run`] for a server with settings: the variables with names in `MCPFN_` that it reads itself.
/// `--help` lists them, and others with such names are mistakes.
pub fn run_with<Shape>(server: impl Serve<Shape>, settings: &'static [Setting]) -> ExitCode {
    run_with_commands(server, settings, &[])
}

/// [`run_with`] for a program that has commands of its own, each with its name and what it does.
/// `--help` lists them; the program looks for them among its arguments before it calls this.
pub fn run_with_commands<Shape>(
    server: impl Serve<Shape>,
    settings: &'static [Setting],
    commands: &'static [(&'static str, &'static str)],
) -> ExitCode {
    let setup = |variables: &Variables| server.set_up(variables);
    #[cfg(not(feature = "local"))]
    {
        // only the host for this machine has any
        let _ = commands;
        mcpfn_lambda::run(setup, settings)
    }
    #[cfg(feature = "local")]
    {
        #[cfg(feature = "lambda")]
        if started_by_lambda() {
            return mcpfn_lambda::run(setup, settings);
        }
        let hosts = if cfg!(feature = "lambda") {
            crate::of_target::Hosts::PROCESSES
        } else {
            crate::of_target::Hosts::LOCAL
        };
        let program = mcpfn_local::Program {
            settings,
            hosts,
            commands,
        };
        mcpfn_local::run(setup, &program)
    }
}

/// Lambda sets the variable and passes no arguments. A program that another function starts
/// inherits the variable, but is told with an argument (`--stdio`) what to do.
#[cfg(all(feature = "lambda", feature = "local"))]
fn started_by_lambda() -> bool {
    std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() && std::env::args_os().len() <= 1
}
