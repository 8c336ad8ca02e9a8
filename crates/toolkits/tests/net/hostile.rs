//! A hostile server behind this one, as data: each file of `tests/fixtures/upstream` says what the
//! server answers, what clients ask, and what they must hear. Beside it stands a good server, which
//! must be heard of in every list. Not the place of what needs many callers or a property: that is
//! in `upstream_properties`.
//!
//! A fixture has `about`; `says`, by method an answer or answers in turn, the last of which is
//! repeated; `steps`; and what must be in the log (`logged`), or must not (`not_logged`), and how
//! many requests the server got (`asked`).
//!
//! An answer is `{"result"}`, `{"error", "status"}`, `{"status", "body", "headers"}`,
//! `{"events", "result"}` (a stream), `"silence"` or `"endless"` (a stream without an end). Values in
//! it may be written short: see [`grown`].
//!
//! A step has `method` and `params`, and may have `hops`, `forms`, `later_ms` before it,
//! `within_ms` (by the server's clock) and `settle` (background work ends before the step). Its
//! `expect` is compared by [`mismatch`].

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::host::{Client, PATIENCE_MS, SECRETS};
use crate::internet::Internet;
use crate::service::{Asked, Says, Service};

/// What the hostile server is given to know this one by.
const TOKEN: &str = SECRETS[3];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/upstream")
}

/// Values that would be long to write: `{"$repeat": "x", "times": n}` is a text,
/// `{"$many": entry, "times": n}` in an array are entries with `#` as their number,
/// `{"$nested": n}` a schema of that depth, and `{"$token": "plain"}` (or `base64`, `base64url`,
/// `escaped`) what the server knows this one by.
fn grown(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().flat_map(grown_items).collect()),
        Value::Object(members) => {
            let times = members.get("times").and_then(Value::as_u64).unwrap_or(1);
            let times = usize::try_from(times).unwrap();
            if let Some(text) = members.get("$repeat").and_then(Value::as_str) {
                return text.repeat(times).into();
            }
            if let Some(depth) = members.get("$nested").and_then(Value::as_u64) {
                return (0..depth).fold(json!({"type": "string"}), |inner, _| {
                    let property = Map::from_iter([("a".to_owned(), inner)]);
                    let properties = ("properties".to_owned(), Value::Object(property));
                    Value::Object(Map::from_iter([
                        ("type".to_owned(), "object".into()),
                        properties,
                    ]))
                });
            }
            if let Some(form) = members.get("$token").and_then(Value::as_str) {
                return token(form).into();
            }
            let grown_member = |(key, value): (&String, &Value)| (key.clone(), grown(value));
            members.iter().map(grown_member).collect()
        }
        other => other.clone(),
    }
}

fn grown_items(item: &Value) -> Vec<Value> {
    let Some(entry) = item.get("$many") else {
        return vec![grown(item)];
    };
    let (text, entry) = (grown(entry).to_string(), item["times"].as_u64().unwrap());
    (0..entry)
        .map(|number| serde_json::from_str(&text.replace('#', &number.to_string())).unwrap())
        .collect()
}

/// The token as a server could repeat it. A text before it moves where its Base64 begins.
fn token(form: &str) -> String {
    let coded = |before: &str| STANDARD.encode(format!("{before}{TOKEN}:x"));
    match form {
        "plain" => TOKEN.to_owned(),
        "hidden" => TOKEN
            .chars()
            .flat_map(|letter| [letter, '\u{200b}'])
            .collect(),
        "base64" => coded(""),
        "base64+1" => coded("u"),
        "base64+2" => coded("us"),
        "base64url" => URL_SAFE_NO_PAD.encode(TOKEN),
        other => panic!("no form of the token is called {other}"),
    }
}

/// Where and how a value differs from what is expected. Members that are not named may be there;
/// `{"$contains": text}`, `{"$lacks": text}` (over the value's JSON), `{"$absent": true}`,
/// `{"$length": n}`, `{"$names": [..]}` (the names or URIs of entries, in order), `{"$at_most": n}`.
fn mismatch(at: &str, found: &Value, expected: &Value) -> Option<String> {
    let wrong = |what: String| Some(format!("{at}: {what}, found {}", short(found)));
    if let Some(members) = expected.as_object() {
        for (key, wanted) in members {
            let fails = match key.as_str() {
                "$contains" => !text_of(found).contains(wanted.as_str().unwrap()),
                "$lacks" => text_of(found).contains(wanted.as_str().unwrap()),
                "$absent" => !found.is_null(),
                "$length" => found.as_array().map(Vec::len) != wanted.as_u64().map(|n| n as usize),
                "$at_most" => found.as_u64() > wanted.as_u64() || found.is_null(),
                "$names" => names(found) != *wanted,
                "$is" => found != wanted,
                _ => {
                    let inner = mismatch(&format!("{at}/{key}"), &found[key.as_str()], wanted);
                    match inner {
                        Some(inner) => return Some(inner),
                        None => false,
                    }
                }
            };
            if fails {
                return wrong(format!("expected {key} {wanted}"));
            }
        }
        return None;
    }
    if let (Some(items), Some(found)) = (expected.as_array(), found.as_array())
        && items.len() == found.len()
    {
        let mut pairs = items.iter().zip(found).enumerate();
        return pairs.find_map(|(n, (item, found))| mismatch(&format!("{at}/{n}"), found, item));
    }
    (found != expected)
        .then(|| wrong(format!("expected {expected}")))
        .flatten()
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(600).collect()
}

