//! Whose limit it is, and what counts: nothing that a caller chooses gives it another limit, lists
//! and refused credentials count, and a body that never comes is not waited for. Through every host
//! that has an address or a rate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use mcpfn::policy::{AddressLimits, FailureMode, RateLimits};
use mcpfn::port::{Platform, Rate};
use mcpfn::{Principal, PrincipalKind};
use mcpfn_http::Config;
use mcpfn_native::memory::MemoryStores;
use serde_json::{Value, json};

use super::identity::{guarded, with_token};
use super::{Runs, host, shop};
use crate::support::in_process::InProcess;
use crate::support::lambda::{Front, Lambda};
use crate::support::process::Process;
use crate::support::socket::send;
use crate::support::{Host as _, Request, Response};

const LISTS: [&str; 4] = [
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
];

fn list(method: &str) -> Request {
    Request::modern(method, json!({}))
}

/// How many answers had which status.
fn statuses(answers: impl IntoIterator<Item = Response>) -> BTreeMap<u16, usize> {
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer.status).or_default() += 1;
        if answer.status == 429 {
            let wait = answer
                .header("retry-after")
                .and_then(|text| text.parse().ok());
            assert!(
                wait.is_some_and(|wait: u32| wait > 0),
                "{:?}",
                answer.headers
            );
            assert_eq!(answer.error().0, 429);
        }
    }
    counted
}

fn counts<const N: usize>(expected: [(u16, usize); N]) -> BTreeMap<u16, usize> {
    expected.into()
}

fn two_a_minute(platform: Platform) -> Platform {
    platform.with_rate_limits(RateLimits {
        limiter: Arc::new(MemoryStores::default()),
        rate: Some(Rate::per_minute(2)),
        failure_mode: FailureMode::Open,
    })
}

#[test]
fn lists_count_in_the_rate_of_their_caller() {
    for method in LISTS {
        let host = InProcess::new(mcpfn_it::everything).on(two_a_minute);
        let answers = (0..3).map(|_| host.send(&list(method)));
        assert_eq!(statuses(answers), counts([(200, 2), (429, 1)]), "{method}");
        let named = format!("[{method}]");
        let refused = format!("{named} rate_limited off");
        assert_eq!(host.log.calls().last(), Some(&refused));
        let call = Request::modern("tools/call", json!({"name": "test_simple_text"}));
        assert_eq!(
            host.send(&call).status,
            429,
            "calls and lists have one limit"
        );
        host.time.pass(Duration::from_secs(30));
        assert_eq!(host.send(&list(method)).status, 200);
    }
}

#[test]
fn lists_of_a_batch_count_one_by_one() {
    let host = InProcess::new(mcpfn_it::everything).on(two_a_minute);
    let messages: Vec<Value> = (0..5)
        .map(|id| json!({"jsonrpc": "2.0", "id": id, "method": "tools/list"}))
        .collect();
    let batch = Request::post(json!(messages).to_string());
    let answers = host.send(&batch.header("mcp-protocol-version", "2025-03-26"));
    let refused = |answer: &&Value| answer["error"]["code"] == 429;
    let answers = answers.json();
    let refused = answers.as_array().unwrap().iter().filter(refused).count();
    assert_eq!(refused, 3, "{answers}");
}

#[test]
fn lists_count_on_every_host() {
    let (_process, address) = Process::http_with(&[("MCPFN_RATE_LIMIT", "2/min")]);
    let answers = (0..3).map(|_| send(address, &list("tools/list")));
    assert_eq!(statuses(answers), counts([(200, 2), (429, 1)]));
    for front in [Front::Url, Front::Rest] {
        let rate = [("MCPFN_RATE_LIMIT", "2/min")];
        let lambda = Lambda::start_with(mcpfn_it::everything, front, &rate);
        let answers = (0..3).map(|_| lambda.send(&list("tools/list")));
        assert_eq!(statuses(answers), counts([(200, 2), (429, 1)]), "{front:?}");
    }
}

