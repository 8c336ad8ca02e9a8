//! The exact moments and sizes at which a policy decides otherwise. The store forgets later than the
//! policy does wherever that is possible, so that it can't decide in its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use mcpfn::ServiceFault;
use mcpfn::handler::BoxFuture;
use mcpfn::port::{Background, CacheStatus};
use mcpfn::prelude::*;
use mcpfn_testing::{TestClient, ToolResult, block_on};
use serde_json::json;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

/// Work after an answer, until the host is stopped: then it never happens.
#[derive(Default)]
struct AtOnce {
    stopped: AtomicBool,
}

impl Background for AtOnce {
    fn run(&self, work: BoxFuture<'static, ()>) {
        if !self.stopped.load(Ordering::SeqCst) {
            block_on(work);
        }
    }
}

#[input]
struct Length {
    /// How many letters to say.
    letters: usize,
}

/// Tools that say as many letters as they are told to, while they work.
#[derive(Clone, Default)]
struct Speaker {
    fails: Arc<AtomicBool>,
    runs: Arc<AtomicUsize>,
}

impl Speaker {
    fn tool(&self, name: &str) -> Tool {
        let speaker = self.clone();
        Tool::new(name)
            .description("Says it.")
            .handler(move |length: Length| {
                let speaker = speaker.clone();
                async move {
                    speaker.runs.fetch_add(1, Ordering::SeqCst);
                    if speaker.fails.load(Ordering::SeqCst) {
                        let error = ToolError::unavailable("It is closed.", "private");
                        return Err(error.with_fault(ServiceFault::Failing));
                    }
                    Ok("x".repeat(length.letters))
                }
            })
    }

    fn client(&self, tool: Tool) -> TestClient {
        TestClient::new(
            Server::builder("speaker", "1")
                .max_result_bytes(4 * 1024 * 1024)
                .tool(self.tool("set").open_world(false))
                .tool(tool),
        )
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

fn said(client: &TestClient, tool: &str, letters: usize) -> ToolResult {
    client
        .call(tool, json!({"letters": letters}))
        .wait()
        .unwrap()
}

/// What a kept result did for the last call.
fn status(client: &TestClient) -> CacheStatus {
    client.audit().calls().last().unwrap().cache
}

#[test]
fn a_result_is_fresh_and_stale_up_to_a_moment() {
    for (after, with_background, without) in [
        (Duration::ZERO, CacheStatus::Hit, CacheStatus::Hit),
        (MINUTE - MOMENT, CacheStatus::Hit, CacheStatus::Hit),
        (MINUTE, CacheStatus::Stale, CacheStatus::Miss),
        (3 * MINUTE - MOMENT, CacheStatus::Stale, CacheStatus::Miss),
        (3 * MINUTE, CacheStatus::Miss, CacheStatus::Miss),
    ] {
        for background in [true, false] {
            let speaker = Speaker::default();
            let tool = speaker.tool("say").read_only().cache(MINUTE);
            let tool = tool
                .cache_stale(2 * MINUTE)
                .cache_stale_if_error(10 * MINUTE);
            let mut client = speaker.client(tool);
            let host = Arc::new(AtOnce::default());
            if background {
                let host = Arc::clone(&host) as _;
                client = client.map_platform(|platform| platform.with_background(host));
            }
            said(&client, "say", 1);
            assert_eq!(status(&client), CacheStatus::Miss);
            host.stopped.store(true, Ordering::SeqCst);
            client.time().advance(after);
            said(&client, "say", 1);
            let expected = if background { with_background } else { without };
            assert_eq!(status(&client), expected, "{after:?} {background}");
        }
    }
}

#[test]
fn a_result_stands_in_for_a_failure_up_to_a_moment() {
    for (after, stands_in) in [
        (MINUTE, true),
        (11 * MINUTE - MOMENT, true),
        (11 * MINUTE, false),
    ] {
        let speaker = Speaker::default();
        let tool = speaker.tool("say").read_only().cache(MINUTE);
        // without background work nothing stale is given, and the store keeps it all the same
        let tool = tool.cache_stale(HOUR).cache_stale_if_error(10 * MINUTE);
        let client = speaker.client(tool);
        said(&client, "say", 1);
        speaker.fails.store(true, Ordering::SeqCst);
        client.time().advance(after);
        assert_eq!(!said(&client, "say", 1).is_error(), stands_in, "{after:?}");
    }
}

#[test]
fn a_result_is_kept_up_to_a_size() {
    let around = json!({"content": [{"type": "text", "text": ""}]});
    let most = 1024 * 1024 - around.to_string().len();
    for (letters, kept) in [
        (1, true),
        (most / 2, true),
        (most, true),
        (most + 1, false),
        (2 * most, false),
    ] {
        let speaker = Speaker::default();
        let client = speaker.client(speaker.tool("say").read_only().cache(MINUTE));
        said(&client, "say", letters);
        said(&client, "say", letters);
        assert_eq!(status(&client) == CacheStatus::Hit, kept, "{letters}");
        assert_eq!(client.stores().cached_results() == 1, kept, "{letters}");
    }
}

/// A mark that is lost costs the results that were kept under it, and brings no older ones back.
#[test]
fn what_was_read_of_the_servers_own_data_is_kept_for_a_day() {
    for (after, expected) in [
        (24 * HOUR - MOMENT, CacheStatus::Hit),
        (24 * HOUR, CacheStatus::Miss),
    ] {
        let speaker = Speaker::default();
        let tool = speaker.tool("say").read_only().open_world(false);
        let client = speaker.client(tool.cache(48 * HOUR));
        said(&client, "say", 1);
        client.time().advance(after);
        said(&client, "say", 1);
        assert_eq!(status(&client), expected, "{after:?}");
    }
}

/// That it happened is remembered whatever it gave.
#[test]
fn the_result_of_a_write_is_kept_up_to_a_size() {
    let around = json!({"content": [{"type": "text", "text": ""}]});
    let most = 256 * 1024 - around.to_string().len();
    for (letters, kept) in [
        (1, true),
        (most, true),
        (most + 1, false),
        (2 * most, false),
    ] {
        let speaker = Speaker::default();
        let client = speaker.client(speaker.tool("add"));
        let client = client.meta("idempotencyKey", "one");
        let first = said(&client, "add", letters).text();
        let repeated = said(&client, "add", letters).text();
        assert_eq!(repeated == first, kept, "{letters}");
        assert!(
            kept || repeated.contains("was too large to be kept"),
            "{repeated}"
        );
        assert_eq!(speaker.runs(), 1, "{letters}");
    }
}

#[test]
fn a_write_is_remembered_for_a_day() {
    for (after, runs) in [(Duration::ZERO, 1), (24 * HOUR - MOMENT, 1), (24 * HOUR, 2)] {
        let speaker = Speaker::default();
        let client = speaker.client(speaker.tool("add"));
        let client = client.meta("idempotencyKey", "one");
        said(&client, "add", 1);
        client.time().advance(after);
        assert_eq!(said(&client, "add", 1).text(), "x");
        assert_eq!(speaker.runs(), runs, "{after:?}");
    }
}
