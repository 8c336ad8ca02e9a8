//! The default chain of AWS, asked on first use: one for a process, with one cache. Requests go
//! through the port `HttpClient`; what is found is renewed before it expires, and used until then
//! while it can't be.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials as _, error::CredentialsError};
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Clock, HttpClient};
use mcpfn_core::text;
use tokio::sync::OnceCell;
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;

use crate::http::PortClient;
use crate::keys::{AccessKeys, is_region};

/// How long the chain may look.
const LOOKING: Duration = Duration::from_secs(10);
/// How long before they expire credentials are renewed, in milliseconds, while they are used.
const AHEAD: u64 = 5 * 60_000;
/// How long before they expire they are no longer used: a request takes time, and clocks differ.
const SLACK: u64 = 10_000;
/// How long those are used that do not expire: a profile may be edited.
const LASTING: u64 = 15 * 60_000;
/// How long nothing is asked after an attempt, while there are credentials, and while there are
/// none.
const PAUSE: u64 = 30_000;
const PAUSE_WITHOUT: u64 = 2_000;
/// The most characters of a cause: providers repeat what services say.
const MAX_CAUSE: usize = 300;

/// Where region and credentials come from that are not in the environment.
pub(crate) struct Chain {
    look: Box<dyn Look>,
    clock: Arc<dyn Clock>,
    region: OnceCell<Arc<str>>,
    state: Mutex<ChainState>,
    /// One question at a time.
    asking: tokio::sync::Mutex<()>,
}

/// Looks once, without a memory.
trait Look: Send + Sync {
    fn keys(&self) -> BoxFuture<'_, Result<Credentials, String>>;
    fn region(&self) -> BoxFuture<'_, Option<String>>;
}

#[derive(Default)]
struct ChainState {
    known: Option<Found>,
    /// Why there are none, and until when that is believed.
    failed: Option<(String, u64)>,
}

#[derive(Clone)]
struct Found {
    keys: Arc<AccessKeys>,
    /// From then on they are not used.
    end_ms: Option<u64>,
    /// From then on they are renewed.
    ask_from_ms: u64,
}

impl Found {
    fn is_valid(&self, now: u64) -> bool {
        self.end_ms.is_none_or(|end| now < end)
    }
}

impl Chain {
    /// The one of this process, whose requests go through the first client that is given.
    pub(crate) fn of_this_process(client: &Arc<dyn HttpClient>) -> Arc<Self> {
        static CHAIN: OnceLock<Arc<Chain>> = OnceLock::new();
        let chain = || {
            let look = DefaultChain(Arc::clone(client));
            Arc::new(Self::new(Box::new(look), Arc::new(WallClock)))
        };
        Arc::clone(CHAIN.get_or_init(chain))
    }

    fn new(look: Box<dyn Look>, clock: Arc<dyn Clock>) -> Self {
        Self {
            look,
            clock,
            region: OnceCell::new(),
            state: Mutex::default(),
            asking: tokio::sync::Mutex::new(()),
        }
    }

    /// The region of the profile, else of the instance.
    pub(crate) async fn region(self: &Arc<Self>) -> Result<Arc<str>, String> {
        if let Some(region) = self.region.get() {
            return Ok(Arc::clone(region));
        }
        let this = Arc::clone(self);
        // a caller that gives up does not undo the work
        let looking = tokio::spawn(async move {
            let found = this.region.get_or_try_init(|| this.look_for_region()).await;
            found.map(Arc::clone)
        });
        looking.await.unwrap_or_else(|_| Err(gone()))
    }

    async fn look_for_region(&self) -> Result<Arc<str>, String> {
        match tokio::time::timeout(LOOKING, self.look.region()).await {
            Ok(Some(region)) if is_region(&region) => Ok(region.into()),
            _ => Err(
                "no region was found: set AWS_REGION, such as eu-west-1, or give the profile that \
                 AWS_PROFILE names a region"
                    .to_owned(),
            ),
        }
    }

    /// Credentials that are valid now.
    pub(crate) async fn keys(self: &Arc<Self>) -> Result<Arc<AccessKeys>, String> {
        let now = self.clock.now_ms();
        let (known, failed) = {
            let state = self.state();
            (state.known.clone(), state.failed.clone())
        };
        if let Some(known) = known.filter(|known| known.is_valid(now)) {
            if now >= known.ask_from_ms {
                drop(self.renewing());
            }
            return Ok(known.keys);
        }
        match failed {
            Some((why, until)) if now < until => Err(why),
            _ => self.renewing().await.unwrap_or_else(|_| Err(gone())),
        }
    }

