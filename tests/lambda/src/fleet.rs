//! The environments of one function: each works on one event at a time, and is frozen (SIGSTOP) while it
//! has none. The one that was idle for longest is next, so that two events in a row seldom meet in
//! the same one.

use std::collections::VecDeque;
use std::io;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::process::Command;

use crate::environment::{Bootstrap, Environment};
use crate::reply::{Failure, Reply};
use crate::runtime_api::{Invocation, Part};

/// How long after its answer an environment is frozen: it asks for its next event in this time, or is
/// stopped in the middle of that.
const FREEZE: Duration = Duration::from_millis(20);

/// Environments of a function.
#[derive(Debug)]
pub struct Fleet {
    bootstrap: Bootstrap,
    /// Environments that are started before one is used again.
    least: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    started: usize,
    idle: VecDeque<Arc<Environment>>,
    busy: Vec<Arc<Environment>>,
    /// What environments logged that are gone.
    logged: Vec<String>,
}

impl Fleet {
    /// A function that uses no environment again before there are so many.
    #[must_use]
    pub fn new(bootstrap: Bootstrap, least: usize) -> Self {
        Self {
            bootstrap,
            least,
            state: Mutex::default(),
        }
    }

    /// Has an environment answer a request.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn call(&self, invocation: Invocation) -> Result<Reply, Failure> {
        let environment = self.take().await;
        let reply = environment.invoke(invocation).await;
        self.give(environment).await;
        reply
    }

    /// Has an environment take an event of no trigger, and gives what it answers.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn event(&self, invocation: Invocation) -> Result<Bytes, Failure> {
        let environment = self.take().await;
        let mut parts = environment.send(invocation);
        let answer = match parts.next().await {
            Some((_, Part::Whole(bytes))) => Ok(bytes),
            Some((_, Part::Failed(error))) => Err(Failure::Function(error)),
            Some((_, Part::Exited(status))) => Err(Failure::Exited(status)),
            other => Err(Failure::Unreadable(format!("{other:?}"))),
        };
        self.give(environment).await;
        answer
    }

    /// Ends the environments that are at work, in the middle of it, and says how many.
    pub async fn kill(&self) -> usize {
        let busy = self.state().busy.clone();
        for environment in &busy {
            signal(environment, "KILL").await;
        }
        busy.len()
    }

    /// Environments so far.
    #[must_use]
    pub fn started(&self) -> usize {
        self.state().started
    }

    /// Every line that environments logged.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        let state = self.state();
        let living = state.idle.iter().chain(&state.busy);
        let living = living.flat_map(|environment| environment.log());
        state.logged.iter().cloned().chain(living).collect()
    }

    async fn take(&self) -> Arc<Environment> {
        let idle = {
            let mut state = self.state();
            let enough = state.started >= self.least;
            let idle = state.idle.pop_front().filter(|_| enough);
            state.started += usize::from(idle.is_none());
            idle
        };
        let environment = match idle {
            Some(environment) => {
                signal(&environment, "CONT").await;
                environment
            }
            None => Arc::new(start(&self.bootstrap).await.expect("the function starts")),
        };
        self.state().busy.push(Arc::clone(&environment));
        environment
    }

    async fn give(&self, environment: Arc<Environment>) {
        let ended = tokio::time::timeout(FREEZE, environment.exited()).await;
        if ended.is_err() {
            signal(&environment, "STOP").await;
        }
        let mut state = self.state();
        state.busy.retain(|busy| !Arc::ptr_eq(busy, &environment));
        match ended {
            Ok(_) => state.logged.extend(environment.log()),
            Err(_) => state.idle.push_back(environment),
        }
    }

    // held for a few instructions and never across a wait
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn start(bootstrap: &Bootstrap) -> io::Result<Environment> {
    Environment::start(bootstrap).await
}

async fn signal(environment: &Environment, name: &str) {
    let Some(process) = environment.process() else {
        return;
    };
    let mut kill = Command::new("kill");
    kill.args([format!("-{name}"), process.to_string()]);
    // one that has ended already is no matter
    let _ = kill.stderr(Stdio::null()).status().await;
}
