//! Which stores results, rate limits and idempotent writes are in: the memory of this process, or
//! what several instances share. A choice by settings and nothing else.

use std::sync::Arc;

#[cfg(feature = "redis")]
use mcpfn_core::policy::FailureMode;
use mcpfn_core::port::Platform;
use mcpfn_native::memory::MemoryStores;
#[cfg(feature = "redis")]
use mcpfn_redis::{RedisServer, RedisStores};
use mcpfn_settings::{EnvReader, Policies};

/// Where instances share what they know, if anywhere.
#[derive(Debug, Clone)]
pub(crate) struct SharedStores {
    #[cfg(feature = "redis")]
    redis: Option<RedisServer>,
}

impl SharedStores {
    #[cfg(feature = "redis")]
    pub(crate) fn read(reader: &mut EnvReader<'_>) -> Self {
        Self {
            redis: RedisServer::read(reader),
        }
    }

    #[cfg(not(feature = "redis"))]
    pub(crate) fn read(reader: &mut EnvReader<'_>) -> Self {
        for name in [
            "MCPFN_REDIS_URL",
            "MCPFN_REDIS_PREFIX",
            "MCPFN_REDIS_TIMEOUT_MS",
        ] {
            if reader.text(name).is_some() {
                reader.mistake(format!(
                    "{name} is set, but this program was built without the feature redis: build it \
                     with that, or remove the variable"
                ));
            }
        }
        Self {}
    }

    /// Gives the platform its stores.
    pub(crate) fn apply(&self, policies: Policies, platform: Platform) -> Platform {
        #[cfg(feature = "redis")]
        if let Some(server) = &self.redis {
            let stores = Arc::new(RedisStores::new(server.clone()));
            let platform = platform.with_mailbox(Arc::clone(&stores) as _);
            let platform = policies.apply(platform, Arc::clone(&stores));
            // without it, calls go on: no balancer is to take all instances away for that
            let needed = policies.rate_limit_on_error == FailureMode::Closed;
            return match needed {
                true => platform.with_dependency("redis", stores),
                false => platform,
            };
        }
        let stores = Arc::new(MemoryStores::default());
        let platform = platform.with_mailbox(Arc::clone(&stores) as _);
        policies.apply(platform, stores)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_program_was_built_without_is_a_mistake_and_no_silence() {
        let values = |name: &str| (name == "MCPFN_REDIS_URL").then(|| "redis://localhost".into());
        let mut reader = EnvReader::new(&values);
        drop(SharedStores::read(&mut reader));
        let built_with_it = cfg!(feature = "redis");
        let mistakes = reader.finish(()).err().map(|error| error.mistakes);
        assert_eq!(mistakes.is_none(), built_with_it);
        for mistake in mistakes.into_iter().flatten() {
            assert!(mistake.contains("without the feature redis"), "{mistake}");
        }
    }
}
