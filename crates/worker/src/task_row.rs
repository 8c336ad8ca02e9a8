//! What the object of a task decides: from what it knows and what is asked, to the answer, to what
//! is written, and to when it is woken. What it is kept in is `stores/tasks/object`.

use mcpfn_core::port::TaskPart;

use super::octets::{UnreadBytes, put_bytes, put_number};
use super::task_message::{Nonce, TaskAction, TaskAnswer, TaskRequest};

/// From the start of a run until another one looks after it, should the object be gone by then.
/// More than the 45 s for which a run without a word has its task.
const GUARD_MS: u64 = 50_000;

/// The head of a task, and all that changes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskRow {
    pub(crate) key: String,
    /// One more with each change of the head.
    version: u64,
    /// Of the change that made it what it is.
    nonce: Nonce,
    expires_ms: u64,
    /// When a run is due that was ordered.
    run_ms: Option<u64>,
    /// While a run is at work: when another one looks after it.
    guard_ms: Option<u64>,
    head: Vec<u8>,
}

/// What becomes of what is kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum TaskChange<'a> {
    None,
    Keep {
        row: TaskRow,
        /// Nothing of what was kept before is part of this task.
        anew: bool,
        also: Vec<(TaskPart, &'a [u8])>,
    },
    Remove,
}

/// What an object does about a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decision<'a> {
    /// Without its parts where these are kept beside the row: `wanted` says which.
    pub(crate) answer: TaskAnswer,
    pub(crate) change: TaskChange<'a>,
    /// When the alarm has to come, where it was to come at another time.
    pub(crate) alarm_ms: Option<u64>,
}

/// Decides. `part` gives a part that is kept beside the row.
pub(crate) fn decide<'a, E>(
    row: Option<TaskRow>,
    request: TaskRequest<'a>,
    part: impl Fn(TaskPart) -> Result<Option<Vec<u8>>, E>,
) -> Result<Decision<'a>, E> {
    let TaskRequest {
        now_ms,
        nonce,
        action,
    } = request;
    let row = row.filter(|row| now_ms < row.expires_ms);
    Ok(match (action, row) {
        // its own is what it finds when its first request was done and the answer lost
        (TaskAction::Create { .. }, Some(row)) if row.is_made_by(1, nonce) => {
            unchanged(TaskAnswer::Done)
        }
        (TaskAction::Create { .. }, Some(_)) => unchanged(TaskAnswer::Exists),
        (
            TaskAction::Create {
                key,
                expires_ms,
                head,
                call,
            },
            None,
        ) => {
            let key = key.to_owned();
            created(TaskRow::first(key, nonce, expires_ms, head), call)
        }
        (TaskAction::Remove, _) => Decision {
            change: TaskChange::Remove,
            ..unchanged(TaskAnswer::Done)
        },
        (_, None) => unchanged(TaskAnswer::Gone),
        (TaskAction::Read { parts }, Some(row)) => unchanged(read(&row, parts, part)?),
        (TaskAction::Swap { version, .. }, Some(row))
            if row.is_made_by(version.wrapping_add(1), nonce) =>
        {
            unchanged(TaskAnswer::Done)
        }
        (TaskAction::Swap { version, .. }, Some(row)) if row.version != version => {
            unchanged(TaskAnswer::Changed)
        }
        (
            TaskAction::Swap {
                expires_ms,
                head,
                also,
                ..
            },
            Some(row),
        ) => kept(row.alarm_ms(), row.next(nonce, expires_ms, head), also),
        (TaskAction::Start { at_ms }, Some(row)) => started(row, at_ms),
    })
}

fn unchanged<'a>(answer: TaskAnswer) -> Decision<'a> {
    Decision {
        answer,
        change: TaskChange::None,
        alarm_ms: None,
    }
}

fn created(row: TaskRow, call: &[u8]) -> Decision<'_> {
    Decision {
        answer: TaskAnswer::Done,
        alarm_ms: Some(row.alarm_ms()),
        change: TaskChange::Keep {
            row,
            anew: true,
            also: vec![(TaskPart::Call, call)],
        },
    }
}

