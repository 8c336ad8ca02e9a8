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

use arguments::{Command, parse};
use output::fail;

fn main() -> ExitCode {
    let done = match parse(std::env::args_os()) {
        Command::New(arguments) => new::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Connect(arguments) => connect::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Completions { shell } => arguments::completions(shell),
    };
    done.unwrap_or_else(|error| fail(&error))
}
