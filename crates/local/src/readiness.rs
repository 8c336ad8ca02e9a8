//! Whether calls would find what they need: each dependency of the platform is asked, with a short
//! limit. How that is said is `mcpfn-http`'s.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::handler::BoxFuture;
use mcpfn_core::port::{Dependency, Platform};
use mcpfn_ports::{Blobs, Sql};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;

/// How long a dependency may take to answer.
const LIMIT: Duration = Duration::from_secs(1);
/// How long an answer is kept, in milliseconds: everybody may ask, and nobody can load a database by
/// it.
const KEPT_MS: u64 = 1000;

/// What is asked, and the last answer.
pub(crate) struct Dependencies {
    asked: Vec<NamedDependency>,
    known: Arc<Mutex<LastLook>>,
}

#[derive(Clone)]
struct NamedDependency {
    name: &'static str,
    dependency: Arc<dyn Dependency>,
}

#[derive(Default)]
struct LastLook {
    /// When it was found out; never, at first.
    at_ms: Option<u64>,
    missing: Arc<[&'static str]>,
}

impl LastLook {
    fn is_fresh(&self, now_ms: u64) -> bool {
        self.at_ms
            .is_some_and(|at| now_ms.checked_sub(at).is_some_and(|age| age < KEPT_MS))
    }
}

struct DatabaseCheck(Arc<dyn Sql>);

impl Dependency for DatabaseCheck {
    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.0.check().await.map_err(|error| error.to_string()) })
    }
}

struct FilesCheck(Arc<dyn Blobs>);

impl Dependency for FilesCheck {
    fn check(&self) -> BoxFuture<'_, Result<(), String>> {
        Box::pin(async { self.0.check().await.map_err(|error| error.to_string()) })
    }
}

impl Dependencies {
    /// Those of a platform: its database, its files, and what was added by name.
    pub(crate) fn of(platform: &Platform) -> Self {
        let mut asked: Vec<(&'static str, Arc<dyn Dependency>)> = Vec::new();
        if let Some(database) = platform.port::<dyn Sql>() {
            asked.push(("database", Arc::new(DatabaseCheck(Arc::clone(database)))));
        }
        if let Some(files) = platform.port::<dyn Blobs>() {
            asked.push(("files", Arc::new(FilesCheck(Arc::clone(files)))));
        }
        asked.extend(platform.dependencies().iter().cloned());
        let named = |(name, dependency)| NamedDependency { name, dependency };
        Self {
            asked: asked.into_iter().map(named).collect(),
            known: Arc::default(),
        }
    }

    /// The names of those that do not answer.
    pub(crate) async fn missing(&self, platform: &Arc<Platform>) -> Arc<[&'static str]> {
        if self.asked.is_empty() {
            return Arc::default();
        }
        let known = Arc::clone(&self.known).lock_owned().await;
        if known.is_fresh(platform.now_ms()) {
            return Arc::clone(&known.missing);
        }
        // to its end, also when the probe hangs up: it would be asked again at once
        let looking = look(self.asked.clone(), known, Arc::clone(platform));
        match tokio::spawn(looking).await {
            Ok(missing) => missing,
            Err(_) => self.asked.iter().map(|named| named.name).collect(),
        }
    }
}

/// Asks all of them at the same time, and keeps the answer.
async fn look(
    asked: Vec<NamedDependency>,
    mut known: OwnedMutexGuard<LastLook>,
    platform: Arc<Platform>,
) -> Arc<[&'static str]> {
    let mut looks = JoinSet::new();
    for (position, named) in asked.iter().cloned().enumerate() {
        let late = platform.sleep(LIMIT);
        looks.spawn(async move {
            let answer = tokio::select! {
                answer = named.dependency.check() => answer,
                () = late => Err(format!("no answer within {} s", LIMIT.as_secs())),
            };
            (position, answer)
        });
    }
    // who panics has not answered
    let mut causes = vec![Some("its check ended without an answer".to_owned()); asked.len()];
    while let Some(looked) = looks.join_next().await {
        if let Ok((position, answer)) = looked {
            causes[position] = answer.err();
        }
    }
    let mut missing = Vec::new();
    for (NamedDependency { name, .. }, cause) in asked.iter().zip(causes) {
        let was_missing = known.missing.contains(name);
        match cause {
            Some(cause) => {
                missing.push(*name);
                if !was_missing {
                    tracing::warn!(
                        event = "dependency_missing",
                        dependency = name,
                        cause,
                        "/ready says 503 until the dependency {name} answers"
                    );
                }
            }
            None if was_missing => tracing::info!(
                event = "dependency_back",
                dependency = name,
                "the dependency {name} answers again"
            ),
            None => {}
        }
    }
    known.missing = missing.into();
    known.at_ms = Some(platform.now_ms());
    Arc::clone(&known.missing)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use mcpfn_core::port::Clock;
    use mcpfn_core::round_trip::Keyring;

    use super::*;

    #[derive(Clone, Copy)]
    enum Manner {
        There,
        Away,
        Hangs,
        Panics,
    }

    struct Played {
        manner: Manner,
        asked: Arc<AtomicUsize>,
    }

    impl Dependency for Played {
        fn check(&self) -> BoxFuture<'_, Result<(), String>> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            let manner = self.manner;
            Box::pin(async move {
                match manner {
                    Manner::There => Ok(()),
                    Manner::Away => Err("hunter2 can't be reached".to_owned()),
                    Manner::Hangs => std::future::pending().await,
                    Manner::Panics => panic!("a fault in a check"),
                }
            })
        }
    }

    struct Set(AtomicUsize);

    impl Clock for Set {
        fn now_ms(&self) -> u64 {
            self.0.load(Ordering::Relaxed) as u64
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_one_that_does_not_answer_is_named_and_asked_once_a_second() {
        let clock = Arc::new(Set(AtomicUsize::new(10_000)));
        let asked = Arc::new(AtomicUsize::new(0));
        let mut platform =
            mcpfn_native::platform(Keyring::new([1; 32])).with_clock(Arc::clone(&clock) as _);
        for (name, manner) in [
            ("there", Manner::There),
            ("away", Manner::Away),
            ("hangs", Manner::Hangs),
            ("panics", Manner::Panics),
        ] {
            let played = Played {
                manner,
                asked: Arc::clone(&asked),
            };
            platform = platform.with_dependency(name, Arc::new(played));
        }
        let dependencies = Dependencies::of(&platform);
        let platform = Arc::new(platform);
        let count = || asked.load(Ordering::Relaxed);
        // probes that hang up end no look, and begin no other
        for _ in 0..100 {
            let probe = dependencies.missing(&platform);
            assert!(
                tokio::time::timeout(Duration::from_millis(1), probe)
                    .await
                    .is_err()
            );
        }
        let missing = dependencies.missing(&platform).await;
        assert_eq!(*missing, ["away", "hangs", "panics"]);
        for later in [0, 999] {
            clock.0.store(10_000 + later, Ordering::Relaxed);
            dependencies.missing(&platform).await;
            assert_eq!(count(), 4, "{later} ms later");
        }
        for later in [1000, 0] {
            let before = count();
            clock.0.store(10_000 + later, Ordering::Relaxed);
            dependencies.missing(&platform).await;
            assert_eq!(count(), before + 4, "a clock may be set back, too");
        }
    }

    #[tokio::test]
    async fn without_dependencies_nothing_is_missing() {
        let platform = mcpfn_native::platform(Keyring::new([1; 32]));
        let dependencies = Dependencies::of(&platform);
        assert!(dependencies.missing(&Arc::new(platform)).await.is_empty());
    }
}
