//! Work for subscribers, as a queue has it: an event for all of them, what one of them missed, one
//! event for one of them. And what follows it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::canonical::digest_key;
use crate::jsonrpc::to_json;
use crate::port::{EventJob, EventPosition};

/// When an attempt follows the one before it, in milliseconds: seven in about two hours, of which five
/// are in the first half an hour.
const PAUSES_MS: [u64; 6] = [10_000, 60_000, 300_000, 900_000, 2_700_000, 2_700_000];

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum EventWork {
    /// Finds who subscribed to an event that was appended, a page at a time.
    FanOut {
        event: String,
        at: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Finds what one subscriber missed, a page at a time.
    CatchUp {
        event: String,
        subscription: String,
        after: u64,
        /// Nothing while its record is not live: then it is what there is when that is seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<u64>,
    },
    /// Sends an event to one subscriber.
    Deliver {
        event: String,
        subscription: String,
        at: u64,
        #[serde(default)]
        failures: u32,
    },
}

impl EventWork {
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    pub(crate) fn written(&self) -> Bytes {
        to_json(self).into()
    }

    /// As a job that is not there twice.
    pub(crate) fn job(&self, server: &str, due_ms: u64) -> EventJob {
        // another one that begins there and ends later is other work
        let mut to = [0; 8];
        let (kind, event, whose, at) = match self {
            Self::FanOut { event, at, .. } => (&b"fan out"[..], event, "", at),
            Self::CatchUp {
                event,
                subscription,
                after,
                until,
            } => {
                to = until.unwrap_or_default().to_be_bytes();
                (&b"catch up"[..], event, subscription.as_str(), after)
            }
            Self::Deliver {
                event,
                subscription,
                at,
                ..
            } => (&b"deliver"[..], event, subscription.as_str(), at),
        };
        let parts = [server.as_bytes(), event.as_bytes(), whose.as_bytes()];
        let at = at.to_be_bytes();
        EventJob {
            key: digest_key(&[kind, parts[0], parts[1], parts[2], &at, &to]),
            body: self.written(),
            due_ms,
        }
    }

    /// Of an event at a position, for all subscribers.
    pub(crate) fn fan_out(event: &str, at: EventPosition) -> Self {
        Self::FanOut {
            event: event.to_owned(),
            at: at.number(),
            after: None,
        }
    }
}

/// How long after so many failures another attempt is made, by a number between 0 and 255 that keeps
/// attempts apart; nothing once there were enough.
pub(crate) fn pause_ms(failures: u32, jitter: u8) -> Option<u64> {
    let place = usize::try_from(failures).ok()?.checked_sub(1)?;
    let pause_ms = *PAUSES_MS.get(place)?;
    // up to a tenth more
    Some(pause_ms + pause_ms * u64::from(jitter) / 2560)
}

/// Longer than the longest pause between two attempts, in milliseconds.
const MOST_DELAY_MS: u64 = 3 * 60 * 60 * 1000;

/// Why work of a queue is given up that is due so late (milliseconds since 1970) that no server put it
/// there: it would be put back for ever. Nothing for other work.
#[must_use]
pub fn due_too_late(due_ms: u64, now_ms: u64) -> Option<&'static str> {
    let late = due_ms > now_ms.saturating_add(MOST_DELAY_MS);
    late.then_some("its time is further away than any attempt to send an event")
}

/// What follows work of a queue: see [`Server::run_event_job`](crate::Server::run_event_job).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventJobRun {
    /// Nothing.
    Done,
    /// This work in its place, not before this time (milliseconds since 1970).
    Again {
        /// The work.
        body: Bytes,
        /// The time.
        at_ms: u64,
    },
    /// Nothing any more, and an operator should know: all attempts failed. Why, in a sentence without
    /// secrets.
    Dead {
        /// The reason.
        reason: String,
    },
    /// The same work, in a while: a store or the queue could not be asked.
    Unavailable,
}

/// What [`Server::pump_events`](crate::Server::pump_events) did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[must_use = "there may be more to do"]
pub struct EventsPumped {
    /// How many events were kept for subscribers.
    pub appended: usize,
    /// There are more already: call it again.
    pub more: bool,
    /// How many events could not be read; the log has why, and the next call tries again.
    pub failed: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_spread_and_end() {
        let pauses: Vec<u64> = (1..).map_while(|failures| pause_ms(failures, 0)).collect();
        assert_eq!(pauses, PAUSES_MS);
        assert_eq!(pause_ms(1, 255), Some(10_996));
        assert_eq!(pause_ms(0, 0), None);
        let latest_ms = PAUSES_MS.iter().max().unwrap();
        assert_eq!(due_too_late(7 + 2 * latest_ms, 7), None);
        assert!(due_too_late(u64::MAX, 7).is_some());
    }

    #[test]
    fn work_survives_its_queue_and_has_one_key() {
        let work = EventWork::Deliver {
            event: "a".into(),
            subscription: "sub_1".into(),
            at: 7,
            failures: 0,
        };
        let later = EventWork::Deliver {
            event: "a".into(),
            subscription: "sub_1".into(),
            at: 7,
            failures: 3,
        };
        assert_eq!(EventWork::read(&work.written()), Some(work.clone()));
        assert_eq!(work.job("s", 0).key, later.job("s", 9).key);
        let fan = EventWork::fan_out("a", EventPosition::from_number(7));
        assert_ne!(fan.job("s", 0).key, work.job("s", 0).key);
        assert_ne!(fan.job("s", 0).key, fan.job("other", 0).key);
        assert_eq!(EventWork::read(b"{}"), None);
    }
}
