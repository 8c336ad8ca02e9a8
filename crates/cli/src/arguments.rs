//! The command line: every command with its help. What they do is in the files named after them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::output::Outcome;

#[derive(Debug, Parser)]
#[command(
    name = "cargo mcpfn",
    bin_name = "cargo mcpfn",
    version,
    about = "Makes, runs, deploys and examines MCP servers.",
    arg_required_else_help = true
)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project: a server with its tests, and the files that deploy it
    New(New),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// The folder, whose name is the server's: lower-case letters, digits and `-`
    pub(crate) name: PathBuf,
    /// Where it will be deployed
    #[arg(long, value_delimiter = ',', value_name = "HOST,..", default_values = ["lambda", "workers"])]
    pub(crate) on: Vec<Host>,
    /// What to start from
    #[arg(long, default_value = "tool")]
    pub(crate) template: Template,
    /// Use a checkout of mcpfn instead of its release
    #[arg(long, value_name = "CHECKOUT")]
    pub(crate) path: Option<PathBuf>,
}

/// Where a server can be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Host {
    /// AWS Lambda
    Lambda,
    /// Cloudflare Workers
    #[value(alias = "worker")]
    Workers,
}

impl Host {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Workers => "workers",
        }
    }
}

/// What a project starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Template {
    /// A tool, a resource and a prompt
    Tool,
    /// Tools over a database
    Database,
    /// A tool that asks an HTTP API with a key
    ApiClient,
    /// Another MCP server behind this one
    Upstream,
}

impl Template {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Database => "database",
            Self::ApiClient => "api-client",
            Self::Upstream => "upstream",
        }
    }
}

/// Reads the command line; prints help and ends the process where it asks for that, or is wrong.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Command {
    Line::parse_from(without_cargo(arguments)).command
}

/// `cargo mcpfn x` starts `cargo-mcpfn mcpfn x`.
fn without_cargo(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|first| first == "mcpfn") {
        arguments.remove(1);
    }
    arguments
}

pub(crate) fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Line::command(), "cargo-mcpfn", &mut script);
    crate::output::say(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Line::command().debug_assert();
    }

    #[test]
    fn cargo_repeats_the_name() {
        let line = |words: &[&str]| without_cargo(words.iter().map(OsString::from));
        assert_eq!(line(&["a", "mcpfn", "new"]), line(&["a", "new"]));
        // a project may have the name
        let new = line(&["a", "mcpfn", "new", "mcpfn"]);
        assert_eq!(new, ["a", "new", "mcpfn"]);
    }
}
