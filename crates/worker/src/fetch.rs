//! One fetch event, from request to response. What every event of an isolate shares is made at the
//! first one.

use std::cell::OnceCell;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use mcpfn_auth::Signatures;
use mcpfn_core::{
    Builder,
    policy::RateLimits,
    port::{HttpClient, IdempotencyStore, Platform},
};
use mcpfn_http::{Service, client_gone, failed, unavailable};
use mcpfn_settings::{Assembly, EnvReader, Policies, Setting, Setup, build};
use tracing::Level;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::{Env, web_sys};

use crate::hangup::Hangup;
use crate::http_client::Fetch;
use crate::ports::Isolate;
use crate::settings::{HOST, Settings};
use crate::stores::RateBindings;
use crate::uncaught::uncaught;
use crate::variables::Variables;
use crate::web_crypto::WebCrypto;
use crate::zone::OwnZones;
use crate::{console, ports, request, response};

thread_local! {
    /// Mistakes are kept too: bindings don't change while an isolate lives.
    static SHARED: OnceCell<Result<Rc<WorkerHost>, String>> = const { OnceCell::new() };
}

/// The binding of the KV namespace for results. Without one, nothing is kept.
const CACHE: &str = "CACHE";
/// The binding of the Durable Objects for idempotent writes. Without one, no tool offers an
/// idempotency key, and a call with one is refused.
const IDEMPOTENCY: &str = "IDEMPOTENCY";

/// What every event of this isolate shares.
struct WorkerHost {
    service: Service,
    platform: Arc<Platform>,
    base_path: String,
    zones: Rc<OwnZones>,
}

/// Answers a fetch event; [`fetch!`](crate::fetch!) exports it. `setup` is asked at the first event
/// of an isolate; `program` are the settings of the program itself.
pub fn fetch<E, P>(
    request: web_sys::Request,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E> + 'static,
    program: &'static [Setting],
) -> Promise
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    future_to_promise(AssertUnwindSafe(async move {
        let answered = uncaught(async move {
            let host = SHARED.with(|host| {
                host.get_or_init(|| WorkerHost::new(&Variables(env), setup, program).map(Rc::new))
                    .clone()
            });
            match host {
                Ok(host) => host.answer(request).await,
                Err(mistake) => {
                    tracing::error!(event = "start_failed", "{mistake}");
                    response::whole(unavailable(mistake))
                }
            }
        });
        let answered = answered.await.unwrap_or_else(|panicked| {
            tracing::error!(event = "call_failed", "{panicked}");
            response::whole(failed(panicked.to_string()))
        });
        Ok(answered.into())
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
        program: &'static [Setting],
    ) -> Result<Self, String>
    where
        E: fmt::Display,
        P: FnOnce(Platform) -> Platform,
    {
        let variable = |name: &str| variables.find(name);
        let reader = EnvReader::new(&variable).with_names(variables.names());
        let settings = Settings::read(reader, program).map_err(|error| {
            // the settings may be what says how much to log
            console::start(Level::INFO);
            format!(
                "{error}\nA variable is set in [vars] of wrangler.toml, a secret such as \
                 MCPFN_API_KEYS with `wrangler secret put NAME`"
            )
        })?;
        console::start(settings.common.log_level.unwrap_or(Level::INFO));
        let writes = variables.idempotency(IDEMPOTENCY)?;
        let (server, add) = build(|| setup(variables), writes.is_some())?;
        let policies = settings.common.policies;
        let rates = variables.rates(policies.rate, &server)?;
        let zones = Rc::<OwnZones>::default();
        let Assembly {
            service, platform, ..
        } = settings.common.assemble(
            &HOST,
            server,
            &Isolate,
            |_, keys| {
                let platform = ports::platform(keys)
                    .with_port::<dyn HttpClient>(Arc::new(Fetch(Rc::clone(&zones))));
                Ok(with_stores(platform, variables, policies, rates, writes))
            },
            add,
        )?;
        Ok(Self {
            service,
            platform,
            base_path: settings.base_path,
            zones,
        })
    }

    /// The response, unless the client is gone first: then its call is dropped.
    async fn answer(&self, request: web_sys::Request) -> web_sys::Response {
        let mut client = Hangup::of(request.signal());
        let mut call = pin!(self.service.call(
            request::convert(request, &self.base_path, &self.zones),
            &self.platform
        ));
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
            Some(response) => response::convert(response, client).unwrap_or_else(|error| {
                let message = format!("the answer could not be sent: {error}");
                tracing::error!(event = "answer_lost", "{message}");
                response::whole(failed(message))
            }),
            None => response::whole(client_gone()),
        }
    }
}

/// The ports and the stores that this Worker has.
fn with_stores(
    platform: Platform,
    variables: &Variables,
    policies: Policies,
    rates: RateBindings,
    writes: Option<Arc<dyn IdempotencyStore>>,
) -> Platform {
    let limits = RateLimits {
        limiter: Arc::new(rates),
        rate: policies.rate,
        failure_mode: policies.rate_limit_on_error,
    };
    // a request that waits for another one's work is stopped by the platform
    let mut platform = policies
        .apply_to_audit_log(platform)
        .without_sharing()
        .with_rate_limits(limits)
        .with_port::<dyn Signatures>(Arc::new(WebCrypto));
    if let Some(cache) = variables.kv_cache(CACHE) {
        platform = platform.with_cache(Arc::new(cache));
    }
    if let Some(store) = writes {
        platform = platform.with_idempotency(store, policies.idempotency_on_error);
    }
    platform
}
