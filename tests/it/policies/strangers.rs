//! What is kept for a caller: for itself, with the rights that it had then, and not for anonymous
//! callers, who are strangers to each other under one name.

use std::collections::BTreeSet;
use std::sync::Arc;

use mcpfn::policy::FailureMode;
use mcpfn::prelude::*;
use mcpfn::{JsonObject, Principal, PrincipalKind, Scopes};
use mcpfn_http::Config;
use mcpfn_native::memory::{MemoryLimits, MemoryStores};
use serde_json::{Value, json};

use super::{Runs, call, counted, kept, keyed, says, shop};
use crate::support::in_process::InProcess;
use crate::support::time::block_on;
use crate::support::{Host as _, Request};

fn host(runs: &Runs) -> InProcess {
    let stores = Arc::new(MemoryStores::default());
    let mut config = Config::default();
    config.anonymous = true;
    InProcess::with_config(|| shop(runs), config).on(|platform| {
        platform
            .with_cache(Arc::clone(&stores) as _)
            .with_idempotency(stores, FailureMode::Open)
    })
}

const KINDS: [PrincipalKind; 5] = [
    PrincipalKind::Local,
    PrincipalKind::Iam,
    PrincipalKind::Jwt,
    PrincipalKind::Authorizer,
    PrincipalKind::ApiKey,
];

/// Every two of them are different callers, or one with other rights.
fn callers() -> Vec<Principal> {
    let mut callers = Vec::new();
    for kind in KINDS {
        for subject in ["alice", "bob", ""] {
            for scopes in ["", "a", "a b", "ab", "*"] {
                let caller = Principal::new(kind, subject);
                callers.push(caller.with_scopes(Scopes::parse(scopes)));
            }
        }
    }
    callers
}

#[test]
fn no_two_callers_share_a_private_result() {
    let runs = Runs::default();
    let mut host = host(&runs);
    let mut results = BTreeSet::new();
    for caller in callers() {
        host.turn_into(caller.clone());
        let find = call("find", json!({"sku": "a"}));
        let made = says(&host.send(&find));
        assert_eq!(says(&host.send(&find)), made, "{caller:?} has it again");
        assert!(results.insert(made), "{caller:?} has another caller's");
    }
    assert_eq!(counted(&runs), callers().len());
}

#[test]
fn the_order_of_scopes_is_no_right() {
    let runs = Runs::default();
    let mut host = host(&runs);
    for scopes in ["a b c", "c b a", "b a c a"] {
        let caller = Principal::new(PrincipalKind::Jwt, "alice");
        host.turn_into(caller.with_scopes(Scopes::parse(scopes)));
        host.send(&call("find", json!({"sku": "a"})));
    }
    assert_eq!(counted(&runs), 1);
}

#[test]
fn nothing_private_is_kept_for_anonymous_callers() {
    let runs = Runs::default();
    let mut host = host(&runs);
    for address in [None, Some("203.0.113.7"), Some("203.0.113.7"), Some("::1")] {
        let stranger = Principal::anonymous();
        host.turn_into(match address {
            Some(address) => stranger.at(address.parse().unwrap()),
            None => stranger,
        });
        let before = counted(&runs);
        for tool in ["find", "find_stale"] {
            says(&host.send(&call(tool, json!({"sku": "a"}))));
        }
        assert_eq!(counted(&runs), before + 2, "each of them ran");
    }
    // what the tool declares to be everybody's is theirs, too
    let public = call("find_public", json!({"sku": "a"}));
    let before = counted(&runs);
    host.send(&public);
    host.send(&public);
    assert_eq!(counted(&runs), before + 1);
}

#[test]
fn equal_calls_of_strangers_at_the_same_time_run_apart() {
    let runs = Runs::default();
    let mut host = host(&runs);
    host.turn_into(Principal::anonymous());
    let wait = || host.to_http(&call("find", json!({"sku": "wait"})));
    let (one, other) = (wait(), wait());
    block_on(&host.time, async {
        let one = host.service.call(one, &host.platform);
        let other = host.service.call(other, &host.platform);
        tokio::join!(one, other)
    });
    assert_eq!(counted(&runs), 2);
}

