//! The server for a program that runs `lambda_http` itself: `lambda_http::run`,
//! `run_concurrent`, `run_with_streaming_response`. The settings, callers and limits are those of
//! [`run`](crate::run); what differs is who reads events and sends answers.
//!
//! ```no_run
//! use std::convert::Infallible;
//! use mcpfn_core::{NoArguments, Server, Tool, port::Platform};
//! use mcpfn_lambda::{Setup, Variables};
//!
//! # async fn example() -> Result<(), lambda_http::Error> {
//! let setup = |_: &Variables| {
//!     let tick = Tool::new("tick").description("Says tick.");
//!     let tick = tick.handler(|_: NoArguments| async { "tick" });
//!     Ok::<_, Infallible>(Setup {
//!         builder: Server::builder("clock", "1.0.0").tool(tick),
//!         ports: |platform: Platform| platform,
//!     })
//! };
//! let mcp = mcpfn_lambda::tower::service(setup, &[])?;
//! lambda_http::run(mcp).await
//! # }
//! ```
//!
//! `lambda_http` itself is less careful than [`run`](crate::run): of several headers with one name in
//! a REST or payload 1.0 event it keeps the last, a bad host costs the answer, an answer over 6 MB
//! is lost, and a streamed answer waits some 40 ms for each of its parts.

use std::fmt;
use std::fmt::Display;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use lambda_http::RequestExt as _;
use lambda_http::request::RequestContext;
use mcpfn_core::{Principal, handler::BoxFuture, port::Platform};
use mcpfn_http::{Deadline, Endpoint, WholeAnswer};
pub use mcpfn_native::Variables;
pub use mcpfn_settings::Setup;
use mcpfn_settings::{EnvReader, Setting};
use tower_layer::Layer;
use tower_service::Service;

use crate::event::{identity, path_below};
use crate::function::Function;
use crate::logging::{self, InvocationId, trace_root};
use crate::run::function;
use crate::settings::Settings;

/// The server that the environment configures, as `lambda_http` calls it. It starts no log: the
/// program's own `tracing` subscriber has it.
///
/// # Errors
/// Everything that is wrong with the settings or the server, in sentences that say what to change.
pub fn service<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Result<EventService<Endpoint>, String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let (layer, endpoint) = parts(setup, program)?;
    Ok(layer.layer(endpoint))
}

/// The two parts of [`service`], for layers of the program's own in between.
///
/// # Errors
/// As [`service`].
pub fn parts<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Result<(EventLayer, Endpoint), String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let variables = Variables::of_process().with_secret_files(program)?;
    variables.read(|reader| parts_from(reader, || setup(&variables), program))
}

fn parts_from<E, P>(
    mut reader: EnvReader<'_>,
    setup: impl FnOnce() -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Result<(EventLayer, Endpoint), String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    if reader.text("MCPFN_LAMBDA_MODE").is_some() {
        reader.mistake(
            "MCPFN_LAMBDA_MODE has no effect on a program that runs lambda_http itself: remove it, \
             and call run_with_streaming_response for answers in pieces",
        );
    }
    let settings = Settings::read(reader, program).map_err(|error| error.to_string())?;
    let function = function(settings, Instant::now(), setup)?;
    let endpoint =
        Endpoint::behind_middleware(function.service.clone(), Arc::clone(&function.platform));
    let shared = Shared {
        function,
        cold: logging::starts_on_demand().into(),
    };
    let layer = EventLayer {
        shared: Arc::new(shared),
        streamed: false,
    };
    Ok((layer, endpoint))
}

struct Shared {
    function: Function,
    cold: AtomicBool,
}

/// Gives each request what `lambda_http` says about its event: the caller that the trigger
/// recognised, if the operator lets it count (`MCPFN_AUTH`), the deadline of the invocation, the
/// path without stage and base path. A request without such a context is of nobody. And it ends an
/// answer only once the work after it is done, because the environment is frozen then.
#[derive(Clone)]
pub struct EventLayer {
    shared: Arc<Shared>,
    streamed: bool,
}

impl EventLayer {
    /// For `run_with_streaming_response`: no answer is empty, because front doors wait for the first
    /// byte of a stream before they send its head on.
    #[must_use]
    pub fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }
}

impl<S> Layer<S> for EventLayer {
    type Service = EventService<S>;

