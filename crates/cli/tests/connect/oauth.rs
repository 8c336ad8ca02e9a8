//! Sign-in by OAuth: a server that wants tokens, its issuer, which checks what it is sent, and a
//! browser that follows where it is sent.

mod hostile;
mod issuer;
mod shared;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::bridge::Bridge;
use crate::{call, text};
use issuer::{Faults, Issuer};

struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static HOMES: AtomicUsize = AtomicUsize::new(0);
        let number = HOMES.fetch_add(1, Ordering::SeqCst);
        let name = format!("mcpfn-sign-in-{}-{number}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn files(&self) -> Vec<PathBuf> {
        let folder = std::fs::read_dir(self.0.join("mcpfn/sign-ins"));
        let entries = folder.into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        // beside each is a lock
        let is_kept = |path: &PathBuf| path.extension().is_some_and(|it| it == "json");
        paths.filter(is_kept).collect()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn bridge(issuer: &Issuer, home: &Home, arguments: &[&str]) -> Bridge {
    Bridge::with(issuer.port, |command| {
        command
            .args(arguments)
            .env("XDG_CONFIG_HOME", &home.0)
            // started, and does nothing
            .env("BROWSER", "true");
    })
}

/// Asks as a browser does, and follows one redirect.
fn browse(address: &str) -> String {
    let answer = get(address);
    let place = answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "));
    place.map_or(answer.clone(), get)
}

fn get(address: &str) -> String {
    let rest = address
        .strip_prefix("http://")
        .expect("an address of loopback");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(host).expect("somebody listens");
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {host}\r\n\r\n").expect("it hears");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// Calls, and signs in when the bridge says where.
fn sign_in(bridge: &mut Bridge, id: u64) -> (Value, String) {
    bridge.send(&call(id, "greet"));
    let page = browse(&bridge.address());
    (bridge.next(), page)
}

#[test]
fn a_person_signs_in_once_and_the_tokens_are_kept() {
    let (issuer, home) = (Issuer::start(Faults::default()), Home::new());
    let mut first = bridge(&issuer, &home, &[]);
    let (answer, page) = sign_in(&mut first, 1);
    assert_eq!(text(&answer), "Hello!", "{answer}");
    assert!(page.contains("You are signed in"), "{page}");
    first.end();
    // the next program has them
    let mut second = bridge(&issuer, &home, &[]);
    second.send(&call(2, "greet"));
    assert_eq!(text(&second.next()), "Hello!");
    assert_eq!(issuer.asked("/authorize"), 1);
    assert_eq!(issuer.asked("/register"), 1);
    let files = home.files();
    assert_eq!(files.len(), 1, "{files:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(&files[0]).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // and what others could read is not believed
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(&files[0], open).unwrap();
        let mut third = bridge(&issuer, &home, &[]);
        assert_eq!(text(&sign_in(&mut third, 3).0), "Hello!");
        assert_eq!(issuer.asked("/authorize"), 2);
    }
}

/// A page that says what is so is the last thing that a person sees.
#[test]
fn the_page_says_how_the_sign_in_ended_and_not_before() {
    let denied = Faults {
        denied: true,
        ..Faults::default()
    };
    let no_tokens = Faults {
        no_tokens: true,
        ..Faults::default()
    };
    for (faults, why) in [(denied, "access_denied"), (no_tokens, "invalid_grant")] {
        let (issuer, home) = (Issuer::start(faults), Home::new());
        let mut bridge = bridge(&issuer, &home, &[]);
        let (answer, page) = sign_in(&mut bridge, 1);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(why), "{answer}");
        assert!(
            page.starts_with("HTTP/1.1 400") && page.contains("failed"),
            "{page}"
        );
        assert!(!page.contains("signed in"), "{page}");
        assert_eq!(home.files().len(), 0, "nothing is kept");
    }
}

#[test]
fn a_token_that_ended_is_renewed_without_the_person() {
    let (issuer, home) = (Issuer::start(Faults::default()), Home::new());
    let mut bridge = bridge(&issuer, &home, &[]);
    sign_in(&mut bridge, 1);
    issuer.end_tokens();
    bridge.send(&call(2, "greet"));
    assert_eq!(text(&bridge.next()), "Hello!");
    assert_eq!((issuer.asked("/authorize"), issuer.asked("/token")), (1, 2));
    // and asked for again where that is over as well
    issuer.end_sign_ins();
    assert_eq!(text(&sign_in(&mut bridge, 3).0), "Hello!");
    assert_eq!(issuer.asked("/authorize"), 2);
}

#[test]
fn more_scopes_are_asked_for_beside_those_that_there_are() {
    let (issuer, home) = (Issuer::start(Faults::default()), Home::new());
    let mut bridge = bridge(&issuer, &home, &[]);
    sign_in(&mut bridge, 1);
    bridge.send(&call(2, "write"));
    browse(&bridge.address());
    assert_eq!(text(&bridge.next()), "Hello!");
    assert_eq!(issuer.scopes(), ["read", "read write"]);
}

#[test]
fn a_client_that_was_made_by_hand_is_used() {
    let faults = Faults {
        no_registration: true,
        ..Faults::default()
    };
    let (issuer, home) = (Issuer::start(faults), Home::new());
    let mut bridge = bridge(&issuer, &home, &["--client-id", "by-hand"]);
    assert_eq!(text(&sign_in(&mut bridge, 1).0), "Hello!");
    assert_eq!(issuer.asked("/register"), 0);
}

#[test]
fn what_is_wrong_with_a_sign_in_is_said_and_no_token_is_taken() {
    let none = Faults::default;
    for (faults, named) in [
        (
            Faults {
                no_registration: true,
                ..none()
            },
            "--client-id",
        ),
        (
            Faults {
                no_pkce: true,
                ..none()
            },
            "PKCE",
        ),
        (
            Faults {
                resource: Some("http://127.0.0.1:1/mcp"),
                ..none()
            },
            "is about",
        ),
        (
            Faults {
                issuer: Some("http://127.0.0.1:1"),
                ..none()
            },
            "another issuer",
        ),
        (
            Faults {
                elsewhere: true,
                ..none()
            },
            "another origin",
        ),
        (
            Faults {
                iss: Some("http://127.0.0.1:1"),
                ..none()
            },
            "came back from another issuer",
        ),
        (
            Faults {
                denied: true,
                ..none()
            },
            "access_denied",
        ),
    ] {
        let browses = faults.iss.is_some() || faults.denied;
        let (issuer, home) = (Issuer::start(faults), Home::new());
        let mut bridge = bridge(&issuer, &home, &[]);
        bridge.send(&call(1, "greet"));
        if browses {
            browse(&bridge.address());
        }
        let answer = bridge.next();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(named), "{named}: {answer}");
        assert_eq!(issuer.asked("/token"), 0, "{named}");
        assert!(home.files().is_empty(), "{named}");
    }
    let (issuer, home) = (Issuer::start(none()), Home::new());
    let mut bridge = bridge(&issuer, &home, &["--no-sign-in"]);
    bridge.send(&call(1, "greet"));
    assert!(
        bridge.next()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("401")
    );
}
