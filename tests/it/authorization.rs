//! Everything that the ready server registers, for every kind of caller, compared with a table in
//! `fixtures/authorization`. Not the ways to prove who one is: those are tested in `auth`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use http::HeaderMap;
use mcpfn::{
    Builder, Principal, PrincipalKind, Scopes, Server, handler::BoxFuture, port::Platform,
};
use mcpfn_http::{AuthError, Authenticator, Config};
use mcpfn_toolkits::{names, register};
use serde_json::{Value, json};

use crate::support::in_process::InProcess;
use crate::support::{Host as _, Request};

/// What one thing is to each kind of caller.
type Row = BTreeMap<String, String>;

/// Something that a client can name.
struct Thing {
    /// As the table names it.
    name: String,
    /// Its list and its name there; completions are in none.
    listed: Option<(&'static str, String)>,
    method: &'static str,
    params: Value,
}

/// The ready server with every toolkit but `upstream`: what that one has is other servers' to
/// register, and all of it has the scope of its server (tested with the toolkit).
fn ready() -> Builder {
    let list = names()
        .filter(|name| *name != "upstream")
        .collect::<Vec<_>>()
        .join(",");
    let variable = |name: &str| match name {
        "MCPFN_WEATHER_API_KEY"
        | "MCPFN_COMPANY_API_KEY"
        | "MCPFN_SEARCH_API_KEY"
        | "MCPFN_GITHUB_TOKEN" => Some("key".to_owned()),
        "MCPFN_FILES_WRITABLE" | "MCPFN_KNOWLEDGE_WRITABLE" => Some("1".to_owned()),
        _ => None,
    };
    register(Server::builder("ready", "0.0.0"), &list, &variable).expect("the settings are right")
}

/// Recognises nobody, and makes a server one that asks for a proof.
struct Closed;

impl Authenticator for Closed {
    fn authenticate<'a>(
        &'a self,
        _: &'a HeaderMap,
        _: &'a Platform,
    ) -> BoxFuture<'a, Result<Option<Principal>, AuthError>> {
        Box::pin(async { Ok(None) })
    }
}

fn caller(scopes: Scopes) -> InProcess {
    let principal = Principal::new(PrincipalKind::Jwt, "alice").with_scopes(scopes);
    InProcess::new(ready).called_by(principal)
}

fn anonymous() -> InProcess {
    let mut config = Config::default();
    config.auth.authenticators.push(Arc::new(Closed));
    InProcess::with_config(ready, config).called_by(Principal::anonymous())
}

/// All entries of a list, or none where the list itself is refused.
fn entries(host: &InProcess, member: &str) -> Vec<Value> {
    let method = match member {
        "resourceTemplates" => "resources/templates/list".to_owned(),
        member => format!("{member}/list"),
    };
    let mut entries = Vec::new();
    let mut params = json!({});
    loop {
        let response = host.send(&Request::modern(&method, params));
        if response.status != 200 {
            return Vec::new();
        }
        let result = response.json()["result"].take();
        entries.extend(result[member].as_array().expect("a list").iter().cloned());
        let Some(cursor) = result["nextCursor"].as_str() else {
            return entries;
        };
        params = json!({"cursor": cursor});
    }
}

/// A name or a URI of an entry.
fn text(entry: &Value, member: &str) -> String {
    entry[member].as_str().expect("a text").to_owned()
}

/// The variables of a template, such as `{table}` and `{+path}`.
fn variables(template: &str) -> Vec<&str> {
    let parts = template.split('{').skip(1);
    parts
        .map(|part| {
            part.split('}')
                .next()
                .expect("a part")
                .trim_start_matches('+')
        })
        .collect()
}

