//! One fetch event, from request to response. What every event of an isolate shares is made at the
//! first one.

use std::cell::OnceCell;
use std::convert::Infallible;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use mcpfn_auth::{AuthMethod, Signatures};
use mcpfn_core::jsonrpc::Error as RpcError;
use mcpfn_core::{Builder, HttpClient, Platform, RateLimits, RpcResponse};
use mcpfn_http::{Config, Service};
use mcpfn_settings::Setup;
use tracing::Level;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::{Env, Headers, ResponseBuilder, web_sys};

use crate::hangup::Hangup;
use crate::http_client::Fetch;
use crate::settings::Settings;
use crate::variables::Variables;
use crate::web_crypto::WebCrypto;
use crate::{console, ports, request, response};

thread_local! {
    /// Mistakes are kept too: bindings don't change while an isolate lives.
    static HOST: OnceCell<Result<Rc<WorkerHost>, String>> = const { OnceCell::new() };
}

/// The host itself can't answer: what it was given to serve is no server, a tool panicked, nobody
/// waits any more. Every other status is decided elsewhere.
const UNAVAILABLE: u16 = 503;
const FAILED: u16 = 500;
const GONE_CLIENT: u16 = 499;

/// The binding of the KV namespace for results. Without one, nothing is kept.
const CACHE: &str = "CACHE";
/// The binding of the Durable Objects for idempotent writes. Without one, an `idempotencyKey`
/// has no effect.
const IDEMPOTENCY: &str = "IDEMPOTENCY";

/// What every event of this isolate shares.
struct WorkerHost {
    service: Service,
    platform: Arc<Platform>,
    base_path: String,
}

/// Answers a fetch event; [`fetch!`](crate::fetch!) exports it. `setup` is asked at the first event
/// of an isolate.
pub fn fetch<E, P>(
    request: web_sys::Request,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E> + 'static,
) -> Promise
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    future_to_promise(AssertUnwindSafe(async move {
        let answered = uncaught(async move {
            let host = HOST.with(|host| {
                host.get_or_init(|| WorkerHost::new(&Variables(env), setup).map(Rc::new))
                    .clone()
            });
            match host {
                Ok(host) => host.answer(request).await,
                Err(mistake) => refused(UNAVAILABLE, &mistake),
            }
        });
        let panicked = |panicked: Panicked| refused(FAILED, &panicked.to_string());
        Ok(answered.await.unwrap_or_else(panicked).into())
    }))
}

/// What [`fetch!`](crate::fetch!) serves of a server that needs no port of its own.
///
/// # Errors
/// None.
pub fn served(
    server: impl FnOnce() -> Builder,
) -> Result<Setup<impl FnOnce(Platform) -> Platform>, Infallible> {
    Ok(Setup {
        builder: server(),
        ports: |platform| platform,
    })
}

impl WorkerHost {
    fn new<E, P>(
        variables: &Variables,
        setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    ) -> Result<Self, String>
    where
        E: fmt::Display,
        P: FnOnce(Platform) -> Platform,
    {
        let settings = Settings::read(|name| variables.find(name)).map_err(|error| {
            // the settings may be what says how much to log
            console::start(Level::INFO);
            format!(
                "{error}\nA variable is set in [vars] of wrangler.toml, a secret such as \
                 MCPFN_API_KEYS with `wrangler secret put NAME`"
            )
        })?;
        console::start(settings.log_level);
        let Setup {
            builder,
            ports: add_ports,
        } = setup(variables).map_err(|error| error.to_string())?;
        let server = builder.build().map_err(|error| error.to_string())?;
        let anybody = settings.methods.has(AuthMethod::None);
        if anybody {
            tracing::warn!(
                "MCPFN_AUTH is none: anybody who reaches this Worker may call every tool"
            );
        }
        let keys = settings.state_keys.unwrap_or_else(|| {
            tracing::warn!(
                "MCPFN_STATE_KEY is not set: a tool that asks its user something fails when \
                 another isolate gets the answer; set it to 32 random bytes in Base64 with \
                 `wrangler secret put MCPFN_STATE_KEY`"
            );
            ports::new_key()
        });
        let mut config = Config::default();
        config.anonymous = anybody;
        config.auth = settings.proofs.auth;
        config.origins.listed = settings.origins;
        config.max_body = settings.max_body;
        let limiter = Arc::new(variables.rates(settings.policies.rate)?);
        let limits = RateLimits {
            limiter,
            rate: settings.policies.rate,
            failure_mode: settings.policies.rate_limit_on_error,
        };
        // a request that waits for another one's work is stopped by the platform
        let mut platform = settings
            .policies
            .apply_audit_settings(ports::platform(keys))
            .without_sharing()
            .with_rate_limits(limits)
            .with_port::<dyn HttpClient>(Arc::new(Fetch))
            .with_port::<dyn Signatures>(Arc::new(WebCrypto));
        if let Some(cache) = variables.kv_cache(CACHE) {
            platform = platform.with_cache(Arc::new(cache));
        }
        if let Some(store) = variables.idempotency(IDEMPOTENCY)? {
            platform = platform.with_idempotency(store, settings.policies.idempotency_on_error);
        }
        Ok(Self {
            service: Service::new(server, config),
            platform: Arc::new(add_ports(platform)),
            base_path: settings.base_path,
        })
    }

