//! Whether a fixture that expects a refusal says why: a status and a code alone would also pass for
//! a refusal of something else. It judges fixtures, not answers.

use serde_json::Value;

use super::fixture::{Expect, Fixture};

/// Shorter parts of a sentence stand in nearly every sentence.
const SHORTEST: usize = 2;

const ADVICE: &str = "it expects a refusal but not its reason: assert the part of the message that \
                      names the member, header or value at fault, for example `\"message\": \
                      {\"$contains\": \"params._meta\"}`";

/// What is missing in a fixture: nothing when each refusal that it expects has a reason. A fixture
/// that `must_refuse` expects at least one.
pub(crate) fn missing(fixture: &Fixture, must_refuse: bool) -> Vec<String> {
    let steps = fixture.steps();
    let verdicts: Vec<Option<bool>> = steps.iter().map(|step| verdict(&step.response)).collect();
    if must_refuse && verdicts.iter().all(Option::is_none) {
        return vec![
            "it expects no refusal: it belongs in fixtures/wire, or its answer is too loose"
                .to_owned(),
        ];
    }
    let silent = |(position, verdict): (usize, &Option<bool>)| {
        (*verdict == Some(false)).then(|| format!("step {}: {ADVICE}", position + 1))
    };
    verdicts.iter().enumerate().filter_map(silent).collect()
}

/// Whether an expected answer says why it refuses; `None` when it refuses nothing.
fn verdict(expect: &Expect) -> Option<bool> {
    let messages: Vec<&Value> = match (&expect.body, &expect.exact, &expect.events) {
        (_, _, Some(events)) => events.iter().collect(),
        (body, exact, None) => body.iter().chain(exact).flat_map(each).collect(),
    };
    let verdicts: Vec<bool> = messages.into_iter().filter_map(says_why).collect();
    match verdicts.as_slice() {
        // what has no body can only say why in a header: `Allow`, `WWW-Authenticate`
        [] if expect.status >= 400 => Some(expect.empty && !expect.headers.is_empty()),
        [] => None,
        verdicts => Some(verdicts.iter().all(|says| *says)),
    }
}

/// The messages of a batch, or the one.
fn each(body: &Value) -> Vec<&Value> {
    body.as_array()
        .map_or_else(|| vec![body], |items| items.iter().collect())
}

/// The same for one message: a JSON-RPC error, or a tool's result that tells a model what to change.
fn says_why(message: &Value) -> Option<bool> {
    if let Some(error) = message.get("error") {
        return Some(is_reason(&error["message"]));
    }
    let result = &message["result"];
    (result["isError"] == true).then(|| {
        result["content"]
            .as_array()
            .is_some_and(|blocks| blocks.iter().any(|block| is_reason(&block["text"])))
    })
}

fn is_reason(expected: &Value) -> bool {
    let part = match expected {
        Value::String(whole) if whole.starts_with('$') => None,
        Value::String(whole) => Some(whole.as_str()),
        other => other["$contains"].as_str(),
    };
    part.is_some_and(|part| part.chars().count() >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn judged(response: Value, must_refuse: bool) -> Vec<String> {
        let fixture = json!({"name": "x", "request": {"raw": ""}, "response": response});
        missing(&serde_json::from_value(fixture).unwrap(), must_refuse)
    }

    #[test]
    fn a_refusal_without_its_reason_is_found() {
        let silent = [
            json!({"status": 400, "body": {"error": {"code": -32602}, "id": 1}}),
            json!({"status": 400, "exact": {"error": {"code": -32602}}}),
            json!({"status": 400, "body": {"error": {"message": "$any"}}}),
            json!({"status": 400, "body": {"error": {"message": {"$contains": ""}}}}),
            json!({"status": 400, "body": {"error": {"message": {"$contains": "b"}}}}),
            json!({"status": 400, "body": {"error": {"message": {"$lacks": "secret"}}}}),
            json!({"status": 400, "body": "$any"}),
            json!({"status": 405, "empty": true}),
            json!({"status": 200, "body": {"result": {"isError": true}}}),
            json!({"status": 200, "body": {"result": {"isError": true, "content": [{"text": "$any"}]}}}),
            json!({"status": 200, "body": [
                {"error": {"message": {"$contains": "`id`"}}}, {"error": {"code": -32600}}]}),
            json!({"status": 200, "events": [{"method": "notifications/progress"}, {"error": {"code": -32603}}]}),
        ];
        for response in silent {
            for must_refuse in [true, false] {
                let found = judged(response.clone(), must_refuse);
                assert!(
                    matches!(found.as_slice(), [one] if one.contains("$contains")),
                    "{response}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn a_refusal_with_its_reason_passes() {
        let says = [
            json!({"status": 400, "body": {"error": {"message": {"$contains": "`id`"}}}}),
            json!({"status": 200, "exact": {"error": {"message": "`params` must be an object"}}}),
            json!({"status": 405, "empty": true, "headers": {"allow": "POST"}}),
            json!({"status": 200, "body": {"result": {"isError": true, "content": [{"text": {"$contains": "/a"}}]}}}),
            json!({"status": 200, "body": [{"error": {"message": {"$contains": "`id`"}}}, {"result": {}}]}),
        ];
        for response in says {
            assert_eq!(judged(response, true), Vec::<String>::new());
        }
    }

    #[test]
    fn only_a_folder_of_refusals_needs_one() {
        let answered = json!({"status": 200, "body": {"result": {"isError": "$absent"}}});
        assert_eq!(judged(answered.clone(), false), Vec::<String>::new());
        assert_eq!(judged(answered, true).len(), 1);
    }
}
