//! The rules of a task's life, and random lives: whatever order runs, clients and crashes come in,
//! a task has one end, no answer is lost, and no two runs have it at a time.

use proptest::prelude::*;

use super::*;

const NOW: u64 = 1_000_000;

fn head() -> TaskHead {
    TaskHead::new("id".to_owned(), NOW, 3_600_000, 5_000)
}

fn claimed(head: &TaskHead, holder: &str, now_ms: u64) -> TaskHead {
    match head.claim(holder, now_ms) {
        TaskClaim::Run(head) => head,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_run_has_a_task_until_its_lease_is_over() {
    let held = claimed(&head(), "a", NOW);
    assert_eq!(
        held.claim("b", NOW + LEASE_MS - 1),
        TaskClaim::NotYet(NOW + LEASE_MS)
    );
    let TaskBeat::Goes(renewed) = held.beat("a", Some("half"), false, NOW + 15_000) else {
        panic!("it is its own");
    };
    assert_eq!(renewed.message.as_deref(), Some("half"));
    assert_eq!(renewed.updated_ms, NOW + 15_000);
    let taken = claimed(&renewed, "b", NOW + 15_000 + LEASE_MS);
    assert_eq!(taken.beat("a", None, false, NOW + 60_000), TaskBeat::Lost);
    assert_eq!(taken.end("a", &RunEnd::Completed, NOW + 60_000), None);
}

#[test]
fn a_task_that_never_comes_further_is_given_up() {
    let mut head = head();
    let mut now_ms = NOW;
    for _ in 0..ATTEMPTS {
        head = claimed(&head, "a", now_ms);
        now_ms += LEASE_MS;
    }
    let TaskClaim::End(ended) = head.claim("a", now_ms) else {
        panic!("it is given up");
    };
    assert_eq!(ended.status, Status::Failed);
    assert!(ended.message.unwrap().contains("5 runs"));
    // a step forward counts
    let TaskBeat::Goes(forward) = head.beat("a", None, true, now_ms - 1) else {
        panic!("it is its own");
    };
    assert_eq!(forward.attempts, 0);
}

#[test]
fn who_asks_for_a_task_sees_whether_it_lacks_a_run() {
    let new = head();
    assert!(!new.is_stalled(NOW + ORDERED_MS - 1) && new.is_stalled(NOW + ORDERED_MS));
    let held = claimed(&new, "a", NOW);
    assert!(!held.is_stalled(NOW + LEASE_MS - 1) && held.is_stalled(NOW + LEASE_MS));
    let later = held.end("a", &RunEnd::Later(NOW + 60_000), NOW).unwrap();
    assert_eq!(later.status, Status::Working);
    assert!(!later.is_stalled(NOW + 59_999) && later.is_stalled(NOW + 60_000));
    assert_eq!(later.claim("b", NOW + 1), TaskClaim::NotYet(NOW + 60_000));
    let asks = RunEnd::Asks(vec!["k".to_owned()]);
    let waits = held.end("a", &asks, NOW).unwrap();
    assert!(!waits.is_stalled(u64::MAX));
    for end in [
        RunEnd::Completed,
        RunEnd::Failed(String::new()),
        RunEnd::Cancelled,
    ] {
        let ended = held.end("a", &end, NOW).unwrap();
        assert!(ended.status.is_final() && !ended.is_stalled(u64::MAX));
        assert_eq!(ended.claim("b", u64::MAX), TaskClaim::Nothing);
        assert_eq!(ended.cancelled(NOW), None);
    }
}

#[test]
fn a_task_waits_until_all_is_answered() {
    let held = claimed(&head(), "a", NOW);
    let asks = RunEnd::Asks(vec!["one".to_owned(), "two".to_owned()]);
    let waits = held.end("a", &asks, NOW + 1).unwrap();
    assert_eq!(waits.status, Status::InputRequired);
    assert_eq!(waits.claim("b", NOW + 2), TaskClaim::Nothing);
    assert_eq!(waits.answered(&["three"], NOW + 2), None);
    let half = waits.answered(&["one", "three"], NOW + 2).unwrap();
    assert_eq!((half.status, half.open.len()), (Status::InputRequired, 1));
    assert_eq!(half.answered(&["one"], NOW + 3), None);
    let all = half.answered(&["two"], NOW + 3).unwrap();
    assert_eq!((all.status, all.wake_ms), (Status::Working, NOW + 3));
    claimed(&all, "b", NOW + 3);
}

#[test]
fn a_task_is_cancelled_at_once_or_by_its_run() {
    let waits = head().cancelled(NOW + 1).unwrap();
    assert_eq!(waits.status, Status::Cancelled);
    let held = claimed(&head(), "a", NOW);
    let wanted = held.cancelled(NOW + 1).unwrap();
    assert_eq!(wanted.status, Status::Working);
    assert_eq!(wanted.cancelled(NOW + 2), None);
    assert_eq!(wanted.beat("a", None, true, NOW + 2), TaskBeat::Cancelled);
    // it may end all the same, and nobody is asked any more
    let done = wanted.end("a", &RunEnd::Completed, NOW + 2).unwrap();
    assert_eq!(done.status, Status::Completed);
    for end in [RunEnd::Asks(vec!["k".to_owned()]), RunEnd::Later(u64::MAX)] {
        let ended = wanted.end("a", &end, NOW + 2).unwrap();
        assert_eq!(ended.status, Status::Cancelled);
    }
    // its run ended without a word: the next one ends it
    let TaskClaim::End(ended) = wanted.claim("b", NOW + LEASE_MS) else {
        panic!("nothing runs");
    };
    assert_eq!(ended.status, Status::Cancelled);
}

#[test]
fn clients_read_what_the_extension_says() {
    let mut head = head();
    head.message = Some("half".to_owned());
    let members = [b"{", &head.members()[..], b"}"].concat();
    let members: serde_json::Value = serde_json::from_slice(&members).unwrap();
    let expected = serde_json::json!({
        "taskId": "id", "status": "working", "statusMessage": "half",
        "createdAt": "1970-01-01T00:16:40.000Z", "lastUpdatedAt": "1970-01-01T00:16:40.000Z",
        "ttlMs": 3_600_000, "pollIntervalMs": 5_000,
    });
    assert_eq!(members, expected);
    // an older or a newer version may have left members out, or have others
    let least = r#"{"id": "i", "status": "input_required", "created_ms": 1, "updated_ms": 2,
        "ttl_ms": 3, "poll_ms": 4, "tomorrow": 5}"#;
    let read: TaskHead = serde_json::from_str(least).unwrap();
    assert_eq!((read.status, read.expires_ms()), (Status::InputRequired, 4));
}

/// One thing that happens to a task.
#[derive(Debug, Clone)]
enum Event {
    Wait(u64),
    TaskClaim(usize),
    TaskBeat(usize, bool),
    RunEnd(usize, u8),
    /// The run ends without a word.
    Crash(usize),
    Answer(u8),
    Cancel,
    /// A change by somebody who read the head before the last change.
    Stale(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        (0_u64..60_000).prop_map(Event::Wait),
        (0_usize..3).prop_map(Event::TaskClaim),
        (0_usize..3, any::<bool>()).prop_map(|(run, forward)| Event::TaskBeat(run, forward)),
        (0_usize..3, 0_u8..7).prop_map(|(run, end)| Event::RunEnd(run, end)),
        (0_usize..3).prop_map(Event::Crash),
        (0_u8..4).prop_map(Event::Answer),
        Just(Event::Cancel),
        (0_usize..3).prop_map(Event::Stale),
    ];
    proptest::collection::vec(event, 0..60)
}

/// A store that compares and replaces, and the runs that believe to have the task.
struct World {
    head: TaskHead,
    before: TaskHead,
    now_ms: u64,
    runs: [Option<TaskHead>; 3],
    claims: u32,
    answered: Vec<String>,
    asked: Vec<String>,
    finals: u32,
}

const HOLDERS: [&str; 3] = ["a", "b", "c"];

impl World {
    /// Replaces the head if it is the one that was read.
    fn swap(&mut self, read: &TaskHead, next: TaskHead) -> bool {
        if *read != self.head {
            return false;
        }
        self.finals += u32::from(next.status.is_final() && !self.head.status.is_final());
        assert!(
            !self.head.status.is_final() || self.head == next,
            "what has ended changes no more"
        );
        self.before = std::mem::replace(&mut self.head, next);
        true
    }

    fn happens(&mut self, event: &Event) {
        let read = self.head.clone();
        match event {
            Event::Wait(ms) => self.now_ms += ms,
            Event::TaskClaim(run) => {
                let holder = format!("{}{}", HOLDERS[*run], self.claims);
                match read.claim(&holder, self.now_ms) {
                    TaskClaim::Run(next) => {
                        let before = read.lease.as_ref();
                        assert!(before.is_none_or(|lease| lease.until_ms <= self.now_ms));
                        self.claims += 1;
                        self.runs[*run] = Some(next.clone());
                        assert!(self.swap(&read, next));
                    }
                    TaskClaim::End(next) => assert!(self.swap(&read, next)),
                    TaskClaim::NotYet(at_ms) => assert!(at_ms > self.now_ms),
                    TaskClaim::Nothing => assert_ne!(read.status, Status::Working),
                }
            }
            Event::TaskBeat(run, forward) => {
                let Some(holder) = self.holder(*run) else {
                    return;
                };
                match read.beat(&holder, None, *forward, self.now_ms) {
                    TaskBeat::Goes(next) => assert!(self.swap(&read, next)),
                    TaskBeat::Cancelled | TaskBeat::Lost => {}
                }
            }
            Event::RunEnd(run, end) => {
                let Some(holder) = self.holder(*run) else {
                    return;
                };
                let end = match end {
                    0 => RunEnd::Completed,
                    1 => RunEnd::Failed("x".to_owned()),
                    2 => RunEnd::Cancelled,
                    3 => RunEnd::Asks(vec![
                        format!("k{}", self.asked.len()),
                        format!("k{}", self.asked.len() + 1),
                    ]),
                    4 => RunEnd::Later(self.now_ms + 30_000),
                    5 => RunEnd::Cut,
                    _ => RunEnd::HandedOver,
                };
                self.runs[*run] = None;
                if let Some(next) = read.end(&holder, &end, self.now_ms) {
                    self.asked.extend(next.open.iter().cloned());
                    assert!(self.swap(&read, next));
                }
            }
            Event::Crash(run) => self.runs[*run] = None,
            Event::Answer(which) => {
                let open = read.open.clone();
                let Some(key) = open.get(usize::from(*which)) else {
                    return;
                };
                if let Some(next) = read.answered(&[key], self.now_ms) {
                    assert!(self.swap(&read, next));
                    self.answered.push(key.clone());
                }
            }
            Event::Cancel => {
                if let Some(next) = read.cancelled(self.now_ms) {
                    assert!(self.swap(&read, next));
                }
            }
            Event::Stale(run) => {
                let stale = self.before.clone();
                if stale == self.head {
                    return;
                }
                if let TaskClaim::Run(next) = stale.claim(HOLDERS[*run], self.now_ms) {
                    assert!(
                        !self.swap(&stale, next),
                        "nobody changes what another one changed"
                    );
                }
            }
        }
    }

    fn holder(&self, run: usize) -> Option<String> {
        let lease = self.runs[run].as_ref()?.lease.as_ref()?;
        Some(lease.holder.clone())
    }
}

proptest! {
    #[test]
    fn every_life_has_one_end_and_loses_no_answer(events in events()) {
        let mut world = World {
            head: head(),
            before: head(),
            now_ms: NOW,
            runs: [None, None, None],
            claims: 0,
            answered: Vec::new(),
            asked: Vec::new(),
            finals: 0,
        };
        for event in &events {
            world.happens(event);
            let (head, now_ms) = (&world.head, world.now_ms);
            // what is asked and not answered is open, and nothing else is
            if head.status == Status::InputRequired {
                prop_assert!(!head.open.is_empty() && head.lease.is_none());
                prop_assert!(head.open.iter().all(|key| !world.answered.contains(key)));
            } else {
                prop_assert!(head.open.is_empty());
            }
            prop_assert!(head.updated_ms <= now_ms);
            prop_assert!(world.finals <= 1);
            prop_assert_eq!(head.status.is_final(), world.finals == 1);
        }
        // left alone, a task that does not wait for its client comes to an end by whoever asks for it
        for _ in 0..20 {
            world.now_ms += 100_000;
            if world.head.status == Status::Working {
                prop_assert!(world.head.is_stalled(world.now_ms));
                world.happens(&Event::TaskClaim(0));
            }
        }
        prop_assert!(world.head.status != Status::Working);
    }
}
