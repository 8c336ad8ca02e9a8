//! Secrets of toolkits that SSM Parameter Store or Secrets Manager keeps: read when a call needs
//! one, kept for a while, renewed, and used for a bounded time while they can't be read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mcpfn_auth::{KeySource, MAX_KEY_AGE_MS};
use mcpfn_core::{handler::BoxFuture, port::Clock};
use mcpfn_native::{Client, Variables};
use mcpfn_ports::SecretStore;

use crate::secrets::SecretSource;

/// How long a secret is used without asking again, in milliseconds.
const FRESH: u64 = 5 * 60_000;
/// After a failure, how long an old one is used without asking again.
const PAUSE: u64 = 5_000;

/// Makes of `ssm:NAME` or `secretsmanager:NAME` what can be asked.
type Open = Box<dyn Fn(&str) -> Result<Arc<dyn KeySource>, String> + Send + Sync>;

/// What this environment has read.
pub(crate) struct SecretStores {
    clock: Arc<dyn Clock>,
    open: Open,
    known: Mutex<BTreeMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    text: String,
    read_ms: u64,
    ask_from_ms: u64,
}

impl SecretStores {
    /// Asks AWS, with the function's own credentials.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let client = Arc::new(Client::new());
        let open: Open = Box::new(move |place| {
            let client = Arc::clone(&client);
            let (source, mistakes) = Variables::of_process().read(|mut reader| {
                let what = "the setting of a secret";
                let source = SecretSource::read(&mut reader, what, place, client);
                (source, reader.finish(()).err())
            });
            match (source, mistakes) {
                (Some(source), None) => Ok(Arc::new(source)),
                (_, mistakes) => Err(mistakes.map(|error| error.to_string()).unwrap_or_default()),
            }
        });
        Self::opening(clock, open)
    }

    fn opening(clock: Arc<dyn Clock>, open: Open) -> Self {
        let known = Mutex::default();
        Self { clock, open, known }
    }

    async fn find(&self, reference: &str) -> Result<String, String> {
        let now = self.clock.now_ms();
        let known = self.known().get(reference).cloned();
        if let Some(known) = &known
            && now < known.ask_from_ms
            && now < known.read_ms + MAX_KEY_AGE_MS
        {
            return Ok(known.text.clone());
        }
        let cause = match self.ask(reference).await {
            Ok(text) => {
                let (read_ms, ask_from_ms) = (now, now + FRESH);
                let new = Known {
                    text: text.clone(),
                    read_ms,
                    ask_from_ms,
                };
                self.known().insert(reference.to_owned(), new);
                return Ok(text);
            }
            Err(cause) => cause,
        };
        tracing::warn!(
            event = "dependency_unavailable",
            dependency = "secrets",
            cause,
            "a secret could not be read"
        );
        match known.filter(|known| now < known.read_ms + MAX_KEY_AGE_MS) {
            Some(known) => {
                if let Some(known) = self.known().get_mut(reference) {
                    known.ask_from_ms = now + PAUSE;
                }
                Ok(known.text)
            }
            None => {
                self.known().remove(reference);
                Err(cause)
            }
        }
    }

    async fn ask(&self, reference: &str) -> Result<String, String> {
        (self.open)(reference)?.read().await
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretStore for SecretStores {
    fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(self.find(reference))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    struct Time(AtomicU64);

    impl Clock for Time {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }

    /// What is kept now, and how often it was asked for.
    #[derive(Default)]
    struct Kept {
        text: Mutex<Option<String>>,
        asked: AtomicU64,
    }

    struct Source(Arc<Kept>);

    impl KeySource for Source {
        fn read(&self) -> BoxFuture<'_, Result<String, String>> {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
            let text = self.0.text.lock().unwrap().clone();
            Box::pin(async move { text.ok_or_else(|| "away".to_owned()) })
        }
    }

    fn stores(kept: &Arc<Kept>) -> (Arc<Time>, SecretStores) {
        let time = Arc::new(Time(AtomicU64::new(1_000_000)));
        let kept = Arc::clone(kept);
        let open: Open = Box::new(move |place| match place {
            "ssm:/a" => Ok(Arc::new(Source(Arc::clone(&kept)))),
            _ => Err("no such place".to_owned()),
        });
        (Arc::clone(&time), SecretStores::opening(time, open))
    }

    #[tokio::test]
    async fn a_secret_is_kept_renewed_and_used_for_a_bounded_time() {
        let kept = Arc::new(Kept::default());
        let (time, stores) = stores(&kept);
        let minutes = |count: u64| time.0.fetch_add(count * 60_000, Ordering::Relaxed);
        let put = |text: Option<&str>| *kept.text.lock().unwrap() = text.map(str::to_owned);
        let asked = || kept.asked.load(Ordering::Relaxed);
        let read = || stores.find("ssm:/a");
        assert_eq!(read().await, Err("away".to_owned()));
        put(Some("one"));
        assert_eq!(read().await.as_deref(), Ok("one"));
        put(Some("two"));
        minutes(4);
        assert_eq!(
            (read().await.as_deref(), asked()),
            (Ok("one"), 2),
            "it is fresh"
        );
        minutes(2);
        assert_eq!(
            (read().await.as_deref(), asked()),
            (Ok("two"), 3),
            "it is renewed"
        );
        put(None);
        minutes(6);
        for _ in 0..3 {
            assert_eq!(
                (read().await.as_deref(), asked()),
                (Ok("two"), 4),
                "one question a pause"
            );
        }
        minutes(8);
        assert_eq!((read().await.as_deref(), asked()), (Ok("two"), 5));
        minutes(2);
        assert!(read().await.is_err(), "it is too old");
        put(Some("three"));
        assert_eq!(read().await.as_deref(), Ok("three"));
    }
}
