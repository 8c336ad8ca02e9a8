//! Which stores results, rate limits and idempotent writes are in: the memory of this process, or
//! what several instances share. A choice by settings and nothing else.

use std::sync::Arc;
use std::time::Duration;

#[cfg(any(feature = "postgres", feature = "redis"))]
use mcpfn_core::policy::FailureMode;
#[cfg(any(feature = "postgres", feature = "redis"))]
use mcpfn_core::port::{Dependency, IdempotencyStore, RateLimiter, ResultCache};
use mcpfn_core::port::{
    EventJobs, EventLog, EventPorts, EventSubscriptions, Mailbox, Platform, TaskStore, Topics,
};
use mcpfn_native::memory::MemoryStores;
use mcpfn_native::{EventRuns, Process, TaskRuns};
#[cfg(feature = "postgres")]
use mcpfn_postgres::{PostgresServer, PostgresStores};
#[cfg(feature = "redis")]
use mcpfn_redis::{RedisServer, RedisStores};
use mcpfn_settings::{EnvReader, Policies};

/// How long a client holds a stream of events; then it opens another one.
const STREAM: Duration = Duration::from_secs(600);

/// Where instances share what they know, if anywhere.
#[derive(Debug, Clone)]
pub(crate) enum SharedStores {
    /// In no other process.
    Nowhere,
    #[cfg(feature = "redis")]
    Redis(Box<RedisServer>),
    #[cfg(feature = "postgres")]
    Postgres(PostgresServer),
}

impl SharedStores {
    pub(crate) fn read(reader: &mut EnvReader<'_>) -> Self {
        #[cfg(not(feature = "redis"))]
        built_without(
            reader,
            "redis",
            &[
                "MCPFN_REDIS_URL",
                "MCPFN_REDIS_PREFIX",
                "MCPFN_REDIS_TIMEOUT_MS",
            ],
        );
        #[cfg(not(feature = "postgres"))]
        built_without(
            reader,
            "postgres",
            &[
                "MCPFN_POSTGRES_STORE_URL",
                "MCPFN_POSTGRES_STORE_SCHEMA",
                "MCPFN_POSTGRES_STORE_TIMEOUT_MS",
            ],
        );
        #[cfg(feature = "redis")]
        let redis = RedisServer::read(reader);
        #[cfg(feature = "postgres")]
        if let Some(server) = PostgresServer::read(reader) {
            #[cfg(feature = "redis")]
            if redis.is_some() {
                reader.mistake(
                    "MCPFN_REDIS_URL and MCPFN_POSTGRES_STORE_URL are both set: instances share what \
                     they know in one of them, so remove the other",
                );
            }
            return Self::Postgres(server);
        }
        #[cfg(feature = "redis")]
        if let Some(server) = redis {
            return Self::Redis(Box::new(server));
        }
        Self::Nowhere
    }

    /// Gives the platform its stores.
    pub(crate) fn apply(
        &self,
        policies: Policies,
        platform: Platform,
        process: &Process,
    ) -> Platform {
        let runs = Arc::new(process.task_runs.clone());
        match self {
            Self::Nowhere => {
                let stores = Arc::new(MemoryStores::default());
                let platform = between_calls(platform, &stores, runs);
                let platform = with_events(platform, &stores, &process.event_runs);
                policies.apply(platform, stores)
            }
            #[cfg(feature = "redis")]
            Self::Redis(server) => {
                let stores = Arc::new(RedisStores::new(RedisServer::clone(server)));
                let platform = between_calls(platform, &stores, runs);
                let platform = with_events(platform, &stores, &process.event_runs);
                shared(policies, platform, "redis", stores)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(server) => {
                let stores = Arc::new(PostgresStores::new(server.clone()));
                let platform = between_calls(platform, &stores, runs);
                let platform = with_events(platform, &stores, &process.event_runs);
                shared(policies, platform, "postgres-store", stores)
            }
        }
    }
}

/// What is kept from one call to another that may be of the same client.
fn between_calls<S: Mailbox + TaskStore + Topics + 'static>(
    platform: Platform,
    stores: &Arc<S>,
    runs: Arc<TaskRuns>,
) -> Platform {
    platform
        .with_tasks(Arc::clone(stores) as _, runs)
        .with_mailbox(Arc::clone(stores) as _)
        .with_topics(Arc::clone(stores) as _)
}

/// What happens between calls, and how it is sent.
fn with_events<S>(platform: Platform, stores: &Arc<S>, runs: &EventRuns) -> Platform
where
    S: EventLog + EventSubscriptions + EventJobs + 'static,
{
    let queue = Arc::new(runs.clone().over(Arc::clone(stores) as _));
    let ports = EventPorts::new(Arc::clone(stores) as _)
        .webhooks(Arc::clone(stores) as _, queue)
        .streams(STREAM)
        .pumped();
    platform.with_events(ports)
}

#[cfg(any(feature = "postgres", feature = "redis"))]
fn shared<S>(policies: Policies, platform: Platform, name: &'static str, stores: Arc<S>) -> Platform
where
    S: ResultCache + RateLimiter + IdempotencyStore + Dependency + 'static,
{
    let platform = policies.apply(platform, Arc::clone(&stores));
    // without it, calls go on: no balancer is to take all instances away for that
    let needed = policies.rate_limit_on_error == FailureMode::Closed;
    match needed {
        true => platform.with_dependency(name, stores),
        false => platform,
    }
}

#[cfg(not(all(feature = "postgres", feature = "redis")))]
fn built_without(reader: &mut EnvReader<'_>, feature: &str, names: &[&str]) {
    for name in names {
        if reader.text(name).is_some() {
            reader.mistake(format!(
                "{name} is set, but this program was built without the feature {feature}: build it \
                 with that, or remove the variable"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(variables: &[(&str, &str)]) -> Vec<String> {
        let values = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&values);
        let _ = SharedStores::read(&mut reader);
        let mistakes = reader.finish(()).err().map(|error| error.mistakes);
        mistakes.unwrap_or_default()
    }

    const REDIS: (&str, &str) = ("MCPFN_REDIS_URL", "redis://localhost");
    const POSTGRES: (&str, &str) = ("MCPFN_POSTGRES_STORE_URL", "postgres://me@localhost");

    #[test]
    fn what_this_program_was_built_without_is_a_mistake_and_no_silence() {
        for (variable, feature, is_there) in [
            (REDIS, "redis", cfg!(feature = "redis")),
            (POSTGRES, "postgres", cfg!(feature = "postgres")),
        ] {
            let mistakes = mistakes(&[variable]);
            assert_eq!(mistakes.is_empty(), is_there, "{mistakes:?}");
            for mistake in mistakes {
                let says = format!("without the feature {feature}");
                assert!(mistake.contains(&says), "{mistake}");
            }
        }
    }

    #[cfg(all(feature = "postgres", feature = "redis"))]
    #[test]
    fn instances_share_in_one_place() {
        let mistakes = mistakes(&[REDIS, POSTGRES]);
        assert!(mistakes[0].contains("remove the other"), "{mistakes:?}");
    }
}
