//! Logs of events in memory. They end with the process: cursors of another one are behind nothing that
//! is kept, and who has one hears that it missed some.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;
use mcpfn_core::port::{EventPosition, EventRead, EventRetention, LoggedEvent};

use super::limits::MemoryLimits;

#[derive(Debug, Default)]
pub(super) struct EventLogs {
    logs: HashMap<String, LogOfEvents>,
    bytes: usize,
}

#[derive(Debug)]
struct LogOfEvents {
    events: VecDeque<LoggedEvent>,
    /// Of the last event that is gone; and of the last one of all.
    floor: EventPosition,
    last: EventPosition,
}

impl EventLogs {
    /// What is too old makes room, then what is oldest in this log: an event always has its place.
    pub(super) fn append(
        &mut self,
        topic: &str,
        body: Bytes,
        now_ms: u64,
        keep: EventRetention,
        limits: MemoryLimits,
    ) -> EventPosition {
        let bytes = body.len();
        let log = self.trimmed(topic, now_ms, keep);
        log.last = log.last.next(now_ms);
        let position = log.last;
        log.events.push_back(LoggedEvent { position, body });
        self.bytes += bytes;
        let most = keep.max_events.min(limits.entries).max(1);
        while let Some(log) = self.logs.get_mut(topic)
            && log.events.len() > 1
            && (log.events.len() > most || self.bytes > limits.bytes)
        {
            self.bytes -= drop_first(log);
        }
        position
    }

    pub(super) fn read(
        &mut self,
        topic: &str,
        after: EventPosition,
        limit: usize,
        now_ms: u64,
        keep: EventRetention,
    ) -> EventRead {
        let log = self.trimmed(topic, now_ms, keep);
        let from = log.events.partition_point(|event| event.position <= after);
        EventRead {
            events: log.events.iter().skip(from).take(limit).cloned().collect(),
            truncated: after < log.floor,
            more: log.events.len() - from > limit,
        }
    }

    pub(super) fn end(&mut self, topic: &str, now_ms: u64, keep: EventRetention) -> EventPosition {
        self.trimmed(topic, now_ms, keep).last
    }

    fn trimmed(&mut self, topic: &str, now_ms: u64, keep: EventRetention) -> &mut LogOfEvents {
        let begins = EventPosition::at(now_ms);
        let log = self
            .logs
            .entry(topic.to_owned())
            .or_insert_with(|| LogOfEvents {
                events: VecDeque::new(),
                floor: begins,
                last: begins,
            });
        let oldest = EventPosition::at(now_ms.saturating_sub(keep.max_age_ms));
        while log.events.front().is_some_and(|it| it.position < oldest) {
            self.bytes -= drop_first(log);
        }
        log
    }
}

/// Gives how many bytes that were.
fn drop_first(log: &mut LogOfEvents) -> usize {
    log.events.pop_front().map_or(0, |event| {
        log.floor = event.position;
        event.body.len()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_who_missed_some_is_told() {
        let (mut logs, keep) = (EventLogs::default(), EventRetention::default());
        let limits = MemoryLimits {
            entries: 3,
            bytes: 10,
        };
        let begins = logs.end("a", 1, keep);
        for _ in 0..5 {
            logs.append("a", Bytes::from_static(b"123"), 2, keep, limits);
        }
        let read = logs.read("a", begins, 10, 3, keep);
        assert_eq!(
            (read.events.len(), read.truncated, logs.bytes),
            (3, true, 9)
        );
        // one that is larger than everything is kept all the same, until the next one
        logs.append("a", Bytes::from(vec![0; 20]), 4, keep, limits);
        assert_eq!(
            (logs.read("a", begins, 10, 5, keep).events.len(), logs.bytes),
            (1, 20)
        );
        let read = logs.read("a", begins, 10, keep.max_age_ms + 10, keep);
        assert_eq!(
            (read.events.len(), read.truncated, logs.bytes),
            (0, true, 0)
        );
    }
}
