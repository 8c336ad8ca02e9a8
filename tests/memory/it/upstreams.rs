//! The memory that lists of servers behind this one take: of four with 3.9 MB of tools each, for
//! clients of every revision.

use std::sync::Arc;

use mcpfn_core::port::{HttpClient, HttpRequest};
use mcpfn_core::{Revision, Server};
use mcpfn_testing::{TestClient, TestHttp, block_on};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use super::{ALONE, MEMORY};

const UPSTREAMS: usize = 4;
const PAGES: usize = 10;
const TOOLS_OF_A_PAGE: usize = 100;

/// What these lists take once they are known, in bytes: 4 MiB each.
const MOST_KEPT: usize = UPSTREAMS * 4 * 1024 * 1024 * 21 / 20;

/// What they take at most while they are read: the same, and for each upstream one page as it came,
/// once more as the message that it has, and once as entries that are mended; and this server's own
/// page, which has 900,000 bytes.
const MOST_READ: usize = MOST_KEPT + UPSTREAMS * 3 * 2_000_000;

/// A tool of 3.9 KB, most of it a schema of many small parts: read as values, these take twenty
/// times their text.
fn tool(number: usize) -> Value {
    let property = |at: usize| {
        let schema = json!({"type": "string", "description": "What it is about.", "maxLength": 80});
        (format!("argument_{at}"), schema)
    };
    let properties: serde_json::Map<String, Value> = (0..47).map(property).collect();
    json!({"name": format!("tool_{number}"), "description": "Does what its name says.",
        "inputSchema": {"type": "object", "properties": properties}})
}

/// One page, for whichever server is asked.
fn page(request: &HttpRequest) -> Value {
    let asked: Value = serde_json::from_slice(&request.body).expect("a message");
    let number = asked["params"]["cursor"]
        .as_str()
        .map_or(0, |cursor| cursor.parse().expect("a cursor of its own"));
    let tools = (0..TOOLS_OF_A_PAGE).map(|at| tool(number * TOOLS_OF_A_PAGE + at));
    let mut result = json!({"resultType": "complete", "tools": tools.collect::<Vec<_>>()});
    if number + 1 < PAGES {
        result["nextCursor"] = (number + 1).to_string().into();
    }
    json!({"jsonrpc": "2.0", "id": asked["id"], "result": result})
}

#[test]
fn lists_of_upstreams_take_no_more_than_their_bytes() {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    // written before: what the servers take is not this one's
    let pages: Vec<String> = (0..PAGES)
        .map(|number| {
            let cursor = match number {
                0 => json!({}),
                number => json!({"cursor": number.to_string()}),
            };
            let body = json!({"id": "ID", "params": cursor}).to_string();
            let request = HttpRequest::post("https://x.example", "application/json", body);
            page(&request).to_string()
        })
        .collect();
    let list_bytes: usize = pages.iter().map(String::len).sum();
    assert!((3_700_000..4_100_000).contains(&list_bytes), "{list_bytes}");

    let http = TestHttp::new(move |request| {
        let asked: Value = serde_json::from_slice(&request.body).expect("a message");
        let cursor = asked["params"]["cursor"].as_str();
        let number: usize = cursor.map_or(0, |cursor| cursor.parse().expect("a cursor"));
        let page = pages[number].replacen("\"ID\"", &asked["id"].to_string(), 1);
        Ok(TestHttp::json(200, page))
    });
    let upstreams: Vec<String> = (0..UPSTREAMS)
        .map(|number| format!("u{number}=https://u{number}.example/mcp"))
        .collect();
    let upstreams = upstreams.join(",");
    let variable = |name: &str| (name == "MCPFN_UPSTREAMS").then(|| upstreams.clone());
    let server = register(Server::builder("front", "1"), "upstream", &variable)
        .expect("the settings are right");
    let client = TestClient::new(server).with_port::<dyn HttpClient>(Arc::new(http));

    let first = |revision| {
        let client = client.clone().revision(revision);
        let list = block_on(async { client.request("tools/list", json!({})).await });
        let list = list.expect("a list");
        assert_eq!(list["tools"][0]["name"], "u0__tool_0", "{revision:?}");
    };
    let ((), read) = MEMORY.peak_of(|| first(Revision::LATEST));
    assert!(read < MOST_READ, "{read} bytes while they are read");
    let kept = MEMORY.used();
    for revision in Revision::ALL {
        first(revision);
    }
    assert!(
        MEMORY.used() < kept + 100_000,
        "{} bytes more for other revisions",
        MEMORY.used() - kept
    );
    let before = MEMORY.used();
    drop(client);
    let lists = before - MEMORY.used();
    println!("{list_bytes} bytes a list: {read} while read, {lists} kept");
    assert!(lists < MOST_KEPT, "{lists} bytes are kept");
    assert!(lists > UPSTREAMS * list_bytes / 2, "the lists were there");
}
