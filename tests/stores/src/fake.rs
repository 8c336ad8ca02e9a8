//! A DynamoDB in this process, behind the SDK's HTTP client: it evaluates conditions, counts
//! requests and capacity units, keeps the limits of a partition, and loses, delays, throttles or
//! never answers the requests that a schedule names. It passes the contract of the stores, and so
//! do two emulators that are not ours.

mod expression;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use expression::{Item, Names, holds, set};
use mcpfn_lambda::dynamodb::{AccessKeys, AwsAccount, Table};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// What becomes of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is done and answered.
    None,
    /// It is lost on the way: not done, not answered.
    LostBefore,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is refused: the item's partition has no capacity left.
    Throttled,
    /// It is done at once, and answered so many milliseconds later.
    AnsweredLate(u64),
    /// It is done and answered so many milliseconds later, also if nobody waits any more.
    DoneLate(u64),
    /// It is not done, and never answered.
    Hangs,
}

/// One request, as a schedule sees it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Requests before it.
    pub number: usize,
    /// `GetItem`, say.
    pub operation: &'a str,
    /// The item's `pk`.
    pub key: &'a str,
    /// The item's `sk`: which store.
    pub kind: &'a str,
}

/// Which fault meets a request.
pub type Schedule = dyn Fn(&Asked<'_>) -> Fault + Send + Sync;

/// What was asked, and what it costs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Costs {
    /// All requests.
    pub requests: usize,
    /// Of these, the ones that were throttled.
    pub throttled: usize,
    /// Read request units.
    pub reads: f64,
    /// Write request units, those of failed conditions included.
    pub writes: f64,
}

/// Units of one item in a second, which no setting raises.
const WRITES: f64 = 1000.0;
const READS: f64 = 3000.0;

#[derive(Default)]
struct State {
    items: HashMap<(String, String), Item>,
    schedule: Option<Arc<Schedule>>,
    costs: Costs,
    /// Units of each item in a second: reads, writes.
    used: HashMap<String, (u64, f64, f64)>,
    /// The time where a test says it; else that of tokio.
    now_ms: Option<u64>,
}

/// The table. Clones are the same one.
#[derive(Clone)]
pub struct Fake(Arc<Mutex<State>>, Instant);

