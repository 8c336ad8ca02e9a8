//! `cargo mcpfn`: the road of somebody who writes a server, from an empty folder to a deployed one.
//! It starts other people's tools where they are the way; it holds no rule of the protocol.

mod arguments;
mod connect;
mod credentials;
mod doctor;
mod events;
mod http;
mod inspect;
mod new;
mod output;
mod remote;

use std::process::ExitCode;

use arguments::{CliCommand, parse};
use output::fail;

fn main() -> ExitCode {
    let done = match parse(std::env::args_os()) {
        CliCommand::New(arguments) => new::run(&arguments),
        CliCommand::Inspect(arguments) => inspect::run(&arguments),
        CliCommand::Connect(arguments) => connect::run(&arguments),
        CliCommand::Doctor(arguments) => doctor::run(&arguments),
        CliCommand::Completions { shell } => arguments::completions(shell),
    };
    done.unwrap_or_else(|error| fail(&error))
}
