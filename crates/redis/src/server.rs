//! Which server, as whom, and how patiently: settings only.

use std::fmt;
use std::time::Duration;

use mcpfn_settings::EnvReader;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisResult};
use redis::{TlsCertificates, parse_redis_url};
use rustls::crypto::{CryptoProvider, ring};

/// Milliseconds that a question may take with its retry, unless told otherwise: Redis answers in
/// less than one, and a first connection with TLS takes three round trips.
const TIMEOUT: u64 = 1000;

const URL: &str = "MCPFN_REDIS_URL";

/// A Redis or Valkey server and how to reach it.
#[derive(Clone)]
pub struct RedisServer {
    info: ConnectionInfo,
    /// Whose certificates are trusted, in PEM, in the place of the public ones.
    roots: Option<Vec<u8>>,
    /// `MCPFN_REDIS_PREFIX`: what every key begins with; `mcpfn:` when not set.
    pub prefix: String,
    /// `MCPFN_REDIS_TIMEOUT_MS`: how long a question may take with its retry; a second when not
    /// set. One attempt has three fifths of it, and a connection two fifths.
    pub timeout: Duration,
}

impl RedisServer {
    /// The server of a URL: `redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://` with TLS,
    /// or `unix:///run/redis.sock`; `valkey://` and `valkeys://` are the same.
    /// `?ssl_ca_certs=FILE` names the certificates in PEM that are trusted in the place of the
    /// public ones; the file is read now.
    ///
    /// # Errors
    /// A sentence that says what to change, and repeats no part of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let form = || {
            "must be redis://:PASSWORD@HOST:PORT/DATABASE, or rediss:// with TLS; letters such as @ \
             and / in a password are written as %40 and %2F"
                .to_owned()
        };
        let mut url = parse_redis_url(url.trim()).ok_or_else(form)?;
        let mut roots = None;
        for (name, value) in url.query_pairs() {
            match &*name {
                "ssl_ca_certs" => roots = Some(read_roots(&value)?),
                // of a Unix socket
                "db" | "user" | "pass" if url.host().is_none() => {}
                _ => {
                    return Err("has an option that is not known; known is ssl_ca_certs".to_owned());
                }
            }
        }
        if url.fragment().is_some() {
            return Err(
                "has a # part: certificates are always checked; trust one of your own \
                        with ?ssl_ca_certs=FILE"
                    .to_owned(),
            );
        }
        if url.host().is_some() {
            url.set_query(None);
        }
        let info = url.into_connection_info().map_err(|_| form())?;
        if roots.is_some() && !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err("has ssl_ca_certs without TLS: begin it with rediss://".to_owned());
        }
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        Ok(Self {
            info: info.set_tcp_settings(tcp),
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
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                format!("{host}:{port}")
            }
            ConnectionAddr::Unix(path) => path.display().to_string(),
            _ => "MCPFN_REDIS_URL".to_owned(),
        }
    }

    pub(crate) fn client(&self) -> RedisResult<Client> {
        if !matches!(self.info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Client::open(self.info.clone());
        }
        if CryptoProvider::get_default().is_none() {
            // another thread may have been faster, with the same
            let _ = ring::default_provider().install_default();
        }
        match &self.roots {
            Some(roots) => {
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(roots.clone()),
                };
                Client::build_with_tls(self.info.clone(), certificates)
            }
            None => Client::open(self.info.clone()),
        }
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
            assert_eq!(server.info.redis_settings().db(), database);
            assert!(!format!("{server:?}").contains("hunter2"));
            if url.contains("hunter2") {
                assert_eq!(server.info.redis_settings().password(), Some("hunter2"));
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
