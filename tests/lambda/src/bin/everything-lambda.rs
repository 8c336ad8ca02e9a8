//! The fixture server as a Lambda bootstrap, with tools that say who calls, take their time, and
//! fail in every way a process can.

use std::convert::Infallible;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use std::sync::Arc;

use mcpfn::event::{Event, EventOccurrence, EventPage, EventPoll};
use mcpfn::handler::BoxFuture;
use mcpfn::port::{Clock, HttpClient, Platform, PlatformEvents};
use mcpfn::prelude::*;
use mcpfn_lambda::{Setup, Variables};
use mcpfn_native::Client;
use serde_json::{Value, json};

/// Says how the caller was recognised, and as whom.
#[tool(read_only)]
async fn whoami(cx: &Cx) -> String {
    let principal = cx.principal();
    format!("{:?} {}", principal.kind, principal.subject)
}

/// Says which process answers.
#[tool(read_only)]
async fn process() -> String {
    std::process::id().to_string()
}

#[input]
struct Count {
    /// How far; to five when left out.
    to: Option<u32>,
    /// Panic there instead of being done.
    fall: Option<bool>,
}

/// Reports progress every tenth of a second, and logs if it is given up.
#[tool(read_only)]
async fn count(args: Count, cx: &Cx) -> &'static str {
    let watch = Watch { done: false };
    let to = args.to.unwrap_or(5);
    for step in 1..=to {
        cx.progress(f64::from(step), Some(to.into()), None);
        cx.sleep(Duration::from_millis(100)).await;
    }
    assert!(args.fall != Some(true), "a fall after reports");
    watch.done()
}

#[input]
struct Large {
    /// What the answer consists of.
    piece: String,
    /// How often.
    times: usize,
    /// Report progress before it.
    report: Option<bool>,
}

/// An answer of the size that is asked for.
#[tool(read_only)]
async fn large(args: Large, cx: &Cx) -> String {
    if args.report == Some(true) {
        cx.progress(1.0, None, None);
    }
    args.piece.repeat(args.times)
}

/// Holds the thread for four seconds: no deadline of a server's own ends this.
#[tool(read_only)]
async fn block() -> &'static str {
    std::thread::sleep(Duration::from_secs(4));
    "free again"
}

/// Ends the process.
#[tool]
async fn leave() -> String {
    std::process::exit(3)
}

/// Fails with a cause that no client sees.
#[tool(read_only)]
async fn broken() -> Result<String, ToolError> {
    Err(ToolError::internal("a wire is loose"))
}

/// Fails because something that it needs is away.
#[tool(read_only)]
async fn away() -> Result<String, ToolError> {
    let cause = "connection refused";
    Err(ToolError::unavailable(
        "The orders are temporarily unavailable.",
        cause,
    ))
}

/// Fails as it may.
#[tool(read_only)]
async fn expected() -> Result<String, ToolError> {
    Err(ToolError::new("There is no such order."))
}

/// Gives more than an answer may have.
#[tool(read_only)]
async fn flood() -> String {
    "x".repeat(6 * 1024 * 1024)
}

/// Keeps its result.
#[tool(read_only, cache = "1m")]
async fn kept() -> &'static str {
    "as before"
}

/// Writes.
#[tool]
async fn written() -> &'static str {
    "done"
}

/// Goes on without something that it can do without.
#[tool(read_only)]
async fn degraded(cx: &Cx) -> &'static str {
    cx.report_degraded("crm", "connection refused");
    "less than usual"
}

#[input]
struct ComeBack {
    /// After so many milliseconds.
    after_ms: u64,
}

/// Waits for something elsewhere, in another run.
#[tool(read_only, task(poll = "1s"))]
async fn come_back(args: ComeBack, cx: &Cx) -> Result<String, ToolError> {
    let task = cx.task();
    if task.resume::<u8>().is_some() {
        return Ok("back".to_owned());
    }
    task.checkpoint(&1).await?;
    Err(task.later(Duration::from_millis(args.after_ms)))
}

#[input]
struct Door {
    /// Which.
    number: u64,
}

/// Opens a door, and says so.
#[tool]
async fn open_door(args: Door, cx: &Cx) -> Result<String, ToolError> {
    let id = format!("door-{}", args.number);
    cx.emit_as(id, "door.opened", &json!({"number": args.number}))
        .await
}

/// What can be heard of, where there is a queue for it.
fn with_events(builder: Builder) -> Builder {
    let event = Event::new("door.opened").description("A door was opened.");
    builder
        .event(event.payload_schema(json!({"type": "object"})))
        .event(turned())
        .tool(open_door)
}

