//! The port to the log: one record of each call, and the private causes of failures. Not the log
//! messages that a client asks for (`Cx::log`).

use crate::canonical::fingerprint;
use crate::policy::redact::redacted;
use crate::principal::Principal;
use crate::send::{MaybeSend, MaybeSync};
use crate::service_fault::ServiceFault;
use crate::version::Revision;

/// Where a call's private side goes.
///
/// ```
/// use mcpfn_core::port::{AuditEntry, AuditLog, Failure};
///
/// struct Stderr;
///
/// impl AuditLog for Stderr {
///     fn failure(&self, failure: &Failure<'_>) {
///         eprintln!("{} {}: {}", failure.id, failure.name, failure.cause);
///     }
///
///     fn call(&self, call: &AuditEntry<'_>) {
///         eprintln!("{} {} {} ms", call.name, call.outcome.as_str(), call.duration_ms);
///     }
///
///     fn denied(&self, sentence: &str, cause: Option<&str>) {
///         eprintln!("denied: {sentence} ({})", cause.unwrap_or("no cause"));
///     }
///
///     fn store_failure(&self, store: &str, cause: &str) {
///         eprintln!("{store} unavailable: {cause}");
///     }
/// }
/// # use mcpfn_core::{NoArguments, Server, Tool};
/// # let tool = Tool::new("tick").description("Ticks.").handler(|_: NoArguments| async { "tick" });
/// # let client = mcpfn_testing::TestClient::new(Server::builder("clock", "1.0.0").tool(tool));
/// # let client = client.map_platform(|platform| platform.with_audit_log(std::sync::Arc::new(Stderr)));
/// # client.call("tick", serde_json::json!({})).wait().unwrap();
/// ```
pub trait AuditLog: MaybeSend + MaybeSync {
    /// A handler failed with a cause that the client must not see.
    fn failure(&self, failure: &Failure<'_>);

    /// A call has ended. One record a call, whatever its end.
    fn call(&self, call: &AuditEntry<'_>);

    /// A caller's credential was refused. `sentence` is what it was told, `cause` is for the log
    /// alone.
    fn denied(&self, sentence: &str, cause: Option<&str>);

    /// A request was refused before its message was read; a refused credential is
    /// [`denied`](Self::denied) instead. Not every one: see [`RefusedRequest::unlogged`]. Nothing is
    /// written unless this is implemented.
    fn refused(&self, request: &RefusedRequest<'_>) {
        let _ = request;
    }

    /// An event was sent to a subscriber, or was not. Nothing is written unless this is implemented.
    fn delivery(&self, delivery: &EventDelivery<'_>) {
        let _ = delivery;
    }

    /// Something became of a run of a task. For people who watch: its entry is that of a call,
    /// `tasks/run`, once the run has ended. Nothing is done unless this is implemented.
    fn task(&self, news: &TaskNews<'_>) {
        let _ = news;
    }

    /// A store that policies use is unavailable; the call went on, or was refused, as the policy
    /// says. Or a service that a handler can do without (`Cx::report_degraded`): the call went on.
    fn store_failure(&self, store: &str, cause: &str);
}

/// What became of a run of a task.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TaskNews<'a> {
    /// The tool's registered name.
    pub tool: &'a str,
    /// A fingerprint of the task's id: the id itself is a secret where callers share a principal.
    pub task: String,
    /// What happened.
    pub change: TaskChange<'a>,
}

impl<'a> TaskNews<'a> {
    pub(crate) fn new(tool: &'a str, id: &str, change: TaskChange<'a>) -> Self {
        let task = fingerprint(id.as_bytes());
        Self { tool, task, change }
    }
}

/// What happens to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TaskChange<'a> {
    /// It began here.
    Started,
    /// What its handler says of where it is.
    Status(&'a str),
    /// It ended, and the task is then `working` (another run goes on), `input_required`,
    /// `completed`, `failed` or `cancelled`; `lost` where another run has it.
    Ended(&'a str),
}

/// A request that was refused before its message was read.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// What was wrong, in one word that stays: `host`, `origin`, `proxy`, `method`, `size`,
    /// `content_type`, `rate`, `unauthenticated`, `body` or `path`.
    pub reason: &'a str,
    /// The method of HTTP, or `other`.
    pub method: &'a str,
    /// Where it came from, as far as the host knows.
    pub address: Option<core::net::IpAddr>,
    /// What the client was told.
    pub sentence: &'a str,
    /// How many refusals for this reason had no entry since the last one: there are ten a minute.
    pub unlogged: u64,
}

/// One attempt to send an event to a subscriber.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct EventDelivery<'a> {
    /// The event: a registered name.
    pub event: &'a str,
    /// The subscription's id, which opens nothing.
    pub subscription: &'a str,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// Why it did not arrive, in one word such as `timeout`; empty where it did.
    pub reason: &'a str,
    /// How many attempts failed before this one.
    pub failures: u32,
    /// How long the attempt took.
    pub duration_ms: u64,
}

impl<'a> EventDelivery<'a> {
    pub(crate) fn new(
        event: &'a str,
        subscription: &'a str,
        outcome: DeliveryOutcome,
        reason: &'a str,
        failures: u32,
        duration_ms: u64,
    ) -> Self {
        Self {
            event,
            subscription,
            outcome,
            reason,
            failures,
            duration_ms,
        }
    }
}

/// What became of an attempt to send an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryOutcome {
    /// The subscriber has it.
    Delivered,
    /// Another attempt follows.
    Retried,
    /// No other attempt follows: the subscriber does not get it.
    Dead,
}

impl DeliveryOutcome {
    /// One word for a log or a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Retried => "retried",
            Self::Dead => "dead",
        }
    }
}