    fn layer(&self, inner: S) -> EventService<S> {
        EventService {
            shared: Arc::clone(&self.shared),
            inner,
            streamed: self.streamed,
        }
    }
}

/// A service behind an [`EventLayer`].
#[derive(Clone)]
pub struct EventService<S> {
    shared: Arc<Shared>,
    inner: S,
    streamed: bool,
}

impl<S> EventService<S> {
    /// As [`EventLayer::streamed`].
    #[must_use]
    pub fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }
}

impl<S, B, R> Service<Request<B>> for EventService<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
{
    type Response = Response<Finished<R>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let (named, deadline_ms) = self.shared.prepare(&mut request);
        if !self.streamed {
            request.extensions_mut().insert(WholeAnswer);
        }
        let (shared, fill) = (Arc::clone(&self.shared), self.streamed);
        let answer = named.during(|| self.inner.call(request));
        Box::pin(async move {
            let response = named.scope(answer).await?;
            Ok(response.map(|body| Finished {
                body,
                shared,
                named,
                deadline_ms,
                fill,
                after: After::NotYet,
            }))
        })
    }
}

impl Shared {
    /// Puts what is known of the event into its request.
    fn prepare<B>(&self, request: &mut Request<B>) -> (InvocationId, u64) {
        let Function {
            platform,
            callers,
            base_path,
            ..
        } = &self.function;
        let context = request.extensions().get::<RequestContext>();
        let (recognised, address) = match context {
            Some(context) => (
                identity::caller(context, &callers.default_scopes),
                identity::address(context, request.headers()),
            ),
            None => (Ok(Principal::anonymous()), None),
        };
        let principal = callers.principal(recognised, address, platform);
        let path = request.raw_http_path();
        let uri = path_below(path, context.and_then(identity::stage), base_path);
        let invocation = request.lambda_context_ref();
        let deadline_ms = self
            .function
            .deadline_ms(invocation.map_or(0, |invocation| invocation.deadline));
        let trace = invocation.and_then(|invocation| invocation.xray_trace_id.as_deref());
        let named = InvocationId {
            request_id: invocation.map_or_else(String::new, |it| it.request_id.clone()),
            trace_id: trace.and_then(trace_root),
            cold_start: self.cold.swap(false, Ordering::Relaxed),
        };
        *request.uri_mut() = uri;
        let extensions = request.extensions_mut();
        extensions.insert(principal);
        extensions.insert(Deadline(self.function.end_ms(deadline_ms)));
        (named, deadline_ms)
    }
}

/// The body of an answer, which ends once the work after the answer is done.
pub struct Finished<B> {
    body: B,
    shared: Arc<Shared>,
    named: InvocationId,
    deadline_ms: u64,
    /// Whether nothing has been sent yet, and something must be.
    fill: bool,
    after: After,
}

/// Work at the end of a body.
enum After {
    NotYet,
    /// Never locked: only who has the body alone polls it.
    Running(Mutex<BoxFuture<'static, ()>>),
    Done,
}

impl<B: http_body::Body<Data = Bytes> + Unpin> http_body::Body for Finished<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Self {
            body,
            shared,
            named,
            deadline_ms,
            fill,
            after,
        } = &mut *self;
        loop {
            match after {
                After::NotYet => {
                    let frame = named.during(|| Pin::new(&mut *body).poll_frame(cx));
                    let frame = ready!(frame);
                    let filler = std::mem::take(fill);
                    match frame {
                        None if filler => {
                            let line = Bytes::from_static(b"\n");
                            return Poll::Ready(Some(Ok(Frame::data(line))));
                        }
                        None => {}
                        frame => return Poll::Ready(frame),
                    }
                    let (shared, named, end) = (Arc::clone(shared), named.clone(), *deadline_ms);
                    let work = async move { shared.function.drain(&named, end).await };
                    *after = After::Running(Mutex::new(Box::pin(work)));
                }
                After::Running(work) => {
                    let work = work.get_mut().unwrap_or_else(PoisonError::into_inner);
                    ready!(work.as_mut().poll(cx));
                    *after = After::Done;
                }
                After::Done => return Poll::Ready(None),
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        if self.fill {
            return SizeHint::default();
        }
        self.body.size_hint()
    }
}

impl fmt::Debug for EventLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventLayer(..)")
    }
}

impl<S: fmt::Debug> fmt::Debug for EventService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl<B: fmt::Debug> fmt::Debug for Finished<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finished")
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