/// Records of writes are kept for a day and never dropped, and there is room for so many.
#[test]
fn a_caller_who_writes_without_end_leaves_room_for_others() {
    let runs = Runs::default();
    let stores = MemoryStores::new(MemoryLimits {
        entries: 20,
        bytes: 1_000_000,
    });
    let mut host =
        host(&runs).on(|platform| platform.with_idempotency(Arc::new(stores), FailureMode::Closed));
    // how many of a hundred writes are made; the others are refused before they run
    let mut kept = |caller: Principal| {
        host.turn_into(caller);
        let buy = |number: usize| keyed("buy", json!({"sku": "a"}), json!(number.to_string()));
        let refused =
            (0..100).filter(|number| says(&host.send(&buy(*number))).contains("without room"));
        100 - refused.count()
    };
    let caller = |subject: &str| Principal::new(PrincipalKind::Jwt, subject);
    assert_eq!(kept(caller("greedy").with_scopes(Scopes::all())), 10);
    // other rights and another address make no other caller, and repeats get the first results
    assert_eq!(kept(caller("greedy").at([203, 0, 113, 7].into())), 10);
    assert_eq!(kept(caller("second")), 5);
    assert_eq!(kept(caller("third")), 3);
    assert_eq!(counted(&runs), 10 + 5 + 3);
}

#[test]
fn an_idempotency_key_of_an_anonymous_caller_is_refused_and_nothing_is_written() {
    let runs = Runs::default();
    let mut host = host(&runs);
    host.turn_into(Principal::anonymous().at([203, 0, 113, 7].into()));
    let argument = call("buy", json!({"sku": "a", "request": "order-1"}));
    for keyed in [
        keyed("buy", json!({"sku": "a"}), json!("order-1")),
        argument,
    ] {
        let response = host.send(&keyed);
        assert_eq!(response.json()["result"]["isError"], true);
        let said = says(&response);
        assert!(said.contains("call again without the key"), "{said}");
    }
    assert_eq!(counted(&runs), 0);
    host.send(&call("buy", json!({"sku": "a"})));
    assert_eq!(counted(&runs), 1, "without a key it is written");
}

/// A stranger's state is bound to what it called: whoever has the token has it, and nobody can guess
/// one. It opens for no caller that is known, and theirs for no stranger.
#[test]
fn the_state_of_a_stranger_is_for_strangers_and_the_same_call() {
    let pay = Tool::new("look")
        .description("Asks.")
        .handler(|_: JsonObject, cx: Cx| async move {
            if cx.answer("size").is_some() {
                return Ok("done");
            }
            let form = Form::new("Which size?").text("size", "Size");
            Err(ToolError::from(cx.ask().form("size", form).state("first")))
        });
    let mut config = Config::default();
    config.anonymous = true;
    let mut host = InProcess::with_config(|| Server::builder("shop", "1.0.0").tool(pay), config);
    let known = Principal::new(PrincipalKind::Jwt, "alice");
    let state = |host: &InProcess| {
        let asked = host.send(&with_form(&call("look", json!({"sku": "ask"}))));
        let state = asked.json()["result"]["requestState"].clone();
        assert!(
            state.as_str().is_some_and(|state| state.len() > 40),
            "{}",
            asked.text()
        );
        state
    };
    host.turn_into(Principal::anonymous());
    let (first, second) = (state(&host), state(&host));
    assert_ne!(first, second, "two strangers have two tokens");
    let back = |host: &InProcess, sku: &str, state: &Value| {
        let answers = json!({"size": {"action": "accept", "content": {"size": "L"}}});
        let params = json!({
            "name": "look", "arguments": {"sku": sku},
            "inputResponses": answers, "requestState": state,
        });
        let answer = host.send(&with_form(&Request::modern("tools/call", params)));
        answer.json()["error"]["code"].as_i64()
    };
    assert_eq!(back(&host, "ask", &first), None, "it goes on");
    assert_eq!(back(&host, "other", &first), Some(-32602));
    host.turn_into(known);
    assert_eq!(back(&host, "ask", &first), Some(-32602));
    let own = state(&host);
    host.turn_into(Principal::anonymous());
    assert_eq!(back(&host, "ask", &own), Some(-32602));
}

/// As a client sends it that can show forms.
fn with_form(request: &Request) -> Request {
    let mut body: Value = serde_json::from_slice(&request.body).unwrap();
    body["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] =
        json!({"elicitation": {"form": {}}});
    Request {
        body: body.to_string().into(),
        ..request.clone()
    }
}

#[test]
fn a_client_hears_that_nothing_is_kept_for_it() {
    let runs = Runs::default();
    let mut host = host(&runs);
    host.turn_into(Principal::anonymous());
    let find = keyed("find", json!({"sku": "a"}), json!("ignored"));
    assert_eq!(kept(&host.send(&find)), "off");
}