/// Everything that a caller who may do everything is shown.
fn registered() -> Vec<Thing> {
    let host = caller(Scopes::all());
    let mut things = Vec::new();
    let completion = |reference: Value, place: &str, argument: &str| Thing {
        name: format!("completion of {argument} of {place}"),
        listed: None,
        method: "completion/complete",
        params: json!({"ref": reference, "argument": {"name": argument, "value": ""}}),
    };
    for entry in entries(&host, "tools") {
        let name = text(&entry, "name");
        things.push(Thing {
            name: format!("tool {name}"),
            params: json!({"name": name, "arguments": {}}),
            listed: Some(("tools", name)),
            method: "tools/call",
        });
    }
    for entry in entries(&host, "resources") {
        let uri = text(&entry, "uri");
        things.push(Thing {
            name: format!("resource {uri}"),
            params: json!({"uri": uri}),
            listed: Some(("resources", uri)),
            method: "resources/read",
        });
    }
    for entry in entries(&host, "resourceTemplates") {
        let template = text(&entry, "uriTemplate");
        let mut uri = template.clone();
        for variable in variables(&template) {
            uri = uri
                .replace(&format!("{{{variable}}}"), "x")
                .replace(&format!("{{+{variable}}}"), "x");
            let reference = json!({"type": "ref/resource", "uri": template});
            things.push(completion(reference, &template, variable));
        }
        things.push(Thing {
            name: format!("template {template}"),
            params: json!({"uri": uri}),
            listed: Some(("resourceTemplates", template)),
            method: "resources/read",
        });
    }
    for entry in entries(&host, "prompts") {
        let name = text(&entry, "name");
        for argument in entry["arguments"].as_array().into_iter().flatten() {
            let reference = json!({"type": "ref/prompt", "name": name});
            things.push(completion(reference, &name, &text(argument, "name")));
        }
        things.push(Thing {
            name: format!("prompt {name}"),
            params: json!({"name": name, "arguments": {}}),
            listed: Some(("prompts", name)),
            method: "prompts/get",
        });
    }
    things
}

/// What a caller is shown of each list.
fn shown(host: &InProcess) -> Vec<(&'static str, String)> {
    let of = |member: &'static str, key: &str| {
        entries(host, member)
            .iter()
            .map(|entry| (member, text(entry, key)))
            .collect::<Vec<_>>()
    };
    [
        of("tools", "name"),
        of("resources", "uri"),
        of("resourceTemplates", "uriTemplate"),
        of("prompts", "name"),
    ]
    .concat()
}

