//! The cache before the chain, on a clock of the test: what is renewed when, who waits, and what
//! holds while nothing can be had. Where the chain looks is tested with processes, in
//! `tests/providers`.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_credential_types::Credentials;
use tokio::sync::Notify;

use super::*;

const MINUTE: u64 = 60_000;
const START: u64 = 1_785_196_800_000;

#[derive(Default)]
struct Time(AtomicU64);

impl Time {
    fn pass(&self, milliseconds: u64) {
        self.0.fetch_add(milliseconds, Ordering::SeqCst);
    }
}

impl Clock for Time {
    fn now_ms(&self) -> u64 {
        START + self.0.load(Ordering::SeqCst)
    }
}

/// What the chain finds, one after the other; the last for ever.
struct Script {
    answers: Mutex<VecDeque<Result<Credentials, String>>>,
    asked: AtomicU64,
    /// Where it is set, an answer waits for it.
    gate: Option<Notify>,
}

impl Script {
    fn of(answers: impl IntoIterator<Item = Result<Credentials, String>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: AtomicU64::new(0),
            gate: None,
        })
    }

    fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Look for Arc<Script> {
    fn keys(&self) -> BoxFuture<'_, Result<Credentials, String>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if let Some(gate) = &self.gate {
                gate.notified().await;
            }
            let mut answers = self.answers.lock().unwrap();
            match answers.len() {
                1 => answers[0].clone(),
                _ => answers.pop_front().unwrap(),
            }
        })
    }

    fn region(&self) -> BoxFuture<'_, Option<String>> {
        Box::pin(async { Some("eu-west-1".to_owned()) })
    }
}

fn found(id: &str, minutes: Option<u64>) -> Result<Credentials, String> {
    let end = minutes.map(|minutes| UNIX_EPOCH + Duration::from_millis(START + minutes * MINUTE));
    Ok(Credentials::new(id, "hunter2", None, end, "test"))
}

fn away() -> Result<Credentials, String> {
    Err("away".to_owned())
}

fn chain(script: &Arc<Script>) -> (Arc<Time>, Arc<Chain>) {
    let time = Arc::new(Time::default());
    let chain = Chain::new(Box::new(Arc::clone(script)), Arc::clone(&time) as _);
    (time, Arc::new(chain))
}

async fn id(chain: &Arc<Chain>) -> Result<String, String> {
    chain.keys().await.map(|keys| keys.id.clone())
}

/// Lets tasks that nobody waits for come to their end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_expires_is_renewed_before_it_does_and_nobody_waits() {
    let script = Script::of([found("one", Some(60)), found("two", Some(120))]);
    let (time, chain) = chain(&script);
    assert_eq!(script.asked(), 0, "nothing is asked before the first use");
    for _ in 0..3 {
        assert_eq!(id(&chain).await.as_deref(), Ok("one"));
    }
    time.pass(54 * MINUTE);
    assert_eq!(
        (id(&chain).await.as_deref(), script.asked()),
        (Ok("one"), 1)
    );
    time.pass(2 * MINUTE);
    assert_eq!(
        id(&chain).await.as_deref(),
        Ok("one"),
        "they are valid still"
    );
    settle().await;
    assert_eq!(
        (id(&chain).await.as_deref(), script.asked()),
        (Ok("two"), 2)
    );
}

#[tokio::test]
async fn while_renewing_fails_what_is_valid_is_used_and_then_nothing() {
    let script = Script::of([found("one", Some(60)), away()]);
    let (time, chain) = chain(&script);
    id(&chain).await.unwrap();
    time.pass(57 * MINUTE);
    for _ in 0..5 {
        assert_eq!(id(&chain).await.as_deref(), Ok("one"));
        settle().await;
    }
    assert_eq!(script.asked(), 2, "it pauses between attempts");
    time.pass(PAUSE);
    id(&chain).await.unwrap();
    settle().await;
    assert_eq!(script.asked(), 3);
    time.pass(3 * MINUTE - PAUSE - SLACK);
    assert_eq!(
        id(&chain).await.as_deref(),
        Err(&"away".to_owned()),
        "they end soon"
    );
    let asked = script.asked();
    for _ in 0..5 {
        assert_eq!(id(&chain).await.as_deref(), Err(&"away".to_owned()));
    }
    assert_eq!(script.asked(), asked, "a failure is believed for a moment");
    time.pass(PAUSE_WITHOUT);
    assert!(id(&chain).await.is_err());
    assert_eq!(script.asked(), asked + 1);
}

#[tokio::test]
async fn a_failure_at_first_is_no_failure_for_ever() {
    let script = Script::of([away(), found("one", None)]);
    let (time, chain) = chain(&script);
    assert_eq!(id(&chain).await.as_deref(), Err(&"away".to_owned()));
    time.pass(PAUSE_WITHOUT);
    assert_eq!(id(&chain).await.as_deref(), Ok("one"));
}

#[tokio::test]
async fn what_does_not_expire_is_looked_up_now_and_then() {
    let script = Script::of([found("one", None), found("edited", None)]);
    let (time, chain) = chain(&script);
    id(&chain).await.unwrap();
    time.pass(LASTING - 1);
    id(&chain).await.unwrap();
    settle().await;
    assert_eq!(script.asked(), 1);
    time.pass(1);
    id(&chain).await.unwrap();
    settle().await;
    assert_eq!(id(&chain).await.as_deref(), Ok("edited"));
}

#[tokio::test]
async fn what_comes_shortly_before_its_end_is_not_asked_for_with_each_request() {
    let script = Script::of([found("one", Some(2))]);
    let (_, chain) = chain(&script);
    for _ in 0..10 {
        assert_eq!(id(&chain).await.as_deref(), Ok("one"));
        settle().await;
    }
    assert_eq!(script.asked(), 1);
}

#[tokio::test]
async fn what_has_expired_already_is_not_used() {
    let script = Script::of([found("old", Some(0))]);
    let (_, chain) = chain(&script);
    let why = id(&chain).await.unwrap_err();
    assert!(
        why.contains("expired") && why.contains("aws sso login"),
        "{why}"
    );
}

#[tokio::test]
async fn many_who_wait_ask_once_and_who_gives_up_undoes_nothing() {
    let script = Arc::new(Script {
        answers: Mutex::new([found("one", None)].into()),
        asked: AtomicU64::new(0),
        gate: Some(Notify::new()),
    });
    let (_, chain) = chain(&script);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let chain = Arc::clone(&chain);
            tokio::spawn(async move { id(&chain).await })
        })
        .collect();
    settle().await;
    let mut waiting = waiting.into_iter();
    let impatient = waiting.next().unwrap();
    impatient.abort();
    assert!(impatient.await.unwrap_err().is_cancelled());
    script.gate.as_ref().unwrap().notify_one();
    for waiter in waiting {
        assert_eq!(waiter.await.unwrap().as_deref(), Ok("one"));
    }
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_never_comes_is_given_up() {
    let script = Arc::new(Script {
        answers: Mutex::default(),
        asked: AtomicU64::new(0),
        gate: Some(Notify::new()),
    });
    let (_, chain) = chain(&script);
    let why = id(&chain).await.unwrap_err();
    assert!(why.contains("within 10 s"), "{why}");
}

#[test]
fn nothing_prints_credentials() {
    let (_, chain) = chain(&Script::of([found("hunter1", None)]));
    assert!(!format!("{chain:?}").contains("hunter"));
}
