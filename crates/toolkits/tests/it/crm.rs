//! The CRM over the demo shop: what is found, what is refused, and the one thing that is written.

use std::sync::Arc;

use mcpfn_core::{Principal, PrincipalKind, Scopes, handler::BoxFuture};
use mcpfn_ports::{Dialect, Rows, Sql, SqlError, SqlValue};
use mcpfn_toolkits::crm::{
    AccountId, ActivityKind, ActivityLog, CustomerQuery, OpportunityQuery, create_activity_log,
    get_account_timeline, get_open_opportunities, search_customers,
};
use serde_json::{Value, json};

use crate::support::{Client, hostile, unchecked};
use crate::wait::wait;

/// The tools that only read, with arguments that find something.
fn reads() -> [(&'static str, Value); 4] {
    [
        ("search_customers", json!({"query": "lindqvist"})),
        ("search_accounts", json!({"query": "hotels"})),
        ("get_account_timeline", json!({"account_id": "ACC-1001"})),
        ("get_open_opportunities", json!({})),
    ]
}

fn texts<'a>(found: &'a Value, list: &str, name: &str) -> Vec<&'a str> {
    found[list]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row[name].as_str().unwrap())
        .collect()
}

#[test]
fn people_are_found_by_name_mail_and_city() {
    let client = Client::of_shop();
    let search = |query: &str| {
        client
            .call("search_customers", json!({"query": query, "limit": 10}))
            .unwrap()
    };
    for (query, member, expected) in [
        ("lindqvist", "name", "Lindqvist"),
        ("LINDQVIST", "name", "Lindqvist"),
        ("stockholm", "city", "Stockholm"),
    ] {
        let found = search(query);
        let values = texts(&found, "customers", member);
        assert!(
            !values.is_empty() && values.iter().all(|value| value.contains(expected)),
            "{query}: {values:?}"
        );
        assert!(found["total"].as_u64().unwrap() >= values.len() as u64);
    }
    let two = search("lindqvist stockholm");
    assert!(
        two["total"].as_u64() <= search("lindqvist")["total"].as_u64(),
        "every word has to be there"
    );
    let one = search("garcia");
    let garcia = &one["customers"][0];
    assert!(
        garcia["orders"].as_i64().is_some() && garcia["spent"].as_f64().is_some(),
        "{one}"
    );
}

#[test]
fn no_match_is_a_sentence() {
    let client = Client::of_shop();
    let found = client
        .call("search_customers", json!({"query": "zyzzyva"}))
        .unwrap();
    let note = "No customer matches 'zyzzyva'. Try one word, or a part of the name; \
        `search_accounts` searches the others.";
    assert_eq!(found, json!({"customers": [], "total": 0, "note": note}));
    let found = client
        .call("search_accounts", json!({"query": "zyzzyva"}))
        .unwrap();
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .starts_with("No account matches 'zyzzyva'."),
        "{found}"
    );
    for (tool, arguments) in [
        ("get_account_timeline", json!({"account_id": "ACC-9"})),
        ("get_open_opportunities", json!({"account_id": "ACC-9"})),
    ] {
        let refused = client.call(tool, arguments).unwrap_err();
        assert_eq!(
            refused,
            "There is no account 'ACC-9'. Use `search_accounts` to find accounts and their ids.",
            "{tool}"
        );
    }
}

