//! The command line: every command with its help. What they do is in the files named after them.

mod released;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::output::CliResult;
pub(crate) use released::{BundleArguments, PublishArguments};

#[derive(Debug, Parser)]
#[command(
    name = "cargo mcpfn",
    bin_name = "cargo mcpfn",
    version,
    about = "Makes, runs, deploys and examines MCP servers.",
    arg_required_else_help = true
)]
struct CommandLine {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CliCommand {
    /// Make a project: a server with its tests, and the files that deploy it
    New(NewArguments),
    /// Build and serve the project of this folder, again after each change
    Dev(DevArguments),
    /// Build for a host
    Build(BuildArguments),
    /// See what is missing, deploy, and say where clients connect
    Deploy(DeployArguments),
    /// List what a server has, or call it
    Inspect(InspectArguments),
    /// Print what a server publishes, or keep it in a file for `compare`
    Schema(SchemaArguments),
    /// Say what of a new version would break clients of the old one
    Compare(CompareArguments),
    /// Measure how fast a server answers
    Bench(BenchArguments),
    /// Pass stdin and stdout to a remote server, for clients that start programs
    Connect(ConnectArguments),
    /// Examine a server or a project, and say what to change
    Doctor(DoctorArguments),
    /// Make a file that desktop clients install (MCPB)
    Bundle(BundleArguments),
    /// Make the entry of the registry of MCP servers, and publish it
    Publish(PublishArguments),
    /// Print the completions of a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// The folder, whose name is the server's: lower-case letters, digits and `-`
    pub(crate) name: PathBuf,
    /// Where it will be deployed
    #[arg(long, value_delimiter = ',', value_name = "HOST,..", default_values = ["lambda", "workers"])]
    pub(crate) on: Vec<DeployHost>,
    /// What to start from
    #[arg(long, default_value = "tool")]
    pub(crate) template: Template,
    /// Use a checkout of mcpfn instead of its release
    #[arg(long, value_name = "CHECKOUT")]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DevArguments {
    /// Port of 127.0.0.1 [default: MCPFN_PORT or 8787]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// Which program, where the project has several
    #[arg(long, value_name = "NAME")]
    pub(crate) bin: Option<String>,
    /// Serve as AWS Lambda would, by `cargo lambda watch`
    #[arg(long, conflicts_with_all = ["port", "bin", "workers"])]
    pub(crate) lambda: bool,
    /// Serve as Cloudflare Workers would, by `wrangler dev`
    #[arg(long, conflicts_with = "bin")]
    pub(crate) workers: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BuildArguments {
    /// For which host
    pub(crate) host: DeployHost,
    /// More arguments, for `sam build`, `worker-build` or `docker build`
    #[arg(last = true)]
    pub(crate) more: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DeployArguments {
    /// Where to
    pub(crate) host: DeployHost,
    /// More arguments, for `sam deploy` or `wrangler deploy`
    #[arg(last = true)]
    pub(crate) more: Vec<String>,
}

/// How requests are let in.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct Access {
    /// Send a header, such as 'Authorization: Bearer ${TOKEN}'; ${NAME} is a variable's value
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,
    /// Sign requests with credentials of AWS: of the environment, a profile, a sign-in, a role
    #[arg(long)]
    pub(crate) sigv4: bool,
    /// The region to sign for [default: that of the URL, or of the account]
    #[arg(long, requires = "sigv4")]
    pub(crate) region: Option<String>,
    /// The service to sign for [default: that of the URL, or lambda]
    #[arg(long, requires = "sigv4")]
    pub(crate) service: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ConnectArguments {
    /// The endpoint of the server
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) access: Access,
    #[command(flatten)]
    pub(crate) sign_in: SignInArguments,
    /// How long calls may still take once stdin has ended, in seconds; 0 ends them at once
    #[arg(long, value_name = "SECONDS", default_value = "30",
        value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) finish_seconds: u64,
}

/// How a person signs in, where a server wants that.
#[derive(Debug, Args)]
pub(crate) struct SignInArguments {
    /// The client to sign in as, where the issuer registers none: its id, or the URL of its document
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The only issuer to sign in at, as the server names it [default: the first that it names]
    #[arg(long, value_name = "URL", conflicts_with = "no_sign_in")]
    pub(crate) issuer: Option<String>,
    /// The port of 127.0.0.1 to which the browser comes back [default: any]
    #[arg(
        long,
        value_name = "PORT",
        default_value = "0",
        hide_default_value = true
    )]
    pub(crate) callback_port: u16,
    /// Never open a browser
    #[arg(long)]
    pub(crate) no_sign_in: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArguments {
    /// The endpoint of the server
    pub(crate) url: String,
    /// The tool to call; without one, the list of tools is asked for
    pub(crate) tool: Option<String>,
    /// Its arguments as a JSON object
    #[arg(default_value = "{}")]
    pub(crate) arguments: String,
    /// How long, in seconds
    #[arg(long, default_value = "10", value_parser = clap::value_parser!(u64).range(1..=300))]
    pub(crate) seconds: u64,
    /// How many connections, each with one call at a time
    #[arg(long, default_value = "8", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) connections: u16,
    /// Print the figures as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// The endpoint of a server, or the folder of a project
    pub(crate) target: String,
    /// Also see whether pages of this origin can call
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Vec<String>,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) access: Access,
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = false,
    subcommand_value_name = "QUESTION"
)]
pub(crate) struct InspectArguments {
    /// The endpoint of a server
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) access: Access,
    /// A program that is a server on stdin and stdout, in place of the URL
    #[arg(
        long,
        value_name = "PROGRAM,ARGUMENT..",
        value_delimiter = ',',
        conflicts_with = "url"
    )]
    pub(crate) command: Vec<String>,
    /// How long each answer may take, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout_seconds: u64,
    #[command(subcommand)]
    pub(crate) question: Option<Question>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The endpoint of a server
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) access: Access,
    /// A program that is a server on stdin and stdout, in place of the URL
    #[arg(
        long,
        value_name = "PROGRAM,ARGUMENT..",
        value_delimiter = ',',
        conflicts_with = "target"
    )]
    pub(crate) command: Vec<String>,
    /// Write it into this file, which ends in .json
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The version that clients know: a URL, a file of `schema --out`, or PROGRAM,ARGUMENT..
    pub(crate) old: String,
    /// The version that they will meet, in the same way
    pub(crate) new: String,
    #[command(flatten)]
    pub(crate) access: Access,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Question {
    /// List the tools with their schemas
    Tools,
    /// Call a tool; the exit status is 1 if it fails
    Call {
        /// The tool's name
        name: String,
        /// Its arguments as a JSON object
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// Read a resource
    Read {
        /// The resource's URI
        uri: String,
    },
    /// Get a prompt
    Prompt {
        /// The prompt's name
        name: String,
        /// Its arguments as a JSON object
        #[arg(default_value = "{}")]
        arguments: String,
    },
}

/// Where a server can be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeployHost {
    /// AWS Lambda
    Lambda,
    /// Cloudflare Workers
    #[value(alias = "worker")]
    Workers,
    /// An image for Kubernetes, Cloud Run, Fly and the like, which deploy it themselves
    Container,
}

impl DeployHost {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lambda => "lambda",
            Self::Workers => "workers",
            Self::Container => "container",
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
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> CliCommand {
    CommandLine::parse_from(without_cargo(arguments)).command
}

/// `cargo mcpfn x` starts `cargo-mcpfn mcpfn x`.
fn without_cargo(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|first| first == "mcpfn") {
        arguments.remove(1);
    }
    arguments
}

pub(crate) fn completions(shell: clap_complete::Shell) -> CliResult {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut CommandLine::command(),
        "cargo-mcpfn",
        &mut script,
    );
    crate::output::say(String::from_utf8_lossy(&script).trim_end());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
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
