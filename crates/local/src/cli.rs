//! The command line of every server on this machine: serve over HTTP or stdio, list the tools, call
//! one.

use std::fmt::Display;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use mcpfn_core::host::Subscriptions;
use mcpfn_core::{Server, port::Platform};
use mcpfn_native::{OsRandom, Process, Telemetry, Transport, Variables};
use mcpfn_settings::{
    Assembly, Common, Hosts, Kept, Observed, SETTINGS, Setting, SettingsError, Setup,
    and_of_server, build, help, warn_of_tools,
};
use tokio::runtime::Runtime;
use tracing::Level;

use crate::end::end_work;
use crate::endpoint::{Beside, LocalEndpoint};
use crate::env_file::variables;
use crate::greeting::Greeting;
use crate::listen::BoundAddress;
use crate::metrics::PrometheusMetrics;
use crate::running_tasks::RunningTasks;
use crate::settings::Settings;
use crate::signals::stopped;
use crate::stdout::say;
use crate::{commands, http, logging, probes, stdio};

const FOR_DEVELOPMENT: &str = "--env-file is for development, and others can reach the address of \
    MCPFN_LISTEN: set the variables in the environment, and secrets there or in files (NAME_FILE=PATH)";

#[derive(Debug, Parser)]
#[command(
    about = "Serves the Model Context Protocol on this machine.",
    disable_version_flag = true
)]
struct Arguments {
    /// Port to listen on; 0 takes any free one [default: MCPFN_PORT, PORT or 8787]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Speak over stdin and stdout, one message per line, instead of HTTP
    #[arg(long, conflicts_with = "port")]
    stdio: bool,
    /// Read variables that are not set from a file of lines NAME=VALUE, such as .env
    #[arg(long, value_name = "FILE", global = true)]
    env_file: Option<PathBuf>,
    /// Print the server's name and version
    #[arg(long, short = 'V')]
    version: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the tools and what they are for
    Tools,
    /// Call a tool and print its result; the exit status is 1 if it fails
    Call {
        /// The tool's name
        tool: String,
        /// Its arguments as a JSON object
        #[arg(default_value = "{}")]
        arguments: String,
    },
    /// Print what to paste into clients so that they find the server that these settings describe
    Clients,
    /// Ask the server that these settings describe whether it is ready: exit status 0, or 1
    Health,
    /// Make an API key, and print it with the entry of MCPFN_API_KEYS that admits it
    Key {
        /// Whose key it is: letters, digits, and . _ -
        name: String,
        /// What it may do, such as "catalog:read crm" [default: everything]
        #[arg(long)]
        scopes: Option<String>,
    },
}

/// A program that serves, as its command line describes it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The settings of the program itself, beside those of its hosts.
    pub settings: &'static [Setting],
    /// The hosts that it was built for.
    pub hosts: Hosts,
    /// Commands that the program runs itself, before this crate sees them: name, and what it does.
    /// They are listed by `--help`.
    pub commands: &'static [(&'static str, &'static str)],
}