fn names(entries: &Value) -> Value {
    let name = |entry: &Value| {
        let named = ["uri", "uriTemplate", "name"].iter();
        named
            .filter_map(|member| entry.get(*member).cloned())
            .next()
            .unwrap_or_default()
    };
    entries.as_array().into_iter().flatten().map(name).collect()
}

fn answered(asked: &Asked, answer: &Value) -> Says {
    let message: Value = serde_json::from_str(&asked.body).unwrap();
    let id = match answer.get("id") {
        Some(id) => id.clone(),
        None => message["id"].clone(),
    };
    let status = answer["status"].as_u64().unwrap_or(200) as u16;
    let rpc = |member: &str| {
        let mut value = answer[member].clone();
        if member == "result" && value.get("resultType").is_none() {
            value["resultType"] = "complete".into();
        }
        json!({"jsonrpc": "2.0", "id": id, member: value}).to_string()
    };
    let says = if answer == "silence" {
        Says::silence()
    } else if answer == "endless" {
        Says::endless().header("content-type", "text/event-stream")
    } else if let Some(events) = answer.get("events") {
        let token = message["params"]["_meta"]["progressToken"].to_string();
        let mut stream = String::new();
        for event in events.as_array().unwrap() {
            let event = event.to_string().replace("\"TOKEN\"", &token);
            stream.push_str(&format!("data: {event}\n\n"));
        }
        stream.push_str(&format!("data: {}\n\n", rpc("result")));
        Says::new(200, stream).header("content-type", "text/event-stream")
    } else if let Some(zeros) = answer.get("bomb_mb") {
        Says::new(200, bomb(zeros.as_u64().unwrap()))
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
    } else if let Some(body) = answer.get("body") {
        Says::new(status, text_of(body).replace("\"ID\"", &id.to_string()))
    } else {
        let member = if answer.get("error").is_some() {
            "error"
        } else {
            "result"
        };
        Says::new(status, rpc(member)).header("content-type", "application/json")
    };
    let headers = answer["headers"].as_object().into_iter().flatten();
    headers.fold(says, |says, (name, value)| {
        says.header(name, value.as_str().unwrap())
    })
}

/// So many megabytes of spaces, compressed in members of ten.
fn bomb(megabytes: u64) -> Vec<u8> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    coder.write_all(&vec![b' '; 10_000_000]).unwrap();
    let member = coder.finish().unwrap();
    member.repeat(usize::try_from(megabytes / 10).unwrap())
}

async fn hostile(says: Map<String, Value>) -> Service {
    let turns = Mutex::new(HashMap::<String, usize>::new());
    Service::start(move |asked| {
        let message: Value = serde_json::from_str(&asked.body).unwrap();
        let method = message["method"].as_str().unwrap();
        let default = match method {
            "tools/list" => json!({"result": {"tools": [
                {"name": "x", "description": "X.", "inputSchema": {"type": "object"}}]}}),
            _ => json!({"status": 404, "error": {"code": -32601, "message": "no"}}),
        };
        let answer = match says.get(method) {
            Some(Value::Array(turn)) => {
                let mut turns = turns.lock().unwrap();
                let at = turns.entry(method.to_owned()).or_default();
                *at += 1;
                turn[(*at - 1).min(turn.len() - 1)].clone()
            }
            Some(answer) => answer.clone(),
            None => default,
        };
        answered(asked, &answer)
    })
    .await
}

async fn good() -> Service {
    let list = json!({"result": {"tools": [
        {"name": "greet", "description": "Greets.", "inputSchema": {"type": "object"}}]}});
    let says = json!({"tools/list": list, "tools/call": {"result": {"content": []}}});
    hostile(says.as_object().unwrap().clone()).await
}

/// Where the bad server's token is: in its own variable, or where the host keeps it.
const PLACES: [(&str, &str); 2] = [
    ("MCPFN_UPSTREAM_BAD_TOKEN", TOKEN),
    ("MCPFN_UPSTREAM_TOKENS", "ssm:/tokens"),
];

/// The tools of the pages that come after, too: a page is bounded by its bytes.
async fn all_pages(client: &Client, first: &mut Value) {
    while let Some(cursor) = first["result"]["nextCursor"].as_str() {
        let next = client.heard("tools/list", json!({"cursor": cursor})).await;
        let more = next["result"]["tools"].as_array().cloned();
        let tools = first["result"]["tools"].as_array_mut().unwrap();
        tools.extend(more.unwrap_or_default());
        first["result"]["nextCursor"] = next["result"]["nextCursor"].clone();
    }
}

