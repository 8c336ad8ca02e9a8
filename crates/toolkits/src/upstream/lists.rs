//! The lists of one upstream, kept for as long as it says, and on while it is down. A known list is
//! given at once and asked for behind the answer; without one a call waits a little, and the asking
//! goes on. One call at a time asks. What a caller brings (its time, the servers it came through)
//! is never the upstream's failure.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::host::ListKind;
use mcpfn_core::upstream::{ListOutcome, UpstreamList};
use mcpfn_core::{Cx, ServiceFault};

use super::client::UpstreamClient;
use super::failure::{MAX_HOPS, UpstreamFailure};
use super::pages::{LEAST_MS, Pages};
use crate::outage::Outage;

/// Most bytes of one list.
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;
/// How long an upstream that gave no list is not asked again, in milliseconds: twice as long after
/// each failure, up to the most.
const PAUSE_MS: u64 = 10_000;
const MAX_PAUSE_MS: u64 = 60_000;
/// How long one list may take, all its pages together.
const WITHIN: Duration = Duration::from_secs(8);
/// How long the first list is waited for, since it was asked for, in milliseconds: a list of this
/// server has many others in it.
const PATIENCE_MS: u64 = 1_500;
/// The same for a server that fronts this one, and waits itself.
const FRONT_PATIENCE_MS: u64 = 250;
/// How often a call that waits looks for what it waits for.
const LOOK: Duration = Duration::from_millis(20);

/// The four lists of one upstream.
pub(super) struct ListCache {
    lists: [Mutex<LastList>; 4],
    /// Most bytes of all four.
    share: usize,
}

#[derive(Default)]
struct LastList {
    list: Option<Arc<UpstreamList>>,
    /// The list is of all pages.
    whole: bool,
    /// Servers that the call came through which asked for it: another front at the end of such a
    /// chain may have left something out.
    hops: u8,
    asked_ms: u64,
    /// A call is asking since then, and is waited for until then.
    busy_since_ms: u64,
    busy_until_ms: u64,
    /// No request is sent before that.
    pause_until_ms: u64,
    failures: u32,
    trouble: Option<(Outage, String)>,
}

impl LastList {
    fn outcome(&self) -> ListOutcome {
        ListOutcome {
            listing: self.list.clone(),
            trouble: None,
        }
    }

    /// Whether a request may be sent for a call.
    fn may_ask(&self, cx: &Cx, now_ms: u64) -> bool {
        cx.hops() < MAX_HOPS && now_ms >= self.pause_until_ms
    }

    fn is_stale(&self, cx: &Cx, now_ms: u64) -> bool {
        let fresh_until_ms = self.list.as_ref().map_or(0, |list| list.fresh_until_ms());
        now_ms >= fresh_until_ms || cx.hops() < self.hops
    }

    fn has(&self, name: &str) -> bool {
        self.list.as_ref().is_some_and(|list| list.contains(name))
    }

    fn begin(&mut self, now_ms: u64) -> ListStep {
        self.busy_since_ms = now_ms;
        self.busy_until_ms = now_ms + WITHIN.as_millis() as u64;
        ListStep::Ask
    }
}

/// What to do about a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ListStep {
    /// Take what there is.
    Take,
    /// Ask, behind the answer.
    Refresh,
    /// Ask, and wait for it.
    Ask,
    /// Another call asks.
    Wait,
}

impl ListCache {
    /// No lists yet, of at most so many bytes together.
    pub(super) fn new(share: usize) -> Self {
        Self {
            lists: Default::default(),
            share,
        }
    }

