//! Scopes: what a caller sees in lists, what it may call, and what it is told otherwise.

use mcpfn::prelude::*;
use mcpfn::{Principal, PrincipalKind, Scopes};
use mcpfn_http::Config;
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::{Host as _, Request};

fn tool(name: &str) -> Tool {
    Tool::new(name)
        .description("Says its name.")
        .handler(|_: NoArguments| async { "said" })
}

/// Saves a customer.
#[tool(scope = "crm:write")]
async fn save() -> &'static str {
    "said"
}

fn crm() -> Builder {
    #[input]
    struct Week {
        /// Which.
        week: Size,
    }
    #[derive(serde::Deserialize, JsonSchema)]
    enum Size {
        First,
        Last,
    }
    Server::builder("crm", "1.0.0")
        .page_size(1)
        .tool(tool("open"))
        .tool(tool("read").scope("crm:read"))
        .tool(save)
        .tool(tool("both").scope("crm:read").scope("mail:send"))
        .prompt(
            Prompt::new("summary")
                .description("Sums up.")
                .scope("crm:read")
                .handler(|week: Week| async move {
                    match week.week {
                        Size::First => "first",
                        Size::Last => "last",
                    }
                }),
        )
        .resource(
            Resource::new("crm://handbook", "handbook")
                .description("The book.")
                .scope("crm:read")
                .handler(|_: Cx| async { "book" }),
        )
        .resource(
            Resource::new("crm://about", "about")
                .description("About.")
                .public()
                .handler(|_: Cx| async { "about" }),
        )
}

fn host(scopes: &str) -> InProcess {
    let caller = Principal::new(PrincipalKind::Jwt, "user-1").with_scopes(Scopes::parse(scopes));
    InProcess::with_config(crm, Config::default()).called_by(caller)
}

/// The names of a whole list, page by page, and the scope that caches are told.
fn listed(host: &InProcess, method: &str, member: &str) -> (Vec<String>, String) {
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let params = cursor
            .as_ref()
            .map_or_else(|| json!({}), |cursor: &Value| json!({ "cursor": cursor }));
        let result = host.send(&Request::modern(method, params)).json()["result"].take();
        names.extend(
            result[member]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| entry["name"].as_str().unwrap().to_owned()),
        );
        match result.get("nextCursor") {
            Some(next) => cursor = Some(next.clone()),
            None => return (names, result["cacheScope"].as_str().unwrap().to_owned()),
        }
    }
}

#[test]
fn a_caller_sees_what_it_may_call() {
    for (scopes, tools) in [
        ("", vec!["open"]),
        ("crm:read", vec!["open", "read"]),
        ("crm:write", vec!["open", "save"]),
        ("crm", vec!["open", "read", "save"]),
        ("crm:read mail", vec!["open", "read", "both"]),
        ("*", vec!["open", "read", "save", "both"]),
    ] {
        let host = host(scopes);
        assert_eq!(
            listed(&host, "tools/list", "tools"),
            (
                tools.iter().map(ToString::to_string).collect(),
                "private".to_owned()
            ),
            "{scopes}"
        );
        let reads = scopes.contains("crm:read") || matches!(scopes, "crm" | "*");
        assert_eq!(
            listed(&host, "prompts/list", "prompts").0,
            if reads { vec!["summary"] } else { vec![] },
            "{scopes}"
        );
        let resources = if reads {
            vec!["handbook", "about"]
        } else {
            vec!["about"]
        };
        assert_eq!(
            listed(&host, "resources/list", "resources").0,
            resources,
            "{scopes}"
        );
    }
}

#[test]
fn a_cursor_of_another_callers_list_is_refused() {
    let broad = host("*")
        .send(&Request::modern("tools/list", json!({})))
        .json()["result"]["nextCursor"]
        .take();
    let refused = host("crm:read").send(&Request::modern("tools/list", json!({ "cursor": broad })));
    assert_eq!(refused.error().0, -32602);
}

#[test]
fn a_call_without_its_scopes_is_403_and_names_all_of_them() {
    let host = host("catalog:read");
    for revision in ["2026-07-28", "2025-06-18", "2025-03-26"] {
        let call =
            json!({"id": 1, "method": "tools/call", "params": {"name": "both", "arguments": {}}});
        let refused = host.send(&Request::from_client(revision, call));
        assert_eq!(
            (refused.status, refused.error().0),
            (403, 403),
            "{revision}"
        );
        assert_eq!(
            refused.error().1,
            "`both` needs the scopes crm:read and mail:send"
        );
        let data = json!({"requiredScopes": ["crm:read", "mail:send"], "realm": "crm", "scope": "crm:read mail:send", "error": "insufficient_scope"});
        assert_eq!(refused.json()["error"]["data"], data);
        assert_eq!(
            refused.header("www-authenticate"),
            Some(r#"Bearer realm="crm", scope="crm:read mail:send", error="insufficient_scope""#)
        );
    }
    assert_eq!(
        host.log.calls(),
        [
            "both forbidden off",
            "both forbidden off",
            "both forbidden off"
        ]
    );
}

#[test]
fn prompts_resources_and_completions_need_their_scopes_too() {
    let asks = [
        (
            "prompts/get",
            json!({"name": "summary", "arguments": {"week": "First"}}),
        ),
        ("resources/read", json!({"uri": "crm://handbook"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "summary"}, "argument": {"name": "week", "value": ""}}),
        ),
        ("tools/call", json!({"name": "save"})),
    ];
    for (method, params) in asks {
        let request = Request::modern(method, params);
        assert_eq!(host("crm:other").send(&request).status, 403, "{method}");
        assert_eq!(host("crm").send(&request).status, 200, "{method}");
    }
    assert_eq!(
        host("")
            .send(&Request::modern(
                "resources/read",
                json!({"uri": "crm://about"})
            ))
            .status,
        200
    );
}

#[test]
fn scopes_that_are_none_are_mistakes() {
    let wrong = ["", "a b", "*", "crm:"];
    let server = wrong
        .iter()
        .enumerate()
        .fold(Server::builder("crm", "1"), |server, (n, scope)| {
            server.tool(tool(&format!("t{n}")).scope(*scope))
        });
    let both = Resource::new("crm://x", "x")
        .description("X.")
        .public()
        .scope("crm")
        .handler(|_: Cx| async { "x" });
    let error = server.resource(both).build().unwrap_err();
    assert_eq!(error.mistakes.len(), wrong.len() + 1, "{error}");
}
