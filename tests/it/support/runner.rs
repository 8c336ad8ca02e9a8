//! Runs every fixture of a folder through a host, and reports all that fail together.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::fixture::{Fixture, Step, all, fill};
use super::matching::differences;
use super::{Host, Response, invariants, reason, servers, stdio};

/// Through HTTP: `start` gives the host with a server behind it.
pub(crate) fn over_http(folder: &str, start: impl Fn(fn() -> mcpfn::Builder) -> Box<dyn Host>) {
    over_http_where(folder, |_| true, start);
}

/// All but those whose request can't reach the host, which are exactly these.
pub(crate) fn over_http_except(
    folder: &str,
    unreachable: &[&str],
    start: impl Fn(fn() -> mcpfn::Builder) -> Box<dyn Host>,
) {
    let fixtures = all(folder);
    let expected: Vec<&str> = fixtures
        .iter()
        .map(|(file, _)| file.as_str())
        .filter(|file| unreachable.contains(file))
        .collect();
    assert_eq!(
        send_all(folder, &fixtures, start),
        expected,
        "these must be the fixtures that can't reach the host"
    );
}

/// Those whose file has a name that is wanted: a host may have no say in what others are about.
pub(crate) fn over_http_where(
    folder: &str,
    wanted: impl Fn(&str) -> bool,
    start: impl Fn(fn() -> mcpfn::Builder) -> Box<dyn Host>,
) {
    let mut fixtures = all(folder);
    fixtures.retain(|(file, _)| wanted(file));
    let skipped = send_all(folder, &fixtures, start);
    assert!(
        skipped.is_empty(),
        "these can't reach the host: {skipped:?}"
    );
}

/// Gives the names of those that can't reach the host, and prints why.
fn send_all(
    folder: &str,
    fixtures: &[(String, Fixture)],
    start: impl Fn(fn() -> mcpfn::Builder) -> Box<dyn Host>,
) -> Vec<String> {
    let mut hosts: HashMap<String, Box<dyn Host>> = HashMap::new();
    let (mut failures, mut skipped) = (Vec::new(), Vec::new());
    for (file, fixture) in fixtures {
        let host = hosts
            .entry(fixture.server.clone())
            .or_insert_with(|| start(servers::named(&fixture.server)));
        if let Some(why) = fixture
            .steps()
            .iter()
            .find_map(|step| host.impossible(&step.request.to_request()))
        {
            println!("skipped {folder}/{file}.json ({}): {why}", host.name());
            skipped.push(file.clone());
            continue;
        }
        failures.extend(
            judged(folder, fixture, || through(&**host, fixture))
                .into_iter()
                .map(|failure| format!("{folder}/{file}.json ({}): {failure}", fixture.name)),
        );
    }
    println!(
        "{} fixtures of {folder}, {} of them skipped",
        fixtures.len(),
        skipped.len()
    );
    report(&failures, fixtures.len() - skipped.len());
    skipped
}

/// Through stdio, those that have nothing to do with HTTP.
pub(crate) fn over_stdio(folder: &str) {
    let mut failures = Vec::new();
    let fixtures: Vec<(String, Fixture, String)> = all(folder)
        .into_iter()
        .filter_map(|(file, fixture)| fixture.neutral().map(|revision| (file, fixture, revision)))
        .collect();
    for (file, fixture, revision) in &fixtures {
        failures.extend(
            judged(folder, fixture, || through_pipe(fixture, revision))
                .into_iter()
                .map(|failure| format!("{folder}/{file}.json ({}): {failure}", fixture.name)),
        );
    }
    report(&failures, fixtures.len());
}

/// A fixture that would pass for another refusal fails before it is run.
fn judged(folder: &str, fixture: &Fixture, run: impl FnOnce() -> Vec<String>) -> Vec<String> {
    let missing = reason::missing(fixture, folder == "refuse");
    if missing.is_empty() { run() } else { missing }
}

fn report(failures: &[String], fixtures: usize) {
    let failures: Vec<String> = failures.iter().map(|failure| brief(failure)).collect();
    assert!(
        fixtures > 0,
        "no fixture was run: the folder is empty, or what was chosen can't reach this host (over \
         stdio: has headers or raw text)"
    );
    assert!(
        failures.is_empty(),
        "{} failures in {fixtures} fixtures:\n  {}\n",
        failures.len(),
        failures.join("\n  ")
    );
}

/// A failure may show a whole list of tools; its beginning says enough.
fn brief(failure: &str) -> String {
    match failure.char_indices().nth(600) {
        Some((end, _)) => format!("{}...", &failure[..end]),
        None => failure.to_owned(),
    }
}

