//! The format of a fixture file: requests, what must come back, and values carried from one step to
//! the next.
//!
//! ```json
//! {
//!   "name": "what holds, as a sentence",
//!   "server": "everything",
//!   "steps": [{ "request": { ... }, "response": { ... }, "capture": { "state": "/result/requestState" } }]
//! }
//! ```
//!
//! A file with one step writes `request` and `response` at the top. `{{state}}` in a later step's
//! strings stands for what was captured. With `"as": "2026-07-28"` the message is sent as a client
//! of that revision sends it (envelope, `_meta`, headers); what the file gives itself stays.
//! Without it nothing is added but content type and `Accept`; a header that is `null` is left out,
//! and one that is a list is sent several times. A refusal's reason must be asserted: see
//! `reason.rs`. How bodies are compared: see `matching.rs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::Request;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    #[serde(default = "everything")]
    pub(crate) server: String,
    /// Why this can't be said over stdio, although it has neither headers nor raw text.
    #[serde(default)]
    pub(crate) http_only: Option<String>,
    #[serde(default)]
    request: Option<InputRequired>,
    #[serde(default)]
    response: Option<Expect>,
    #[serde(default)]
    steps: Vec<Step>,
}

fn everything() -> String {
    "everything".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) request: InputRequired,
    pub(crate) response: Expect,
    /// Names for values of the answer, by JSON pointer.
    #[serde(default)]
    pub(crate) capture: BTreeMap<String, String>,
}

/// What is sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InputRequired {
    /// The revision whose clients would send this.
    #[serde(default, rename = "as")]
    pub(crate) revision: Option<String>,
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) path: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// A message, or anything else that is JSON.
    #[serde(default, deserialize_with = "present")]
    pub(crate) body: Option<Value>,
    /// Text instead, where it is not JSON or its members matter one by one.
    #[serde(default)]
    pub(crate) raw: Option<String>,
    #[serde(default)]
    pub(crate) chunked: bool,
}

/// What must come back.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) status: u16,
    /// `null` means absent; others are matched as in bodies.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Value>,
    /// A part of the JSON body.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// The whole JSON body.
    #[serde(default)]
    pub(crate) exact: Option<Value>,
    /// The messages of an event stream, in order, each matched as a part.
    #[serde(default)]
    pub(crate) events: Option<Vec<Value>>,
    /// No body at all.
    #[serde(default)]
    pub(crate) empty: bool,
    /// Texts that the body must not contain.
    #[serde(default)]
    pub(crate) lacks: Vec<String>,
}

/// Keeps `"body": null` apart from no body.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl Fixture {
    pub(crate) fn steps(&self) -> Vec<Step> {
        match (&self.request, &self.response, self.steps.as_slice()) {
            (Some(request), Some(response), []) => {
                vec![Step {
                    request: request.clone(),
                    response: response.clone(),
                    capture: BTreeMap::new(),
                }]
            }
            (None, None, steps @ [_, ..]) => steps.to_vec(),
            _ => panic!("a fixture has `request` and `response`, or `steps`"),
        }
    }

    /// The revision, if every step can also be said over stdio in it.
    pub(crate) fn neutral(&self) -> Option<String> {
        let steps = self.steps();
        let plain = steps.iter().all(|step| {
            let InputRequired {
                revision,
                method,
                path,
                headers,
                body,
                raw,
                ..
            } = &step.request;
            revision.is_some()
                && method.is_none()
                && path.is_none()
                && headers.is_empty()
                && body.is_some()
                && raw.is_none()
        });
        steps
            .first()?
            .request
            .revision
            .clone()
            .filter(|_| plain && self.http_only.is_none())
    }
}

impl InputRequired {
    pub(crate) fn to_request(&self) -> Request {
        let body = || {
            self.body
                .clone()
                .expect("a fixture sent as a client has a body")
        };
        let mut request = match (&self.revision, &self.raw) {
            (Some(revision), None) => Request::from_client(revision, body()),
            (None, Some(raw)) => Request::post(raw.as_str()),
            (None, None) => {
                Request::post(self.body.as_ref().map(Value::to_string).unwrap_or_default())
            }
            (Some(_), Some(_)) => panic!("raw text is sent as it is: leave out `as`"),
        };
        for (name, value) in &self.headers {
            request = request.without(name);
            request = match value {
                Value::Null => request,
                Value::String(value) => request.and_header(name, value),
                Value::Array(values) => values.iter().fold(request, |request, value| {
                    request.and_header(name, value.as_str().expect("text"))
                }),
                other => panic!("a header is text, a list of texts or null, not {other}"),
            };
        }
        request.method = self.method.clone().unwrap_or(request.method);
        request.path = self.path.clone().unwrap_or(request.path);
        request.chunked = self.chunked;
        request
    }
}

/// Replaces `{{name}}` in every string.
pub(crate) fn fill(value: &mut Value, captured: &BTreeMap<String, Value>) {
    match value {
        Value::String(text) => {
            let name = text
                .strip_prefix("{{")
                .and_then(|rest| rest.strip_suffix("}}"));
            if let Some(name) = name {
                *value = captured
                    .get(name)
                    .unwrap_or_else(|| panic!("nothing was captured as {name}"))
                    .clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, captured)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|member| fill(member, captured)),
        _ => {}
    }
}

/// The one fixture that a developer wants run, by the name of its file without `.json`.
const CHOSEN: &str = "MCPFN_TEST_FIXTURE";

/// Every fixture of a folder, by file name; or the one that `MCPFN_TEST_FIXTURE` names.
pub(crate) fn all(folder: &str) -> Vec<(String, Fixture)> {
    let chosen = std::env::var(CHOSEN).ok();
    let names = chosen_of(folder, names(folder), chosen.as_deref())
        .unwrap_or_else(|mistake| panic!("{mistake}"));
    let read = |file: String| {
        let text = std::fs::read_to_string(path(folder).join(format!("{file}.json"))).unwrap();
        let fixture = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{folder}/{file}.json is no fixture: {error}"));
        (file, fixture)
    };
    names.into_iter().map(read).collect()
}

fn path(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder)
}

fn names(folder: &str) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path(folder))
        .expect("the folder of fixtures can be listed")
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".json").map(str::to_owned)
        })
        .collect();
    names.sort();
    names
}

/// A name that no file has is an error: a test that runs nothing would pass.
fn chosen_of(
    folder: &str,
    names: Vec<String>,
    chosen: Option<&str>,
) -> Result<Vec<String>, String> {
    match chosen {
        None => Ok(names),
        Some(chosen) if names.iter().any(|name| name == chosen) => Ok(vec![chosen.to_owned()]),
        Some(chosen) => Err(format!(
            "{CHOSEN} is `{chosen}`, but there is no tests/fixtures/{folder}/{chosen}.json: give \
             the name of a file in this folder without `.json`, and run the test of its folder \
             (`refuse::` or `wire::`)"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fixture_can_be_chosen() {
        let names = || vec!["a".to_owned(), "a_b".to_owned()];
        assert_eq!(chosen_of("wire", names(), None).unwrap(), ["a", "a_b"]);
        assert_eq!(chosen_of("wire", names(), Some("a")).unwrap(), ["a"]);
        for wrong in ["", "b", "a.json", "wire/a"] {
            let mistake = chosen_of("wire", names(), Some(wrong)).unwrap_err();
            assert!(
                mistake.contains(&format!("tests/fixtures/wire/{wrong}.json")),
                "{mistake}"
            );
        }
    }
}
