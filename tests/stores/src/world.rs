//! Environments over shared stores, in time that passes by itself: callers whose calls meet,
//! requests that meet faults, and what became of it: each call's answer, and how often each write
//! had its effect. Every policy, adapter and wait is the real one.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::policy::{FailureMode, RateLimits};
use mcpfn_core::port::{AuditEntry, AuditLog, Clock, Failure, Platform, Random, Rate, Timer};
use mcpfn_core::round_trip::Keyring;
use mcpfn_core::{Builder, Cx, JsonObject, Principal, PrincipalKind, Server, Tool, ToolError};
use mcpfn_http::{Config, Service};
use mcpfn_native::{OsRandom, Tasks};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::contract::Store;

/// Where time begins.
const START_MS: u64 = 1_795_168_800_000;

/// What a tool of the world may take, and how long a hold of a write is from then on.
pub const LIMIT: Duration = Duration::from_secs(1);

/// One call of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When, in milliseconds from the start.
    pub at_ms: u64,
    /// In which environment.
    pub environment: usize,
    /// Whose.
    pub caller: u8,
    /// Of which write; none is a call that only counts against the rate limit.
    pub write: Option<u8>,
    /// When the client goes away, if it does.
    pub gone_after_ms: Option<u64>,
}

/// How a write goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// How long the handler works, half of it after its effect.
    pub ms: u64,
    /// It says that it failed, and has no effect.
    pub fails: bool,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Of which step.
    pub step: Step,
    /// The answer's text or error; none for a client that went away.
    pub said: Option<String>,
    /// When, in milliseconds from the start.
    pub ended_ms: u64,
}

/// Effects by caller and key of the write.
type Effects = Arc<Mutex<BTreeMap<(String, String), u32>>>;

/// Environments, their stores, and what happened.
pub struct World {
    environments: Vec<Environment>,
    start: Instant,
    effects: Effects,
}

struct Environment {
    service: Service,
    platform: Arc<Platform>,
    tasks: Tasks,
}

impl World {
    /// Environments over these views of the stores. `failure_mode` is what idempotent writes and
    /// rate limits do while a store is down.
    #[must_use]
    pub fn new(
        stores: Vec<Arc<dyn Store>>,
        works: &[Work],
        rate: Rate,
        failure_mode: FailureMode,
    ) -> Self {
        let (effects, start) = (Effects::default(), Instant::now());
        let environment = |stores: Arc<dyn Store>| {
            let tasks = Tasks::default();
            let time = Arc::new(Passing(start));
            let limits = RateLimits {
                limiter: Arc::clone(&stores) as _,
                rate: Some(rate),
                failure_mode,
            };
            let platform = Platform::new(
                time.clone(),
                time,
                Arc::new(OsRandom) as Arc<dyn Random>,
                Arc::new(Silent),
                Keyring::new([7; 32]),
            )
            .with_cache(Arc::clone(&stores) as _)
            .with_idempotency(stores, failure_mode)
            .with_rate_limits(limits)
            .with_background(Arc::new(tasks.clone()));
            Environment {
                service: Service::new(
                    server(&effects, works)
                        .build()
                        .expect("a server without mistakes"),
                    Config::default(),
                ),
                platform: Arc::new(platform),
                tasks,
            }
        };
        let environments = stores.into_iter().map(environment).collect();
        Self {
            environments,
            start,
            effects,
        }
    }