impl Default for Fake {
    fn default() -> Self {
        Self(Arc::default(), Instant::now())
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    /// Which fault meets a request, from now on.
    pub fn faults(&self, schedule: impl Fn(&Asked<'_>) -> Fault + Send + Sync + 'static) {
        self.state().schedule = Some(Arc::new(schedule));
    }

    /// No request meets a fault any more.
    pub fn no_faults(&self) {
        self.state().schedule = None;
    }

    /// What was asked so far.
    #[must_use]
    pub fn costs(&self) -> Costs {
        self.state().costs
    }

    /// Sets the time by which capacity is counted.
    pub fn set_ms(&self, now_ms: u64) {
        self.state().now_ms = Some(now_ms);
    }

    /// Settings for a table that is never connected to.
    #[must_use]
    pub fn table() -> Table {
        Table {
            name: "mcpfn".to_owned(),
            endpoint: Some("http://fake".to_owned()),
            account: AwsAccount::new(
                "eu-west-1",
                AccessKeys {
                    id: "test".to_owned(),
                    secret: "hunter2".to_owned(),
                    session: None,
                },
            ),
            timeout: Duration::from_millis(250),
            idle: Duration::from_secs(60),
        }
    }

    // held for one request and never across a wait
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks it without the SDK: status and answer, or nothing where one of both is lost.
    pub async fn ask(self, operation: String, body: Value) -> Option<(u16, Value)> {
        let fault = self.state().fault(&operation, &body);
        let second = self.1.elapsed().as_millis() as u64 / 1000;
        let done = |fake: &Self| fake.state().execute(&operation, &body, second);
        let (status, answer) = match fault {
            Fault::None => done(&self),
            Fault::LostBefore => return None,
            Fault::LostAfter => {
                done(&self);
                return None;
            }
            Fault::Throttled => {
                self.state().costs.throttled += 1;
                throttled()
            }
            Fault::AnsweredLate(late) => {
                let answer = done(&self);
                sleep(Duration::from_millis(late)).await;
                answer
            }
            Fault::DoneLate(late) => {
                let (fake, operation, body) = (self.clone(), operation.clone(), body.clone());
                // a task of its own: the request is on its way, whoever waits for it
                let done = tokio::spawn(async move {
                    sleep(Duration::from_millis(late)).await;
                    fake.state().execute(&operation, &body, second)
                });
                done.await.ok()?
            }
            Fault::Hangs => std::future::pending().await,
        };
        Some((status, answer))
    }

    async fn answer(self, operation: String, body: Value) -> Result<HttpResponse, ConnectorError> {
        let lost = || ConnectorError::io("the connection was reset".into());
        let (status, answer) = self.ask(operation, body).await.ok_or_else(lost)?;
        let answer = SdkBody::from(answer.to_string());
        let response = http::Response::builder()
            .status(status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(answer)
            .expect("a status and a header that are some");
        HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
    }
}

/// Of a transaction, that of its first member.
fn key_of(operation: &str, body: &Value) -> (String, String) {
    if operation == "TransactWriteItems" {
        let (operation, body) = member(&body["TransactItems"][0]);
        return key_of(operation, body);
    }
    let part = if operation == "PutItem" {
        "Item"
    } else {
        "Key"
    };
    let name = |name: &str| {
        body[part][name]["S"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    (name("pk"), name("sk"))
}

/// A member of a transaction, as the operation that it is.
fn member(item: &Value) -> (&'static str, &Value) {
    match (&item["Put"], &item["Update"]) {
        (Value::Null, update) => ("UpdateItem", update),
        (put, _) => ("PutItem", put),
    }
}

fn throttled() -> (u16, Value) {
    (400, error("ProvisionedThroughputExceededException", None))
}

fn error(name: &str, item: Option<&Item>) -> Value {
    let mut body = json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"),
        "message": "refused",
    });
    if let Some(item) = item {
        body["Item"] = Value::Object(item.clone());
    }
    body
}

/// Bytes of an item: names and values.
fn size(item: &Item) -> usize {
    let value = |value: &Value| {
        let (kind, text) = value.as_object()?.iter().next()?;
        let length = text.as_str()?.len();
        Some(match kind.as_str() {
            "B" => length * 3 / 4,
            "N" => length / 2 + 1,
            _ => length,
        })
    };
    let attribute = |(name, attribute): (&String, &Value)| {
        name.len() + value(attribute).expect("an attribute of a kind that is known")
    };
    item.iter().map(attribute).sum()
}

fn units(item: &Item, of: usize) -> f64 {
    size(item).div_ceil(of).max(1) as f64
}

/// What a write makes of an item, if its condition holds.
struct Change {
    new: Option<Item>,
    fits: bool,
    writes: f64,
}

/// Nothing where an update has an operand that is missing.
fn change(operation: &str, body: &Value, there: Option<&Item>) -> Option<Change> {
    let empty = Item::new();
    let old = there.unwrap_or(&empty);
    let names = Names {
        values: &body["ExpressionAttributeValues"],
        names: &body["ExpressionAttributeNames"],
    };
    let condition = body["ConditionExpression"].as_str();
    let fits = condition.is_none_or(|condition| holds(condition, old, &names));
    let new = match operation {
        "PutItem" => body["Item"].as_object().cloned(),
        "DeleteItem" => None,
        "UpdateItem" => {
            let mut base = old.clone();
            base.extend(body["Key"].as_object().cloned().unwrap_or_default());
            let update = body["UpdateExpression"].as_str().unwrap_or_default();
            Some(match fits {
                true => set(update, &base, &names)?,
                false => base,
            })
        }
        other => panic!("{other} is not played"),
    };
    let writes = units(old, 1024).max(match &new {
        Some(new) if fits => units(new, 1024),
        _ => 1.0,
    });
    Some(Change { new, fits, writes })
}

impl State {
    fn fault(&self, operation: &str, body: &Value) -> Fault {
        let Some(schedule) = &self.schedule else {
            return Fault::None;
        };
        let (key, kind) = key_of(operation, body);
        schedule(&Asked {
            number: self.costs.requests,
            operation,
            key: &key,
            kind: &kind,
        })
    }

    fn execute(&mut self, operation: &str, body: &Value, second: u64) -> (u16, Value) {
        let second = self.now_ms.map_or(second, |now_ms| now_ms / 1000);
        self.costs.requests += 1;
        match operation {
            "GetItem" => self.read(body, second),
            "Query" => self.query(body, second),
            "TransactWriteItems" => self.transact(body, second),
            operation => self.write(operation, body, second),
        }
    }

    fn read(&mut self, body: &Value, second: u64) -> (u16, Value) {
        let key = key_of("GetItem", body);
        let there = self.items.get(&key).cloned();
        let consistent = body["ConsistentRead"] == true;
        let reads = units(there.as_ref().unwrap_or(&Item::new()), 4096);
        let reads = reads * if consistent { 1.0 } else { 0.5 };
        if !self.spend(&key.0, second, reads, 0.0) {
            return throttled();
        }
        let answer = there.map_or_else(|| json!({}), |item| json!({"Item": item}));
        (200, answer)
    }

    /// Items of a key between two `sk`, in their order: `pk = :pk AND sk BETWEEN :from AND :until`.
    fn query(&mut self, body: &Value, second: u64) -> (u16, Value) {
        let condition = body["KeyConditionExpression"].as_str();
        assert_eq!(
            condition,
            Some("pk = :pk AND sk BETWEEN :from AND :until"),
            "another condition is not played"
        );
        let values = &body["ExpressionAttributeValues"];
        let [key, from, until] =
            [":pk", ":from", ":until"].map(|name| values[name]["S"].as_str().unwrap_or_default());
        let limit = body["Limit"].as_u64().unwrap_or(u64::MAX);
        let mut found: Vec<_> = self
            .items
            .iter()
            .filter(|((pk, sk), _)| pk == key && (from..=until).contains(&sk.as_str()))
            .collect();
        found.sort_unstable_by_key(|(key, _)| *key);
        // a page has a megabyte: what passes it is the last one
        let (mut page, mut bytes) = (Vec::new(), 0);
        for (_, item) in &found {
            if page.len() as u64 >= limit || bytes > 1024 * 1024 {
                break;
            }
            bytes += size(item);
            page.push((*item).clone());
        }
        let last = (page.len() < found.len() || page.len() as u64 == limit).then(|| page.last());
        let mut answer = json!({"Items": page, "Count": page.len()});
        if let Some(Some(last)) = last {
            answer["LastEvaluatedKey"] = json!({"pk": last["pk"], "sk": last["sk"]});
        }
        // what is charged is the sum of what is read
        let reads = bytes.div_ceil(4096).max(1) as f64;
        let reads = reads
            * if body["ConsistentRead"] == true {
                1.0
            } else {
                0.5
            };
        match self.spend(key, second, reads, 0.0) {
            true => (200, answer),
            false => throttled(),
        }
    }

    fn write(&mut self, operation: &str, body: &Value, second: u64) -> (u16, Value) {
        let key = key_of(operation, body);
        let there = self.items.get(&key).cloned();
        let Some(Change { new, fits, writes }) = change(operation, body, there.as_ref()) else {
            return (400, error("ValidationException", None));
        };
        if !self.spend(&key.0, second, 0.0, writes) {
            return throttled();
        }
        if !fits {
            let all = body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD";
            let item = there.as_ref().filter(|_| all);
            return (400, error("ConditionalCheckFailedException", item));
        }
        let returned = body["ReturnValues"].as_str().unwrap_or_default();
        let answer = match (&new, &there) {
            (Some(new), _) if ["UPDATED_NEW", "ALL_NEW"].contains(&returned) => {
                json!({"Attributes": new})
            }
            (_, Some(old)) if body["ReturnValues"] == "ALL_OLD" => json!({"Attributes": old}),
            _ => json!({}),
        };
        self.put(key, new);
        (200, answer)
    }

    /// All members or none, at twice the price.
    fn transact(&mut self, body: &Value, second: u64) -> (u16, Value) {
        let items = body["TransactItems"].as_array().into_iter().flatten();
        let (mut changes, mut reasons, mut fits) = (Vec::new(), Vec::new(), true);
        for (operation, body) in items.map(member) {
            let key = key_of(operation, body);
            let there = self.items.get(&key).cloned();
            let Some(change) = change(operation, body, there.as_ref()) else {
                return (400, error("ValidationException", None));
            };
            if !self.spend(&key.0, second, 0.0, 2.0 * change.writes) {
                return throttled();
            }
            fits &= change.fits;
            reasons.push(match change.fits {
                true => json!({"Code": "None"}),
                false => json!({"Code": "ConditionalCheckFailed", "Item": there}),
            });
            changes.push((key, change.new));
        }
        if !fits {
            let mut refused = error("TransactionCanceledException", None);
            refused["CancellationReasons"] = Value::Array(reasons);
            return (400, refused);
        }
        for (key, new) in changes {
            self.put(key, new);
        }
        (200, json!({}))
    }

    fn put(&mut self, key: (String, String), new: Option<Item>) {
        match new {
            Some(new) => drop(self.items.insert(key, new)),
            None => drop(self.items.remove(&key)),
        }
    }

    /// Whether the item's partition has so many units left in this second.
    fn spend(&mut self, key: &str, second: u64, reads: f64, writes: f64) -> bool {
        let used = self.used.entry(key.to_owned()).or_default();
        if used.0 != second {
            *used = (second, 0.0, 0.0);
        }
        if used.1 + reads > READS || used.2 + writes > WRITES {
            self.costs.throttled += 1;
            return false;
        }
        used.1 += reads;
        used.2 += writes;
        self.costs.reads += reads;
        self.costs.writes += writes;
        true
    }
}

impl HttpConnector for Fake {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let bytes = request.body().bytes().unwrap_or_default();
        let body = serde_json::from_slice(bytes).expect("the SDK sends JSON");
        HttpConnectorFuture::new(self.clone().answer(operation, body))
    }
}

impl HttpClient for Fake {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
