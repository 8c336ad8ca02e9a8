//! One fetch event, from request to response. What every event of an isolate shares is made at the
//! first one.

use std::cell::OnceCell;
use std::fmt;
use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

#[cfg(feature = "tokens")]
use mcpfn_auth::Signatures;
use mcpfn_core::{
    Server,
    policy::RateLimits,
    port::{AuditEntry, AuditLog, HttpClient, IdempotencyStore, Mailbox, Platform, Topics},
};
use mcpfn_http::{Service, client_gone, failed, unavailable};
use mcpfn_settings::{
    Assembly, EnvReader, Kept, Log, Observed, Policies, Setting, SettingsError, Setup,
    and_of_server, build,
};
use tracing::Level;
use worker::js_sys::Promise;
use worker::js_sys::futures::future_to_promise;
use worker::{Env, web_sys};

use crate::bound::{CACHE, IDEMPOTENCY, METRICS, TASKS};
use crate::dataset::Dataset;
use crate::event_bindings::EventStores;
use crate::hangup::Hangup;
use crate::http_client::Fetch;
use crate::metrics::Point;
use crate::ports::Isolate;
use crate::request_id::RequestId;
use crate::settings::{HOST, Settings};
#[cfg(feature = "events")]
use crate::stores::QueueOfEvents;
use crate::stores::{KvCache, RateBindings};
use crate::uncaught::uncaught;
use crate::variables::{TaskPorts, Variables};
#[cfg(feature = "tokens")]
use crate::web_crypto::WebCrypto;
use crate::zone::OwnZones;
use crate::{bound, console, ports, request, response};

thread_local! {
    /// Mistakes are kept too: bindings don't change while an isolate lives.
    static SHARED: OnceCell<Result<Rc<WorkerHost>, String>> = const { OnceCell::new() };
}

/// What every event of this isolate shares.
pub(crate) struct WorkerHost {
    service: Service,
    pub(crate) server: Server,
    pub(crate) platform: Arc<Platform>,
    base_path: String,
    #[cfg(feature = "events")]
    pub(crate) events: Option<Arc<QueueOfEvents>>,
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
            let of_request = |cold_start| request_id(&request, cold_start);
            let (host, id) = host(env, setup, program, of_request).await;
            match host {
                Ok(host) => host.answer(request, id.cold_start).await,
                Err(mistake) => {
                    id.during(|| tracing::error!(event = "start_failed", "{mistake}"));
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

/// What every event shares, or what is wrong with it, and whom the log calls the event by that asks:
/// `id` is told whether it is the first one.
pub(crate) async fn host<E, P>(
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
    id: impl FnOnce(bool) -> Rc<RequestId>,
) -> (Result<Rc<WorkerHost>, String>, Rc<RequestId>)
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    let ready = SHARED.with(|host| host.get().cloned());
    let id = id(ready.is_none());
    match ready {
        Some(host) => (host, id),
        None => (start(&id, env, setup, program).await, id),
    }
}

/// Makes what every event shares. What has to be asked for may be there the next time, so a failure
/// of that is not kept. While it is waited for, other events may do the same; the first one's stays.
async fn start<E, P>(
    id: &Rc<RequestId>,
    env: Env,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Result<Rc<WorkerHost>, String>
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    let mut variables = pin!(Variables::read(env, program));
    let variables = poll_fn(|cx| id.during(|| variables.as_mut().poll(cx))).await?;
    SHARED.with(|host| {
        let made = || id.during(|| WorkerHost::new(&variables, setup, program).map(Rc::new));
        host.get_or_init(made).clone()
    })
}

/// Of a request whose headers are not read otherwise.
fn request_id(request: &web_sys::Request, cold_start: bool) -> Rc<RequestId> {
    let headers = request.headers();
    let header = |name: &str| headers.get(name).ok().flatten();
    RequestId::new(
        header("cf-ray").as_deref(),
        header("traceparent").as_deref(),
        cold_start,
    )
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
        let settings = match read(variables, program) {
            Ok(settings) => settings,
            Err(error) => {
                // the settings may be what says how much to log
                console::start(Level::INFO);
                return Err(refusal(error, variables, setup));
            }
        };
        console::start(settings.common.log_level.unwrap_or(Level::INFO));
        let version = bound::version(&variables.env).unwrap_or_default();
        let writes = variables.idempotency(IDEMPOTENCY)?;
        let tasks = variables.tasks(TASKS)?;
        let (server, add) = build(
            || setup(variables),
            Kept {
                writes: writes.is_some(),
                tasks: tasks.is_some(),
            },
            &settings.common.tools,
            settings.common.subscriptions,
        )?;
        console::name(server.name(), &version);
        let policies = settings.common.policies;
        let log = audit_log(variables, server.name(), &version);
        let stores = WorkerStores::of(variables, &settings, &server, (writes, tasks))?;
        #[cfg(feature = "events")]
        let events = stores.events.queue.clone();
        let zones = Rc::<OwnZones>::default();
        let Assembly {
            service, platform, ..
        } = settings.common.assemble(
            &HOST,
            server.clone(),
            &Isolate,
            |_, keys| {
                let platform = ports::platform(keys, log)
                    .with_port::<dyn HttpClient>(Arc::new(Fetch(Rc::clone(&zones))));
                Ok(stores.apply(policies, platform))
            },
            add,
        )?;
        Ok(Self {
            service,
            server,
            platform,
            base_path: settings.base_path,
            #[cfg(feature = "events")]
            events,
            zones,
        })
    }

    /// The response, unless the client is gone first: then its call is dropped.
    async fn answer(&self, request: web_sys::Request, cold_start: bool) -> web_sys::Response {
        let mut client = Hangup::of(request.signal());
        let request = request::convert(request, &self.base_path, &self.zones);
        let id = RequestId::of(request.headers(), cold_start);
        let mut call = pin!(self.service.call(request, &self.platform));
        // the first wait is for the request's body, and most calls have no other
        let mut waited = false;
        let answered = poll_fn(|cx| match id.during(|| call.as_mut().poll(cx)) {
            Poll::Ready(response) => Poll::Ready(Some(response)),
            Poll::Pending if waited && client.poll(cx).is_ready() => Poll::Ready(None),
            Poll::Pending => {
                waited = true;
                Poll::Pending
            }
        });
        match answered.await {
            Some(response) => response::convert(response, client, &id).unwrap_or_else(|error| {
                let message = format!("the answer could not be sent: {error}");
                id.during(|| tracing::error!(event = "answer_lost", "{message}"));
                response::whole(failed(message))
            }),
            None => response::whole(client_gone()),
        }
    }
}

/// The settings, where these and what is bound have no mistakes.
fn read(variables: &Variables, program: &'static [Setting]) -> Result<Settings, SettingsError> {
    let variable = |name: &str| variables.find(name);
    let mut reader = EnvReader::new(&variable).with_names(variables.names());
    for mistake in bound::mistakes(&variables.env, program) {
        reader.mistake(mistake);
    }
    Settings::read(reader, program)
}

/// What is wrong with settings, and with the server beside, and where one sets them.
fn refusal<E, P>(
    error: SettingsError,
    variables: &Variables,
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
) -> String
where
    E: fmt::Display,
    P: FnOnce(Platform) -> Platform,
{
    let variable = |name: &str| variables.find(name);
    let error = and_of_server(error, &variable, || setup(variables));
    format!(
        "{error}\nA variable is set in [vars] of wrangler.toml, a secret such as MCPFN_API_KEYS \
         with `wrangler secret put NAME`"
    )
}

/// The log, and each call as a point where a dataset is bound.
fn audit_log(variables: &Variables, service: &str, version: &str) -> Arc<dyn AuditLog> {
    let Some(dataset) = bound::DATASET
        .find(&variables.env, METRICS)
        .map(Dataset::new)
    else {
        return Arc::new(Log);
    };
    let (service, version) = (service.to_owned(), version.to_owned());
    let write = move |call: &AuditEntry<'_>| {
        let cold_start = RequestId::current().is_some_and(|request| request.cold_start);
        dataset.write(&Point::new(call, &service, &version, cold_start));
    };
    Arc::new(Observed::new(Arc::new(Log), write))
}

