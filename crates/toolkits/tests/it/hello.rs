//! The greeting, and toolkits chosen by name.

use mcpfn_core::Server;
use mcpfn_toolkits::hello::{Hello, hello_world};
use mcpfn_toolkits::{names, register};
use serde_json::json;

use crate::support::Client;
use crate::wait::wait;

#[test]
fn it_greets() {
    let say = |name: Option<&str>| wait(hello_world(Hello { name: name.map(str::to_owned) }));
    assert_eq!(say(None), "Hello, world!");
    assert_eq!(say(Some("  ")), "Hello, world!");
    assert_eq!(say(Some("Ada")), "Hello, Ada!");
    assert_eq!(say(Some("A\u{1b}[31m\nda")), "Hello, A[31mda!");
    assert_eq!(say(Some(&"x".repeat(5000))).len(), 108);
    let result = Client::of_shop().ask("tools/call", json!({"name": "hello_world", "arguments": {}})).unwrap();
    assert_eq!(result["content"][0]["text"], "Hello, world!");
}

#[test]
fn toolkits_are_chosen_by_name() {
    let counts = |list: &str| register(Server::builder("x", "1"), list).map(|builder| builder.build().unwrap().counts());
    assert_eq!(counts(""), Ok((0, 0, 0)));
    assert_eq!(counts("hello"), Ok((1, 0, 0)));
    assert_eq!(counts(" hello, hello ,catalog,"), Ok((3, 2, 1)));
    assert_eq!(counts(&names().collect::<Vec<_>>().join(",")), Ok((6, 3, 1)));
    assert_eq!(
        counts("hello,calendar").unwrap_err().to_string(),
        "there is no toolkit `calendar`; known are `hello`, `catalog`, `database`"
    );
}
