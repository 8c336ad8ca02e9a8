//! A caller whose statements take long waits for itself, and holds up nobody else.

use std::future::{Future, IntoFuture as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use mcpfn_core::{Principal, PrincipalKind, Scopes, Server, handler::BoxFuture};
use mcpfn_ports::{Dialect, ReadLimits, Rows, Sql, SqlError, SqlValue};
use mcpfn_testing::{TestClient, TestClock};
use mcpfn_toolkits::sql;
use serde_json::json;

/// A database whose statements end when the test says so.
#[derive(Default)]
struct Slow {
    /// The statements that run.
    running: Mutex<Vec<String>>,
    ended: Mutex<bool>,
}

impl Sql for Slow {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn query<'a>(
        &'a self,
        _: &'a str,
        _: &'a [SqlValue],
        _: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        Box::pin(async { Ok(Rows::default()) })
    }

    fn execute<'a>(
        &'a self,
        _: &'a str,
        _: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        Box::pin(async { Ok(0) })
    }

    fn read<'a>(&'a self, sql: &'a str, _: ReadLimits) -> BoxFuture<'a, Result<Rows, SqlError>> {
        self.running.lock().unwrap().push(sql.to_owned());
        Box::pin(std::future::poll_fn(|_| {
            match *self.ended.lock().unwrap() {
                true => Poll::Ready(Ok(Rows::default())),
                false => Poll::Pending,
            }
        }))
    }
}

type Asked = Pin<Box<dyn Future<Output = bool>>>;

/// Calls that have not ended, by their names, and how many ended well.
#[derive(Default)]
struct Calls {
    left: Vec<(&'static str, Asked)>,
    well: usize,
    badly: usize,
}

impl Calls {
    fn add(&mut self, client: &TestClient, caller: &str, sql: &'static str) {
        let scopes = Scopes::all();
        let principal = Principal::new(PrincipalKind::Jwt, caller).with_scopes(scopes);
        let client = client.clone().principal(principal);
        let arguments = json!({"name": "query_database", "arguments": {"sql": sql}});
        let call = async move {
            let asked = client.request("tools/call", arguments).into_future().await;
            asked.is_ok_and(|result| result["isError"] != true)
        };
        self.left.push((sql, Box::pin(call)));
    }

    /// Goes on with each of them, over and over.
    fn poll(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..20 {
            self.left.retain_mut(|(_, call)| {
                let Poll::Ready(well) = call.as_mut().poll(&mut context) else {
                    return true;
                };
                *(if well {
                    &mut self.well
                } else {
                    &mut self.badly
                }) += 1;
                false
            });
        }
    }
}

#[test]
fn a_caller_has_a_share_of_the_database() {
    let slow = Arc::new(Slow::default());
    let server = sql::toolkit(Server::builder("sql", "0.0.0"));
    let client = TestClient::with_clock(server, TestClock::manual())
        .with_port::<dyn Sql>(Arc::clone(&slow) as Arc<dyn Sql>);
    let mut calls = Calls::default();
    for _ in 0..5 {
        calls.add(&client, "ada", "ada's");
    }
    calls.add(&client, "bob", "bob's");
    calls.poll();
    let running = || {
        let mut running = slow.running.lock().unwrap().clone();
        running.sort_unstable();
        running
    };
    assert_eq!(running(), ["ada's", "ada's", "bob's"]);
    // a call that its client gave up makes room
    drop(calls.left.remove(0));
    client.time().advance(Duration::from_millis(50));
    calls.poll();
    assert_eq!(running(), ["ada's", "ada's", "ada's", "bob's"]);
    // more than may wait are refused, and say why
    for _ in 0..20 {
        calls.add(&client, "ada", "ada's");
    }
    calls.poll();
    assert_eq!((calls.well, calls.badly), (0, 6));
    *slow.ended.lock().unwrap() = true;
    for _ in 0..30 {
        client.time().advance(Duration::from_millis(50));
        calls.poll();
    }
    assert_eq!((calls.left.len(), calls.well, calls.badly), (0, 19, 6));
}
