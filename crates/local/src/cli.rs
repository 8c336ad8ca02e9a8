//! The command line of every server on this machine: serve over HTTP or stdio, list the tools, call
//! one.

use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use mcpfn_core::jsonrpc::{self, Incoming, Message};
use mcpfn_core::{Envelope, HttpClient, Platform, Principal, Revision, Server};
use mcpfn_http::{Config, Service};
use mcpfn_native::Client;
use mcpfn_native::memory::MemoryStores;
use mcpfn_native::{Observed, OsRandom, Setup, Tasks, Telemetry, Transport};
use serde_json::{Value, json};
use tracing::Level;

use crate::metrics::PrometheusMetrics;
use crate::settings::Settings;
use crate::{clients, http, logging, stdio};

/// How long work that no call waits for may take once the process was told to stop.
const GRACE: Duration = Duration::from_secs(10);

const ENVIRONMENT: &str = "\
Environment:
  MCPFN_PORT        port of 127.0.0.1; 0 takes any free one [8787]
  MCPFN_AUTH        how callers over HTTP prove who they are: oauth, api-key, or both; see below [none: this machine's own address is enough]
  MCPFN_ALLOWED_ORIGINS     browser origins that may call besides loopback ones, comma-separated
  MCPFN_MAX_BODY_BYTES    most bytes of a message [4194304]
  MCPFN_STATE_KEY   32 random bytes in Base64 that seal request state; several, newest first, separated by commas
                    [made anew at each start]
  MCPFN_RATE_LIMIT        calls of one client, such as 60/min; or none [none]
  MCPFN_METRICS     on: serve calls, faults and durations of each tool at /metrics, for Prometheus; or off [off]
  MCPFN_LOG         error, warn, info, debug or trace, on stderr [info]
  MCPFN_LOG_FORMAT  text or json [text]
  MCPFN_LOG_ARGUMENTS   redacted: each call's line has its arguments, without what looks like a secret; or off [off]";

#[derive(Debug, Parser)]
#[command(
    about = "Serves the Model Context Protocol on this machine.",
    disable_version_flag = true,
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    /// Port of 127.0.0.1; 0 takes any free one [default: MCPFN_PORT or 8787]
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Speak over stdin and stdout, one message per line, instead of HTTP
    #[arg(long, conflicts_with = "port")]
    stdio: bool,
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
    /// Make an API key, and print it with the entry of MCPFN_API_KEYS that admits it
    Key {
        /// Whose key it is: letters, digits, and . _ -
        name: String,
        /// What it may do, such as "catalog:read crm"; everything if not said
        #[arg(long)]
        scopes: Option<String>,
    },
}