/// The private side of a failed call. The client was told `id`, and nothing else of it.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The id that the client was told.
    pub id: &'a str,
    /// The method, e.g. `tools/call`.
    pub method: &'a str,
    /// The tool, prompt or resource: a registered name, never the client's text.
    pub name: &'a str,
    /// What went wrong.
    pub cause: &'a str,
}

impl<'a> Failure<'a> {
    pub(crate) fn new(id: &'a str, method: &'a str, name: &'a str, cause: &'a str) -> Self {
        Self {
            id,
            method,
            name,
            cause,
        }
    }
}

/// One call, as an operator wants to read it a year later. Of inputs it has a fingerprint, and more
/// only on request.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct AuditEntry<'a> {
    /// The protocol revision that the call was served under.
    pub revision: Revision,
    /// The method, e.g. `tools/call`; empty if none of that name is served.
    pub method: &'a str,
    /// The tool, prompt or resource: a registered name, never the client's text. Empty if the call
    /// is about none, or about one that does not exist.
    pub name: &'a str,
    /// Who called.
    pub principal: &'a Principal,
    /// How it ended.
    pub outcome: Outcome,
    /// JSON-RPC code, when it ended in a protocol error.
    pub code: Option<i32>,
    /// From the call's first step to its answer; 0 if it ran nothing.
    pub duration_ms: u64,
    /// Bytes of the arguments as they came.
    pub bytes_in: usize,
    /// Bytes of the result; of the whole answer if the call ran nothing.
    pub bytes_out: usize,
    /// What a cached result did for it.
    pub cache: CacheStatus,
    /// The id that the client was told, if the log has a private cause of this call's failure; see
    /// [`Failure::id`].
    pub error_id: Option<&'a str>,
    /// What the call used that is deprecated (an old name, an argument), a sentence for each: at most
    /// eight.
    pub deprecated: &'a [String],
    /// JSON text of the request's id; empty if it is longer than 64 bytes or has other characters
    /// than ASCII's visible ones.
    pub id: &'a str,
    /// W3C `traceparent` of the client, if it sent one that is well-formed.
    pub traceparent: Option<&'a str>,
    /// W3C `tracestate` that came with it.
    pub tracestate: Option<&'a str>,
    pub(crate) input: ArgumentText<'a>,
}

/// Arguments as they came. Only their fingerprint may be printed; and what `redact` leaves of them,
/// where the operator asked for it.
#[derive(Clone, Copy)]
pub(crate) struct ArgumentText<'a> {
    pub(crate) text: &'a str,
    /// Names of members that the tool's schema calls secret.
    pub(crate) hidden: &'a [String],
    pub(crate) shown: bool,
}

impl ArgumentText<'_> {
    pub(crate) const NONE: Self = Self {
        text: "",
        hidden: &[],
        shown: false,
    };
}

impl std::fmt::Debug for ArgumentText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // `AuditEntry` is `Debug`, and debug output ends up in logs
        f.write_str(&fingerprint(self.text.as_bytes()))
    }
}

impl AuditEntry<'_> {
    /// Whether the server is to blame, and not the caller: a panic, an internal error, no answer in
    /// time, a result that is too large, or a failure whose private cause is in the log.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        let outcome = matches!(
            self.outcome,
            Outcome::Internal | Outcome::TimedOut | Outcome::TooLarge
        );
        outcome || self.error_id.is_some()
    }

    /// 16 hexadecimal digits by which equal inputs are found.
    #[must_use]
    pub fn input_hash(&self) -> String {
        fingerprint(self.input.text.as_bytes())
    }

    /// The arguments as JSON, at most 4 KiB, without what looks like a secret and without what the
    /// tool's schema marks as one (`writeOnly`, or the format `password`). Nothing unless the
    /// operator asked for it.
    #[must_use]
    pub fn input(&self) -> Option<String> {
        (self.input.shown && !self.input.text.is_empty())
            .then(|| redacted(self.input.text, self.input.hidden))
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// With a result.
    Ok,
    /// With a failure that the handler itself reported.
    Failed,
    /// With a failure of a service that the handler asked, which the handler reported.
    Service(ServiceFault),
    /// Its arguments do not fit the schema.
    InvalidArguments,
    /// Its time was over.
    TimedOut,
    /// By a fault of the server: a panic, an internal error, a result that does not fit its schema.
    Internal,
    /// Its result was larger than an answer may be.
    TooLarge,
    /// With a question to the client.
    InputRequired,
    /// With the id of a task, which goes on.
    Task,
    /// With a protocol error: something named does not exist, a capability is missing.
    Refused,
    /// The caller lacks a scope.
    Forbidden,
    /// The caller's rate limit was exceeded.
    RateLimited,
    /// The client went away.
    Cancelled,
}

impl Outcome {
    /// One word for a log or a metric.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "tool_error",
            Self::Service(fault) => fault.as_str(),
            Self::InvalidArguments => "invalid_arguments",
            Self::TimedOut => "timeout",
            Self::Internal => "internal",
            Self::TooLarge => "too_large",
            Self::InputRequired => "input_required",
            Self::Task => "task",
            Self::Refused => "refused",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What a cached result did for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CacheStatus {
    /// Nothing: the tool keeps none, or the host has no store.
    Off,
    /// There was none.
    Miss,
    /// It was the answer.
    Hit,
    /// It was the answer, and is being made anew.
    Stale,
    /// It was the answer, because there was no newer one: what the handler asked failed.
    StaleIfError,
    /// An equal call that was under way made it.
    Coalesced,
}

impl CacheStatus {
    /// One word for a log, a metric, or a client that asks.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Miss => "miss",
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::StaleIfError => "stale_if_error",
            Self::Coalesced => "coalesced",
        }
    }
}
