//! Work for subscribers, and what nobody does any more, as messages of a queue. No queue: that is
//! `stores/event_queue`.

use mcpfn_core::port::EventJob;
use serde_json::{Value, json};

/// Longest delay of a message, in seconds: a platform's bound is 24 hours. Work that comes early is
/// sent on.
const MOST_DELAY_S: u64 = 43_200;
/// Messages of one request, and their bytes: a queue takes 100, and 256 KB with what belongs to each.
const AT_ONCE: usize = 100;
const BYTES_AT_ONCE: usize = 200_000;
/// By which a message is known.
const MARK: &str = "{\"mcpfn\":\"event\",";

/// Work on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventLetter {
    /// The key of the queue of its server: a platform's queue may be that of several.
    pub(crate) queue: String,
    pub(crate) due_ms: u64,
    pub(crate) work: String,
}

/// What a message of a queue is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ReadLetter {
    Event(EventLetter),
    /// Of this library, and not of this version.
    Unknown,
    /// Of somebody else.
    Foreign,
}

impl EventLetter {
    /// Nothing for work that is no text.
    pub(crate) fn of(queue: &str, job: &EventJob) -> Option<Self> {
        Some(Self {
            queue: queue.to_owned(),
            due_ms: job.due_ms,
            work: std::str::from_utf8(&job.body).ok()?.to_owned(),
        })
    }

    pub(crate) fn write(&self) -> String {
        let rest = json!({"due": self.due_ms, "queue": self.queue, "work": self.work}).to_string();
        format!("{MARK}{}", &rest[1..])
    }

    /// From the text of a message.
    pub(crate) fn read(text: &str) -> ReadLetter {
        if !text.starts_with(MARK) {
            return ReadLetter::Foreign;
        }
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            return ReadLetter::Unknown;
        };
        let member = |name: &str| value[name].as_str().map(str::to_owned);
        match (member("queue"), value["due"].as_u64(), member("work")) {
            (Some(queue), Some(due_ms), Some(work)) => ReadLetter::Event(Self {
                queue,
                due_ms,
                work,
            }),
            _ => ReadLetter::Unknown,
        }
    }

    /// As what is kept for an operator.
    pub(crate) fn dead(text: &str, reason: &str) -> String {
        json!({"mcpfn": "event_dead", "reason": reason, "message": text}).to_string()
    }
}

/// For how many seconds a message is held back.
pub(crate) fn delay_s(due_ms: u64, now_ms: u64) -> u64 {
    due_ms
        .saturating_sub(now_ms)
        .div_ceil(1000)
        .min(MOST_DELAY_S)
}

/// Texts as requests that a queue takes.
pub(crate) fn batches(texts: &[(String, u64)]) -> impl Iterator<Item = &[(String, u64)]> {
    let mut rest = texts;
    std::iter::from_fn(move || {
        let (mut count, mut bytes) = (0, 0);
        for (text, _) in rest.iter().take(AT_ONCE) {
            bytes += text.len();
            if count > 0 && bytes > BYTES_AT_ONCE {
                break;
            }
            count += 1;
        }
        let (batch, after) = rest.split_at(count);
        rest = after;
        (!batch.is_empty()).then_some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(body: &'static [u8]) -> EventJob {
        EventJob {
            key: "a".into(),
            body: body.into(),
            due_ms: 5_500,
        }
    }

    #[test]
    fn letters_are_read_as_they_were_written() {
        let letter = EventLetter::of("q", &job(b"{\"do\":\"deliver\",\"\\u0000\":1}")).unwrap();
        assert_eq!(
            EventLetter::read(&letter.write()),
            ReadLetter::Event(letter)
        );
        assert_eq!(EventLetter::of("q", &job(b"\xff")), None);
    }

    #[test]
    fn what_is_no_letter_is_somebody_elses_or_of_another_version() {
        for (text, expected) in [
            ("", ReadLetter::Foreign),
            ("{}", ReadLetter::Foreign),
            ("{\"action\":\"PutObject\"}", ReadLetter::Foreign),
            ("{\"mcpfn\":\"event\",", ReadLetter::Unknown),
            ("{\"mcpfn\":\"event\",\"due\":1}", ReadLetter::Unknown),
            (
                "{\"mcpfn\":\"event\",\"due\":-1,\"queue\":\"q\",\"work\":\"\"}",
                ReadLetter::Unknown,
            ),
        ] {
            assert_eq!(EventLetter::read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_is_not_early_and_not_held_longer_than_a_queue_does() {
        for (due_ms, now_ms, expected) in [
            (0, 9, 0),
            (9, 9, 0),
            (10, 9, 1),
            (5_500, 500, 5),
            (5_501, 500, 6),
            (u64::MAX, 0, MOST_DELAY_S),
        ] {
            assert_eq!(delay_s(due_ms, now_ms), expected, "{due_ms} at {now_ms}");
        }
    }

    #[test]
    fn requests_are_as_large_as_a_queue_takes() {
        let texts = |count, bytes| vec![("x".repeat(bytes), 0); count];
        for (count, bytes, expected) in [
            (0, 1, &[][..]),
            (1, 4096, &[1]),
            (100, 1, &[100]),
            (101, 1, &[100, 1]),
            (100, 4096, &[48, 48, 4]),
            (2, 300_000, &[1, 1]),
        ] {
            let texts = texts(count, bytes);
            let sizes: Vec<usize> = batches(&texts).map(<[_]>::len).collect();
            assert_eq!(sizes, expected, "{count} of {bytes}");
        }
    }

    #[test]
    fn what_is_kept_for_an_operator_is_no_work() {
        let kept = EventLetter::dead("{}", "410: \"gone\"");
        let read: Value = serde_json::from_str(&kept).unwrap();
        assert_eq!(read["reason"], "410: \"gone\"");
        assert_eq!(EventLetter::read(&kept), ReadLetter::Foreign);
    }
}