/// Runs a server as the command line says. `environment` is help text for variables of the server's
/// own.
pub fn run<E, P>(setup: impl FnOnce() -> Result<Setup<P>, E>, environment: &str) -> ExitCode
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    match start(setup, environment) {
        Ok(code) => code,
        Err(message) => {
            // stderr may be closed; there is nobody left to tell then
            let _ = writeln!(std::io::stderr(), "error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn start<E, P>(
    setup: impl FnOnce() -> Result<Setup<P>, E>,
    environment: &str,
) -> Result<ExitCode, String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let help: Vec<&str> = [
        ENVIRONMENT,
        mcpfn_auth::ENVIRONMENT,
        Telemetry::ENVIRONMENT,
        environment,
    ]
    .into_iter()
    .filter(|text| !text.is_empty())
    .collect();
    let help = help.join("\n\n");
    let matches = <Arguments as clap::CommandFactory>::command()
        .after_help(help)
        .get_matches();
    let arguments = <Arguments as clap::FromArgMatches>::from_arg_matches(&matches)
        .map_err(|error| error.to_string())?;
    if let Some(Command::Key { name, scopes }) = &arguments.command {
        return key(name, scopes.as_deref());
    }
    let settings =
        Settings::read(|name| std::env::var_os(name)).map_err(|error| error.to_string())?;
    let quiet = if arguments.command.is_some() {
        Level::WARN
    } else {
        Level::INFO
    };
    logging::start(settings.log_level.unwrap_or(quiet), settings.log_format);
    let Setup {
        builder,
        ports: add_ports,
    } = setup().map_err(|error| error.to_string())?;
    let server = builder.build().map_err(|error| error.to_string())?;
    if arguments.version {
        say(&format!("{} {}\n", server.name(), server.version()));
        return Ok(ExitCode::SUCCESS);
    }
    let keys = settings
        .state_keys
        .clone()
        .unwrap_or_else(mcpfn_native::new_key);
    let tasks = Tasks::default();
    let platform = mcpfn_native::platform(keys).with_background(Arc::new(tasks.clone()));
    let platform = platform.with_port::<dyn HttpClient>(Arc::new(Client::new()));
    let metrics = settings.metrics.then(PrometheusMetrics::default);
    let platform = match &metrics {
        Some(metrics) => {
            let (records, metrics) = (Arc::clone(platform.audit_log()), metrics.clone());
            platform.with_audit_log(Arc::new(Observed::new(records, move |call| {
                metrics.count(call);
            })))
        }
        None => platform,
    };
    let transport = if arguments.stdio {
        Transport::Pipe
    } else {
        Transport::Tcp
    };
    let (platform, telemetry) = Telemetry::apply(platform, server.name(), transport)?;
    let platform = settings
        .policies
        .apply(platform, Arc::new(MemoryStores::default()));
    let platform = Arc::new(add_ports(platform));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("the runtime can't start: {error}"))?;
    let stop = {
        let _entered = runtime.enter();
        stopped()?
    };
    runtime.spawn(telemetry.clone().keep_flushing());
    let done = match arguments.command {
        Some(Command::Tools) => {
            say(&tools(&server));
            Ok(ExitCode::SUCCESS)
        }
        // answered before there was a server
        Some(Command::Key { .. }) => Ok(ExitCode::SUCCESS),
        Some(Command::Call { tool, arguments }) => {
            runtime.block_on(call(&server, &platform, &tool, &arguments))
        }
        None if arguments.stdio => {
            let served = stdio::serve(
                server,
                platform,
                settings.max_body,
                tokio::io::stdin(),
                tokio::io::stdout(),
                stop,
            );
            runtime
                .block_on(served)
                .map(|()| ExitCode::SUCCESS)
                .map_err(|error| format!("stdio failed: {error}"))
        }
        None => {
            let mut config = Config::loopback();
            config.origins.listed.clone_from(&settings.origins);
            config.max_body = settings.max_body;
            config.anonymous = settings.methods.is_none();
            config.auth = settings.proofs.auth.clone();
            let greeting = Greeting {
                server: server.clone(),
                key_is_new: settings.state_keys.is_none(),
            };
            let port = arguments.port.unwrap_or(settings.port);
            let service = Service::new(server, config);
            let service = if settings.methods.is_none() {
                service.assume_local_user()
            } else {
                service
            };
            let endpoint = http::LocalEndpoint {
                service,
                platform,
                metrics,
            };
            let served =
                http::serve_endpoint(endpoint, port, |address| greeting.print(address), stop);
            runtime
                .block_on(served)
                .map(|()| ExitCode::SUCCESS)
                .map_err(|error| error.to_string())
        }
    };
    let _ = runtime.block_on(async { tokio::time::timeout(GRACE, tasks.drain()).await });
    runtime.block_on(telemetry.flush());
    // a thread may still wait for stdin, which nothing can interrupt
    runtime.shutdown_background();
    done
}

/// Writes to stdout; a reader that went away is no error of ours.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A future that ends when the process is asked to stop. It listens from now on, not from its first
/// poll: a signal that comes while the server starts would end the process otherwise.
#[cfg(unix)]
fn stopped() -> Result<impl Future<Output = ()>, String> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).map_err(|error| format!("signals can't be received: {error}"));
    let (mut terminate, mut interrupt) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
    );
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// A future that ends when the process is asked to stop.
#[cfg(not(unix))]
fn stopped() -> Result<impl Future<Output = ()>, String> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

struct Greeting {
    server: Server,
    key_is_new: bool,
}