/// The stores that this Worker has.
struct WorkerStores {
    rates: RateBindings,
    cache: Option<KvCache>,
    mailbox: Option<Arc<dyn Mailbox>>,
    /// Where the operator has subscriptions.
    topics: Option<Arc<dyn Topics>>,
    writes: Option<Arc<dyn IdempotencyStore>>,
    tasks: Option<TaskPorts>,
    events: EventStores,
}

impl WorkerStores {
    /// Those that are bound, beside those of writes and tasks, which the server had to know of.
    fn of(
        variables: &Variables,
        settings: &Settings,
        server: &Server,
        (writes, tasks): (Option<Arc<dyn IdempotencyStore>>, Option<TaskPorts>),
    ) -> Result<Self, String> {
        let common = &settings.common;
        Ok(Self {
            rates: variables.rates(common.policies.rate, server)?,
            cache: variables.kv_cache(CACHE)?,
            mailbox: variables.mailbox(IDEMPOTENCY),
            topics: match common.subscriptions.poll {
                true => Some(variables.topics(IDEMPOTENCY)?),
                false => None,
            },
            writes,
            tasks,
            events: variables.events(settings.events_scheduled)?,
        })
    }

    /// Gives the platform these, and what it has without any.
    fn apply(self, policies: Policies, platform: Platform) -> Platform {
        let limits = RateLimits {
            limiter: Arc::new(self.rates),
            rate: policies.rate,
            failure_mode: policies.rate_limit_on_error,
        };
        // a request that waits for another one's work is stopped by the platform
        let mut platform = policies
            .apply_to_audit_log(platform)
            .without_sharing()
            .with_rate_limits(limits);
        #[cfg(feature = "tokens")]
        {
            platform = platform.with_port::<dyn Signatures>(Arc::new(WebCrypto));
        }
        if let Some(cache) = self.cache {
            platform = platform.with_cache(Arc::new(cache));
        }
        if let Some(store) = self.writes {
            platform = platform.with_idempotency(store, policies.idempotency_on_error);
        }
        if let Some(mailbox) = self.mailbox {
            platform = platform.with_mailbox(mailbox);
        }
        if let Some(topics) = self.topics {
            platform = platform.with_topics(topics);
        }
        if let Some((store, runner)) = self.tasks {
            platform = platform.with_tasks(store, runner);
        }
        if let Some(events) = self.events.ports {
            platform = platform.with_events(events);
        }
        platform
    }
}
