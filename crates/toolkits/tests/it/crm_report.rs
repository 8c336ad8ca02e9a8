//! The report over the CRM: its numbers against the other tools' and the database's own, its bounds,
//! and a run that ends in the middle.

use std::future::IntoFuture as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcpfn_core::{Server, handler::BoxFuture};
use mcpfn_ports::{Dialect, Rows, Sql, SqlError, SqlValue};
use mcpfn_testing::{TestClient, TestClock};
use mcpfn_toolkits::crm;
use serde_json::{Value, json};

use crate::databases;
use crate::handed_over::{EndsOnce, pause};
use crate::support::Client;
use crate::wait::wait;

fn sum(report: &Value, member: &str) -> f64 {
    let owners = report["owners"].as_array().unwrap().iter();
    owners.map(|owner| owner[member].as_f64().unwrap()).sum()
}

/// One number of the database's own.
fn counted(client: &Client, sql: &str) -> f64 {
    let rows = wait(client.database().query(sql, &[], 1)).unwrap().rows;
    rows[0][0]
        .as_f64()
        .or(rows[0][0].as_i64().map(|count| count as f64))
        .unwrap_or_default()
}

#[test]
fn every_account_and_opportunity_is_counted_once() {
    let client = Client::of_shop();
    let period = json!({"from": "2026-01-01", "to": "2026-10-31"});
    let report = client.call("get_crm_report", period).unwrap();
    assert_eq!(
        (&report["from"], &report["to"]),
        (&json!("2026-01-01"), &json!("2026-10-31"))
    );
    let owners: Vec<&str> = report["owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["owner"].as_str().unwrap())
        .collect();
    assert!(owners.len() > 1 && owners.is_sorted(), "{owners:?}");
    for (member, sql) in [
        ("accounts", "SELECT count(*) FROM accounts"),
        (
            "activities",
            "SELECT count(*) FROM activities WHERE happened_at >= '2026-01-01' AND happened_at < '2026-11-01'",
        ),
        (
            "opened",
            "SELECT count(*) FROM opportunities WHERE opened_on BETWEEN '2026-01-01' AND '2026-10-31'",
        ),
        (
            "won",
            "SELECT count(*) FROM opportunities WHERE stage = 'won' AND close_on BETWEEN '2026-01-01' AND '2026-10-31'",
        ),
        (
            "lost",
            "SELECT count(*) FROM opportunities WHERE stage = 'lost' AND close_on BETWEEN '2026-01-01' AND '2026-10-31'",
        ),
        (
            "open",
            "SELECT count(*) FROM opportunities WHERE stage NOT IN ('won', 'lost')",
        ),
    ] {
        let found = counted(&client, sql);
        assert!(found > 0.0, "{member}: nothing in the shop shows it");
        assert_eq!(sum(&report, member), found, "{member}");
    }
    let open = client.call("get_open_opportunities", json!({})).unwrap();
    assert!(
        (report["open_amount"].as_f64().unwrap() - open["total_amount"].as_f64().unwrap()).abs()
            < 0.01
    );
    assert!((sum(&report, "won_amount") - report["won_amount"].as_f64().unwrap()).abs() < 0.01);
    // what is named as left alone has nothing in its timeline of that time
    let quiet = client
        .call(
            "get_crm_report",
            json!({"from": "2026-10-20", "to": "2026-10-20"}),
        )
        .unwrap();
    let neglected = quiet["owners"].as_array().unwrap().iter();
    let neglected: Vec<&Value> = neglected
        .flat_map(|owner| owner["neglected"].as_array().unwrap())
        .collect();
    assert!(!neglected.is_empty());
    for account in neglected {
        let id = account["account_id"].as_str().unwrap();
        let last = counted(
            &client,
            &format!(
                "SELECT count(*) FROM activities WHERE account_id = '{id}' AND happened_at >= '2026-10-20'"
            ),
        );
        assert_eq!(last, 0.0, "{id}");
    }
}

#[test]
fn what_is_no_period_is_said() {
    let client = Client::of_shop();
    for (period, says) in [
        (
            json!({"from": "yesterday"}),
            "`from` is 'yesterday', and must be an ISO 8601 date",
        ),
        (json!({"to": "2026-02-31"}), "`to` is '2026-02-31'"),
        (
            json!({"from": "2026-10-02", "to": "2026-10-01"}),
            "the first one first",
        ),
        (
            json!({"from": "2024-01-01", "to": "2026-01-01"}),
            "from 1 to 366 days",
        ),
    ] {
        let refused = client.call("get_crm_report", period).unwrap_err();
        assert!(refused.contains(says), "{refused}");
    }
    assert!(
        client
            .call(
                "get_crm_report",
                json!({"from": "2024-02-29", "to": "2025-02-28"})
            )
            .is_ok()
    );
}

/// Counts questions, so that a test sees what is asked again.
struct Counting(Arc<dyn Sql>, AtomicUsize);

impl Sql for Counting {
    fn query<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
        max_rows: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            pause().await;
            self.0.query(sql, parameters, max_rows).await
        })
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        parameters: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        self.0.execute(sql, parameters)
    }

    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }
}

#[test]
fn a_run_that_is_handed_over_goes_on_with_the_next_owner() {
    let database = Arc::new(Counting(databases::reading(), AtomicUsize::new(0)));
    let asked = || database.1.load(Ordering::Relaxed);
    let server = crm::toolkit(Server::builder("crm", "0.0.0"));
    let client = TestClient::with_clock(server, TestClock::manual())
        .with_port::<dyn Sql>(Arc::clone(&database) as _)
        .does_tasks();
    let task = client.begin("get_crm_report", json!({})).wait().unwrap();
    let (key, _) = client.tasks().orders()[0].clone();
    let questions = Arc::clone(&database);
    let shutdown = EndsOnce::new(move || questions.1.load(Ordering::Relaxed) >= 8);
    let shutdown = Arc::new(shutdown);
    let ending = client
        .clone()
        .map_platform(|platform| platform.with_shutdown(shutdown));
    wait(ending.server().run_task(&key, ending.platform(), None));
    let first = asked();
    let working = wait(client.task(task.id()).into_future()).unwrap();
    assert_eq!(working.status(), "working");
    let kept = working
        .message()
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse::<usize>()
        .unwrap();
    assert!(kept >= 1, "{working:?}");
    wait(client.server().run_task(&key, client.platform(), None));
    let ended = wait(client.task(task.id()).into_future()).unwrap();
    let report: Value = ended.result().structured();
    let owners = report["owners"].as_array().unwrap().len();
    // who the owners are, and three questions for each that was not kept
    assert_eq!(asked() - first, 1 + 3 * (owners - kept));
    assert_eq!(
        ended.message().unwrap(),
        format!("{owners} of {owners} owners")
    );
    // and the same as in one go
    let once = Client::new(databases::reading()).call("get_crm_report", json!({}));
    assert_eq!(once.unwrap()["owners"].as_array().unwrap().len(), owners);
}
