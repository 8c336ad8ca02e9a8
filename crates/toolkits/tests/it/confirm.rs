//! Questions before writes: every tool that asks, in every mode, with every answer; and what an
//! answer is to.

use std::future::IntoFuture as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use mcpfn_core::{ConfirmMode, Revision, Server, port::HttpClient};
use mcpfn_files::Directory;
use mcpfn_ports::{Blobs, Sql};
use mcpfn_testing::{Answer, TestClient, TestHttp};
use mcpfn_toolkits::register;
use serde_json::{Value, json};

use crate::databases;
use crate::wait::wait;

const SKU: &str = "HDP-1032-MIB";

/// What the tools write to.
struct Place {
    top: PathBuf,
    github: TestHttp,
    shop: Arc<dyn Sql>,
}

impl Place {
    fn new(shop: &Arc<dyn Sql>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mcpfn-toolkit-confirm-{}-{number}", std::process::id());
        let top = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&top).unwrap();
        std::fs::write(top.join("plan.md"), "old").unwrap();
        std::fs::write(top.join("copy.md"), "a copy").unwrap();
        let made = r#"{"id": 9, "number": 7, "html_url": "https://github.com/a/b/issues/7"}"#;
        Self {
            top,
            github: TestHttp::new(move |_| Ok(TestHttp::json(201, made))),
            shop: Arc::clone(shop),
        }
    }

    fn client(&self, mode: ConfirmMode) -> TestClient {
        let variable = |name: &str| match name {
            "MCPFN_FILES_WRITABLE" => Some("on".to_owned()),
            "MCPFN_GITHUB_TOKEN" => Some("ghp_token".to_owned()),
            _ => None,
        };
        let builder = Server::builder("writes", "0.0.0");
        let builder = register(builder, "files,github,inventory", &variable).unwrap();
        TestClient::new(builder.confirm(mode))
            .with_port::<dyn Blobs>(Arc::new(Directory::open(&self.top).unwrap()))
            .with_port::<dyn HttpClient>(Arc::new(self.github.clone()))
            .with_port::<dyn Sql>(Arc::clone(&self.shop))
    }

    fn version(&self) -> Value {
        let read = self.client(ConfirmMode::Never);
        let read = wait(
            read.call("read_file", json!({"path": "plan.md"}))
                .into_future(),
        );
        read.unwrap().structured::<Value>()["version"].take()
    }

    /// Everything that could have been written, to be compared.
    fn contents(&self) -> Vec<String> {
        let count = wait(
            self.shop
                .query("SELECT count(*) FROM purchase_orders", &[], 1),
        );
        let mut files: Vec<_> = std::fs::read_dir(&self.top)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                format!("{path:?}: {}", std::fs::read_to_string(&path).unwrap())
            })
            .collect();
        files.sort();
        files.push(format!("{:?}", count.unwrap().rows));
        files.push(format!("{} requests", self.github.sent().len()));
        files
    }

    /// Each tool that asks, arguments with which it writes, and what its question has to say.
    fn writes(&self) -> [(&'static str, Value, Vec<&'static str>); 5] {
        [
            (
                "write_file",
                json!({"path": "plan.md", "content": "new\ntext", "if_version": self.version()}),
                vec![
                    "Overwrite the file “plan.md”?",
                    "3 bytes",
                    "gets 8",
                    "“new text”",
                ],
            ),
            (
                "move_file",
                json!({"from": "plan.md", "to": "copy.md", "overwrite": true}),
                vec![
                    "Move the file “plan.md” to “copy.md”?",
                    "of 6 bytes, is lost",
                ],
            ),
            (
                "post_comment",
                json!({"repo": "a/b", "number": 7, "body": "Thanks"}),
                vec!["number 7", "a/b", "“Thanks”", "Everybody who can see"],
            ),
            (
                "create_issue",
                json!({"repo": "a/b", "title": "It breaks", "body": "Often."}),
                vec!["a/b", "“It breaks”", "“Often.”", "Everybody who can see"],
            ),
            (
                "draft_purchase_order",
                json!({"sku": SKU, "quantity": 25, "warehouse": "RTM"}),
                vec!["25 units", SKU, "the warehouse “RTM”"],
            ),
        ]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.top);
    }
}

/// What a client does when it is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Reply {
    Accepts,
    Declines,
    Cancels,
    ShowsNoForms,
    IsOlder,
}

