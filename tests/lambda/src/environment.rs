//! One execution environment: a bootstrap process with Lambda's variables, and its Runtime API. One
//! per process, as on AWS.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::{mpsc, watch};

use crate::reply::{Failure, Reply};
use crate::runtime_api::{Invocation, Part, Pending, RuntimeApi};

/// The program of a function and what its deployment sets.
#[derive(Debug, Clone)]
pub struct Bootstrap {
    /// The program.
    pub program: PathBuf,
    /// Its arguments: bootstraps of other languages are an interpreter and these.
    pub arguments: Vec<String>,
    /// Variables besides Lambda's own. Nothing else of this process's environment reaches the
    /// function.
    pub variables: Vec<(String, String)>,
    /// Repeat its log on our stderr.
    pub echo: bool,
}

impl Bootstrap {
    /// A program with these variables.
    pub fn new(program: impl Into<PathBuf>, variables: &[(&str, &str)]) -> Self {
        let variables = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables,
            echo: false,
        }
    }
}

/// A running function. Its process ends with it.
pub struct Environment {
    api: RuntimeApi,
    started: Instant,
    exit: watch::Receiver<Option<String>>,
    log: Arc<Mutex<Vec<String>>>,
    process: Option<u32>,
    /// Ends the task that holds the process.
    _alive: mpsc::Sender<()>,
}

impl Environment {
    /// Starts the program.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn start(bootstrap: &Bootstrap) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let mut command = Command::new(&bootstrap.program);
        command
            .args(&bootstrap.arguments)
            .env_clear()
            .envs(lambda_variables(&api))
            .envs(
                bootstrap
                    .variables
                    .iter()
                    .map(|(name, value)| (name, value)),
            );
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let started = Instant::now();
        let mut child = command.spawn()?;
        let process = child.id();
        let log = Arc::default();
        let out = child
            .stdout
            .take()
            .map(|out| tokio::spawn(follow(out, Arc::clone(&log), bootstrap.echo)));
        let err = child
            .stderr
            .take()
            .map(|err| tokio::spawn(follow(err, Arc::clone(&log), bootstrap.echo)));
        let (ended, exit) = watch::channel(None);
        let (alive, mut stop) = mpsc::channel(1);
        tokio::spawn(async move {
            let status = tokio::select! {
                status = child.wait() => status,
                _ = stop.recv() => return,
            };
            // what it said last is there before anybody is told that it ended
            for reader in [out, err].into_iter().flatten() {
                let _ = reader.await;
            }
            ended.send_replace(Some(
                status.map_or_else(|error| error.to_string(), |status| status.to_string()),
            ));
        });
        Ok(Self {
            api,
            started,
            exit,
            log,
            process,
            _alive: alive,
        })
    }

    /// Waits for the function to ask for its first event, and says how long that took from its
    /// start.
    ///
    /// # Errors
    /// How the process ended, if it did.
    pub async fn ready(&self) -> Result<Duration, Failure> {
        let mut ready = self.api.shared.ready.subscribe();
        tokio::select! {
            at = ready.wait_for(Option::is_some) => {
                let at = at.ok().and_then(|at| *at).unwrap_or(self.started);
                Ok(at - self.started)
            }
            status = self.exited() => Err(Failure::Exited(status)),
        }
    }

    /// Waits for the process to end, and says how it did.
    pub async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        exit.wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|exit| exit.clone())
            .unwrap_or_default()
    }

    /// Hands the function an event and gives the parts of its answer as they arrive.
    #[must_use]
    pub fn send(&self, invocation: Invocation) -> Parts {
        let (parts, receiver) = mpsc::unbounded_channel();
        // fails only when the API is gone, which is there as long as this is
        let _ = self.api.events.send(Pending { invocation, parts });
        Parts {
            receiver,
            exit: self.exit.clone(),
            begun: Instant::now(),
        }
    }

    /// Hands the function an event and waits for its whole answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn invoke(&self, invocation: Invocation) -> Result<Reply, Failure> {
        Reply::collect(self.send(invocation)).await
    }

    /// What the function reported about a failed start.
    #[must_use]
    pub fn init_error(&self) -> Option<Value> {
        self.api
            .shared
            .init_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The id of the function's process.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.process
    }

    /// Every line the function logged so far.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The parts of one answer.
#[derive(Debug)]
pub struct Parts {
    receiver: mpsc::UnboundedReceiver<(Instant, Part)>,
    exit: watch::Receiver<Option<String>>,
    begun: Instant,
}

impl Parts {
    /// The next part, and how long after the event it arrived. `None` after the last.
    pub async fn next(&mut self) -> Option<(Duration, Part)> {
        let exit = async {
            let status = self
                .exit
                .wait_for(Option::is_some)
                .await
                .ok()
                .and_then(|exit| exit.clone())
                .unwrap_or_default();
            // its last bytes may still be on their way here
            tokio::time::sleep(Duration::from_millis(100)).await;
            status
        };
        tokio::select! {
            biased;
            part = self.receiver.recv() => part.map(|(at, part)| (at - self.begun, part)),
            status = exit => match self.receiver.try_recv() {
                Ok((at, part)) => Some((at - self.begun, part)),
                Err(_) => {
                    self.receiver.close();
                    Some((self.begun.elapsed(), Part::Exited(status)))
                }
            },
        }
    }
}

fn lambda_variables(api: &RuntimeApi) -> Vec<(&'static str, String)> {
    let fixed = [
        ("AWS_LAMBDA_FUNCTION_NAME", "everything"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/everything"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]0"),
        ("AWS_REGION", "eu-west-1"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("_HANDLER", "bootstrap"),
        ("TZ", ":UTC"),
    ];
    let mut variables: Vec<_> = fixed
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    variables.push(("AWS_LAMBDA_RUNTIME_API", api.address.to_string()));
    variables
}

async fn follow(stream: impl AsyncRead + Unpin, log: Arc<Mutex<Vec<String>>>, echo: bool) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if echo {
            eprintln!("{line}");
        }
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("api", &self.api.address)
            .finish_non_exhaustive()
    }
}