fn read<E>(
    row: &TaskRow,
    wanted: Vec<TaskPart>,
    part: impl Fn(TaskPart) -> Result<Option<Vec<u8>>, E>,
) -> Result<TaskAnswer, E> {
    let parts = wanted.into_iter().map(|wanted| match wanted {
        TaskPart::Head => Ok(Some(row.head.clone())),
        wanted => part(wanted),
    });
    Ok(TaskAnswer::Parts {
        version: row.version,
        parts: parts.collect::<Result<_, E>>()?,
    })
}

fn started<'a>(mut row: TaskRow, at_ms: u64) -> Decision<'a> {
    row.run_ms = Some(row.run_ms.map_or(at_ms, |before_ms| before_ms.min(at_ms)));
    let alarm_ms = row.alarm_ms();
    Decision {
        // set in any case: who orders a run may do so because none came
        alarm_ms: Some(alarm_ms),
        ..kept(alarm_ms, row, Vec::new())
    }
}

fn kept(before_ms: u64, row: TaskRow, also: Vec<(TaskPart, &[u8])>) -> Decision<'_> {
    let alarm_ms = row.alarm_ms();
    Decision {
        answer: TaskAnswer::Done,
        alarm_ms: (alarm_ms != before_ms).then_some(alarm_ms),
        change: TaskChange::Keep {
            row,
            anew: false,
            also,
        },
    }
}

/// What an alarm is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// The task has expired, or was none: nothing of it is kept.
    Removal,
    /// It came early.
    At(u64),
    /// A run, by this row.
    Run(TaskRow),
}

/// What an object does when its alarm comes.
pub(crate) fn due(row: Option<TaskRow>, now_ms: u64) -> Due {
    let Some(row) = row.filter(|row| now_ms < row.expires_ms) else {
        return Due::Removal;
    };
    if row.alarm_ms() > now_ms {
        return Due::At(row.alarm_ms());
    }
    Due::Run(TaskRow {
        run_ms: None,
        guard_ms: Some(now_ms.saturating_add(GUARD_MS)),
        ..row
    })
}

impl TaskRow {
    /// Of a task that is new.
    fn first(key: String, nonce: Nonce, expires_ms: u64, head: &[u8]) -> Self {
        Self {
            key,
            version: 1,
            nonce,
            expires_ms,
            run_ms: None,
            guard_ms: None,
            head: head.to_vec(),
        }
    }

    /// With another head.
    fn next(self, nonce: Nonce, expires_ms: u64, head: &[u8]) -> Self {
        Self {
            version: self.version.wrapping_add(1),
            nonce,
            expires_ms,
            head: head.to_vec(),
            ..self
        }
    }

    /// Whether this change, to this version, made it what it is.
    fn is_made_by(&self, version: u64, nonce: Nonce) -> bool {
        self.version == version && self.nonce == nonce
    }

    /// When the object has to be woken next.
    pub(crate) fn alarm_ms(&self) -> u64 {
        let times = [self.run_ms, self.guard_ms];
        times.into_iter().flatten().fold(self.expires_ms, u64::min)
    }

    /// A run of it ended, and another one is wanted at a time, if at all. One that was ordered
    /// meanwhile stays ordered.
    pub(crate) fn after_run(self, next_ms: Option<u64>) -> Self {
        Self {
            run_ms: [self.run_ms, next_ms].into_iter().flatten().min(),
            guard_ms: None,
            ..self
        }
    }

