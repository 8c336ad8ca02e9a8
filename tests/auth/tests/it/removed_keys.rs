//! How long a removed key goes on working: each way in which the list can be unreadable, with a
//! clock that the test moves. What keys look like is tested in `api_keys`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcpfn_auth::{ApiKeys, hash_key};
use mcpfn_auth_tests::{TestClock, platform};
use mcpfn_core::{
    Scopes,
    handler::BoxFuture,
    port::{AuditEntry, AuditLog, Background, Failure, Platform},
};
use mcpfn_http::AuthErrorKind::Unavailable;
use mcpfn_http::Authenticator;

use crate::world::{bearer, refused};

/// A list that the test changes, and what happened to it.
#[derive(Default)]
struct Source {
    list: Mutex<Option<String>>,
    reads: Mutex<u32>,
}

struct List {
    source: Arc<Source>,
    keys: ApiKeys,
    platform: Platform,
    clock: Arc<TestClock>,
    log: Arc<Log>,
    later: Arc<Later>,
}

#[derive(Default)]
struct Log(Mutex<Vec<String>>);

impl AuditLog for Log {
    fn failure(&self, _: &Failure<'_>) {}

    fn call(&self, _: &AuditEntry<'_>) {}

    fn denied(&self, _: &str, _: Option<&str>) {}

    fn store_failure(&self, store: &str, cause: &str) {
        self.0.lock().unwrap().push(format!("{store}: {cause}"));
    }
}

/// Keeps background work until the test runs it, as a frozen environment does.
#[derive(Default)]
struct Later(Mutex<Vec<BoxFuture<'static, ()>>>);

impl Background for Later {
    fn run(&self, work: BoxFuture<'static, ()>) {
        self.0.lock().unwrap().push(work);
    }
}

impl List {
    fn new(names: &[&str]) -> Self {
        let source = Arc::new(Source::default());
        let shared = Arc::clone(&source);
        let keys = ApiKeys::from_source(Arc::new(move || {
            *shared.reads.lock().unwrap() += 1;
            let list = shared.list.lock().unwrap();
            list.clone().ok_or_else(|| "the store is down".to_owned())
        }));
        let (platform, clock) = platform();
        let (log, later) = (Arc::new(Log::default()), Arc::new(Later::default()));
        let platform = platform
            .with_audit_log(Arc::clone(&log) as _)
            .with_background(Arc::clone(&later) as _);
        let list = Self {
            source,
            keys,
            platform,
            clock,
            log,
            later,
        };
        list.has(names);
        list
    }

    fn has(&self, names: &[&str]) {
        self.says(Some(&entries(names)));
    }

    fn says(&self, text: Option<&str>) {
        *self.source.list.lock().unwrap() = text.map(str::to_owned);
    }

    fn reads(&self) -> u32 {
        *self.source.reads.lock().unwrap()
    }

    /// Whether a key is taken now.
    async fn takes(&self, name: &str) -> bool {
        let headers = bearer(&format!("{name}-key"));
        let result = self.keys.authenticate(&headers, &self.platform).await;
        result.expect("the list is known").is_some()
    }

    async fn is_unavailable(&self, name: &str) {
        let headers = bearer(&format!("{name}-key"));
        let result = self.keys.authenticate(&headers, &self.platform).await;
        refused(result, Unavailable, "can't be read");
    }

    /// Runs the work that calls left for later.
    async fn works_on(&self) {
        let work = std::mem::take(&mut *self.later.0.lock().unwrap());
        for work in work {
            work.await;
        }
    }
}

fn entries(names: &[&str]) -> String {
    let entry = |name: &&str| format!("{name}:{}", hash_key(&format!("{name}-key")));
    names.iter().map(entry).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_removed_key_stops_although_another_line_has_a_mistake() {
    let list = List::new(&["alice", "bob"]);
    assert!(list.takes("alice").await && list.takes("bob").await);
    list.says(Some(&format!(
        "{}\ncarol:the-hash-is-missing",
        entries(&["bob"])
    )));
    list.clock.pass(120);
    assert!(!list.takes("alice").await, "removed two minutes ago");
    assert!(list.takes("bob").await, "only the bad line is dropped");
    let log = list.log.0.lock().unwrap().clone();
    assert_eq!(log.len(), 1, "{log:?}");
    assert!(
        log[0].starts_with("API keys: not used: entry 2 needs the SHA-256")
            && !log[0].contains("hash-is-missing")
            && !log[0].contains("carol"),
        "{log:?}"
    );
}

#[tokio::test]
async fn a_list_of_many_mistakes_leaves_one_line_of_a_bounded_length() {
    let list = List::new(&["alice"]);
    list.says(Some(&"nonsense\n".repeat(500)));
    assert!(!list.takes("alice").await);
    let log = list.log.0.lock().unwrap().clone();
    assert_eq!(log.len(), 1);
    assert!(
        log[0].ends_with("; and 490 more") && log[0].len() < 2000,
        "{log:?}"
    );
}

#[tokio::test]
async fn an_empty_list_admits_no_caller() {
    for empty in ["", "\n ; \n"] {
        let list = List::new(&["alice"]);
        assert!(list.takes("alice").await);
        list.says(Some(empty));
        list.clock.pass(120);
        assert!(!list.takes("alice").await, "{empty:?}");
        list.says(Some(empty));
        let fresh = List::new(&[]);
        fresh.says(Some(empty));
        assert!(!fresh.takes("alice").await, "{empty:?} from the start");
    }
}

#[tokio::test]
async fn one_unreadable_moment_grants_no_call_later() {
    let list = List::new(&["alice"]);
    assert!(list.takes("alice").await);
    list.says(None);
    list.clock.pass(60);
    assert!(list.takes("alice").await, "read a minute ago");
    list.works_on().await;
    list.has(&["bob"]);
    list.clock.pass(200);
    assert!(
        !list.takes("alice").await,
        "the source is asked before the answer"
    );
}

#[tokio::test]
async fn after_twice_the_fresh_time_a_failed_reading_is_tried_again_soon() {
    let list = List::new(&["alice"]);
    assert!(list.takes("alice").await);
    list.says(None);
    list.clock.pass(119);
    assert!(list.takes("alice").await);
    list.works_on().await;
    list.has(&["bob"]);
    list.clock.pass(1);
    assert!(list.takes("alice").await, "tried a second ago");
    list.clock.pass(4);
    assert!(!list.takes("alice").await, "tried five seconds ago");
}

#[tokio::test]
async fn a_thawed_environment_asks_first() {
    let list = List::new(&["alice", "bob"]);
    assert!(list.takes("alice").await);
    list.has(&["bob"]);
    // frozen right after its answer
    list.clock.pass(200);
    assert!(!list.takes("alice").await);
    // frozen before the reading that a call left for later
    let list = List::new(&["alice"]);
    assert!(list.takes("alice").await);
    list.clock.pass(60);
    assert!(list.takes("alice").await);
    list.has(&["bob"]);
    list.clock.pass(200);
    let thawed = async { tokio::join!(list.works_on(), list.takes("alice")).1 };
    assert!(!thawed.await);
}

#[tokio::test]
async fn a_list_serves_for_fifteen_minutes_without_its_source() {
    let list = List::new(&["alice"]);
    assert!(list.takes("alice").await);
    list.says(None);
    list.clock.pass(899);
    assert!(list.takes("alice").await);
    list.clock.pass(1);
    list.is_unavailable("alice").await;
    list.is_unavailable("unknown").await;
    list.clock.pass(3600);
    list.is_unavailable("alice").await;
    list.has(&["alice"]);
    list.clock.pass(5);
    assert!(list.takes("alice").await);
}

#[tokio::test]
async fn the_greatest_age_is_a_setting() {
    let mut list = List::new(&["alice"]);
    list.keys = list.keys.with_max_age(Duration::from_secs(60));
    assert!(list.takes("alice").await);
    list.says(None);
    list.clock.pass(59);
    assert!(list.takes("alice").await);
    list.clock.pass(1);
    list.is_unavailable("alice").await;
}

#[tokio::test]
async fn a_source_that_is_down_is_not_asked_by_every_call() {
    let list = List::new(&["alice"]);
    assert!(list.takes("alice").await);
    list.says(None);
    list.clock.pass(120);
    for _ in 0..100 {
        assert!(list.takes("alice").await);
        assert!(!list.takes("unknown").await);
    }
    assert_eq!(list.reads(), 2);
    list.clock.pass(5);
    assert!(list.takes("alice").await);
    assert_eq!(list.reads(), 3);
}

#[tokio::test]
async fn an_entry_without_scopes_has_the_default_and_one_with_empty_scopes_none() {
    let hash = hash_key("alice-key");
    for (entry, expected) in [
        (format!("alice:{hash}"), "hello"),
        (format!("alice:{hash}:"), ""),
        (format!("alice:{hash}: "), ""),
        (format!("alice:{hash}:crm"), "crm"),
    ] {
        let mut list = List::new(&[]);
        list.says(Some(&entry));
        let headers = bearer("alice-key");
        let ask = async |keys: &ApiKeys| {
            let caller = keys.authenticate(&headers, &list.platform).await;
            caller.unwrap().unwrap().scopes
        };
        let unset = ask(&list.keys).await;
        let narrow = expected.replace("hello", "");
        assert_eq!(unset.to_string(), narrow, "nothing is the default: {entry}");
        list.keys = list.keys.with_default_scopes(Scopes::parse("hello"));
        let caller = list.keys.authenticate(&headers, &list.platform).await;
        assert_eq!(
            caller.unwrap().unwrap().scopes.to_string(),
            expected,
            "{entry}"
        );
    }
}
