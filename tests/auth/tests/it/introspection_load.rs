//! How many questions strangers can make this server ask: many tokens, equal tokens, and an issuer
//! that hangs. An issuer in memory counts them, and time passes by the test's clock alone.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mcpfn_auth::Introspection;
use mcpfn_auth_tests::{TestClock, platform};
use mcpfn_core::{
    Principal,
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse, Platform},
};
use mcpfn_http::AuthErrorKind::{Invalid, Unanswered, Unavailable};
use mcpfn_http::{AuthError, Authenticator};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::world::{SERVER, bearer};

/// How the issuer answers.
#[derive(Clone, Copy)]
enum Mode {
    Status(u16),
    Inactive,
    Active,
    /// A question ends with the client's time limit of three seconds.
    Hangs,
}

struct Counted {
    mode: Mutex<Mode>,
    asked: AtomicUsize,
    /// Answers that may leave.
    answers: Semaphore,
    clock: Arc<TestClock>,
    waited_s: AtomicU64,
}

impl HttpClient for Counted {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            drop(self.answers.acquire().await);
            let mode = *self.mode.lock().unwrap();
            let (status, body) = match mode {
                Mode::Hangs => {
                    self.clock.pass(3);
                    self.waited_s.fetch_add(3, Ordering::SeqCst);
                    return Err(HttpError::TimedOut);
                }
                Mode::Status(status) => (status, json!({})),
                Mode::Inactive => (200, json!({"active": false})),
                Mode::Active => (200, json!({"active": true, "sub": "alice", "aud": SERVER})),
            };
            Ok(HttpResponse {
                status,
                headers: Vec::new(),
                body: body.to_string().into(),
                truncated: false,
            })
        })
    }
}

struct Load {
    client: Arc<Counted>,
    auth: Introspection,
    platform: Platform,
    clock: Arc<TestClock>,
}

type Outcome = Result<Option<Principal>, AuthError>;

impl Load {
    fn new(mode: Mode, answers: usize) -> Arc<Self> {
        let (platform, clock) = platform();
        let client = Arc::new(Counted {
            mode: Mutex::new(mode),
            asked: AtomicUsize::new(0),
            answers: Semaphore::new(answers),
            clock: Arc::clone(&clock),
            waited_s: AtomicU64::new(0),
        });
        let issuers = vec!["https://issuer.example".to_owned()];
        let audiences = vec![SERVER.to_owned()];
        let url = "https://issuer.example/introspect";
        Arc::new(Self {
            auth: Introspection::new(url, "id", "secret", issuers, audiences),
            platform: platform.with_port::<dyn HttpClient>(Arc::clone(&client) as _),
            client,
            clock,
        })
    }

    fn asked(&self) -> usize {
        self.client.asked.load(Ordering::SeqCst)
    }

    fn is(&self, mode: Mode) {
        *self.client.mode.lock().unwrap() = mode;
    }

    async fn ask(&self, token: &str) -> Outcome {
        self.auth.authenticate(&bearer(token), &self.platform).await
    }

    /// All at the same time. The issuer answers when each call has asked, waits or is refused.
    async fn at_once(self: &Arc<Self>, tokens: impl Iterator<Item = String>) -> Vec<Outcome> {
        let calls: Vec<_> = tokens
            .map(|token| {
                let load = Arc::clone(self);
                tokio::spawn(async move { load.ask(&token).await })
            })
            .collect();
        // on one thread each task runs until it waits
        tokio::task::yield_now().await;
        self.client.answers.add_permits(1000);
        let mut outcomes = Vec::new();
        for call in calls {
            outcomes.push(call.await.unwrap());
        }
        outcomes
    }
}

fn of_kind(outcomes: &[Outcome], kind: mcpfn_http::AuthErrorKind) -> usize {
    let is = |outcome: &&Outcome| outcome.as_ref().is_err_and(|denied| denied.kind == kind);
    outcomes.iter().filter(is).count()
}