/// What is wrong with a fixture's server, in sentences.
async fn run(fixture: &Value, place: (&str, &str)) -> Vec<String> {
    let says = grown(&fixture["says"]).as_object().cloned();
    let says = says.unwrap_or_default();
    let (bad, good) = (hostile(says).await, good().await);
    let list = format!("bad={},good={}", bad.url(), good.url());
    let variables = [("MCPFN_UPSTREAMS", list.as_str()), place];
    let client = Client::new("upstream", &variables, Internet::new());
    let mut wrong = Vec::new();
    for (number, step) in fixture["steps"].as_array().unwrap().iter().enumerate() {
        let client = step["hops"].as_u64().map_or_else(
            || client.clone(),
            |hops| client.clone().behind(u8::try_from(hops).unwrap()),
        );
        let client = if step["forms"] == true {
            client.showing_forms()
        } else {
            client
        };
        if step["settle"] == true {
            client.settled().await;
        }
        client.later(step["later_ms"].as_u64().unwrap_or(0));
        let method = step["method"].as_str().unwrap();
        let params = step.get("params").map_or_else(|| json!({}), grown);
        let started_ms = client.now_ms();
        let mut found = client.heard(method, params.clone()).await;
        let took_ms = client.now_ms() - started_ms;
        // a slow machine is not the subject
        if step.get("within_ms").is_none() && took_ms >= PATIENCE_MS {
            client.settled().await;
            found = client.heard(method, params).await;
        }
        if method == "tools/list" {
            all_pages(&client, &mut found).await;
        }
        let at = format!("step {number}, {method}");
        wrong.extend(mismatch(&at, &found, &grown(&step["expect"])));
        if step["within_ms"]
            .as_u64()
            .is_some_and(|most| took_ms > most)
        {
            wrong.push(format!("{at}: took {took_ms} ms"));
        }
        // unless nobody is asked
        let asks = step["hops"].as_u64().unwrap_or(0) < 3;
        if asks && method == "tools/list" && !text_of(&found["result"]).contains("good__greet") {
            wrong.push(format!(
                "{at}: the good server is hidden: {}",
                short(&found)
            ));
        }
    }
    client.settled().await;
    let logged = client.logged();
    for (member, there) in [("logged", true), ("not_logged", false)] {
        for part in fixture[member].as_array().into_iter().flatten() {
            if logged.contains(part.as_str().unwrap()) != there {
                wrong.push(format!("{member} {part}: {logged}"));
            }
        }
    }
    let asked = bad.asked().len() as u64;
    if fixture.get("asked").is_some_and(|most| *most != asked) {
        wrong.push(format!("asked {asked} times"));
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fixture_of_a_hostile_server_holds() {
    let only = std::env::var("MCPFN_TEST_FIXTURE").ok();
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let (mut wrong, mut ran) = (Vec::new(), 0);
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let fixture: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            fixture["about"].is_string(),
            "{name}: `about` says what it shows"
        );
        ran += 1;
        // a secret that is found anywhere is a panic
        // one after the other, since they are of a size each
        let place = PLACES[ran % PLACES.len()];
        let found = match tokio::spawn(async move { run(&fixture, place).await }).await {
            Ok(found) => found,
            Err(panic) => {
                let panic = panic.into_panic();
                let said = panic.downcast_ref::<String>().cloned();
                vec![said.unwrap_or_default().chars().take(300).collect()]
            }
        };
        wrong.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    assert!(ran > 0, "no fixture is called {only:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn mismatches_are_found() {
    for (found, expected, fits) in [
        (json!({"a": 1, "b": 2}), json!({"a": 1}), true),
        (json!({"a": 1}), json!({"a": 2}), false),
        (json!({"a": "xyz"}), json!({"a": {"$contains": "y"}}), true),
        (json!({"a": "xyz"}), json!({"a": {"$lacks": "y"}}), false),
        (json!({"a": null}), json!({"a": {"$absent": true}}), true),
        (json!({"a": 0}), json!({"a": {"$absent": true}}), false),
        (json!([1, 2]), json!({"$length": 2}), true),
        (json!([1, 2]), json!([1]), false),
        (json!([{"name": "a"}]), json!({"$names": ["a"]}), true),
        (json!([{"name": "a"}]), json!({"$names": []}), false),
        (json!({}), json!({"ttlMs": {"$at_most": 5}}), false),
        (json!({"ttlMs": 4}), json!({"ttlMs": {"$at_most": 5}}), true),
        (json!({"a": 1, "b": 2}), json!({"$is": {"a": 1}}), false),
    ] {
        let found = mismatch("", &found, &expected);
        assert_eq!(found.is_none(), fits, "{expected}: {found:?}");
    }
}