    /// As bytes.
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut out = self.nonce.to_vec();
        let time = |time: Option<u64>| time.unwrap_or(u64::MAX);
        for number in [
            self.version,
            self.expires_ms,
            time(self.run_ms),
            time(self.guard_ms),
        ] {
            put_number(&mut out, number);
        }
        put_bytes(&mut out, self.key.as_bytes());
        put_bytes(&mut out, &self.head);
        out
    }

    /// Nothing for what this version does not know.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = UnreadBytes(bytes);
        let time = |time: u64| (time != u64::MAX).then_some(time);
        Some(Self {
            nonce: rest.array()?,
            version: rest.number()?,
            expires_ms: rest.number()?,
            run_ms: time(rest.number()?),
            guard_ms: time(rest.number()?),
            key: std::str::from_utf8(rest.bytes()?).ok()?.to_owned(),
            head: rest.bytes()?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn asked<'a>(row: Option<TaskRow>, now_ms: u64, action: TaskAction<'a>) -> Decision<'a> {
        let request = TaskRequest {
            now_ms,
            nonce: *b"a change",
            action,
        };
        let Ok(decision) = decide(row, request, |_| Ok::<_, std::convert::Infallible>(None));
        decision
    }

    fn row_of(decision: Decision<'_>) -> (TaskRow, Option<u64>) {
        match decision.change {
            TaskChange::Keep { row, .. } => (row, decision.alarm_ms),
            change => panic!("nothing is kept: {change:?}"),
        }
    }

    fn created() -> TaskRow {
        let create = TaskAction::Create {
            key: "a-digest",
            expires_ms: HOUR,
            head: b"head",
            call: b"call",
        };
        let (row, alarm_ms) = row_of(asked(None, 0, create));
        assert_eq!(alarm_ms, Some(HOUR), "it removes itself");
        row
    }

    fn started(row: TaskRow, at_ms: u64) -> TaskRow {
        let (row, alarm_ms) = row_of(asked(Some(row), 1, TaskAction::Start { at_ms }));
        assert_eq!(alarm_ms, Some(row.alarm_ms()));
        row
    }

    #[test]
    fn the_earlier_alarm_wins() {
        let row = started(created(), 500);
        assert_eq!(row.alarm_ms(), 500);
        assert_eq!(started(row.clone(), 900).alarm_ms(), 500);
        assert_eq!(started(row.clone(), 100).alarm_ms(), 100);
        // an end before the run
        let swap = TaskAction::Swap {
            version: 1,
            expires_ms: 300,
            head: b"head",
            also: Vec::new(),
        };
        let (row, alarm_ms) = row_of(asked(Some(row), 1, swap));
        assert_eq!((row.alarm_ms(), alarm_ms), (300, Some(300)));
        assert_eq!(due(Some(row), 300), Due::Removal);
        assert_eq!(due(None, 300), Due::Removal);
    }

    #[test]
    fn a_run_that_is_cut_off_is_looked_after() {
        let row = started(created(), 100);
        assert_eq!(due(Some(row.clone()), 99), Due::At(100), "early");
        let Due::Run(running) = due(Some(row), 100) else {
            panic!("a run is due");
        };
        assert_eq!(running.alarm_ms(), 100 + GUARD_MS);
        // the object is gone, and its alarm comes
        assert!(matches!(
            due(Some(running.clone()), 100 + GUARD_MS),
            Due::Run(_)
        ));
        // it goes well
        assert_eq!(running.clone().after_run(None).alarm_ms(), HOUR);
        let later = running.after_run(Some(70_000));
        assert_eq!(later.alarm_ms(), 70_000);
    }

    #[test]
    fn a_run_that_was_ordered_during_another_one_is_not_lost() {
        let Due::Run(running) = due(Some(started(created(), 100)), 100) else {
            panic!("a run is due");
        };
        let ordered = started(running, 5_000);
        assert_eq!(ordered.clone().after_run(None).alarm_ms(), 5_000);
        assert_eq!(ordered.after_run(Some(4_000)).alarm_ms(), 4_000);
    }

    #[test]
    fn a_change_that_is_sent_again_is_made_once() {
        let swap = || TaskAction::Swap {
            version: 1,
            expires_ms: HOUR,
            head: b"next",
            also: Vec::new(),
        };
        let (row, alarm_ms) = row_of(asked(Some(created()), 1, swap()));
        assert_eq!(alarm_ms, None, "an alarm that stays is not written");
        let again = asked(Some(row.clone()), 1, swap());
        assert_eq!(
            (again.answer, again.change),
            (TaskAnswer::Done, TaskChange::None)
        );
        // the same change by another
        let other = TaskRow {
            nonce: *b"another.",
            ..row
        };
        assert_eq!(asked(Some(other), 1, swap()).answer, TaskAnswer::Changed);
    }

    #[test]
    fn rows_are_read_as_they_were_written() {
        for row in [created(), started(created(), 7)] {
            let bytes = row.write();
            assert_eq!(TaskRow::read(&bytes), Some(row));
            for length in 0..bytes.len() {
                assert_eq!(TaskRow::read(&bytes[..length]), None, "{length}");
            }
        }
    }
}