#[tokio::test]
async fn five_hundred_random_tokens_at_once_make_thirty_two_questions() {
    let load = Load::new(Mode::Inactive, 0);
    let tokens = (0..500).map(|at| format!("random-{at}"));
    let outcomes = load.at_once(tokens).await;
    assert_eq!(load.asked(), 32);
    assert_eq!(of_kind(&outcomes, Invalid), 32);
    assert_eq!(of_kind(&outcomes, Unavailable), 468);
    let busy = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(
        busy.filter(|denied| denied.kind == Unavailable)
            .all(|denied| denied.message.contains("too many tokens are being checked"))
    );
    // it is over when they are answered
    load.is(Mode::Active);
    assert!(load.ask("good").await.unwrap().is_some());
}

#[tokio::test]
async fn fifty_equal_tokens_at_once_make_one_question() {
    for (mode, refused) in [(Mode::Active, 0), (Mode::Inactive, 50)] {
        let load = Load::new(mode, 0);
        let tokens = std::iter::repeat_n("the-same".to_owned(), 50);
        let outcomes = load.at_once(tokens).await;
        assert_eq!(load.asked(), 1);
        assert_eq!(of_kind(&outcomes, Invalid), refused);
        assert_eq!(of_kind(&outcomes, Unavailable), 0);
    }
    // a question that fails is not asked again by each that waited for it
    let load = Load::new(Mode::Hangs, 0);
    let tokens = std::iter::repeat_n("the-same".to_owned(), 50);
    let outcomes = load.at_once(tokens).await;
    assert_eq!((load.asked(), of_kind(&outcomes, Unavailable)), (1, 50));
}

#[tokio::test]
async fn a_call_that_is_cancelled_while_it_asks_leaves_the_question_to_the_next() {
    let load = Load::new(Mode::Active, 0);
    let call = || {
        let load = Arc::clone(&load);
        tokio::spawn(async move { load.ask("the-same").await })
    };
    let (first, second) = (call(), call());
    tokio::task::yield_now().await;
    assert_eq!(load.asked(), 1);
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    load.client.answers.add_permits(1000);
    assert!(second.await.unwrap().unwrap().is_some());
    assert_eq!(load.asked(), 2);
}

#[tokio::test]
async fn an_issuer_that_hangs_costs_three_questions_and_not_every_strangers_time() {
    let load = Load::new(Mode::Hangs, 1000);
    for at in 0..500 {
        let denied = load.ask(&format!("random-{at}")).await.unwrap_err();
        assert_eq!(denied.kind, Unavailable);
    }
    let waited = || load.client.waited_s.load(Ordering::SeqCst);
    assert_eq!((load.asked(), waited()), (3, 9));
    // five seconds later one asks; then nobody for ten
    load.clock.pass(5);
    for at in 0..500 {
        assert!(load.ask(&format!("later-{at}")).await.is_err());
    }
    assert_eq!((load.asked(), waited()), (4, 12));
    load.clock.pass(9);
    assert!(load.ask("random").await.is_err());
    assert_eq!(load.asked(), 4);
    // it is back
    load.is(Mode::Active);
    load.clock.pass(1);
    assert!(load.ask("good").await.unwrap().is_some());
    for at in 0..10 {
        assert!(load.ask(&format!("good-{at}")).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_known_token_serves_while_the_issuer_is_left_alone() {
    let load = Load::new(Mode::Active, 1000);
    assert!(load.ask("good").await.unwrap().is_some());
    load.is(Mode::Status(500));
    for at in 0..10 {
        assert!(load.ask(&format!("random-{at}")).await.is_err());
    }
    assert_eq!(load.asked(), 4);
    assert!(load.ask("good").await.unwrap().is_some());
}

#[tokio::test]
async fn strange_tokens_that_the_issuer_refuses_to_read_pause_nothing() {
    let load = Load::new(Mode::Status(400), 1000);
    for at in 0..10 {
        for _ in 0..2 {
            let denied = load.ask(&format!("strange-{at}")).await.unwrap_err();
            assert_eq!(denied.kind, Unanswered, "it counts");
        }
    }
    assert_eq!(load.asked(), 10, "the second time each is known");
    load.is(Mode::Active);
    assert!(load.ask("good").await.unwrap().is_some());
}