/// What a function knows: nobody emits it.
fn turned() -> Event {
    Event::new("tide.turned")
        .description("The tide turned, as it does each hour here.")
        .payload_schema(json!({"type": "object"}))
        .poll(turns)
        .sent()
}

/// The hours behind one, unless there is a file that says that nobody knows.
async fn turns(_: NoArguments, poll: EventPoll, cx: Cx) -> Result<EventPage, ToolError> {
    const HOUR_MS: u64 = 3_600_000;
    let now = cx.now_ms() / HOUR_MS;
    if std::env::var_os("TEST_NO_TIDE").is_some_and(|file| Path::new(&file).exists()) {
        return Err(ToolError::internal("no tide table"));
    }
    let Some(cursor) = poll.cursor() else {
        return Ok(EventPage::new(now.to_string()));
    };
    let from: u64 = cursor.parse().unwrap_or(now).min(now);
    let until = now.min(from + poll.limit() as u64);
    let turn = |hour: u64| EventOccurrence::new(format!("tide-{hour}"), hour * HOUR_MS, &json!({}));
    Ok(EventPage::new(until.to_string())
        .events((from + 1..=until).map(turn))
        .more(until < now))
}

/// The system's clock, and as many milliseconds more as a file says.
struct ShiftedClock(String);

impl Clock for ShiftedClock {
    fn now_ms(&self) -> u64 {
        let more = std::fs::read_to_string(&self.0).unwrap_or_default();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now_ms = now.map_or(0, |now| now.as_millis() as u64);
        now_ms + more.trim().parse::<u64>().unwrap_or(0)
    }
}

/// What is no call: a sensor says which door was opened.
struct Sensor;

impl PlatformEvents for Sensor {
    fn take<'a>(
        &'a self,
        event: Value,
        server: &'a Server,
        platform: &'a Arc<Platform>,
    ) -> BoxFuture<'a, Result<Value, ToolError>> {
        Box::pin(async move {
            let number = event["detail"]["door"].as_u64();
            let number = number.ok_or_else(|| ToolError::internal("the sensor is loose"))?;
            let opened = EventOccurrence::new(
                format!("door-{number}"),
                platform.now_ms(),
                &json!({"number": number}),
            );
            let id = server.emit(platform, "door.opened", opened).await?;
            Ok(json!({ "emitted": id }))
        })
    }
}

/// What a test puts in the place of the host's own: another time, and one more root to trust.
fn with_ports(mut platform: Platform, clock: Option<String>, root: Option<String>) -> Platform {
    if let Some(path) = clock {
        platform = platform.with_clock(Arc::new(ShiftedClock(path)));
    }
    if let Some(path) = root {
        let root = std::fs::read(path).expect("a certificate");
        let client = Client::new().with_root(&root).expect("a root");
        platform = platform.with_port::<dyn HttpClient>(Arc::new(client));
    }
    platform
}

struct Watch {
    done: bool,
}

impl Watch {
    fn done(mut self) -> &'static str {
        self.done = true;
        "done"
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.done {
            println!("count was given up");
        }
    }
}

fn main() -> ExitCode {
    let setup = |variables: &Variables| {
        // a tool that is required to be a task needs a function that runs it
        let mode = variables.text("MCPFN_LAMBDA_MODE");
        let runs = variables.text("MCPFN_TASKS_FUNCTION").is_some();
        let builder = match runs || mode.as_deref() == Some("tasks") {
            true => mcpfn_it::everything(),
            false => mcpfn_it::everything_within_calls(),
        };
        let builder = builder
            .tool(whoami)
            .tool(process)
            .tool(count)
            .tool(large)
            .tool(block)
            .tool(leave)
            .tool(broken)
            .tool(away)
            .tool(expected)
            .tool(flood)
            .tool(come_back)
            .tool(degraded)
            .tool(kept)
            .tool(written);
        let builder = match variables.text("MCPFN_EVENTS_QUEUE") {
            Some(_) => with_events(builder),
            None => builder,
        };
        let sensor = variables.text("TEST_SENSOR").is_some();
        let (clock, root) = (variables.text("TEST_CLOCK"), variables.text("TEST_ROOT"));
        Ok::<_, Infallible>(Setup {
            builder,
            ports: move |platform: Platform| {
                let platform = with_ports(platform, clock, root);
                match sensor {
                    true => platform.with_port::<dyn PlatformEvents>(Arc::new(Sensor)),
                    false => platform,
                }
            },
        })
    };
    mcpfn_lambda::run(setup, &[])
}