/// Runs a server as the command line says.
pub fn run<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &Program,
) -> ExitCode
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    match start(setup, program) {
        Ok(code) => code,
        Err(message) => {
            // stderr may be closed; there is no other place to report to
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn start<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &Program,
) -> Result<ExitCode, String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let arguments = arguments(program)?;
    if let Some(Command::Key { name, scopes }) = &arguments.command {
        return commands::key(name, scopes.as_deref());
    }
    let variables =
        variables(arguments.env_file.as_deref())?.with_secret_files(program.settings)?;
    let settings = match variables.read(|reader| Settings::read(reader, program.settings)) {
        Ok(settings) => settings,
        // health is asked often, and needs no server
        Err(error) if matches!(arguments.command, Some(Command::Health)) => {
            return Err(error.to_string());
        }
        Err(error) => return Err(all_mistakes(error, &variables, setup)),
    };
    if let Some(Command::Health) = arguments.command {
        return probes::ask(&settings);
    }
    start_log(&arguments, &settings);
    let subscriptions = subscriptions(&arguments, &settings);
    let (server, add) = build(
        || setup(&variables),
        Kept::ALL,
        &settings.common.tools,
        subscriptions,
    )?;
    if arguments.version {
        say(&format!("{} {}\n", server.name(), server.version()));
        return Ok(ExitCode::SUCCESS);
    }
    let host = LocalHost::new(&settings, &server, arguments.stdio, add)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.worker_threads)
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    runtime.spawn(host.process.telemetry.clone().keep_flushing());
    runtime.spawn(host.process.event_runs.clone().keep_sending());
    let process = host.process.clone();
    let greeting = Greeting {
        server,
        key_is_new: host.assembly.key_is_new,
        env_file: arguments.env_file.clone(),
        program: program.settings,
        settings,
    };
    let done = host.serve(&runtime, arguments, &greeting);
    runtime.block_on(end_work(&process));
    // a thread may still wait for stdin, which nothing can interrupt
    runtime.shutdown_background();
    done
}

fn start_log(arguments: &Arguments, settings: &Settings) {
    let quiet = if arguments.command.is_some() {
        Level::WARN
    } else {
        Level::INFO
    };
    let level = settings.common.log_level.unwrap_or(quiet);
    logging::start(level, settings.log_format);
}

/// A pipe has one client, which is told of nothing between its calls.
fn subscriptions(arguments: &Arguments, settings: &Settings) -> Subscriptions {
    match arguments.stdio {
        true => Subscriptions::default(),
        false => settings.common.subscriptions,
    }
}

/// What is wrong with the settings, and with the server that they configure.
fn all_mistakes<E: Display, P>(
    error: SettingsError,
    variables: &Variables,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
) -> String {
    let variable = |name: &str| variables.find(name);
    and_of_server(error, &variable, || setup(variables)).to_string()
}

fn arguments(program: &Program) -> Result<Arguments, String> {
    let here = |setting: &&Setting| setting.hosts.meets(Hosts::LOCAL);
    let own = program.settings.iter().filter(here);
    let mut text = format!(
        "Settings, as environment variables:\n{}",
        help(
            SETTINGS
                .iter()
                .filter(here)
                .chain(own)
                .chain(Telemetry::SETTINGS)
        )
    );
    if program.hosts.meets(Hosts::LAMBDA) {
        let there = |setting: &&Setting| setting.hosts.meets(Hosts::LAMBDA) && !here(setting);
        text.push_str("\n\nThese are otherwise on AWS Lambda:\n");
        text.push_str(&help(SETTINGS.iter().chain(program.settings).filter(there)));
    }
    text.push_str(
        "\n\nA key, a token or a URL with a password may stand in a file: NAME_FILE=PATH in place of NAME.",
    );
    let own = program.commands.iter();
    let command = own.fold(Arguments::command(), |command, (name, about)| {
        let rest = clap::Arg::new("rest").num_args(0..).hide(true);
        let rest = rest.trailing_var_arg(true).allow_hyphen_values(true);
        command.subcommand(clap::Command::new(*name).about(*about).arg(rest))
    });
    let matches = command.after_help(text).get_matches();
    if let Some((name, _)) = program
        .commands
        .iter()
        .find(|(name, _)| matches.subcommand_name() == Some(*name))
    {
        return Err(format!("write `{name}` before every option"));
    }
    let arguments = Arguments::from_arg_matches(&matches).map_err(|error| error.to_string())?;
    let serves = arguments.stdio || arguments.version || arguments.port.is_some();
    if serves && arguments.command.is_some() {
        Arguments::command()
            .error(
                ErrorKind::ArgumentConflict,
                "--port, --stdio and --version are for a server: leave them out with a command",
            )
            .exit();
    }
    Ok(arguments)
}

