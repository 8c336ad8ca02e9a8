//! Which servers, as whom, and how patiently: settings only.

use std::fmt;
use std::time::Duration;

use mcpfn_settings::EnvReader;
use redis::TlsCertificates;

use crate::url::{self, Topology};

/// Milliseconds that a question may take with its retry, unless told otherwise: Redis answers in
/// less than one, and a first connection with TLS takes three round trips.
const TIMEOUT: u64 = 1000;

const URL: &str = "MCPFN_REDIS_URL";

/// A Redis or Valkey server, cluster, or master behind sentinels, and how to reach it.
#[derive(Clone)]
pub struct RedisServer {
    pub(crate) topology: Topology,
    /// Whose certificates are trusted, in PEM, in the place of the public ones.
    roots: Option<Vec<u8>>,
    /// `MCPFN_REDIS_PREFIX`: what every key begins with; `mcpfn:` when not set.
    pub prefix: String,
    /// `MCPFN_REDIS_TIMEOUT_MS`: how long a question may take with its retry; a second when not
    /// set. One attempt has three fifths of it, and a connection two fifths.
    pub timeout: Duration,
}

impl RedisServer {
    /// What a URL names:
    ///
    /// | URL | what |
    /// |---|---|
    /// | `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]` | one server; or `unix:///run/redis.sock` |
    /// | `redis+cluster://[USER:PASSWORD@]HOST[:PORT][,..]` | a cluster, by some of its nodes |
    /// | `redis+sentinel://[USER:PASSWORD@]HOST[:PORT][,..]/MASTER[/DATABASE]` | the master that these sentinels know by the name |
    ///
    /// `rediss` in the place of `redis` is TLS, to sentinels too; `valkey` and `valkeys` are the
    /// same. A port that is left out is 6379, and 26379 of a sentinel. `?ssl_ca_certs=FILE` names
    /// the certificates in PEM that are trusted in the place of the public ones; the file is read
    /// now. Sentinels that want a login of their own get it by `?sentinel_username=` and
    /// `?sentinel_password=`.
    ///
    /// Clusters and sentinels need the feature `cluster`.
    ///
    /// ```
    /// use mcpfn_redis::RedisServer;
    ///
    /// # #[cfg(feature = "cluster")] {
    /// let cluster = RedisServer::parse("rediss+cluster://:hunter2@a.internal,b.internal")?;
    /// assert_eq!(cluster.place(), "a.internal:6379,b.internal:6379");
    /// let master = RedisServer::parse("redis+sentinel://:hunter2@a.internal/mymaster")?;
    /// assert_eq!(master.place(), "mymaster by a.internal:26379");
    /// # }
    /// # Ok::<(), String>(())
    /// ```
    ///
    /// # Errors
    /// A sentence that says what to change, and repeats no part of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (topology, options) = url::parse(url)?;
        let roots = options.roots.as_deref().map(read_roots).transpose()?;
        if roots.is_some() && !topology.has_tls() {
            return Err("has ssl_ca_certs without TLS: begin it with rediss".to_owned());
        }
        Ok(Self {
            topology,
            roots,
            prefix: "mcpfn:".to_owned(),
            timeout: Duration::from_millis(TIMEOUT),
        })
    }

    /// The server, if the variables name one.
    pub fn read(reader: &mut EnvReader<'_>) -> Option<Self> {
        let url = reader.text(URL);
        let milliseconds = reader.within(
            "MCPFN_REDIS_TIMEOUT_MS",
            TIMEOUT,
            10..=10_000,
            "a number of milliseconds",
        );
        let prefix = reader.text("MCPFN_REDIS_PREFIX");
        let Some(url) = url else {
            for name in ["MCPFN_REDIS_TIMEOUT_MS", "MCPFN_REDIS_PREFIX"] {
                if reader.text(name).is_some() {
                    reader.mistake(format!("{name} has no effect without {URL}: set that too"));
                }
            }
            return None;
        };
        let prefix = prefix.map_or("mcpfn:".to_owned(), |prefix| prefix.trim().to_owned());
        if prefix.len() > 100 || !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            reader.mistake("MCPFN_REDIS_PREFIX must have at most 100 letters, digits and signs");
        }
        match Self::parse(&url) {
            Ok(server) => Some(Self {
                prefix,
                timeout: Duration::from_millis(milliseconds),
                ..server
            }),
            Err(mistake) => {
                reader.mistake(format!("{URL} {mistake}"));
                None
            }
        }
    }

    /// Where it is, without credentials.
    #[must_use]
    pub fn place(&self) -> String {
        self.topology.place()
    }

    /// What TLS trusts in the place of the public certificates.
    pub(crate) fn certificates(&self) -> Option<TlsCertificates> {
        let roots = self.roots.clone()?;
        Some(TlsCertificates {
            client_tls: None,
            root_cert: Some(roots),
        })
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer")
            .field("place", &self.place())
            .field("prefix", &self.prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn read_roots(file: &str) -> Result<Vec<u8>, String> {
    let read = std::fs::read(file);
    let pem = read.map_err(|error| format!("has an ssl_ca_certs that can't be read: {error}"))?;
    let begins = b"-----BEGIN CERTIFICATE-----";
    if pem.windows(begins.len()).any(|part| part == begins) {
        Ok(pem)
    } else {
        Err("has an ssl_ca_certs without a certificate in PEM".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Option<RedisServer>, Vec<String>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let mut reader = EnvReader::new(&variable);
        let server = RedisServer::read(&mut reader);
        let mistakes = reader.finish(()).err().map(|error| error.mistakes);
        (server, mistakes.unwrap_or_default())
    }

    #[test]
    fn a_url_says_where_and_as_whom_and_shows_no_password() {
        for (url, place, database) in [
            ("redis://127.0.0.1", "127.0.0.1:6379", 0),
            (
                "redis://:hunter2@cache.internal:7000/3",
                "cache.internal:7000",
                3,
            ),
            ("rediss://me:hunter2@[::1]:1/0", "::1:1", 0),
            ("valkeys://:hunter2@cache", "cache:6379", 0),
            (
                "unix:///run/redis.sock?db=2&pass=hunter2",
                "/run/redis.sock",
                2,
            ),
        ] {
            let (server, mistakes) = read(&[(URL, url)]);
            assert_eq!(mistakes, [""; 0], "{url}");
            let server = server.unwrap();
            assert_eq!(server.place(), place);
            assert_eq!(server.topology.nodes()[0].redis_settings().db(), database);
            assert!(!format!("{server:?}").contains("hunter2"));
            if url.contains("hunter2") {
                assert_eq!(
                    server.topology.nodes()[0].redis_settings().password(),
                    Some("hunter2")
                );
            }
        }
    }

    #[test]
    fn a_url_that_is_none_is_not_repeated() {
        for (url, says) in [
            ("hunter2", "must be redis://"),
            ("http://hunter2", "must be redis://"),
            ("redis://hunter2:hunter2/5", "must be redis://"),
            ("redis://a/hunter2", "must be redis://"),
            ("redis://a?hunter2=1", "an option that is not known"),
            ("rediss://:hunter2@a/#insecure", "always checked"),
            ("redis://a?ssl_ca_certs=Cargo.toml", "without a certificate"),
            ("rediss://a?ssl_ca_certs=hunter2", "can't be read"),
        ] {
            let (server, mistakes) = read(&[(URL, url)]);
            assert!(server.is_none(), "{url}");
            assert!(
                mistakes.len() == 1 && mistakes[0].contains(says),
                "{mistakes:?}"
            );
            assert!(!mistakes[0].contains("hunter2"), "{mistakes:?}");
        }
    }

    #[test]
    fn what_has_no_effect_and_what_cant_be_is_told() {
        assert!(matches!(read(&[]), (None, mistakes) if mistakes.is_empty()));
        let (_, mistakes) = read(&[("MCPFN_REDIS_PREFIX", "shop:")]);
        assert!(
            mistakes[0].contains("without MCPFN_REDIS_URL"),
            "{mistakes:?}"
        );
        let url = (URL, "redis://localhost");
        for wrong in [
            ("MCPFN_REDIS_TIMEOUT_MS", "5"),
            ("MCPFN_REDIS_PREFIX", "a b"),
        ] {
            let (_, mistakes) = read(&[url, wrong]);
            assert!(
                mistakes.len() == 1 && mistakes[0].contains(wrong.0),
                "{mistakes:?}"
            );
        }
        let (server, _) = read(&[url, ("MCPFN_REDIS_PREFIX", "shop:")]);
        assert_eq!(server.unwrap().prefix, "shop:");
    }
}