/// The text of the result, and the question if there was one.
fn called(
    client: TestClient,
    reply: Reply,
    tool: &str,
    arguments: &Value,
) -> (Result<(), String>, Option<String>) {
    let asked = Arc::new(Mutex::new(None));
    let heard = Arc::clone(&asked);
    let answer = match reply {
        Reply::Accepts => Some(Answer::accept(json!({}))),
        Reply::Declines => Some(Answer::decline()),
        Reply::Cancels => Some(Answer::cancel()),
        Reply::ShowsNoForms | Reply::IsOlder => None,
    };
    let client = match (answer, reply) {
        (Some(answer), _) => client.answers(move |question| {
            *heard.lock().unwrap() = Some(question.message().to_owned());
            Some(answer.clone())
        }),
        (None, Reply::IsOlder) => client.revision(Revision::LATEST_LEGACY),
        (None, _) => client,
    };
    let result = wait(client.call(tool, arguments).into_future()).unwrap();
    let said = match result.is_error() {
        true => Err(result.text()),
        false => Ok(()),
    };
    let asked = asked.lock().unwrap().clone();
    (said, asked)
}

#[test]
fn every_tool_in_every_mode_with_every_answer() {
    use ConfirmMode::{Always, Auto, Never};
    use Reply::{Accepts, Cancels, Declines, IsOlder, ShowsNoForms};
    let shop = databases::writing();
    for number in 0..5 {
        for mode in [Auto, Always, Never] {
            for reply in [Accepts, Declines, Cancels, ShowsNoForms, IsOlder] {
                let place = Place::new(&shop);
                let (tool, arguments, says) = place.writes()[number].clone();
                let case = format!("{tool}, {mode:?}, {reply:?}");
                let before = place.contents();
                let (said, asked) = called(place.client(mode), reply, tool, &arguments);
                let can_ask = !matches!(reply, ShowsNoForms | IsOlder);
                assert_eq!(asked.is_some(), mode != Never && can_ask, "{case}");
                for part in says {
                    let asked = asked.as_deref().unwrap_or(part);
                    assert!(asked.contains(part), "{case}: {asked}");
                }
                let refusal = match (mode, reply) {
                    (Never, _) | (_, Accepts) | (Auto, ShowsNoForms | IsOlder) => None,
                    (_, Declines) => Some("Nothing was done: the user was asked and declined."),
                    (_, Cancels) => Some("Nothing was done: the user closed the question"),
                    (Always, ShowsNoForms | IsOlder) => Some("about MCPFN_CONFIRM"),
                };
                match refusal {
                    None => assert_eq!(said, Ok(()), "{case}"),
                    Some(refusal) => {
                        let told = said.unwrap_err();
                        assert!(told.contains(refusal), "{case}: {told}");
                    }
                }
                let unchanged = place.contents() == before;
                assert_eq!(unchanged, refusal.is_some(), "{case}");
            }
        }
    }
}

#[test]
fn what_is_lost_by_nothing_is_not_asked_about() {
    let place = Place::new(&databases::writing());
    for (tool, arguments, refusal) in [
        (
            "write_file",
            json!({"path": "new.md", "content": "x"}),
            None,
        ),
        (
            "write_file",
            json!({"path": "plan.md", "content": "x", "if_version": "other"}),
            Some("was changed since"),
        ),
        (
            "move_file",
            json!({"from": "plan.md", "to": "copy.md"}),
            Some("is there already"),
        ),
        (
            "move_file",
            json!({"from": "none.md", "to": "b.md"}),
            Some("There is no"),
        ),
        (
            "draft_purchase_order",
            json!({"sku": "XYZ-1", "quantity": 1}),
            Some("There is no product"),
        ),
        (
            "post_comment",
            json!({"repo": "a/b", "number": 7, "body": " "}),
            Some("is empty"),
        ),
    ] {
        let client = place.client(ConfirmMode::Auto);
        let (said, asked) = called(client, Reply::Accepts, tool, &arguments);
        assert_eq!(asked, None, "{tool} {arguments}");
        match refusal {
            None => assert_eq!(said, Ok(()), "{tool}"),
            Some(refusal) => assert!(said.unwrap_err().contains(refusal), "{tool} {arguments}"),
        }
    }
}

/// One round of a call; its result as it is.
fn round(client: &TestClient, tool: &str, arguments: &Value, more: &Value) -> Value {
    let mut params = json!({"name": tool, "arguments": arguments});
    for (key, value) in more.as_object().unwrap() {
        params[key] = value.clone();
    }
    wait(client.request("tools/call", params).into_future()).unwrap_or_else(|error| error.to_json())
}