    /// Makes the calls, each at its time, and waits for all that they started.
    pub async fn run(self: &Arc<Self>, steps: &[Step]) -> Vec<Outcome> {
        let calls = steps.iter().cloned().map(|step| {
            let world = Arc::clone(self);
            tokio::spawn(async move { world.step(step).await })
        });
        let mut outcomes = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            outcomes.push(call.await.expect("a call panics nowhere"));
        }
        for environment in &self.environments {
            environment.tasks.drain().await;
        }
        outcomes
    }

    async fn step(&self, step: Step) -> Outcome {
        let at = self.start + Duration::from_millis(step.at_ms);
        tokio::time::sleep_until(at).await;
        let call = self.call(&step);
        let said = match step.gone_after_ms {
            Some(gone) => timeout(Duration::from_millis(gone), call).await.ok(),
            None => Some(call.await),
        };
        Outcome {
            step,
            said,
            ended_ms: self.elapsed_ms(),
        }
    }

    async fn call(&self, step: &Step) -> String {
        let environment = &self.environments[step.environment % self.environments.len()];
        let (tool, arguments, mut meta) = match step.write {
            Some(write) => (
                "buy",
                json!({"write": write}),
                json!({"idempotencyKey": format!("write-{write}")}),
            ),
            None => ("look", json!({}), json!({})),
        };
        meta["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
        meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
        let body = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": tool, "arguments": arguments, "_meta": meta},
        });
        let caller = format!("arn:aws:iam::123456789012:user/{}", step.caller);
        let mut request = http::Request::post("/mcp")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", tool)
            .body(Full::<bytes::Bytes>::from(body.to_string()))
            .expect("a request");
        request
            .extensions_mut()
            .insert(Principal::new(PrincipalKind::Iam, caller));
        let response = environment
            .service
            .call(request, &environment.platform)
            .await;
        let body = response.into_body().collect().await;
        let body = body.expect("our bodies do not fail").to_bytes();
        let answer: Value = serde_json::from_slice(&body).expect("an answer is JSON");
        let said = answer["result"]["content"][0]["text"].as_str();
        let said = said.or(answer["error"]["message"].as_str());
        said.unwrap_or_else(|| panic!("an answer without text: {answer}"))
            .to_owned()
    }

    /// How often the write of this caller had its effect.
    #[must_use]
    pub fn effects(&self, caller: u8, write: u8) -> u32 {
        let caller = format!("arn:aws:iam::123456789012:user/{caller}");
        let effects = self.effects.lock().unwrap_or_else(PoisonError::into_inner);
        let found = effects.get(&(caller, write.to_string()));
        found.copied().unwrap_or_default()
    }

    /// Milliseconds since the start.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("environments", &self.environments.len())
            .finish_non_exhaustive()
    }
}

/// A tool that writes, and one that only counts.
fn server(effects: &Effects, works: &[Work]) -> Builder {
    let (effects, works) = (Arc::clone(effects), works.to_vec());
    let buy = move |arguments: JsonObject, cx: Cx| {
        let effects = Arc::clone(&effects);
        let write = arguments["write"].as_u64().unwrap_or_default();
        let work = works[usize::try_from(write).unwrap_or_default() % works.len()];
        async move {
            let half = Duration::from_millis(work.ms / 2);
            cx.sleep(half).await;
            if work.fails {
                return Err(ToolError::new("it failed"));
            }
            let caller = cx.principal().subject.clone();
            let run = {
                let mut effects = effects.lock().unwrap_or_else(PoisonError::into_inner);
                let run = effects.entry((caller, write.to_string())).or_default();
                *run += 1;
                *run
            };
            cx.sleep(half).await;
            Ok(format!("run {run}"))
        }
    };
    Server::builder("world", "1.0.0")
        .tool(
            Tool::new("buy")
                .description("Writes.")
                .timeout(LIMIT)
                .handler(buy),
        )
        .tool(
            Tool::new("look")
                .description("Looks.")
                .read_only()
                .handler(|_: JsonObject| async { "admitted" }),
        )
}

/// Time as tokio has it, which passes by itself where its clock is paused.
struct Passing(Instant);

impl Clock for Passing {
    fn now_ms(&self) -> u64 {
        START_MS + u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Timer for Passing {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(sleep(duration))
    }
}

struct Silent;

impl AuditLog for Silent {
    fn failure(&self, _: &Failure<'_>) {}
    fn call(&self, _: &AuditEntry<'_>) {}
    fn denied(&self, _: &str, _: Option<&str>) {}
    fn store_failure(&self, _: &str, _: &str) {}
}