/// What one start serves.
struct LocalHost {
    assembly: Assembly,
    process: Process,
    metrics: Option<PrometheusMetrics>,
    tasks: RunningTasks,
}

impl LocalHost {
    fn new(
        settings: &Settings,
        server: &Server,
        stdio: bool,
        add: impl FnOnce(Platform) -> Platform,
    ) -> Result<Self, String> {
        let counted = settings.metrics || settings.metrics_listen.is_some();
        let metrics = counted.then(PrometheusMetrics::default);
        let tasks = RunningTasks::default();
        let audit = |platform: Platform| {
            let (log, clock) = (platform.audit_log(), platform.clock());
            let heard = tasks.before(Arc::clone(log), Arc::clone(clock));
            let platform = platform.with_audit_log(Arc::new(heard));
            let Some(metrics) = metrics.clone() else {
                return platform;
            };
            let inner = Arc::clone(platform.audit_log());
            let deliveries = metrics.clone();
            let observed = Observed::new(inner, move |call| metrics.count(call))
                .and_deliveries(move |delivery| deliveries.count_delivery(delivery));
            platform.with_audit_log(Arc::new(observed))
        };
        let transport = if stdio {
            Transport::Pipe
        } else {
            Transport::Tcp
        };
        let Common { policies, .. } = settings.common;
        let mut started = Process::default();
        let assembly = settings.common.clone().assemble(
            &settings.host(),
            server.clone(),
            &OsRandom,
            |server, keys| {
                let (platform, process) = Process::start(server, keys, transport, audit)?;
                started = process;
                Ok(settings.shared.apply(policies, platform, &started))
            },
            add,
        )?;
        started.task_runs.serve(server, &assembly.platform);
        started.event_runs.serve(server, &assembly.platform);
        Ok(Self {
            assembly,
            process: started,
            metrics,
            tasks,
        })
    }

    /// Does what the command line asks for, to its end.
    fn serve(
        self,
        runtime: &Runtime,
        arguments: Arguments,
        greeting: &Greeting,
    ) -> Result<ExitCode, String> {
        let (settings, server) = (&greeting.settings, &greeting.server);
        let stop = {
            let _entered = runtime.enter();
            stopped()?
        };
        let Assembly {
            service, platform, ..
        } = self.assembly;
        match arguments.command {
            Some(Command::Tools) => {
                say(&commands::tools(server));
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::Clients) => {
                say(&greeting.clients());
                Ok(ExitCode::SUCCESS)
            }
            // answered before there was a server
            Some(Command::Key { .. } | Command::Health) => Ok(ExitCode::SUCCESS),
            Some(Command::Call { tool, arguments }) => {
                runtime.block_on(commands::call(server, &platform, &tool, &arguments))
            }
            None if arguments.stdio => {
                warn_of_tools(server);
                let (input, output) = (tokio::io::stdin(), tokio::io::stdout());
                let (line, values) = (settings.common.max_body, settings.common.max_values);
                let served =
                    stdio::serve(server.clone(), platform, line, values, input, output, stop);
                runtime
                    .block_on(served)
                    .map(|()| ExitCode::SUCCESS)
                    .map_err(|error| format!("stdio failed: {error}"))
            }
            None => {
                let listen = settings.listen_with(arguments.port)?;
                if greeting.env_file.is_some() && !listen.is_loopback() {
                    return Err(FOR_DEVELOPMENT.to_owned());
                }
                let bounds = settings.bounds_for(server);
                let beside = Beside {
                    shutdown: self.process.shutdown,
                    tasks: self.tasks,
                };
                let endpoint =
                    LocalEndpoint::new(service, platform, self.metrics, &beside, settings);
                let ready = |address: &BoundAddress| greeting.started(address);
                runtime
                    .block_on(http::serve_endpoint(endpoint, listen, bounds, ready, stop))
                    .map(|()| ExitCode::SUCCESS)
                    .map_err(|error| error.to_string())
            }
        }
    }
}
