//! Events over a pipe: everything that is listed works there, and a stream that is held keeps no
//! process alive whose client is gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcpfn::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn::port::EventPorts;
use mcpfn::{Cx, NoArguments, Server, ToolError};
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, duplex};

use crate::support::{complete, time};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Rung(AtomicUsize);

async fn rung(_: NoArguments, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    // once more each time that somebody asks
    let last = cx.state::<Rung>()?.0.fetch_add(1, Ordering::Relaxed);
    let Some(from) = poll.cursor().and_then(|cursor| cursor.parse().ok()) else {
        return Ok(EventPage::new(last.to_string()));
    };
    let events = (from..last).take(poll.limit()).map(|number: usize| {
        EventOccurrence::new(format!("ring-{number}"), cx.now_ms(), &json!({"n": number}))
    });
    Ok(EventPage::new(last.to_string()).events(events))
}

fn request(id: u64, method: &str, params: Value) -> String {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    complete("2026-07-28", &mut message);
    format!("{message}\n")
}

#[test]
fn a_stream_is_held_over_a_pipe_until_the_client_is_gone_or_cancels() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let talk = async {
        for cancels in [false, true] {
            talk(cancels).await;
        }
    };
    let talked = runtime.block_on(async { tokio::time::timeout(PATIENCE, talk).await });
    talked.expect("the server ends with its client");
}

async fn talk(cancels: bool) {
    let event = Event::new("bell.rung")
        .description("Somebody rang the bell.")
        .payload_schema(json!({"type": "object"}))
        .poll(rung);
    let server = Server::builder("house", "1.0.0")
        .state(Rung::default())
        .event(event)
        .build()
        .unwrap();
    let ports = EventPorts::new(Arc::new(MemoryStores::default())).streams(10 * PATIENCE);
    let platform = Arc::new(mcpfn_local::platform(time::keys()).with_events(ports));
    let (mut input, far_in) = duplex(64 * 1024);
    let (far_out, output) = duplex(64 * 1024);
    let never = std::future::pending();
    let values = mcpfn::jsonrpc::MAX_VALUES;
    let served =
        mcpfn_local::serve_stdio(server, platform, 64 * 1024, values, far_in, far_out, never);
    let served = tokio::spawn(served);
    let mut lines = BufReader::new(output).lines();
    let listed = request(1, "events/list", json!({}));
    input.write_all(listed.as_bytes()).await.unwrap();
    let line = lines.next_line().await.unwrap().unwrap();
    let listed: Value = serde_json::from_str(&line).unwrap();
    let delivery = &listed["result"]["events"][0]["delivery"];
    assert_eq!(*delivery, json!(["poll", "push"]), "{listed}");
    let stream = request(2, "events/stream", json!({"name": "bell.rung"}));
    input.write_all(stream.as_bytes()).await.unwrap();
    for method in ["active", "event"] {
        let line = lines.next_line().await.unwrap().unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            told["method"],
            format!("notifications/events/{method}"),
            "{told}"
        );
        let of = &told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
        assert_eq!(*of, 2, "{told}");
    }
    if cancels {
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": {"requestId": 2}});
        let cancel = format!("{cancel}\n");
        input.write_all(cancel.as_bytes()).await.unwrap();
    }
    // calls that are not streams are finished; this one is dropped
    drop(input);
    served.await.unwrap().unwrap();
}
