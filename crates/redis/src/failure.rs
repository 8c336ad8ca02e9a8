//! What went wrong with one question: of which kind it is, and a sentence for the log. What the
//! server says in its own words is not repeated: it may have what it was sent.

use std::error::Error;

use mcpfn_native::shared::RequestFailure;
use redis::{ErrorKind, RedisError};

use RequestFailure::{Lasting, Passing, Retried};

pub(crate) fn of(error: &RedisError) -> RequestFailure {
    if let Some(failure) = error.code().and_then(named) {
        return failure;
    }
    match error.kind() {
        ErrorKind::AuthenticationFailed => refused(),
        ErrorKind::InvalidClientConfig => Lasting(
            "can't be reached as MCPFN_REDIS_URL says: check its hosts, ports (which may be those of \
             no sentinel) and certificate file"
                .to_owned(),
        ),
        // a new master is found once its sentinels agree on one
        ErrorKind::MasterNameNotFoundBySentinel => Retried(
            "has no master now, or none of the name in MCPFN_REDIS_URL: its sentinels know none"
                .to_owned(),
        ),
        ErrorKind::ClusterConnectionNotFound => {
            Retried("can't be reached: no node of the cluster answers".to_owned())
        }
        // the operating system's or the TLS library's own words
        ErrorKind::Io => Retried(format!("can't be reached: {}", deepest(error))),
        ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
            Retried("sent something that is not from Redis".to_owned())
        }
        _ => {
            let code = error.code().filter(|code| is_name(code));
            let code = code.unwrap_or("an unnamed error");
            Passing(format!("refused a question ({code})"))
        }
    }
}

/// Those that say what to do.
fn named(code: &str) -> Option<RequestFailure> {
    Some(match code {
        "WRONGPASS" | "NOAUTH" | "AUTH" => refused(),
        "NOPERM" => Lasting(
            "does not let this user do what stores need: allow it GET, SET, DEL, HMGET, HGET, HSET, \
             HDEL, PEXPIRE, EVALSHA, SCRIPT LOAD and PING, in a cluster CLUSTER SLOTS and behind \
             sentinels ROLE, on keys that begin with MCPFN_REDIS_PREFIX"
                .to_owned(),
        ),
        "OOM" => Passing(
            "has no memory left: raise its maxmemory, or let results and writes expire earlier"
                .to_owned(),
        ),
        "MISCONF" => {
            Passing("takes no writes, because it can't save its data: look at its log".to_owned())
        }
        "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN" => {
            Passing(format!("is not ready yet ({code})"))
        }
        // another server may be the one to write to by now
        "READONLY" => Retried("is a replica, which takes no writes".to_owned()),
        // from one server; those of a cluster are followed
        "MOVED" | "ASK" | "CROSSSLOT" => Lasting(
            "is a node of a cluster: begin MCPFN_REDIS_URL with redis+cluster://, or \
             rediss+cluster:// with TLS"
                .to_owned(),
        ),
        _ => return None,
    })
}

fn refused() -> RequestFailure {
    Lasting("refuses the user or password of MCPFN_REDIS_URL".to_owned())
}

/// From the network: only what looks like a name is repeated.
fn is_name(code: &str) -> bool {
    !code.is_empty() && code.len() <= 32 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The cause at the end of a chain.
fn deepest(error: &RedisError) -> String {
    let mut error: &(dyn Error + 'static) = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn codes_decide_the_kind() {
        let kind = |code| match named(code) {
            Some(Lasting(_)) => "lasting",
            Some(Passing(_)) => "passing",
            Some(Retried(_)) => "retried",
            _ => "unknown",
        };
        for (code, expected) in [
            ("WRONGPASS", "lasting"),
            ("NOAUTH", "lasting"),
            ("NOPERM", "lasting"),
            ("MOVED", "lasting"),
            ("OOM", "passing"),
            ("MISCONF", "passing"),
            ("LOADING", "passing"),
            ("READONLY", "retried"),
            ("ERR", "unknown"),
        ] {
            assert_eq!(kind(code), expected, "{code}");
        }
    }

    #[test]
    fn what_a_server_says_is_not_repeated() {
        let words = || "the password was hunter2".to_owned();
        for kind in [
            ErrorKind::AuthenticationFailed,
            ErrorKind::InvalidClientConfig,
            ErrorKind::Parse,
            ErrorKind::Extension,
            ErrorKind::Client,
        ] {
            let failure = of(&RedisError::from((kind, "it failed", words())));
            assert!(!failure.sentence().contains("hunter2"), "{failure:?}");
        }
        let reset = of(&io::Error::from(io::ErrorKind::ConnectionReset).into());
        assert!(matches!(reset, Retried(_)), "{reset:?}");
    }
}