fn agreed(asked: &Value) -> Value {
    json!({
        "inputResponses": {"confirm": {"action": "accept", "content": {}}},
        "requestState": asked["requestState"],
    })
}

#[test]
fn a_question_that_has_changed_is_asked_again() {
    let place = Place::new(&databases::writing());
    let client = place
        .client(ConfirmMode::Auto)
        .capabilities(json!({"elicitation": {}}));
    let arguments = json!({"from": "plan.md", "to": "copy.md", "overwrite": true});
    let asked = round(&client, "move_file", &arguments, &json!({}));
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    std::fs::write(place.top.join("copy.md"), "a longer copy").unwrap();
    let again = round(&client, "move_file", &arguments, &agreed(&asked));
    let message = &again["inputRequests"]["confirm"]["params"]["message"];
    assert!(message.as_str().unwrap().contains("of 13 bytes"), "{again}");
    let done = round(&client, "move_file", &arguments, &agreed(&again));
    assert_eq!(done["structuredContent"]["path"], "copy.md", "{done}");
}

#[test]
fn an_answer_is_to_its_own_arguments_tool_and_caller() {
    let place = Place::new(&databases::writing());
    let client = place
        .client(ConfirmMode::Always)
        .capabilities(json!({"elicitation": {}}));
    let comment = json!({"repo": "a/b", "number": 7, "body": "Thanks"});
    let asked = round(&client, "post_comment", &comment, &json!({}));
    for (tool, arguments) in [
        (
            "post_comment",
            json!({"repo": "a/b", "number": 7, "body": "Go away"}),
        ),
        (
            "post_comment",
            json!({"repo": "a/b", "number": 8, "body": "Thanks"}),
        ),
        ("create_issue", json!({"repo": "a/b", "title": "Thanks"})),
    ] {
        let refused = round(&client, tool, &arguments, &agreed(&asked));
        let message = refused["message"].as_str().unwrap_or_default();
        assert!(message.contains("requestState"), "{refused}");
    }
    let other = mcpfn_core::Principal::new(mcpfn_core::PrincipalKind::Jwt, "other");
    let other = client
        .clone()
        .principal(other.with_scopes(mcpfn_core::Scopes::all()));
    let refused = round(&other, "post_comment", &comment, &agreed(&asked));
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("requestState"),
        "{refused}"
    );
    assert_eq!(place.github.sent().len(), 0);
}

#[test]
fn a_write_with_a_key_that_is_asked_in_the_middle_happens_once() {
    let place = Place::new(&databases::writing());
    let client = place
        .client(ConfirmMode::Auto)
        .capabilities(json!({"elicitation": {}}));
    let draft = json!({"sku": SKU, "quantity": 4999, "idempotency_key": "once"});
    let before = place.contents();
    let asked = round(&client, "draft_purchase_order", &draft, &json!({}));
    // asked twice, as by a client that lost the question
    let asked_again = round(&client, "draft_purchase_order", &draft, &json!({}));
    assert_eq!(asked_again["resultType"], "input_required");
    assert_eq!(place.contents(), before);
    let first = round(&client, "draft_purchase_order", &draft, &agreed(&asked));
    let repeat = round(
        &client,
        "draft_purchase_order",
        &draft,
        &agreed(&asked_again),
    );
    let plain = round(&client, "draft_purchase_order", &draft, &json!({}));
    let id = &first["structuredContent"]["id"];
    assert!(id.is_string(), "{first}");
    assert_eq!(&repeat["structuredContent"]["id"], id);
    assert_eq!(&plain["structuredContent"]["id"], id);
    let rows = wait(place.shop.query(
        "SELECT id FROM purchase_orders WHERE quantity = 4999",
        &[],
        10,
    ));
    assert_eq!(rows.unwrap().rows.len(), 1);
    // a refusal keeps no key
    let draft = json!({"sku": SKU, "quantity": 4998, "idempotency_key": "twice"});
    let asked = round(&client, "draft_purchase_order", &draft, &json!({}));
    let mut declined = agreed(&asked);
    declined["inputResponses"]["confirm"] = json!({"action": "decline"});
    let refused = round(&client, "draft_purchase_order", &draft, &declined);
    assert_eq!(refused["isError"], true);
    let done = round(&client, "draft_purchase_order", &draft, &agreed(&asked));
    assert!(done["structuredContent"]["id"].is_string(), "{done}");
}