    fn kept<R>(&self, kind: ListKind, look: impl FnOnce(&mut LastList) -> R) -> R {
        let place = match kind {
            ListKind::Tools => 0,
            ListKind::Resources => 1,
            ListKind::Templates => 2,
            ListKind::Prompts => 3,
        };
        look(
            &mut self.lists[place]
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Whether the last known list has a name.
    pub(super) fn knows(&self, kind: ListKind, name: &str) -> bool {
        self.kept(kind, |kept| kept.has(name))
    }

    /// Why there is no list.
    pub(super) fn trouble(&self, kind: ListKind) -> (Outage, String) {
        self.kept(kind, |kept| kept.trouble.clone())
            .unwrap_or_else(|| {
                let cause = "its list did not come in time".to_owned();
                (ServiceFault::TimedOut.into(), cause)
            })
    }

    /// How many bytes a list may take: a fixed part, because two of them may be asked for at the same
    /// time. Most servers have tools alone.
    fn room(&self, kind: ListKind) -> usize {
        let part = match kind {
            ListKind::Tools => 2,
            ListKind::Resources => 4,
            ListKind::Templates | ListKind::Prompts => 8,
        };
        (self.share / part).min(MAX_LIST_BYTES)
    }
}

/// One list of an upstream, for one call.
#[derive(Clone)]
pub(super) struct ListAccess {
    pub(super) client: Arc<UpstreamClient>,
    pub(super) lists: Arc<ListCache>,
    pub(super) kind: ListKind,
}

impl ListAccess {
    /// The list, to be shown: what is known at once, otherwise what comes soon.
    pub(super) async fn shown(&self, cx: &Cx) -> ListOutcome {
        let patience_ms = match cx.hops() {
            0 => PATIENCE_MS,
            _ => FRONT_PATIENCE_MS,
        };
        let now_ms = cx.now_ms();
        let (step, until_ms) = self.lists.kept(self.kind, |kept| {
            let busy = now_ms < kept.busy_until_ms;
            let step = match &kept.list {
                _ if !kept.may_ask(cx, now_ms) => ListStep::Take,
                Some(_) if busy || !kept.is_stale(cx, now_ms) => ListStep::Take,
                Some(_) => {
                    kept.begin(now_ms);
                    ListStep::Refresh
                }
                // it may be this very call that the other one waits for, through other servers
                None if busy && cx.hops() > 0 => ListStep::Take,
                None if busy => ListStep::Wait,
                None => kept.begin(now_ms),
            };
            (step, kept.busy_since_ms.saturating_add(patience_ms))
        });
        let mut outcome = self.follow(step, until_ms, cx, |_| false).await;
        if cx.hops() >= MAX_HOPS {
            outcome.trouble = Some(UpstreamFailure::TooManyHops.to_string());
        }
        outcome
    }

    /// The list that has a name, which a call needs; newer than the last known if that has it not.
    pub(super) async fn with(&self, name: &str, cx: &Cx) -> ListOutcome {
        let now_ms = cx.now_ms();
        let step = self.lists.kept(self.kind, |kept| {
            let busy = now_ms < kept.busy_until_ms;
            let known = kept.has(name);
            if !kept.may_ask(cx, now_ms) || (known && (busy || !kept.is_stale(cx, now_ms))) {
                ListStep::Take
            } else if known {
                kept.begin(now_ms);
                ListStep::Refresh
            } else if busy {
                ListStep::Wait
            } else if kept.whole && now_ms < kept.asked_ms + LEAST_MS {
                ListStep::Take
            } else {
                kept.begin(now_ms)
            }
        });
        self.follow(step, u64::MAX, cx, |kept| kept.has(name)).await
    }

    /// A newer list than the last known, unless that was asked for just now.
    pub(super) async fn newer(&self, cx: &Cx) {
        let now_ms = cx.now_ms();
        let step = self.lists.kept(self.kind, |kept| {
            if !kept.may_ask(cx, now_ms) || now_ms < kept.asked_ms + LEAST_MS {
                ListStep::Take
            } else if now_ms < kept.busy_until_ms {
                ListStep::Wait
            } else {
                kept.begin(now_ms)
            }
        });
        self.follow(step, u64::MAX, cx, |_| false).await;
    }

    /// Does a step, and gives what is known after it: at the latest `until_ms`, and as soon as it
    /// is `enough`.
    async fn follow(
        &self,
        step: ListStep,
        until_ms: u64,
        cx: &Cx,
        enough: impl Fn(&LastList) -> bool,
    ) -> ListOutcome {
        let goes_on = || {
            cx.now_ms() < until_ms
                && cx.remaining() > LOOK
                && !self.lists.kept(self.kind, |kept| enough(kept))
        };
        if step == ListStep::Wait {
            let is_busy = || {
                self.lists
                    .kept(self.kind, |kept| cx.now_ms() < kept.busy_until_ms)
            };
            while is_busy() && goes_on() {
                cx.sleep(LOOK).await;
            }
        } else if step != ListStep::Take {
            let mut asking = Box::pin(self.clone().ask(cx.detached(WITHIN))) as BoxFuture<'_, ()>;
            let mut done = false;
            while step == ListStep::Ask && !done && goes_on() {
                done = within(&mut asking, LOOK, cx).await;
            }
            if !done && let Err(mut asking) = cx.in_background(asking) {
                // a host without background work would never have the list otherwise
                within(&mut asking, cx.remaining(), cx).await;
            }
        }
        self.lists.kept(self.kind, |kept| kept.outcome())
    }

    /// Asks for the list, and keeps what came. `cx` is not the caller's: its time is this one's.
    async fn ask(self, cx: Cx) {
        let kind = self.kind;
        let _busy = Busy(&self);
        let mut pages = Pages::new(kind, &self.client.name, self.lists.room(kind));
        let came = |pages: &Pages| {
            self.lists.kept(kind, |kept| {
                // not by fewer pages than another time
                let known = kept.list.as_ref().map_or(0, |list| list.len());
                if !kept.whole && pages.list.len() >= known {
                    kept.list = Some(Arc::new(pages.list.clone()));
                }
            });
        };
        let asked = pages.read(&self.client, &cx, WITHIN, came).await;
        let now_ms = cx.now_ms();
        let trouble = self.lists.kept(kind, |kept| {
            kept.asked_ms = now_ms;
            match asked {
                Ok(()) => {
                    let trouble = pages.left_out();
                    kept.list = Some(Arc::new(pages.list));
                    (kept.whole, kept.hops) = (true, cx.hops());
                    (kept.pause_until_ms, kept.failures) = (0, 0);
                    kept.trouble = None;
                    trouble
                }
                Err(UpstreamFailure::TooManyHops) => None,
                Err(failure) => {
                    // the pages that came stay, and are known to be a part
                    let pause_ms = (PAUSE_MS << kept.failures.min(8)).min(MAX_PAUSE_MS);
                    kept.pause_until_ms = now_ms + pause_ms;
                    kept.failures = kept.failures.saturating_add(1);
                    let trouble = format!("{} can't be listed: {failure}", kind.member());
                    kept.trouble = Some((failure.outage(), trouble.clone()));
                    Some(trouble)
                }
            }
        });
        if let Some(trouble) = trouble {
            cx.report_degraded(&self.client.name, &trouble);
        }
    }
}

/// Lets the next one ask, also when the asking was dropped.
struct Busy<'a>(&'a ListAccess);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        let Self(access) = self;
        access
            .lists
            .kept(access.kind, |kept| kept.busy_until_ms = 0);
    }
}

/// Works for so long at most; whether it is done.
async fn within(work: &mut BoxFuture<'_, ()>, time: Duration, cx: &Cx) -> bool {
    let mut sleep = Box::pin(cx.sleep(time));
    poll_fn(|context| {
        if work.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        sleep.as_mut().poll(context).map(|()| false)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{MAX, MAX_LIST_BYTES as ALL};

    #[test]
    fn lists_of_all_upstreams_have_one_bound() {
        for upstreams in 1..=MAX {
            let lists = ListCache::new(ALL / upstreams);
            let room = |kind| lists.room(kind);
            let tools = room(ListKind::Tools);
            let others =
                room(ListKind::Resources) + room(ListKind::Templates) + room(ListKind::Prompts);
            assert!((tools + others) * upstreams <= ALL, "{upstreams}");
            // ten times what the largest known servers have
            assert!(tools >= 1024 * 1024, "{upstreams}");
        }
    }
}
