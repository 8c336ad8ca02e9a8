//! What models are told before they use tools: true for each set of toolkits and each caller, in
//! both eras.

use std::collections::BTreeSet;

use mcpfn_core::{Principal, Revision, Scopes, Server};
use mcpfn_testing::TestClient;
use mcpfn_toolkits::{names, register};
use serde_json::{Value, json};

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "MCPFN_UPSTREAMS" => "crm=https://127.0.0.1:1/mcp",
        "MCPFN_FILES_WRITABLE" => "on",
        name if name.ends_with("_KEY") || name.ends_with("_TOKEN") => "key",
        _ => return None,
    };
    Some(value.to_owned())
}

/// Toolkits whose lists are known without asking another server.
fn own() -> impl Iterator<Item = &'static str> {
    names().filter(|name| *name != "upstream")
}

fn server(list: &str) -> Server {
    let builder = Server::builder("toolkits", "0.0.0");
    let builder = register(builder, list, &variable).unwrap();
    builder.build().unwrap()
}

fn listed(client: &TestClient) -> BTreeSet<String> {
    let tools = client.list_tools().wait().unwrap();
    tools.into_iter().map(|tool| tool.name).collect()
}

/// What stands between backticks.
fn named(instructions: &str) -> impl Iterator<Item = &str> {
    instructions.split('`').skip(1).step_by(2)
}

/// Callers of a server: everything, nothing, and each of its scopes alone.
fn callers(server: &Server) -> Vec<Option<Scopes>> {
    let scopes = server.all_scopes();
    let alone = scopes.iter().map(|scope| Some(Scopes::parse(scope)));
    let reading = Scopes::parse(&server.reading_scopes().join(" "));
    [
        Some(Scopes::all()),
        Some(Scopes::none()),
        Some(reading),
        None,
    ]
    .into_iter()
    .chain(alone)
    .collect()
}

/// Every toolkit alone, every two, and all of them.
fn sets() -> Vec<String> {
    let mut sets: Vec<String> = own().map(str::to_owned).collect();
    for (at, one) in own().enumerate() {
        sets.extend(own().skip(at + 1).map(|other| format!("{one},{other}")));
    }
    sets.push(own().collect::<Vec<_>>().join(","));
    sets
}

#[test]
fn instructions_name_tools_that_the_caller_sees_and_no_others() {
    let every: BTreeSet<String> = listed(&TestClient::new(server(sets().last().unwrap())));
    let (mut checked, mut told) = (0, BTreeSet::new());
    for set in sets() {
        let server = server(&set);
        for scopes in callers(&server) {
            let principal = match &scopes {
                Some(scopes) => Principal::local().with_scopes(scopes.clone()),
                None => Principal::anonymous(),
            };
            let client = TestClient::new(server.clone()).principal(principal);
            let sees = listed(&client);
            let modern = client.discover().wait().unwrap().instructions;
            let text = modern.clone().unwrap_or_default();
            for name in named(&text) {
                assert!(sees.contains(name), "{set}, {scopes:?}: {name} in {text}");
                told.insert(name.to_owned());
            }
            // also without backticks; `search` is a word of its own
            let hidden = every.difference(&sees).filter(|name| name.contains('_'));
            for name in hidden {
                assert!(
                    !text.contains(name.as_str()),
                    "{set}, {scopes:?}: {name} in {text}"
                );
            }
            assert!(
                !text.is_empty() || sees.len() < server.counts().0,
                "{set}, {scopes:?}: nothing is said to a caller who sees everything"
            );
            let older = client.revision(Revision::V2025_06_18).discover().wait();
            assert_eq!(older.unwrap().instructions, modern, "{set}, {scopes:?}");
            checked += 1;
        }
    }
    assert!(checked > 500, "{checked}");
    // a text on a tool that is misspelled is left out without a word: none is
    let untold: Vec<&String> = every.difference(&told).collect();
    assert_eq!(
        untold,
        [
            "get_crm_report",
            "get_lead_time",
            "get_sales_velocity",
            "move_file",
            "search_customers"
        ]
    );
}

#[test]
fn toolkits_say_how_they_go_together() {
    let lines = |set: &str| {
        let client = TestClient::new(server(set));
        let text = client.discover().wait().unwrap().instructions.unwrap();
        text.lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    for (one, other, both) in [
        ("catalog", "database", "prefer it to `query_table`"),
        ("catalog", "inventory", "`search_products` finds the SKU"),
        (
            "database",
            "sql",
            "`describe_table` before `query_database`",
        ),
        (
            "crm",
            "company",
            "`search_accounts` before `lookup_company`",
        ),
    ] {
        let alone: BTreeSet<_> = lines(one).union(&lines(other)).cloned().collect();
        let together = lines(&format!("{one},{other}"));
        let added: Vec<&String> = together.difference(&alone).collect();
        assert!(added.len() == 1 && added[0].contains(both), "{added:?}");
    }
    let order = lines("database").into_iter().collect::<String>();
    let at = |name: &str| order.find(name).unwrap();
    assert!(at("list_tables") < at("describe_table") && at("describe_table") < at("query_table"));
}

/// Some clients cut instructions after 2 KB.
#[test]
fn all_instructions_together_are_short() {
    let client = TestClient::new(server(sets().last().unwrap()));
    let text = client.discover().wait().unwrap().instructions.unwrap();
    assert!(text.len() < 2048, "{} bytes: {text}", text.len());
}

/// What differs between callers is kept by no cache that callers share.
#[test]
fn only_instructions_for_everybody_are_public() {
    for (set, scope) in [("hello", "public"), ("hello,weather", "private")] {
        for scopes in ["*", ""] {
            let client = TestClient::new(server(set)).scopes(scopes);
            let result: Value = client.request("server/discover", json!({})).wait().unwrap();
            assert_eq!(result["cacheScope"], scope, "{set}, {scopes}");
            assert!(result["ttlMs"].as_u64() > Some(0), "{set}");
        }
    }
}
