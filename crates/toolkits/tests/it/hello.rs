//! The greeting, and toolkits chosen by name.

use mcpfn_core::Server;
use mcpfn_toolkits::hello::{Hello, hello_world};
use mcpfn_toolkits::{Needs, any_needs, defaults, register};
use serde_json::json;

use crate::support::Client;
use crate::wait::wait;

#[test]
fn it_greets() {
    let say = |name: Option<&str>| {
        wait(hello_world(Hello {
            name: name.map(str::to_owned),
        }))
    };
    assert_eq!(say(None), "Hello, world!");
    assert_eq!(say(Some("  ")), "Hello, world!");
    assert_eq!(say(Some("Ada")), "Hello, Ada!");
    assert_eq!(say(Some("A\u{1b}[31m\nda")), "Hello, A[31mda!");
    assert_eq!(say(Some(&"x".repeat(5000))).len(), 108);
    let result = Client::of_shop()
        .ask(
            "tools/call",
            json!({"name": "hello_world", "arguments": {}}),
        )
        .unwrap();
    assert_eq!(result["content"][0]["text"], "Hello, world!");
}

#[test]
fn toolkits_are_chosen_by_name() {
    let counts = |list: &str| {
        register(Server::builder("x", "1"), list, &|_| None)
            .map(|builder| builder.build().unwrap().counts())
    };
    for nothing in ["", " ", ", ,"] {
        let mistakes = counts(nothing).unwrap_err().to_string();
        assert!(mistakes.contains("no name in the list"), "{mistakes}");
    }
    assert_eq!(counts("hello"), Ok((1, 0, 0)));
    assert_eq!(counts(" hello, hello ,catalog,"), Ok((3, 2, 1)));
    assert_eq!(
        counts(&defaults().collect::<Vec<_>>().join(",")),
        Ok((17, 7, 4))
    );
    let mistakes = counts("hello,calendar,weather").unwrap_err();
    let mistakes: Vec<&str> = mistakes.iter().collect();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert!(
        mistakes[0].starts_with(
            "there is no toolkit `calendar`; known are `hello`, `catalog`, \
            `database`, `crm`, `inventory`, `sql`"
        ),
        "{mistakes:?}"
    );
    assert!(
        mistakes[1].starts_with(
            "the toolkit `weather` needs MCPFN_WEATHER_API_KEY: get a key at https://"
        ),
        "{mistakes:?}"
    );
    assert!(
        any_needs(" catalog,hello", Needs::Database)
            && !any_needs("hello,weather", Needs::Database)
    );
}