    /// A task of its own: who waits for it may give up, and whoever comes next has its result.
    fn renewing(self: &Arc<Self>) -> tokio::task::JoinHandle<Result<Arc<AccessKeys>, String>> {
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let asked = this.clock.now_ms();
            let _one = this.asking.lock().await;
            if let Some(known) = this.answered_since(asked) {
                return known;
            }
            this.renew().await
        })
    }

    /// What another task has found out while this one waited.
    fn answered_since(&self, asked: u64) -> Option<Result<Arc<AccessKeys>, String>> {
        let now = self.clock.now_ms();
        let state = self.state();
        match (&state.known, &state.failed) {
            (Some(known), _) if known.is_valid(now) && now < known.ask_from_ms => {
                Some(Ok(Arc::clone(&known.keys)))
            }
            (_, Some((why, until))) if asked < *until => Some(Err(why.clone())),
            _ => None,
        }
    }

    async fn renew(&self) -> Result<Arc<AccessKeys>, String> {
        let found = tokio::time::timeout(LOOKING, self.look.keys())
            .await
            .unwrap_or_else(|_| {
                let seconds = LOOKING.as_secs();
                Err(format!("the credentials did not come within {seconds} s"))
            });
        let now = self.clock.now_ms();
        let mut state = self.state();
        match found {
            Ok(found) => {
                let known = known(&found, now);
                let keys = Arc::clone(&known.keys);
                let valid = known.is_valid(now);
                state.known = Some(known);
                if valid {
                    state.failed = None;
                    return Ok(keys);
                }
                let why = "the credentials that were found have expired: renew them, e.g. with \
                           `aws sso login`";
                state.failed = Some((why.to_owned(), now + PAUSE_WITHOUT));
                Err(why.to_owned())
            }
            Err(why) => {
                tracing::warn!(
                    event = "dependency_unavailable",
                    dependency = "credentials",
                    cause = why,
                    "credentials of AWS could not be had"
                );
                if let Some(known) = state.known.as_mut().filter(|known| known.is_valid(now)) {
                    known.ask_from_ms = now + PAUSE;
                    return Ok(Arc::clone(&known.keys));
                }
                state.failed = Some((why.clone(), now + PAUSE_WITHOUT));
                Err(why)
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, ChainState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The chain of `aws-config`. Built anew each time: it reads a profile once in its life.
struct DefaultChain(Arc<dyn HttpClient>);

impl DefaultChain {
    fn config(&self) -> ProviderConfig {
        ProviderConfig::without_region().with_http_client(PortClient::new(&self.0))
    }
}

/// Neither logs: at its finest levels the SDK tells what it is given.
impl Look for DefaultChain {
    fn keys(&self) -> BoxFuture<'_, Result<Credentials, String>> {
        let looking = async {
            let config = self.config();
            // without the instance: only roles need a region, and few of them
            let chain = DefaultCredentialsChain::builder().region(regions(&config));
            let chain = chain.configure(config).build().await;
            let found = chain.provide_credentials().await;
            found.map_err(|error| sentence(&error))
        };
        Box::pin(looking.with_subscriber(Dispatch::none()))
    }

    fn region(&self) -> BoxFuture<'_, Option<String>> {
        let looking = async {
            let config = self.config();
            let instance = ImdsRegionProvider::builder().configure(&config).build();
            let found = regions(&config).or_else(instance).region().await;
            found.map(|region| region.as_ref().to_owned())
        };
        Box::pin(looking.with_subscriber(Dispatch::none()))
    }
}

/// Of the environment, else of the profile.
fn regions(config: &ProviderConfig) -> RegionProviderChain {
    let profile = ProfileFileRegionProvider::builder().configure(config);
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
}

fn known(found: &Credentials, now: u64) -> Found {
    let expires_ms = found.expiry().map(milliseconds);
    let ask_from_ms = match expires_ms {
        // some services give the same ones until shortly before their end
        Some(end) => end.saturating_sub(AHEAD).max(now + PAUSE),
        None => now + LASTING,
    };
    Found {
        keys: Arc::new(AccessKeys {
            id: found.access_key_id().to_owned(),
            secret: found.secret_access_key().to_owned(),
            session: found.session_token().map(str::to_owned),
        }),
        end_ms: expires_ms.map(|end| end.saturating_sub(SLACK)),
        ask_from_ms,
    }
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What to change, and the cause in the words of the provider.
fn sentence(error: &CredentialsError) -> String {
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        let profile = std::env::var("AWS_PROFILE").unwrap_or_default();
        let named = match profile.as_str() {
            "" => String::new(),
            name => format!(" by the profile `{}`, nor elsewhere", text::visible(name)),
        };
        return format!(
            "no credentials of AWS were found{named}: set AWS_PROFILE to a profile in ~/.aws, or \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them"
        );
    }
    let mut cause = String::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        let said = error.to_string();
        if !cause.contains(&said) {
            cause = format!("{cause}: {said}");
        }
        next = error.source();
    }
    // what a process says may be anything, also a secret
    let cause = cause.split(" Stderr:").next().unwrap_or_default();
    let cause = text::visible(cause.trim_start_matches(": "));
    let cause: String = cause.chars().take(MAX_CAUSE).collect();
    format!("the credentials of AWS can't be had: {cause}")
}

fn gone() -> String {
    "the process ends".to_owned()
}

struct WallClock;

impl Clock for WallClock {
    fn now_ms(&self) -> u64 {
        milliseconds(SystemTime::now())
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain(..)")
    }
}

#[cfg(test)]
mod tests;
