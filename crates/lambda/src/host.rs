//! One invocation: event in, answer out.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lambda_runtime::{Diagnostic, LambdaInvocation};
use mcpfn_core::ToolError;
use mcpfn_http::{Deadline, WholeAnswer};
use mcpfn_ports::PlatformEvents;

use crate::api::{Api, Delivery, Invocation};
use crate::event::{NotHttp, TriggerEvent};
#[cfg(feature = "dynamodb")]
use crate::event::{QueueEvent, TaskEvent, is_schedule};
use crate::function::Function;
use crate::logging::{InvocationId, trace_root};
use crate::response::{Shape, StreamPrelude, buffered};
use crate::settings::Mode;

/// What every invocation of this execution environment shares.
pub(crate) struct LambdaHost {
    pub(crate) api: Api,
    pub(crate) function: Function,
    pub(crate) mode: Mode,
    /// Whether no event has come yet to an environment that was made for one.
    pub(crate) cold: AtomicBool,
}

impl LambdaHost {
    /// Answers one event to its end: a stream is over when this is.
    pub(crate) async fn invoke(self: Arc<Self>, invocation: LambdaInvocation) {
        let LambdaInvocation {
            parts,
            body,
            context,
        } = invocation;
        let named = InvocationId {
            request_id: context.request_id.clone(),
            trace_id: context.xray_trace_id.as_deref().and_then(trace_root),
            cold_start: self.cold.swap(false, Ordering::Relaxed),
        };
        let deadline_ms = self.function.deadline_ms(context.deadline);
        let host = Arc::clone(&self);
        let invoked = context.invoked_function_arn.clone();
        // a task of its own, so that an unforeseen panic costs one answer and not the process
        let work = async move {
            // boxed: what is around it moves it from place to place, and it has ten kilobytes
            let outcome = match host.mode {
                Mode::Tasks => Box::pin(host.run(&body, &invoked, deadline_ms)).await,
                Mode::Events => Box::pin(host.deliver(&body, deadline_ms)).await,
                Mode::Buffer | Mode::Stream => Box::pin(host.outcome(&body, deadline_ms)).await,
            };
            outcome.unwrap_or_else(Delivery::Failed)
        };
        let task = named.clone();
        let outcome = tokio::spawn(async move { task.scope(work).await }).await;
        let outcome = outcome.unwrap_or_else(|_| {
            Delivery::Failed("the function panicked; its log says where".into())
        });
        // a streamed answer works on while it is sent
        let sent = Box::pin(self.api.send(
            Invocation {
                request_id: &context.request_id,
                headers: &parts.headers,
            },
            outcome,
        ));
        if let Err(error) = named.scope(sent).await {
            named.during(|| {
                tracing::error!(
                    event = "answer_lost",
                    error,
                    "an answer did not reach the Lambda runtime API"
                );
            });
        }
        self.function.drain(&named, deadline_ms).await;
    }

    /// Runs a task. The answer is for nobody.
    #[cfg(feature = "dynamodb")]
    async fn run(
        &self,
        event: &[u8],
        invoked: &str,
        deadline: u64,
    ) -> Result<Delivery, Diagnostic> {
        use crate::tasks;

        let event = TaskEvent::read(event).ok_or_else(tasks::not_a_task)?;
        // the settings of this mode have it
        let invoker = self.function.tasks.as_ref().ok_or_else(tasks::not_a_task)?;
        tasks::run(&self.function, invoker, invoked, &event, deadline).await?;
        Ok(Delivery::Buffered("null".into()))
    }

    /// The settings refuse this mode.
    #[cfg(not(feature = "dynamodb"))]
    async fn run(&self, _: &[u8], _: &str, _: u64) -> Result<Delivery, Diagnostic> {
        Err(NotHttp.into())
    }

    /// Sends events, or reads those that a schedule has read. The answer says which messages are to
    /// come again.
    #[cfg(feature = "dynamodb")]
    async fn deliver(&self, event: &[u8], deadline: u64) -> Result<Delivery, Diagnostic> {
        use crate::events;

        // the settings of this mode have it
        let queue = self.function.events.as_ref();
        let queue = queue.ok_or_else(events::not_of_the_queue)?;
        if is_schedule(event) {
            if !queue.is_scheduled() {
                return Err(events::not_scheduled());
            }
            events::read_all(&self.function, deadline).await?;
            return Ok(Delivery::Buffered("null".into()));
        }
        let event = QueueEvent::read(event, |arn| queue.has_arn(arn));
        let event = event.ok_or_else(events::not_of_the_queue)?;
        let said = events::run(&self.function, queue, &event, deadline).await;
        Ok(Delivery::Buffered(said.into()))
    }

    /// The settings refuse this mode.
    #[cfg(not(feature = "dynamodb"))]
    async fn deliver(&self, _: &[u8], _: u64) -> Result<Delivery, Diagnostic> {
        Err(NotHttp.into())
    }

    /// What is no request is for the program, where it takes such events.
    async fn other(
        &self,
        event: &[u8],
        not_http: NotHttp,
        deadline: u64,
    ) -> Result<Delivery, Diagnostic> {
        let (server, platform) = (self.function.service.server(), &self.function.platform);
        let port = platform.port::<dyn PlatformEvents>().ok_or(not_http)?;
        let event = serde_json::from_slice(event).map_err(|_| not_http)?;
        let taken = port.take(event, server, platform);
        let taken = tokio::time::timeout(self.function.time_left(deadline), taken).await;
        let taken = taken.unwrap_or_else(|_| {
            let sentence = "the event was not done with in the function's time";
            Err(ToolError::new(sentence))
        });
        taken
            .map(|answer| Delivery::Buffered(answer.to_string().into()))
            .map_err(|error| not_taken(&error))
    }

    async fn outcome(&self, event: &[u8], deadline: u64) -> Result<Delivery, Diagnostic> {
        let event = match TriggerEvent::read(event) {
            Ok(event) => event,
            Err(not_http) => return self.other(event, not_http, deadline).await,
        };
        let streams = self.mode == Mode::Stream && event.trigger().takes_streams();
        let shape = Shape {
            multi_value_headers: event.has_multi_value_headers(),
            trigger: event.trigger(),
        };
        let Function {
            service,
            platform,
            callers,
            base_path,
            ..
        } = &self.function;
        let recognised = event.caller(&callers.default_scopes);
        let principal = callers.principal(recognised, event.address(), platform);
        let mut request = event.into_request(base_path);
        let extensions = request.extensions_mut();
        extensions.insert(principal);
        extensions.insert(Deadline(self.function.end_ms(deadline)));
        if !streams {
            extensions.insert(WholeAnswer);
        }
        let response = service.call(request, platform).await;
        Ok(if streams {
            Delivery::Streamed(StreamPrelude::new(response))
        } else {
            Delivery::Buffered(buffered(response, shape).await)
        })
    }
}

/// What Lambda is told of an event that a program could not take. The cause is for the log.
fn not_taken(error: &ToolError) -> Diagnostic {
    tracing::error!(
        event = "platform_event_failed",
        cause = error.cause().unwrap_or_default(),
        "an event of the platform was not taken"
    );
    let message = error.message();
    let message = message.unwrap_or("the event could not be taken; the log says why");
    Diagnostic {
        error_type: "EventFailed".to_owned(),
        error_message: message.to_owned(),
    }
}
