//! A function URL on this machine:
//! `lambda-front [--port N] [--environments N] [--timeout SECONDS] [--caller ARN] [--tasks NAME]
//! [--variable NAME=VALUE].. [-- BOOTSTRAP]`.
//! With `--tasks` there is a second function of this name, which runs tasks.
//! Without a bootstrap it is `everything-lambda` beside this program. Variables that begin with
//! MCPFN_ reach the function, and those that are given.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use mcpfn_lambda_emulator::{Bootstrap, Deliveries, Fleet, Front, Queue};

struct Arguments {
    port: u16,
    environments: usize,
    timeout: u64,
    caller: Option<String>,
    tasks: Option<String>,
    variables: Vec<(String, String)>,
    program: PathBuf,
}

fn main() -> ExitCode {
    match arguments(std::env::args().skip(1)).and_then(serve) {
        Ok(never) => match never {},
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let program = this.with_file_name(format!("everything-lambda{}", std::env::consts::EXE_SUFFIX));
    let mut arguments = Arguments {
        port: 0,
        environments: 4,
        timeout: 30,
        caller: None,
        tasks: None,
        variables: Vec::new(),
        program,
    };
    while let Some(name) = given.next() {
        let value = given
            .next()
            .ok_or_else(|| format!("`{name}` needs a value"))?;
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("`{name} {value}`: give a number"))
        };
        match name.as_str() {
            "--port" => {
                arguments.port =
                    u16::try_from(number()?).map_err(|_| "a port is at most 65535".to_owned())?;
            }
            "--environments" => {
                arguments.environments = usize::try_from(number()?).unwrap_or(1).max(1);
            }
            "--timeout" => arguments.timeout = number()?,
            "--caller" => arguments.caller = Some(value),
            "--tasks" => arguments.tasks = Some(value),
            "--variable" => {
                let (name, value) = value
                    .split_once('=')
                    .ok_or("`--variable` needs NAME=VALUE")?;
                arguments
                    .variables
                    .push((name.to_owned(), value.to_owned()));
            }
            "--" => arguments.program = value.into(),
            _ => {
                return Err(format!(
                    "`{name}` is not known: --port, --environments, --timeout, --caller, \
                     --tasks, --variable, -- BOOTSTRAP"
                ));
            }
        }
    }
    Ok(arguments)
}

#[tokio::main]
async fn serve(arguments: Arguments) -> Result<std::convert::Infallible, String> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", arguments.port))
        .await
        .map_err(|error| error.to_string())?;
    let port = listener
        .local_addr()
        .map_err(|error| error.to_string())?
        .port();
    let mut bootstrap = bootstrap(arguments.program, port);
    bootstrap.variables.extend(arguments.variables);
    // ends with the process
    let _queue = match &arguments.tasks {
        Some(name) => Some(tasks(&mut bootstrap, name).await?),
        None => None,
    };
    let mut front = Front::new(bootstrap, arguments.environments);
    front.timeout = Duration::from_secs(arguments.timeout);
    front.caller = arguments.caller;
    println!("listening on http://127.0.0.1:{port}/mcp");
    front
        .serve(listener)
        .await
        .map_err(|error| error.to_string())
}

/// The function that runs tasks, and the queue in front of it.
async fn tasks(front: &mut Bootstrap, name: &str) -> Result<Queue, String> {
    let mut runs = front.clone();
    let named = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mode = named("MCPFN_LAMBDA_MODE", "tasks");
    runs.variables.retain(|(name, _)| *name != mode.0);
    runs.variables.push(mode);
    let lambda = |address| named("AWS_ENDPOINT_URL_LAMBDA", &format!("http://{address}"));
    let fleet = |address| {
        runs.variables.push(lambda(address));
        Arc::new(Fleet::new(runs, 2))
    };
    let queue = Queue::start(fleet, Deliveries::default());
    let queue = queue.await.map_err(|error| error.to_string())?;
    front.variables.push(lambda(queue.address));
    front.variables.push(named("MCPFN_TASKS_FUNCTION", name));
    Ok(queue)
}

/// What a deployment sets, unless this process was given it.
fn bootstrap(program: PathBuf, port: u16) -> Bootstrap {
    let key = base64::engine::general_purpose::STANDARD.encode([7; 32]);
    let origins = format!("http://localhost:{port},http://127.0.0.1:{port}");
    let mut bootstrap = Bootstrap::new(program, &[]);
    bootstrap.echo = true;
    let defaults = [
        ("MCPFN_AUTH", "none".to_owned()),
        // a test suite calls more often than a client may
        ("MCPFN_RATE_LIMIT", "none".to_owned()),
        ("MCPFN_LAMBDA_MODE", "stream".to_owned()),
        ("MCPFN_ALLOWED_ORIGINS", origins),
        // the same for all environments, so that an answer may reach another one than asked
        ("MCPFN_STATE_KEY", key),
    ];
    bootstrap.variables.extend(
        defaults
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    bootstrap
        .variables
        .extend(std::env::vars().filter(|(name, _)| name.starts_with("MCPFN_")));
    bootstrap
}
