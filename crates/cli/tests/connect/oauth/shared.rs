//! Several programs that share a sign-in: a person is asked once, and no refresh token is used twice.

use crate::oauth::issuer::{Faults, Issuer};
use crate::oauth::{Home, bridge, browse, sign_in};
use crate::{call, text};

#[test]
fn programs_that_share_a_sign_in_ask_once_and_renew_in_turns() {
    let (issuer, home) = (Issuer::start(Faults::default()), Home::new());
    let mut first = bridge(&issuer, &home, &[]);
    let mut second = bridge(&issuer, &home, &[]);
    first.send(&call(1, "greet"));
    let address = first.address();
    // it is refused as the first was, while the person is at the browser
    second.send(&call(1, "greet"));
    issuer.wait_for("/mcp", 2);
    browse(&address);
    for bridge in [&mut first, &mut second] {
        let answer = bridge.next();
        assert_eq!(text(&answer), "Hello!", "{answer}");
    }
    for round in 2..8 {
        issuer.end_tokens();
        first.send(&call(round, "greet"));
        second.send(&call(round, "greet"));
        for bridge in [&mut first, &mut second] {
            let answer = bridge.next();
            assert_eq!(text(&answer), "Hello!", "round {round}: {answer}");
        }
    }
    assert_eq!(issuer.asked("/authorize"), 1);
    assert!(!issuer.saw_one_twice());
    // one of each round, and the first
    assert_eq!(issuer.asked("/token"), 7);
    assert_eq!(home.files().len(), 1);
}

#[test]
fn a_program_that_was_killed_at_its_sign_in_keeps_nobody_waiting() {
    let (issuer, home) = (Issuer::start(Faults::default()), Home::new());
    let mut first = bridge(&issuer, &home, &[]);
    first.send(&call(1, "greet"));
    first.address();
    let mut second = bridge(&issuer, &home, &[]);
    second.send(&call(1, "greet"));
    issuer.wait_for("/mcp", 2);
    drop(first);
    browse(&second.address());
    assert_eq!(text(&second.next()), "Hello!");
}

#[test]
fn one_sign_in_answers_all_that_wait_and_so_does_its_failure() {
    for denied in [false, true] {
        let faults = Faults {
            denied,
            ..Faults::default()
        };
        let (issuer, home) = (Issuer::start(faults), Home::new());
        let mut bridge = bridge(&issuer, &home, &[]);
        for id in 1..=4 {
            bridge.send(&call(id, "greet"));
        }
        issuer.wait_for("/mcp", 4);
        browse(&bridge.address());
        for _ in 1..=4 {
            let answer = bridge.next();
            let message = answer["error"]["message"].as_str().unwrap_or_default();
            assert_eq!(message.contains("access_denied"), denied, "{answer}");
            assert_eq!(text(&answer) == "Hello!", !denied, "{answer}");
        }
        assert_eq!(issuer.asked("/authorize"), 1);
    }
}

#[test]
fn a_server_that_refuses_a_new_token_opens_no_second_browser() {
    let faults = Faults {
        deaf: true,
        ..Faults::default()
    };
    let (issuer, home) = (Issuer::start(faults), Home::new());
    let mut bridge = bridge(&issuer, &home, &[]);
    issuer.renew_nothing();
    for id in 1..=2 {
        let answer = if id == 1 {
            sign_in(&mut bridge, id).0
        } else {
            bridge.send(&call(id, "greet"));
            bridge.next()
        };
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("was just made for it"), "{answer}");
    }
    assert_eq!(issuer.asked("/authorize"), 1);
}