#[test]
fn companies_lead_to_their_history_and_their_opportunities() {
    let client = Client::of_shop();
    let found = client
        .call("search_accounts", json!({"query": "hotels", "limit": 10}))
        .unwrap();
    assert!(
        texts(&found, "accounts", "name")
            .iter()
            .all(|name| name.ends_with(" Hotels")),
        "{found}"
    );
    let mut events = 0;
    for id in texts(&found, "accounts", "id") {
        let timeline = client
            .call(
                "get_account_timeline",
                json!({"account_id": id.to_lowercase(), "limit": 50}),
            )
            .unwrap();
        assert_eq!(timeline["account_id"], id);
        assert!(!timeline["contacts"].as_array().unwrap().is_empty());
        let moments = texts(&timeline, "events", "at");
        assert!(moments.is_sorted_by(|a, b| a >= b), "{moments:?}");
        events += moments.len();
        let open = client
            .call("get_open_opportunities", json!({"account_id": id}))
            .unwrap();
        assert!(
            open["opportunities"]
                .as_array()
                .unwrap()
                .iter()
                .all(|one| one["account_id"] == id),
            "{open}"
        );
    }
    assert!(events > 30, "{events}");
    let all = client
        .call("get_open_opportunities", json!({"limit": 50}))
        .unwrap();
    let amounts: Vec<f64> = all["opportunities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["amount"].as_f64().unwrap())
        .collect();
    assert!(
        amounts.is_sorted_by(|a, b| a >= b) && amounts.len() == 50,
        "{amounts:?}"
    );
    assert!(
        all["total"].as_i64().unwrap() > 50
            && all["total_amount"].as_f64().unwrap() > amounts.iter().sum()
    );
    assert!(
        all["note"]
            .as_str()
            .unwrap()
            .starts_with("The largest 50 of "),
        "{all}"
    );
}

#[test]
fn bounds_hold_in_the_handlers_too() {
    let client = Client::of_shop();
    for limit in [json!(0), json!(11), json!("5"), json!(-1)] {
        assert!(
            client
                .call(
                    "search_customers",
                    json!({"query": "garcia", "limit": limit})
                )
                .is_err(),
            "{limit}"
        );
    }
    for (query, limit, expected) in [
        ("garcia".to_owned(), 11, "`limit` must be from 1 to 10."),
        ("garcia".to_owned(), 0, "`limit` must be from 1 to 10."),
        ("g".to_owned(), 5, "`query` must have 2 to 200 characters."),
        (
            "  g  ".to_owned(),
            5,
            "`query` must have 2 to 200 characters.",
        ),
        ("g".repeat(201), 5, "`query` must have 2 to 200 characters."),
    ] {
        let refused = unchecked(move |cx| {
            let query = query.clone();
            async move { search_customers(CustomerQuery { query, limit }, &cx).await }
        });
        assert_eq!(refused.unwrap_err(), expected);
    }
    let limit = u32::MAX;
    let refused = unchecked(move |cx| async move {
        get_account_timeline(
            AccountId {
                account_id: "ACC-1001".to_owned(),
                limit,
            },
            &cx,
        )
        .await
    });
    assert_eq!(refused.unwrap_err(), "`limit` must be from 1 to 50.");
    let refused = unchecked(move |cx| async move {
        get_open_opportunities(
            OpportunityQuery {
                account_id: None,
                limit,
            },
            &cx,
        )
        .await
    });
    assert_eq!(refused.unwrap_err(), "`limit` must be from 1 to 50.");
    for note in ["  ".to_owned(), "x".repeat(2001)] {
        let refused = unchecked(move |cx| {
            let log = ActivityLog {
                account_id: "ACC-1001".to_owned(),
                kind: ActivityKind::Note,
                note: note.clone(),
                idempotency_key: None,
            };
            async move { create_activity_log(log, &cx).await }
        });
        assert!(
            refused
                .unwrap_err()
                .starts_with("`note` must have 1 to 2000 characters")
        );
    }
}

#[test]
fn hostile_text_finds_nothing_and_breaks_nothing() {
    let client = Client::of_shop();
    for text in hostile() {
        for (tool, argument) in [
            ("search_customers", "query"),
            ("search_accounts", "query"),
            ("get_account_timeline", "account_id"),
            ("get_open_opportunities", "account_id"),
        ] {
            let mut arguments = json!({});
            arguments[argument] = json!(text);
            if let Err(refused) = client.call(tool, arguments) {
                assert!(
                    !refused.contains(['\u{1b}', '\u{202e}', '\0'])
                        && !refused.contains("error id"),
                    "{tool} {text:?}: {refused:?}"
                );
            }
        }
    }
    assert_eq!(client.logged(), [""; 0], "nothing failed inside");
}

#[test]
fn an_entry_is_written_once_and_found_again() {
    let client = Client::of_new_shop();
    let before = client
        .call(
            "get_account_timeline",
            json!({"account_id": "ACC-1003", "limit": 50}),
        )
        .unwrap();
    let note = "They said: 'yes', \"now\"; DROP TABLE activities; -- ½";
    let log =
        json!({"account_id": "acc-1003", "kind": "call", "note": note, "idempotency_key": "log-1"});
    let written = client.call("create_activity_log", log.clone()).unwrap();
    assert_eq!(
        (&written["account_id"], &written["at"]),
        (&json!("ACC-1003"), &json!("2026-10-26T07:33:20Z"))
    );
    assert_eq!(
        client.call("create_activity_log", log).unwrap(),
        written,
        "the same key is the same entry"
    );
    let after = client
        .call(
            "get_account_timeline",
            json!({"account_id": "ACC-1003", "limit": 50}),
        )
        .unwrap();
    let count = |timeline: &Value| timeline["events"].as_array().unwrap().len();
    assert_eq!(count(&after), count(&before) + 1);
    assert!(
        after["events"]
            .as_array()
            .unwrap()
            .contains(&json!({"at": "2026-10-26T07:33:20Z", "kind": "call", "text": note})),
        "{after}"
    );
    let refused = client
        .call(
            "create_activity_log",
            json!({"account_id": "ACC-9", "kind": "call", "note": "x"}),
        )
        .unwrap_err();
    assert!(
        refused.starts_with("There is no account 'ACC-9'."),
        "{refused}"
    );
    assert!(
        client
            .call(
                "create_activity_log",
                json!({"account_id": "ACC-1003", "kind": "fax", "note": "x"})
            )
            .is_err()
    );
}

#[test]
fn a_database_for_reading_only_is_said_to_be_one() {
    let client = Client::of_shop();
    let refused = client
        .call(
            "create_activity_log",
            json!({"account_id": "ACC-1003", "kind": "call", "note": "x"}),
        )
        .unwrap_err();
    assert!(
        refused
            .starts_with("Nothing was written: this server's database is open for reading only."),
        "{refused}"
    );
    assert_eq!(client.logged().len(), 1);
}

#[test]
fn scopes_decide_who_reads_and_who_writes() {
    let log = json!({"name": "create_activity_log", "arguments": {"account_id": "ACC-1003", "kind": "call", "note": "x"}});
    let read = json!({"name": "search_customers", "arguments": {"query": "garcia"}});
    let with = |scopes: &str| {
        Client::of_shop()
            .called_by(Principal::new(PrincipalKind::Jwt, "ada").with_scopes(Scopes::parse(scopes)))
    };
    let reader = with("crm:read");
    assert!(reader.ask("tools/call", read.clone()).is_ok());
    assert!(reader.ask("tools/call", log).is_err());
    let listed = reader.ask("tools/list", json!({})).unwrap().to_string();
    let is_listed = |name: &str| listed.contains(&format!("\"name\":\"{name}\""));
    assert!(
        is_listed("get_account_timeline")
            && !is_listed("create_activity_log")
            && !is_listed("get_stock_levels")
    );
    let stranger = with("catalog:read");
    assert!(stranger.ask("tools/call", read).is_err());
    assert!(stranger.read("company://handbook").is_err());
}

#[test]
fn the_handbook_and_the_prompts_are_there() {
    let client = Client::of_shop();
    let handbook = client.read("company://handbook").unwrap();
    assert!(
        handbook.starts_with("# Handbook\n\n## Who we are\n")
            && handbook.contains("## New customers"),
        "{handbook}"
    );
    let prompt = |name: &str, arguments: Value| {
        let prompt = client
            .ask("prompts/get", json!({"name": name, "arguments": arguments}))
            .unwrap();
        prompt["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let weekly = prompt("weekly_summary", json!({"owner": "Ruth Adeyemi\u{1b}"}));
    assert!(
        weekly.contains("summary of Ruth Adeyemi for 20") && !weekly.contains('\u{1b}'),
        "{weekly}"
    );
    // the rows are there, and only those of the owner
    let open = weekly.split("Open opportunities:\n").nth(1).unwrap();
    let open: Value = serde_json::from_str(open.trim()).unwrap();
    let listed = open["opportunities"].as_array().unwrap();
    assert!(!listed.is_empty() && listed.len() <= 20);
    assert!(
        listed.iter().all(|one| one["owner"] == "Ruth Adeyemi"),
        "{open}"
    );
    // a period with something in it, and one without
    let whole = prompt(
        "weekly_summary",
        json!({"week": "2026-08-10 to 2026-10-31"}),
    );
    let events = whole
        .split("What happened, newest first:\n")
        .nth(1)
        .unwrap();
    let events: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    let listed = events["events"].as_array().unwrap();
    assert!(!listed.is_empty() && listed.len() <= 60, "{events}");
    for event in listed {
        let at = &event["at"].as_str().unwrap()[..10];
        assert!(("2026-08-10"..="2026-10-31").contains(&at), "{event}");
    }
    let empty = prompt(
        "weekly_summary",
        json!({"week": "1990-01-01 to 1990-01-07"}),
    );
    assert!(
        empty.contains(
            "Nothing happened in this period. The log's last entry, of anybody, is of 20"
        ),
        "{empty}"
    );
    for week in [
        "last week",
        "2026-10-31 to 2026-10-01",
        "2026-02-30 to 2026-03-01",
        "2025-01-01 to 2026-01-01",
    ] {
        let refused = client
            .ask(
                "prompts/get",
                json!({"name": "weekly_summary", "arguments": {"week": week}}),
            )
            .unwrap_err();
        assert!(
            refused.to_string().contains("must be two ISO 8601 dates"),
            "{refused}"
        );
    }
    let known = client
        .call("get_account_timeline", json!({"account_id": "ACC-1003"}))
        .unwrap();
    let name = known["name"].as_str().unwrap();
    for account in ["acc-1003", &name.to_uppercase()] {
        let onboarding = prompt("client_onboarding", json!({"account": account}));
        for brought in [
            &format!("\"name\":{}", known["name"]),
            "The handbook:\n# Handbook",
            "Open opportunities:\n{",
        ] {
            assert!(onboarding.contains(brought), "{brought}: {onboarding}");
        }
    }
    let part = name.split(' ').next().unwrap();
    let unknown = prompt("client_onboarding", json!({"account": part}));
    assert!(
        unknown.contains("Ask which one of these is meant") && unknown.contains(name),
        "{unknown}"
    );
    let complete = |prompt: &str, argument: &str, typed: &str| {
        let of = json!({
            "ref": {"type": "ref/prompt", "name": prompt},
            "argument": {"name": argument, "value": typed},
        });
        client.ask("completion/complete", of).unwrap()["completion"]["values"].clone()
    };
    assert_eq!(
        complete("weekly_summary", "owner", "Ruth A"),
        json!(["Ruth Adeyemi"])
    );
    assert_eq!(
        complete("client_onboarding", "account", name),
        json!([name])
    );
    let weeks = complete("weekly_summary", "week", "");
    assert_eq!(weeks.as_array().unwrap().len(), 8);
    // what is offered is taken
    prompt("weekly_summary", json!({"week": weeks[3]}));
}

#[test]
fn an_outage_is_said_without_its_cause() {
    struct Down(SqlError);
    impl Down {
        fn error(&self) -> SqlError {
            match &self.0 {
                SqlError::TooLong(cause) => SqlError::TooLong(cause.clone()),
                error => SqlError::Unavailable(error.to_string()),
            }
        }
    }
    impl Sql for Down {
        fn dialect(&self) -> Dialect {
            Dialect::Sqlite
        }
        fn query<'a>(
            &'a self,
            _: &'a str,
            _: &'a [SqlValue],
            _: usize,
        ) -> BoxFuture<'a, Result<Rows, SqlError>> {
            Box::pin(async { Err(self.error()) })
        }
        fn execute<'a>(
            &'a self,
            _: &'a str,
            _: &'a [SqlValue],
        ) -> BoxFuture<'a, Result<u64, SqlError>> {
            Box::pin(async { Err(self.error()) })
        }
    }
    for down in [
        SqlError::Unavailable("disk 7 burns".to_owned()),
        SqlError::TooLong("disk 7 burns".to_owned()),
    ] {
        let down = Down(down);
        assert!(wait(down.execute("", &[])).is_err());
        let client = Client::new(Arc::new(down));
        let mut asked = 0;
        for (tool, arguments) in reads().into_iter().chain([
            (
                "create_activity_log",
                json!({"account_id": "ACC-1003", "kind": "call", "note": "x"}),
            ),
            ("get_stock_levels", json!({})),
            ("get_sales_velocity", json!({"sku": "HDP-1032-MIB"})),
            ("get_lead_time", json!({})),
            ("suggest_reorders", json!({})),
            (
                "draft_purchase_order",
                json!({"sku": "HDP-1032-MIB", "quantity": 1}),
            ),
        ]) {
            let refused = client.call(tool, arguments).unwrap_err();
            assert!(
                refused
                    .starts_with("The database is temporarily unavailable. Try again in a moment."),
                "{tool}: {refused}"
            );
            assert!(!refused.contains("burns"));
            asked += 1;
        }
        for (prompt, arguments) in [
            ("weekly_summary", json!({})),
            ("client_onboarding", json!({"account": "ACC-1003"})),
            ("reorder_review", json!({"warehouse": "RTM"})),
            ("product_advisor", json!({"need": "a lamp"})),
        ] {
            let asked = client
                .ask(
                    "prompts/get",
                    json!({"name": prompt, "arguments": arguments}),
                )
                .unwrap();
            let text = asked["messages"][0]["content"]["text"].as_str().unwrap();
            let said = "not available. The database is temporarily unavailable. Try again in a \
                moment. Tell the user so, and make nothing up.";
            assert!(
                text.contains(said) && !text.contains("burns"),
                "{prompt}: {text}"
            );
        }
        let logged = client.logged();
        assert!(
            logged.len() == asked && logged.iter().all(|cause| cause.contains("disk 7 burns")),
            "{logged:?}"
        );
    }
}

#[test]
fn reading_is_quick() {
    crate::support::measure(&reads());
}