/// Callers of one limit, whatever they choose themselves.
#[test]
fn what_a_caller_chooses_gives_no_other_limit() {
    let from = |address: &str| Principal::anonymous().at(address.parse().unwrap());
    let iam = |arn: &str| Principal::new(PrincipalKind::Iam, arn);
    let session = "arn:aws:sts::123456789012:assumed-role/Reader";
    let one: [(&str, Vec<Principal>); 4] = [
        (
            "addresses of one /64",
            (0..4)
                .map(|part| from(&format!("2001:db8:1:2:{part}::{part}")))
                .collect(),
        ),
        (
            "one address in two forms",
            vec![
                from("203.0.113.7"),
                from("::ffff:203.0.113.7"),
                from("203.0.113.7"),
            ],
        ),
        (
            "sessions of one role",
            (0..4)
                .map(|part| iam(&format!("{session}/{part}")))
                .collect(),
        ),
        (
            "federated users of one account",
            (0..4)
                .map(|part| iam(&format!("arn:aws:sts::123456789012:federated-user/{part}")))
                .collect(),
        ),
    ];
    for (what, callers) in one {
        assert_eq!(each_lists(&callers)[2..].iter().min(), Some(&429), "{what}");
    }
    let apart: [(&str, Vec<Principal>); 5] = [
        (
            "networks",
            (0..4)
                .map(|part| from(&format!("2001:db8:1:{part}::1")))
                .collect(),
        ),
        (
            "IPv4 addresses",
            (0..4)
                .map(|part| from(&format!("203.0.113.{part}")))
                .collect(),
        ),
        (
            "roles",
            (0..4)
                .map(|part| iam(&format!("arn:aws:sts::123456789012:assumed-role/R{part}/s")))
                .collect(),
        ),
        (
            "accounts",
            (0..4)
                .map(|part| iam(&format!("arn:aws:sts::12345678901{part}:assumed-role/R/s")))
                .collect(),
        ),
        (
            "users of an identity pool",
            (0..4)
                .map(|part| iam(&format!("{session}/Cognito#eu:{part}")))
                .collect(),
        ),
    ];
    for (what, callers) in apart {
        assert_eq!(each_lists(&callers), vec![200; callers.len()], "{what}");
    }
}

/// The status of a list of each caller, with two lists a minute.
fn each_lists(callers: &[Principal]) -> Vec<u16> {
    let mut config = Config::default();
    config.anonymous = true;
    let mut host = InProcess::with_config(mcpfn_it::everything, config).on(two_a_minute);
    callers
        .iter()
        .map(|caller| {
            host.turn_into(caller.clone());
            host.send(&list("tools/list")).status
        })
        .collect()
}

#[test]
fn the_operator_says_how_much_of_an_ipv6_address_is_one_caller() {
    let limits = |ipv6_prefix| AddressLimits {
        ipv6_prefix,
        ..AddressLimits::default()
    };
    for (prefix, status) in [(48, 429), (64, 200)] {
        let mut config = Config::default();
        config.anonymous = true;
        let mut host = InProcess::with_config(mcpfn_it::everything, config)
            .on(|platform| two_a_minute(platform).with_address_limits(limits(prefix)));
        for part in 0..3 {
            let address = format!("2001:db8:1:{part}::1").parse().unwrap();
            host.turn_into(Principal::anonymous().at(address));
            let found = host.send(&list("tools/list")).status;
            assert_eq!(found, if part < 2 { 200 } else { status }, "/{prefix}");
        }
    }
}

#[test]
fn wrong_credentials_of_one_address_are_refused_before_any_work() {
    let from = |address: &str| Principal::anonymous().at(address.parse().unwrap());
    let mut host = guarded(false).called_by(from("203.0.113.7"));
    let wrong = |number: usize| with_token(&format!("wrong-{number}"));
    let answers: Vec<Response> = (0..200).map(|number| host.send(&wrong(number))).collect();
    assert_eq!(statuses(answers), counts([(401, 60), (429, 140)]));
    assert_eq!(
        host.log.denied().len(),
        60,
        "what is refused before any work fills no log"
    );
    // one that guesses does not learn that a guess was right
    assert_eq!(host.send(&with_token("good")).status, 429);
    let refused = host.send(&with_token("good")).error().1;
    assert!(refused.contains("try again in 1 s"), "{refused}");
    host.turn_into(from("203.0.113.8"));
    assert_eq!(host.send(&with_token("good")).status, 200);
    host.turn_into(from("203.0.113.7"));
    host.time.pass(Duration::from_secs(1));
    assert_eq!(host.send(&with_token("good")).status, 200);
    assert_eq!(host.send(&wrong(0)).status, 401);
    assert_eq!(host.send(&wrong(0)).status, 429);
}

/// Who hangs up while an issuer is asked about a token has it asked all the same.
#[test]
fn credentials_whose_sender_does_not_wait_are_counted() {
    let abandon = |host: &InProcess| {
        let request = host.to_http(&with_token("hangs"));
        let mut call = Box::pin(host.service.call(request, &host.platform));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        polled.is_pending()
    };
    let host = guarded(false).called_by(Principal::anonymous().at([203, 0, 113, 7].into()));
    let asked = (0..200).filter(|_| abandon(&host)).count();
    assert_eq!(asked, 60, "then the answer is there at once");
    assert_eq!(host.send(&with_token("good")).status, 429);
}

/// Whose address is not known has no bucket of its own, and no way around the limit either.
#[test]
fn callers_of_unknown_addresses_are_counted_together() {
    let host = guarded(false);
    let answers = (0..700).map(|number| host.send(&with_token(&format!("wrong-{number}"))));
    assert_eq!(statuses(answers), counts([(401, 600), (429, 100)]));
}

