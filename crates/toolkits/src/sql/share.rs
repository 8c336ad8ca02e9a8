//! A share of the database for each caller: statements that models write may take seconds, and there
//! are few connections. A caller's further statements wait until its own have ended, so they hold up
//! nobody else. Knows no database.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mcpfn_core::{Cx, Principal, PrincipalKind, ToolError};

/// Statements of one caller that run at the same time: half of the connections that read.
const AT_ONCE: usize = 2;

/// Statements of one caller that wait.
const WAITING: usize = 16;

/// How often a statement that waits looks for its turn.
const LOOK: Duration = Duration::from_millis(20);

/// Strangers have no name, and are told apart by where they call from.
type Caller = (PrincipalKind, String, Option<IpAddr>);

/// What callers have running and waiting; nothing of callers without either.
#[derive(Debug, Default)]
pub(super) struct Shares(Arc<Mutex<HashMap<Caller, Share>>>);

#[derive(Debug, Default, Clone, Copy)]
struct Share {
    running: usize,
    waiting: usize,
}

impl Shares {
    /// Waits for the caller's turn. It ends when what is given is dropped; nothing is given to the
    /// person at this machine, whom nobody waits for.
    pub(super) async fn turn(&self, cx: &Cx) -> Result<Option<Turn>, ToolError> {
        let principal = cx.principal();
        if principal.kind == PrincipalKind::Local {
            return Ok(None);
        }
        let caller = caller(principal);
        if let Some(turn) = self.begin(&caller) {
            return Ok(Some(turn));
        }
        let Some(_waiting) = self.wait(&caller) else {
            return Err(ToolError::new(format!(
                "Too many of your statements wait for each other: {AT_ONCE} run at a time and \
                 {WAITING} may wait. Wait for their answers, then ask again."
            )));
        };
        while cx.remaining() > LOOK {
            cx.sleep(LOOK).await;
            if let Some(turn) = self.begin(&caller) {
                return Ok(Some(turn));
            }
        }
        Err(ToolError::new(format!(
            "Your other statements took too long: {AT_ONCE} run at a time, and this one was not \
             started. Ask one after the other, and narrow them."
        )))
    }

    fn begin(&self, caller: &Caller) -> Option<Turn> {
        let added = self.change(caller, |share| {
            let is_free = share.running < AT_ONCE;
            share.running += usize::from(is_free);
            is_free
        });
        added.then(|| self.counted(caller, |share| share.running -= 1))
    }

    fn wait(&self, caller: &Caller) -> Option<Turn> {
        let added = self.change(caller, |share| {
            let has_room = share.waiting < WAITING;
            share.waiting += usize::from(has_room);
            has_room
        });
        added.then(|| self.counted(caller, |share| share.waiting -= 1))
    }

    fn counted(&self, caller: &Caller, end: fn(&mut Share)) -> Turn {
        Turn {
            shares: Self(Arc::clone(&self.0)),
            caller: caller.clone(),
            end,
        }
    }

    fn change<T>(&self, caller: &Caller, change: impl FnOnce(&mut Share) -> T) -> T {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let share = shares.entry(caller.clone()).or_default();
        let changed = change(share);
        if share.running == 0 && share.waiting == 0 {
            shares.remove(caller);
        }
        changed
    }
}

fn caller(principal: &Principal) -> Caller {
    let address = match principal.kind {
        PrincipalKind::Anonymous => principal.address,
        _ => None,
    };
    (principal.kind, principal.subject.clone(), address)
}

/// A statement that is counted, until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    shares: Shares,
    caller: Caller,
    end: fn(&mut Share),
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shares.change(&self.caller, self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_have_shares_of_their_own() {
        let shares = Shares::default();
        let named = |name: &str| caller(&Principal::new(PrincipalKind::Jwt, name));
        let (ada, bob) = (named("ada"), named("bob"));
        let key = caller(&Principal::new(PrincipalKind::ApiKey, "ada"));
        let first = shares.begin(&ada).unwrap();
        let _second = shares.begin(&ada).unwrap();
        assert!(shares.begin(&ada).is_none());
        assert!(shares.begin(&bob).is_some() && shares.begin(&key).is_some());
        drop(first);
        assert!(shares.begin(&ada).is_some());
        let waiting: Vec<_> = (0..WAITING).map(|_| shares.wait(&bob).unwrap()).collect();
        assert!(shares.wait(&bob).is_none());
        assert!(shares.wait(&ada).is_some());
        drop(waiting);
        drop(_second);
        assert!(shares.0.lock().unwrap().is_empty(), "nothing is kept");
        // strangers by where they call from
        let at = |address: &str| caller(&Principal::anonymous().at(address.parse().unwrap()));
        let _taken = [0, 1].map(|_| shares.begin(&at("192.0.2.1")).unwrap());
        assert!(shares.begin(&at("192.0.2.1")).is_none());
        assert!(shares.begin(&at("192.0.2.2")).is_some());
    }
}
