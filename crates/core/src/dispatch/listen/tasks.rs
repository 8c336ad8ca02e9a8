//! Tasks that a stream tells of: the state that each is in, and each change of it, as `tasks/get`
//! has them. Their store is looked at no more often than a client may ask.

use std::sync::Arc;
use std::time::Duration;

use super::super::tasks::methods::{described, look};
use super::super::tasks::{declared, undeclared};
use crate::call::Call;
use crate::join::join_all;
use crate::jsonrpc::Error;
use crate::port::{Platform, milliseconds};
use crate::send::BoxFuture;
use crate::server::Server;
use crate::task::EXTENSION;
use crate::task::head::TaskHead;
use crate::task::store::{ReadTask, StoredTask, key};

/// Most tasks that one stream tells of: each is a request to the store for each look.
const MOST_TASKS: usize = 10;

/// The ids that this client may want to hear of. None where the server has no tasks: like every kind
/// that it does not serve, they are not acknowledged then.
pub(super) fn wanted(
    ids: Option<Vec<String>>,
    server: &Server,
    call: &Call<'_>,
) -> Result<Vec<String>, Error> {
    let offered = server.capabilities().extensions.contains_key(EXTENSION);
    let Some(mut ids) = ids.filter(|_| offered) else {
        return Ok(Vec::new());
    };
    if !declared(&call.meta.client) {
        return Err(undeclared(format!(
            "`params.notifications.taskIds` needs a client that declares the extension `{EXTENSION}`"
        )));
    }
    ids.sort();
    ids.dedup();
    if ids.len() > MOST_TASKS {
        return Err(Error::invalid_params(format!(
            "`params.notifications.taskIds` may have at most {MOST_TASKS} tasks: open another \
             stream, or ask for them by `tasks/get`"
        )));
    }
    Ok(ids)
}

/// One of them.
struct FollowedTask {
    id: String,
    stored: StoredTask,
    /// What the client knows of it.
    known: Option<(Vec<u8>, Vec<String>)>,
    /// When it is looked at again: milliseconds since 1970.
    due_ms: u64,
    is_over: bool,
}

/// Those that a stream tells of.
pub(super) struct FollowedTasks(Vec<FollowedTask>);

impl FollowedTasks {
    /// Those of these that are the caller's. Others are as good as any that there are none of.
    pub(super) async fn find(
        ids: Vec<String>,
        server: &str,
        principal: &str,
        platform: &Arc<Platform>,
    ) -> Result<Self, Error> {
        let stored = ids.into_iter().filter_map(|id| {
            let stored = StoredTask::new(key(server, principal, &id), platform)?;
            Some((id, stored))
        });
        let mut tasks = Vec::new();
        for (id, stored) in stored {
            match stored.read(&[]).await {
                Ok(Some(_)) => tasks.push(FollowedTask {
                    id,
                    stored,
                    known: None,
                    due_ms: 0,
                    is_over: false,
                }),
                Ok(None) => {}
                Err(error) => {
                    stored.failed(&error);
                    let sentence = "tasks can't be told of at the moment: ask by `tasks/get`";
                    return Err(Error::internal(sentence));
                }
            }
        }
        Ok(Self(tasks))
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.0.iter().map(|task| task.id.clone()).collect()
    }

    /// Whether there is nothing more to tell.
    pub(super) fn is_over(&self) -> bool {
        self.0.iter().all(|task| task.is_over)
    }

    /// Looks at those whose time it is, and gives the states that the client does not know. An outage
    /// is told to the log, and over when it is over: the state of then is told.
    pub(super) async fn changes(&mut self, now_ms: u64, every: Duration) -> Vec<Vec<u8>> {
        let due = |task: &&mut FollowedTask| !task.is_over && task.due_ms <= now_ms;
        let looks = self.0.iter_mut().filter(due).map(|task| {
            let stored = task.stored.clone();
            let look: BoxFuture<'static, _> = Box::pin(async move {
                let read = look(&stored, now_ms).await;
                read.inspect_err(|error| stored.failed(error))
            });
            (task, look)
        });
        let (tasks, looks): (Vec<_>, Vec<_>) = looks.unzip();
        let found = join_all(looks).await;
        let changes = tasks.into_iter().zip(found);
        let changes = changes.filter_map(|(task, read)| task.change(&read.ok()?, now_ms, every));
        changes.collect()
    }
}

impl FollowedTask {
    /// What was read, if the client does not know it.
    fn change(&mut self, read: &Option<ReadTask>, now_ms: u64, every: Duration) -> Option<Vec<u8>> {
        let Some(read) = read else {
            // it has expired: nothing is told of what is not there
            self.is_over = true;
            return None;
        };
        self.is_over = read.head.status.is_final();
        self.due_ms = now_ms.saturating_add(milliseconds(every).max(read.head.poll_ms));
        let state = Some(visible(&read.head));
        let is_new = self.known != state;
        self.known = state;
        is_new.then(|| described(read))
    }
}

/// What of a head a client sees.
fn visible(head: &TaskHead) -> (Vec<u8>, Vec<String>) {
    (head.members(), head.open.clone())
}