impl Greeting {
    fn print(&self, address: std::net::SocketAddr) {
        let server = &self.server;
        let (tools, resources, prompts) = server.counts();
        let names: Vec<&str> = server.tool_summaries().map(|(name, _)| name).collect();
        let revisions: Vec<&str> = Revision::ALL
            .iter()
            .rev()
            .map(|revision| revision.as_str())
            .collect();
        let url = format!("http://{address}/mcp");
        let command = std::env::current_exe()
            .map(|path| path.display().to_string())
            .unwrap_or_else(|_| server.name().to_owned());
        let mut text = format!(
            "{} {}\nlistening on {url}\nhealth at http://{address}/health\nserving {tools} tools, \
             {resources} resources, {prompts} prompts: {}\nspeaking MCP {}\n",
            server.name(),
            server.version(),
            names.join(", "),
            revisions.join(", "),
        );
        text.push_str(&clients::configuration(server.name(), &url, &command));
        if self.key_is_new {
            text.push_str(
                "\nRequest state is sealed with a key made at this start; set \
                MCPFN_STATE_KEY to keep it over a restart.\n",
            );
        }
        text.push_str("Stop with Ctrl-C.\n");
        say(&text);
    }
}

fn tools(server: &Server) -> String {
    server
        .tool_summaries()
        .map(|(name, description)| format!("{name}\n    {}\n", description.replace('\n', "\n    ")))
        .collect()
}

/// The key goes to the client, its hash to the server. Neither is kept here.
fn key(name: &str, scopes: Option<&str>) -> Result<ExitCode, String> {
    let key = mcpfn_auth::new_key(&OsRandom);
    let scopes = scopes
        .map(|scopes| format!(":{scopes}"))
        .unwrap_or_default();
    let entry = format!("{name}:{}{scopes}", mcpfn_auth::hash_key(&key));
    mcpfn_auth::ApiKey::parse(&entry).map_err(|mistakes| mistakes.join("\n"))?;
    say(&format!(
        "key, for the client, shown only now:\n  {key}\nentry of MCPFN_API_KEYS, for the server \
         (several are separated by semicolons):\n  {entry}\n"
    ));
    Ok(ExitCode::SUCCESS)
}

async fn call(
    server: &Server,
    platform: &Arc<Platform>,
    tool: &str,
    arguments: &str,
) -> Result<ExitCode, String> {
    let arguments: Value = serde_json::from_str(arguments).map_err(|error| {
        format!(
            "the arguments are not JSON ({error}); write an object such as \
            '{{\"query\":\"headphones\"}}'"
        )
    })?;
    let meta = json!({"io.modelcontextprotocol/protocolVersion": Revision::LATEST.as_str(), "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": tool, "arguments": arguments, "_meta": meta}).to_string();
    let request = jsonrpc::write_request("1", "tools/call", params.as_bytes());
    let Ok(Incoming::Single(Message::Request(request))) = jsonrpc::read(&request) else {
        return Err("the call could not be written as a message".to_owned());
    };
    let envelope = Envelope::new(request);
    let call = envelope
        .era(None)
        .and_then(|era| envelope.into_call(era, Principal::local()))
        .map_err(|error| error.to_string())?;
    print_result(&server.reply(call, platform).into_response().await.message)
}

/// Structured content if there is any, else the text blocks.
fn print_result(message: &[u8]) -> Result<ExitCode, String> {
    let message: Value = serde_json::from_slice(message).map_err(|error| error.to_string())?;
    if let Some(error) = message.get("error") {
        return Err(error["message"]
            .as_str()
            .unwrap_or("the call failed")
            .to_owned());
    }
    let result = &message["result"];
    let text = match result.get("structuredContent") {
        Some(structured) => serde_json::to_string_pretty(structured).unwrap_or_default(),
        None => {
            let blocks = result["content"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let texts: Vec<String> = blocks
                .iter()
                .map(|block| {
                    block["text"]
                        .as_str()
                        .map_or_else(|| block.to_string(), str::to_owned)
                })
                .collect();
            texts.join("\n")
        }
    };
    say(&format!("{text}\n"));
    Ok(if result["isError"] == true {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