fn through(host: &dyn Host, fixture: &Fixture) -> Vec<String> {
    let mut captured = BTreeMap::new();
    for (position, mut step) in fixture.steps().into_iter().enumerate() {
        if let Some(body) = &mut step.request.body {
            fill(body, &captured);
        }
        let request = step.request.to_request();
        let response = host.send(&request);
        let mut found = check(&step, &response);
        found.extend(invariants::broken(&request, &response));
        if !found.is_empty() {
            return found
                .into_iter()
                .map(|what| format!("step {}: {what}", position + 1))
                .collect();
        }
        capture(&step, &response.messages(), &mut captured);
    }
    Vec::new()
}

fn check(step: &Step, response: &Response) -> Vec<String> {
    let expect = &step.response;
    let mut found = Vec::new();
    if response.status != expect.status {
        found.push(format!(
            "status must be {}, found {} with {}",
            expect.status,
            response.status,
            response.text()
        ));
        return found;
    }
    for (name, value) in &expect.headers {
        match (value, response.header(name)) {
            (Value::Null, None) => {}
            (Value::Null, Some(actual)) => {
                found.push(format!("header {name} must be absent, found {actual}"));
            }
            (_, None) => found.push(format!("header {name} is missing")),
            (expected, Some(actual)) => {
                found.extend(
                    differences(expected, &actual.into())
                        .into_iter()
                        .map(|what| format!("header {name}{what}")),
                );
            }
        }
    }
    let text = response.text();
    found.extend(
        expect
            .lacks
            .iter()
            .filter(|part| text.contains(*part))
            .map(|part| format!("the body contains {part:?}")),
    );
    if expect.empty {
        if !text.is_empty() {
            found.push(format!("the body must be empty, found {text}"));
        }
        return found;
    }
    if expect.events.is_some() != response.is_stream() {
        found.push(format!(
            "content type is {:?}, and that is not expected",
            response.header("content-type")
        ));
        return found;
    }
    found.extend(compare(step, &response.messages()));
    found
}

fn compare(step: &Step, messages: &[Value]) -> Vec<String> {
    let expect = &step.response;
    let mut found = Vec::new();
    if let Some(events) = &expect.events {
        found.extend(differences(
            &Value::Array(events.clone()),
            &Value::Array(messages.to_vec()),
        ));
    } else if let [message] = messages {
        if let Some(body) = &expect.body {
            found.extend(differences(body, message));
        }
        if let Some(exact) = &expect.exact
            && exact != message
        {
            found.push(format!("the body must be exactly {exact}, found {message}"));
        }
        assert!(
            expect.body.is_some() || expect.exact.is_some() || expect.empty,
            "a fixture says what the body holds"
        );
    } else if !(expect.empty && messages.is_empty()) {
        found.push(format!("one message must come back, found {messages:?}"));
    }
    found
}

fn capture(step: &Step, messages: &[Value], captured: &mut BTreeMap<String, Value>) {
    for (name, pointer) in &step.capture {
        let value = messages.last().and_then(|message| message.pointer(pointer));
        captured.insert(
            name.clone(),
            value
                .unwrap_or_else(|| panic!("nothing at {pointer} to capture as {name}"))
                .clone(),
        );
    }
}

fn through_pipe(fixture: &Fixture, revision: &str) -> Vec<String> {
    let mut captured = BTreeMap::new();
    let modern = revision == "2026-07-28";
    for (position, mut step) in fixture.steps().into_iter().enumerate() {
        let mut body = step
            .request
            .body
            .take()
            .expect("neutral fixtures have a body");
        fill(&mut body, &captured);
        let messages = stdio::exchange(
            servers::named(&fixture.server),
            revision,
            std::slice::from_ref(&body),
        );
        let mut found = compare(&step, &messages);
        let asked = body.get("id");
        for message in messages.iter().flat_map(|message| {
            message
                .as_array()
                .map_or_else(|| vec![message], |items| items.iter().collect())
        }) {
            found.extend(invariants::broken_message(message, asked, modern));
        }
        if !found.is_empty() {
            return found
                .into_iter()
                .map(|what| format!("step {}: {what}", position + 1))
                .collect();
        }
        capture(&step, &messages, &mut captured);
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fixture_without_a_reason_fails_before_it_is_run() {
        let fixture = |message: Value| -> Fixture {
            let error = json!({"code": -32602, "message": message});
            let response = json!({"status": 400, "body": {"error": error}});
            serde_json::from_value(
                json!({"name": "x", "request": {"raw": ""}, "response": response}),
            )
            .unwrap()
        };
        let passes = || vec!["it was run".to_owned()];
        let silent = judged("refuse", &fixture(json!("$any")), passes);
        assert!(silent[0].contains("not its reason"), "{silent:?}");
        let says = fixture(json!({"$contains": "`params._meta`"}));
        assert_eq!(judged("refuse", &says, passes), ["it was run"]);
    }
}