/// Else a stranger could have an issuer asked without end that answers 400 to what it never issued.
#[test]
fn credentials_that_an_issuer_refuses_to_read_are_counted() {
    let host = guarded(false).called_by(Principal::anonymous().at([203, 0, 113, 7].into()));
    let answers = (0..100).map(|number| host.send(&with_token(&format!("strange-{number}"))));
    assert_eq!(statuses(answers), counts([(503, 60), (429, 40)]));
}

#[test]
fn what_is_no_wrong_credential_is_not_counted() {
    let host = guarded(false).called_by(Principal::anonymous().at([203, 0, 113, 7].into()));
    let bare = Request::modern("tools/list", json!({}));
    let answers = (0..100).map(|_| host.send(&bare));
    assert_eq!(statuses(answers), counts([(401, 100)]));
    let down = (0..100).map(|_| host.send(&with_token("down")));
    assert_eq!(
        statuses(down),
        counts([(503, 100)]),
        "not the caller's fault"
    );
    assert_eq!(host.send(&with_token("good")).status, 200);
    let malformed = (0..100).map(|_| host.send(&with_token("")));
    assert_eq!(statuses(malformed), counts([(400, 60), (429, 40)]));
}

#[test]
fn processes_that_share_a_limiter_count_together() {
    let stores = Arc::new(MemoryStores::default());
    let instance = || {
        let limits = RateLimits {
            limiter: Arc::clone(&stores) as _,
            rate: None,
            failure_mode: FailureMode::Open,
        };
        guarded(false)
            .called_by(Principal::anonymous().at("2001:db8::1".parse().unwrap()))
            .on(|platform| platform.with_rate_limits(limits))
    };
    let (one, mut other) = (instance(), instance());
    let wrong = with_token("wrong");
    let answers = (0..40).map(|_| one.send(&wrong));
    assert_eq!(statuses(answers), counts([(401, 40)]));
    other.turn_into(Principal::anonymous().at("2001:db8::2".parse().unwrap()));
    let answers = (0..40).map(|_| other.send(&wrong));
    assert_eq!(statuses(answers), counts([(401, 20), (429, 20)]));
}

#[test]
fn wrong_keys_are_counted_on_every_host_that_has_an_address() {
    let keys = format!("robot:{}:*", mcpfn_auth::hash_key("robot-key"));
    let variables = [("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &keys)];
    let wrong = |number: usize| list("tools/list").header("x-api-key", &format!("wrong-{number}"));
    let expected = |counted: &BTreeMap<u16, usize>| {
        // the clock of a process goes on: one more for each second that this takes
        let refused = counted.get(&401).copied().unwrap_or_default();
        assert!((60..100).contains(&refused), "{counted:?}");
        assert_eq!(counted.get(&429), Some(&(200 - refused)), "{counted:?}");
    };

    let (_process, address) = Process::http_with(&variables);
    let answers = (0..200).map(|number| send(address, &wrong(number)));
    expected(&statuses(answers));

    let proxied = [&variables[..], &[("MCPFN_TRUSTED_PROXIES", "127.0.0.1")]].concat();
    let (_process, address) = Process::http_with(&proxied);
    let from =
        |client: &str, request: Request| send(address, &request.header("x-forwarded-for", client));
    let answers = (0..200).map(|number| from("8.8.8.8, 203.0.113.7", wrong(number)));
    expected(&statuses(answers));
    let right = list("tools/list").header("x-api-key", "robot-key");
    assert_eq!(
        from("203.0.113.8", right).status,
        200,
        "another client of the proxy"
    );

    for front in [Front::Url, Front::Rest] {
        let lambda = Lambda::start_with(mcpfn_it::everything, front, &variables);
        let from = |address: &str, request: Request| {
            let mut event = lambda.event(&request);
            for place in [
                "/requestContext/http/sourceIp",
                "/requestContext/identity/sourceIp",
            ] {
                if let Some(source) = event.pointer_mut(place) {
                    *source = address.into();
                }
            }
            lambda.invoke(event)
        };
        let answers =
            (0..200).map(|number| from(&format!("2001:db8:1:2::{number:x}"), wrong(number)));
        expected(&statuses(answers));
        let right = list("tools/list").header("x-api-key", "robot-key");
        assert_eq!(from("2001:db8:1:3::1", right).status, 200);
    }
}

#[test]
fn a_list_that_nobody_limits_is_answered_at_once() {
    let runs = Runs::default();
    let unlimited = InProcess::new(|| shop(&runs));
    assert_eq!(unlimited.send(&list("tools/list")).status, 200);
    // with a limiter and no rate, too
    assert_eq!(host(&runs).send(&list("tools/list")).status, 200);
}