    /// The response, unless the client is gone first: then its call is dropped.
    async fn answer(&self, request: web_sys::Request) -> web_sys::Response {
        let mut client = Hangup::of(request.signal());
        let mut call = pin!(
            self.service
                .call(request::convert(request, &self.base_path), &self.platform)
        );
        // the first wait is for the request's body, and most calls have no other
        let mut waited = false;
        let answered = poll_fn(|cx| match call.as_mut().poll(cx) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending if waited && client.poll(cx).is_ready() => Poll::Ready(None),
            Poll::Pending => {
                waited = true;
                Poll::Pending
            }
        });
        match answered.await {
            Some(response) => response::convert(response, client),
            // nobody reads it
            None => Ok(ResponseBuilder::new()
                .with_status(GONE_CLIENT)
                .empty()
                .into()),
        }
        .unwrap_or_else(|error| refused(FAILED, &format!("the answer could not be sent: {error}")))
    }
}

/// Does work after the answer: the isolate is kept for it, at most 30 seconds beyond the answer's
/// end.
pub fn wait_until(work: impl Future<Output = ()> + 'static) {
    let work = uncaught(work);
    keep(&future_to_promise(AssertUnwindSafe(async move {
        // the panic hook has logged it
        let _ = work.await;
        Ok(JsValue::UNDEFINED)
    })));
}

#[wasm_bindgen(module = "cloudflare:workers")]
extern "C" {
    #[wasm_bindgen(js_name = "waitUntil")]
    fn keep(work: &Promise);
}

/// A JSON-RPC error without id: what is wrong is wrong for every message.
fn refused(status: u16, message: &str) -> web_sys::Response {
    tracing::error!(status, "{message}");
    let answer = RpcResponse::malformed(None, &RpcError::internal(message.to_owned()));
    let headers = Headers::new();
    // both are fixed texts that JavaScript takes; without them the body would still say what it
    // says
    let _ = headers
        .set("content-type", "application/json")
        .and_then(|()| headers.set("cache-control", "no-store"));
    ResponseBuilder::new()
        .with_status(status)
        .with_headers(headers)
        .fixed(answer.message.to_vec())
        .into()
}

/// A future whose panics end it and nothing else.
async fn uncaught<T>(future: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut future = pin!(future);
    poll_fn(|cx| guarded(|| future.as_mut().poll(cx))).await
}

/// Polls, and makes a panic an error. Where the standard library aborts instead, there is nothing
/// to catch.
pub(crate) fn guarded<T>(poll: impl FnOnce() -> Poll<T>) -> Poll<Result<T, Panicked>> {
    match catch_unwind(AssertUnwindSafe(poll)) {
        Ok(poll) => poll.map(Ok),
        Err(_) => Poll::Ready(Err(Panicked)),
    }
}

/// A handler panicked; the panic hook has logged where.
#[derive(Debug)]
pub(crate) struct Panicked;

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the call failed unexpectedly; the log says where")
    }
}
