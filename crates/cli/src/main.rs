//! `cargo mcpfn`: the road of somebody who writes a server, from an empty folder to a deployed one.
//! It starts other people's tools where they are the way; it holds no rule of the protocol.

mod arguments;
mod bench;
mod bundle;
mod compare;
mod connect;
mod credentials;
mod deploy;
mod dev;
mod doctor;
mod events;
mod http;
mod inspect;
mod new;
mod oauth;
mod output;
mod project;
mod publish;
mod remote;
mod tools;

use std::process::ExitCode;

use arguments::{CliCommand, parse};
use output::fail;

fn main() -> ExitCode {
    let done = match parse(std::env::args_os()) {
        CliCommand::New(arguments) => new::run(&arguments),
        CliCommand::Dev(arguments) => dev::run_dev(&arguments),
        CliCommand::Build(arguments) => deploy::build(&arguments),
        CliCommand::Deploy(arguments) => deploy::deploy(&arguments),
        CliCommand::Inspect(arguments) => inspect::run(&arguments),
        CliCommand::Schema(arguments) => compare::schema(&arguments),
        CliCommand::Compare(arguments) => compare::run(&arguments),
        CliCommand::Bench(arguments) => bench::run(&arguments),
        CliCommand::Connect(arguments) => connect::run(&arguments),
        CliCommand::Doctor(arguments) => doctor::run(&arguments),
        CliCommand::Bundle(arguments) => bundle::run(&arguments),
        CliCommand::Publish(arguments) => publish::run(&arguments),
        CliCommand::Completions { shell } => arguments::completions(shell),
    };
    done.unwrap_or_else(|error| fail(&error))
}
