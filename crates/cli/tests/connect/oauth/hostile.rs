//! Servers and issuers that mean harm: what they name is not opened, not asked, and gets no code.

use crate::bridge::Bridge;
use crate::oauth::issuer::{Faults, Issuer};
use crate::oauth::{Home, bridge, browse};
use crate::{call, text};

/// The message of the refusal.
fn refusal(bridge: &mut Bridge) -> String {
    let answer = bridge.next();
    let message = answer["error"]["message"].as_str();
    message.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[test]
fn no_browser_is_opened_for_what_a_hostile_issuer_names() {
    let page = "authorization_endpoint";
    for (member, value, named) in [
        (page, "http://example.com/authorize", "everybody on the way"),
        (page, "file:///etc/passwd", "can't be asked"),
        (page, "javascript:alert(1)", "can't be asked"),
        (page, "OWN/authorize#", "fragment"),
        (
            page,
            "OWN/authorize?redirect_uri=https://evil.example",
            "parameters of ours",
        ),
        (page, "OWN/authorize?%73tate=1", "parameters of ours"),
        (page, "https://a.example/\u{1b}[2J\u{9b}", "percent-encoded"),
        (page, "https://a:b@a.example/", "password"),
        (page, "null", "no authorization_endpoint"),
        (
            "token_endpoint",
            "http://example.com/token",
            "everybody on the way",
        ),
        (
            "registration_endpoint",
            "ftp://127.0.0.1/",
            "can't be asked",
        ),
        ("issuer", "OWN/", "another issuer"),
        ("code_challenge_methods_supported", "[\"plain\"]", "PKCE"),
    ] {
        let faults = Faults {
            document: Some((member, value)),
            ..Faults::default()
        };
        let (issuer, home) = (Issuer::start(faults), Home::new());
        let mut bridge = bridge(&issuer, &home, &[]);
        bridge.send(&call(1, "greet"));
        let message = refusal(&mut bridge);
        assert!(message.contains(named), "{member} {value}: {message}");
        let hidden = |c: char| c.is_control();
        assert!(!message.contains(hidden), "{message:?}");
        assert_eq!(
            issuer.asked("/register") + issuer.asked("/token"),
            0,
            "{value}"
        );
    }
}

#[test]
fn a_page_of_another_issuer_is_opened_on_the_persons_word_only() {
    let faults = || Faults {
        document: Some(("authorization_response_iss_parameter_supported", "false")),
        ..Faults::default()
    };
    // another host than that of the issuer's name
    let (issuer, home) = (Issuer::start(faults()), Home::new());
    let own = format!("http://127.0.0.1:{}", issuer.port);
    issuer.move_page(&format!("http://localhost:{}/authorize", issuer.port));
    let mut careful = bridge(&issuer, &home, &[]);
    careful.send(&call(1, "greet"));
    let message = refusal(&mut careful);
    assert!(message.contains(&format!("--issuer {own}")), "{message}");
    let mut told = bridge(&issuer, &home, &["--issuer", &own]);
    told.send(&call(1, "greet"));
    browse(&told.address());
    assert_eq!(text(&told.next()), "Hello!");
    let mut other = bridge(
        &issuer,
        &Home::new(),
        &["--issuer", "https://id.example.com"],
    );
    other.send(&call(1, "greet"));
    assert!(refusal(&mut other).contains("does not name the issuer"));
}

#[test]
fn an_error_page_is_no_document_whatever_is_in_it() {
    for status in [302, 404, 500] {
        let faults = Faults {
            status: Some(status),
            ..Faults::default()
        };
        let (issuer, home) = (Issuer::start(faults), Home::new());
        let mut bridge = bridge(&issuer, &home, &[]);
        bridge.send(&call(1, "greet"));
        let message = refusal(&mut bridge);
        assert!(
            message.contains("names no authorization server"),
            "{message}"
        );
    }
}

#[test]
fn a_browser_that_comes_with_another_state_brings_nothing() {
    let (issuer, home) = (Issuer::start(Faults::default()), Home::new());
    let mut bridge = bridge(&issuer, &home, &[]);
    bridge.send(&call(1, "greet"));
    let address = bridge.address();
    let (_, query) = address.split_once('?').expect("parameters");
    let (_, back) = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "redirect_uri")
        .expect("where it goes back to");
    for forged in [
        "code=evil",
        "code=evil&state=x",
        "error=denied&state=",
        "state=x&code=evil",
    ] {
        let page = super::get(&format!("{back}?{forged}"));
        assert!(page.starts_with("HTTP/1.1 404"), "{page}");
    }
    assert_eq!(issuer.asked("/token"), 0);
    browse(&address);
    assert_eq!(text(&bridge.next()), "Hello!");
}