/// `open`, `unknown`, or the status of the refusal and the scope that it names; what is not open is in
/// no list.
fn seen(host: &InProcess, shown: &[(&'static str, String)], thing: &Thing) -> String {
    let response = host.send(&Request::modern(thing.method, thing.params.clone()));
    // to a caller who may not see it a skill is unknown
    let is_skill = thing.params["uri"]
        .as_str()
        .is_some_and(|uri| uri.starts_with("skill://"));
    let unknown = is_skill && response.json().get("error").is_some();
    let open = !matches!(response.status, 401 | 403) && !unknown;
    if let Some(listed) = &thing.listed {
        assert_eq!(
            shown.contains(listed),
            open,
            "{}: the list and the answer {} disagree",
            thing.name,
            response.status
        );
    }
    match response.status {
        403 => {
            let (_, message) = response.error();
            let scope = message
                .split_once("needs the scope ")
                .unwrap_or_else(|| panic!("{}: refused for another reason: {message}", thing.name))
                .1;
            format!("403 {scope}")
        }
        401 => "401".to_owned(),
        _ if unknown => "unknown".to_owned(),
        _ => "open".to_owned(),
    }
}

/// The scope that a caller without scopes is told to get.
fn scope_of(row: &Row) -> Option<&str> {
    row["no scope"].strip_prefix("403 ")
}

fn table() -> BTreeMap<String, Row> {
    let things = registered();
    let mut table: BTreeMap<String, Row> = BTreeMap::new();
    for (column, host) in [
        ("anonymous", anonymous()),
        ("no scope", caller(Scopes::none())),
        ("scope hello", caller(Scopes::parse("hello"))),
        ("*", caller(Scopes::all())),
    ] {
        let shown = shown(&host);
        for thing in &things {
            let row = table.entry(thing.name.clone()).or_default();
            row.insert(column.to_owned(), seen(&host, &shown, thing));
        }
    }
    let scopes: Vec<String> = {
        let mut found: Vec<String> = table
            .values()
            .filter_map(|row| scope_of(row).map(str::to_owned))
            .collect();
        found.sort();
        found.dedup();
        found
    };
    for scope in &scopes {
        let others = scopes.iter().filter(|other| *other != scope).cloned();
        let (right, other) = (
            caller(Scopes::parse(scope)),
            caller(others.collect::<Scopes>()),
        );
        for (column, host) in [("right scope", right), ("every other scope", other)] {
            let shown = shown(&host);
            for thing in &things {
                let row = table.get_mut(&thing.name).expect("every thing has a row");
                if scope_of(row) == Some(scope) {
                    row.insert(column.to_owned(), seen(&host, &shown, thing));
                }
            }
        }
    }
    table
}

#[test]
fn every_thing_is_open_to_the_callers_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/authorization/ready.json");
    let found = table();
    assert!(
        found.len() > 40,
        "only {} things are registered",
        found.len()
    );
    let written = fs::read_to_string(&path).expect("the table");
    let known: BTreeMap<String, Row> = serde_json::from_str(&written).expect("a table");
    assert!(
        found == known,
        "fixtures/authorization/ready.json differs from what the server does, which is:\n{}",
        serde_json::to_string_pretty(&found).expect("a table is JSON")
    );
}

#[test]
fn nothing_outside_hello_is_without_a_scope() {
    let host = caller(Scopes::none());
    let open: Vec<String> = registered()
        .iter()
        .filter(|thing| seen(&host, &shown(&host), thing) == "open")
        .map(|thing| thing.name.clone())
        .collect();
    assert_eq!(
        open,
        [
            "tool hello_world",
            "resource skill://check-connection/SKILL.md"
        ],
        "give each of the others a scope: `#[tool(scope = \"toolkit:read\")]`"
    );
}

/// Whatever a request says beside the name of the thing: what can't be right is found after the
/// scope, or the refusals of a stranger's guesses would tell what the thing takes.
#[test]
fn a_refusal_comes_before_anything_else_of_a_request_is_read() {
    let host = caller(Scopes::none());
    for thing in registered() {
        let sent = |params: &Value| host.send(&Request::modern(thing.method, params.clone()));
        let plain = sent(&thing.params);
        if plain.status != 403 {
            continue;
        }
        let wrong: &[(&str, Value)] = match thing.method {
            "completion/complete" => &[
                (
                    "argument",
                    json!({"name": "no_such_argument", "value": "x"}),
                ),
                ("context", json!({"arguments": {"x": 1}})),
                ("context", json!(5)),
            ],
            "resources/read" => &[],
            _ => &[("arguments", json!({"no_such_argument": [1]}))],
        };
        for (member, value) in wrong {
            let mut params = thing.params.clone();
            params[*member] = value.clone();
            let refusal = sent(&params);
            assert_eq!(
                (refusal.status, refusal.error()),
                (403, plain.error()),
                "{} with {member} {value}",
                thing.name
            );
        }
    }
}

/// What was open before: rows of people by the names of their tables.
#[test]
fn the_scope_hello_reads_no_table() {
    let host = caller(Scopes::parse("hello"));
    let template = json!({"type": "ref/resource", "uri": "database://table/{table}"});
    for (method, params) in [
        (
            "tools/call",
            json!({"name": "list_tables", "arguments": {}}),
        ),
        (
            "tools/call",
            json!({"name": "describe_table", "arguments": {"name": "customers"}}),
        ),
        (
            "tools/call",
            json!({"name": "query_table", "arguments": {"table": "customers"}}),
        ),
        (
            "resources/read",
            json!({"uri": "database://table/customers"}),
        ),
        (
            "completion/complete",
            json!({"ref": template, "argument": {"name": "table", "value": "cu"}}),
        ),
    ] {
        let response = host.send(&Request::modern(method, params));
        let (_, message) = response.error();
        assert_eq!(response.status, 403, "{method}: {message}");
        assert!(
            message.contains("needs the scope database:read"),
            "{message}"
        );
    }
    let own = "skill://check-connection/SKILL.md";
    assert_eq!(
        shown(&host),
        [
            ("tools", "hello_world".to_owned()),
            ("resources", own.to_owned())
        ]
    );
}
