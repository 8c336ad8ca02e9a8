//! The settings of this host, from the environment: those that every host has, and its own.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_auth::KeySource;
use mcpfn_core::Server;
use mcpfn_core::host::Listening;
use mcpfn_core::port::Rate;
use mcpfn_http::{ForwardedHeader, TrustedProxies};
use mcpfn_settings::{AuthMethod, Common, EnvReader, Host, Hosts, Setting, SettingsError};

use crate::listen::ListenAddress;
use crate::stores::SharedStores;
use crate::tls::CertificateFiles;

/// How streams of changes are served: a look costs next to nothing, and the end lets a token that
/// expired be noticed.
const LISTENING: Listening = Listening::new(Duration::from_secs(2), Duration::from_secs(600));

/// What this host is.
pub(crate) const HOST: Host = Host {
    id: Hosts::LOCAL,
    methods: &[AuthMethod::OAuth, AuthMethod::ApiKey, AuthMethod::None],
    auth_unset: None,
    // as on Lambda, so that what works here works there
    max_body: 4 * 1024 * 1024,
    rate: None,
    rate_with_auth: Some(Rate::per_minute(60)),
    key_source: Some(key_file),
    listening: Some(LISTENING),
    deployment: None,
};

/// What it is where others can reach it: a server of many, who prove who they are.
const NETWORK: Host = Host {
    methods: &[AuthMethod::OAuth, AuthMethod::ApiKey],
    auth_unset: Some(
        "MCPFN_AUTH is not set, and MCPFN_LISTEN is an address that others can reach: set \
         MCPFN_AUTH to oauth or api-key, or listen on 127.0.0.1",
    ),
    rate: HOST.rate_with_auth,
    ..HOST
};

/// What bounds connections, and the end of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// `MCPFN_MAX_CONNECTIONS`: connections at the same time. For one more, the one is closed that
    /// has waited longest for its client; if none waits, more wait in the operating system's queue.
    pub connections: usize,
    /// `MCPFN_MAX_HEAD_BYTES`: the most bytes of a request's line and headers.
    pub head: usize,
    /// `MCPFN_IDLE_TIMEOUT_SECONDS`: how long a client may take to send the head of its next
    /// request. Longer than proxies keep connections (60 s), or one sends its request into the end.
    pub idle: Duration,
    /// `MCPFN_DRAIN_DELAY_SECONDS`: how long new requests are taken once the process was told to
    /// stop: load balancers need some time to learn it from `/ready`.
    pub drain_delay: Duration,
    /// `MCPFN_DRAIN_TIMEOUT_SECONDS`: how long calls in flight may take after that.
    pub drain_timeout: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 1024,
            head: 64 * 1024,
            idle: Duration::from_secs(75),
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// What every host has. With `MCPFN_AUTH` not set, or `none`, anybody who reaches the loopback
    /// address may call. With `MCPFN_LOG` not set, a server logs from `info` on and a single
    /// command from `warn`.
    pub common: Common,
    /// `MCPFN_LISTEN`, `MCPFN_PORT`, `PORT`: port 8787 of the loopback addresses when not set.
    pub listen: ListenAddress,
    /// `MCPFN_BASE_PATH`: path in front of the endpoint; empty when not set.
    pub base_path: String,
    /// What bounds connections. Without `MCPFN_DRAIN_TIMEOUT_SECONDS`, calls may also take as long
    /// as the longest limit of a tool: that is not in here.
    pub bounds: Bounds,
    drain_timeout_is_set: bool,
    /// `MCPFN_TRUSTED_PROXIES`: whose word about where a request came from is taken.
    pub trusted_proxies: TrustedProxies,
    /// `MCPFN_REDIS_URL` or `MCPFN_POSTGRES_STORE_URL`, and what goes with it: where instances share what they know.
    pub(crate) shared: SharedStores,
    /// `MCPFN_PROXY_PROTOCOL`: whether their connections begin with a PROXY header.
    pub proxy_protocol: bool,
    /// `MCPFN_METRICS`: whether `/metrics` is served beside the endpoint.
    pub metrics: bool,
    /// `MCPFN_METRICS_LISTEN`: where it is served with `/ready` and `/health`, and nothing else.
    pub metrics_listen: Option<SocketAddr>,
    /// `MCPFN_WORKER_THREADS`: threads that answer requests. One measures best: calls wait for
    /// services, not for the processor, and nothing moves between threads.
    pub worker_threads: usize,
    /// `MCPFN_TLS_CERTIFICATE` and `MCPFN_TLS_KEY`.
    pub(crate) tls: Option<CertificateFiles>,
    /// `MCPFN_LOG_FORMAT`: `text` (when not set) or `json`.
    pub log_format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// What this host is at an address.
fn host(listen: &ListenAddress) -> Host {
    if listen.is_loopback() { HOST } else { NETWORK }
}

impl Settings {
    /// The bounds, with what the server's own tools may take.
    pub(crate) fn bounds_for(&self, server: &Server) -> Bounds {
        let mut bounds = self.bounds;
        if !self.drain_timeout_is_set {
            // a second for the answer to leave
            let longest = server
                .longest_timeout()
                .saturating_add(Duration::from_secs(1));
            bounds.drain_timeout = bounds.drain_timeout.max(longest);
        }
        bounds
    }

    /// Where it listens, with the port of a command line.
    pub(crate) fn listen_with(&self, port: Option<u16>) -> Result<ListenAddress, String> {
        let listen = self.listen.clone();
        match port {
            None => Ok(listen),
            #[cfg(unix)]
            Some(_) if matches!(listen, ListenAddress::Unix { .. }) => {
                Err("MCPFN_LISTEN is a Unix socket, which has no port: leave --port out".to_owned())
            }
            Some(port) => Ok(listen.with_port(port)),
        }
    }

    /// What an operator should know of callers who prove who they are: those of a proxy on this
    /// machine have one address unless the proxy is trusted, and with it one count of refused keys.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        let from_elsewhere = self.common.credentials.public_url.as_deref();
        let behind_a_proxy = match self.listen.is_loopback() {
            true => from_elsewhere.is_some_and(|url| !is_of_this_machine(url)),
            false => self.listen.is_on_this_machine(),
        };
        let proves = !self.common.credentials.auth.authenticators.is_empty();
        (proves && behind_a_proxy && self.trusted_proxies.is_empty()).then_some(
            "all callers have one address here, so that wrong keys of one keep all others out for a \
             while: set MCPFN_TRUSTED_PROXIES to 127.0.0.1, and let the proxy send X-Forwarded-For",
        )
    }

    /// The names of this server that its settings know.
    pub(crate) fn names(&self) -> Vec<String> {
        let url = self.common.credentials.public_url.as_deref();
        let url = url.and_then(|url| url.parse::<http::Uri>().ok());
        let public = url.as_ref().and_then(http::Uri::host).map(str::to_owned);
        self.common.hosts.iter().cloned().chain(public).collect()
    }

    /// What this host is where it listens.
    pub(crate) fn host(&self) -> Host {
        host(&self.listen)
    }

    /// Reads the settings; `program` are those of the program itself.
    ///
    /// # Errors
    /// Every variable that can't be used or has no effect, not only the first.
    pub fn read(
        mut reader: EnvReader<'_>,
        program: &'static [Setting],
    ) -> Result<Self, SettingsError> {
        let listen = ListenAddress::read(&mut reader);
        let common = Common::read(&mut reader, &host(&listen), program);
        if !listen.is_loopback()
            && common.credentials.public_url.is_none()
            && common.hosts.is_empty()
        {
            reader.mistake(
                "others can reach this address: set MCPFN_PUBLIC_URL to the URL that clients use, \
                 or MCPFN_ALLOWED_HOSTS to the names that requests may have in Host (* for any)",
            );
        }
        let bounds = bounds(&mut reader, &listen);
        let trusted_proxies = trusted_proxies(&mut reader, &listen);
        let settings = Self {
            common,
            base_path: reader.base_path(),
            bounds,
            drain_timeout_is_set: reader.text("MCPFN_DRAIN_TIMEOUT_SECONDS").is_some(),
            shared: SharedStores::read(&mut reader),
            proxy_protocol: proxy_protocol(&mut reader, &trusted_proxies),
            trusted_proxies,
            metrics_listen: metrics_listen(&mut reader),
            worker_threads: reader.within("MCPFN_WORKER_THREADS", 1, 1..=1024, "a number"),
            tls: tls(&mut reader),
            listen,
            metrics: reader.form("MCPFN_METRICS", "on"),
            log_format: reader.parsed("MCPFN_LOG_FORMAT", LogFormat::Text, "text or json"),
        };
        reader.finish(settings)
    }
}

/// Whether a URL's host is a name or an address of this machine.
fn is_of_this_machine(url: &str) -> bool {
    let uri = url.parse::<http::Uri>().unwrap_or_default();
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn bounds(reader: &mut EnvReader<'_>, listen: &ListenAddress) -> Bounds {
    let default = Bounds::default();
    let mut seconds = |name, default: Duration, range| {
        Duration::from_secs(reader.within(name, default.as_secs(), range, "a number of seconds"))
    };
    let delay = match listen.is_loopback() {
        true => default.drain_delay,
        false => Duration::from_secs(5),
    };
    Bounds {
        idle: seconds("MCPFN_IDLE_TIMEOUT_SECONDS", default.idle, 1..=3600),
        drain_delay: seconds("MCPFN_DRAIN_DELAY_SECONDS", delay, 0..=300),
        drain_timeout: seconds(
            "MCPFN_DRAIN_TIMEOUT_SECONDS",
            default.drain_timeout,
            0..=3600,
        ),
        head: reader.within(
            "MCPFN_MAX_HEAD_BYTES",
            default.head,
            8192..=1_048_576,
            "a number of bytes",
        ),
        connections: reader.within(
            "MCPFN_MAX_CONNECTIONS",
            default.connections,
            1..=1_000_000,
            "a number of connections",
        ),
    }
}

fn trusted_proxies(reader: &mut EnvReader<'_>, listen: &ListenAddress) -> TrustedProxies {
    let text = reader.text("MCPFN_TRUSTED_PROXIES").unwrap_or_default();
    let proxies: TrustedProxies = text.parse().unwrap_or_else(|mistake| {
        reader.mistake(format!("MCPFN_TRUSTED_PROXIES: {mistake}"));
        TrustedProxies::default()
    });
    let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if listen.is_on_this_machine()
        && proxies != TrustedProxies::default()
        && !loopback.iter().any(|peer| proxies.trusts(*peer))
    {
        reader.mistake(
            "MCPFN_TRUSTED_PROXIES must have 127.0.0.1: this server listens on this machine only, \
             so that a proxy in front of it calls from there",
        );
    }
    let header = reader.parsed(
        "MCPFN_FORWARDED_HEADER",
        ForwardedHeader::default(),
        "x-forwarded-for or forwarded",
    );
    proxies.reading(header)
}

fn proxy_protocol(reader: &mut EnvReader<'_>, proxies: &TrustedProxies) -> bool {
    let on = reader.form("MCPFN_PROXY_PROTOCOL", "on");
    if on && proxies.is_empty() {
        reader.mistake(
            "MCPFN_PROXY_PROTOCOL needs MCPFN_TRUSTED_PROXIES: the addresses of the proxies whose \
             connections begin with a PROXY header",
        );
    }
    on
}

fn metrics_listen(reader: &mut EnvReader<'_>) -> Option<SocketAddr> {
    let text = reader.text("MCPFN_METRICS_LISTEN")?;
    let address = text.trim().parse().ok();
    if address.is_none() {
        reader.mistake(
            "MCPFN_METRICS_LISTEN must be an address with a port, such as 127.0.0.1:9090 or \
             0.0.0.0:9090",
        );
    }
    address
}

fn tls(reader: &mut EnvReader<'_>) -> Option<CertificateFiles> {
    let certificate = reader.text("MCPFN_TLS_CERTIFICATE");
    let key = reader.text("MCPFN_TLS_KEY");
    let files = match (certificate, key) {
        (None, None) => return None,
        (Some(certificate), Some(key)) => {
            CertificateFiles::open(certificate.trim().into(), key.trim().into())
        }
        _ => Err("set both, or neither".to_owned()),
    };
    files
        .map_err(|cause| reader.mistake(format!("MCPFN_TLS_CERTIFICATE, MCPFN_TLS_KEY: {cause}")))
        .ok()
}

/// `file:PATH`: a list of keys that may change while the server runs.
fn key_file(
    reader: &mut EnvReader<'_>,
    variable: &'static str,
    source: &str,
) -> Option<Arc<dyn KeySource>> {
    let Some(path) = source
        .strip_prefix("file:")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
    else {
        // not repeated: it may be the list itself
        reader.mistake(format!(
            "{variable} must be file: and an absolute path, such as file:/etc/mcpfn/api-keys"
        ));
        return None;
    };
    // a list that is not there yet would refuse every caller, without a word at the start
    if let Err(cause) = read_keys(&path) {
        reader.mistake(format!("MCPFN_API_KEYS_SOURCE: {cause}"));
        return None;
    }
    Some(Arc::new(move || read_keys(&path)))
}

/// The largest list of keys: some ten thousand entries.
const MAX_KEYS_BYTES: u64 = 1024 * 1024;

fn read_keys(path: &Path) -> Result<String, String> {
    let cannot = |cause: String| format!("{} can't be read: {cause}", path.display());
    let found = std::fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
    // a pipe would hold up whoever asks for the list
    if !found.is_file() {
        return Err(cannot("it is no regular file".to_owned()));
    }
    if found.len() > MAX_KEYS_BYTES {
        return Err(cannot(format!("it has more than {MAX_KEYS_BYTES} bytes")));
    }
    std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))
}

#[cfg(test)]
mod tests {
    use mcpfn_core::{Builder, NoArguments, Tool};

    use super::*;

    #[test]
    fn mistakes_are_reported_together() {
        let values = |name: &str| match name {
            "MCPFN_PORT" => Some("eighty".into()),
            "MCPFN_ALLOWED_ORIGINS" => Some("app.example.com".into()),
            "MCPFN_STATE_KEY" => Some("hunter2".into()),
            "MCPFN_LOG" => Some("loud".into()),
            _ => None,
        };
        let error = Settings::read(EnvReader::new(&values), &[]).unwrap_err();
        assert_eq!(error.mistakes.len(), 4, "{error}");
        assert!(
            !error.to_string().contains("hunter2"),
            "secrets are not repeated"
        );
    }

    #[test]
    fn a_minute_has_sixty_calls_once_callers_prove_who_they_are() {
        let key = "ci:".to_owned() + &"0".repeat(64);
        let keys = [("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &*key)];
        let network = [("MCPFN_LISTEN", "0.0.0.0"), ("MCPFN_ALLOWED_HOSTS", "*")];
        let minute = Some(Rate::per_minute(60));
        for (variables, rate) in [
            (vec![], None),
            (vec![("MCPFN_AUTH", "none")], None),
            (keys.to_vec(), minute),
            ([keys, network].concat(), minute),
            ([&keys[..], &[("MCPFN_RATE_LIMIT", "none")]].concat(), None),
            (vec![("MCPFN_RATE_LIMIT", "60/min")], minute),
        ] {
            let values = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).into())
            };
            let settings = Settings::read(EnvReader::new(&values), &[]).unwrap();
            assert_eq!(settings.common.policies.rate, rate, "{variables:?}");
        }
    }

    #[test]
    fn a_list_of_keys_is_a_file_that_is_there() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        for (path, sentence) in [
            (folder.join("Cargo.toml").as_path(), None),
            (&folder.join("missing"), Some("can't be read")),
            (folder, Some("no regular file")),
            (Path::new("keys"), Some("an absolute path")),
        ] {
            let source = format!("file:{}", path.display());
            let values = |name: &str| match name {
                "MCPFN_AUTH" => Some("api-key".into()),
                "MCPFN_API_KEYS_SOURCE" => Some(source.clone().into()),
                _ => None,
            };
            let mistakes = Settings::read(EnvReader::new(&values), &[])
                .map_or_else(|error| error.mistakes, |_| Vec::new());
            match sentence {
                None => assert_eq!(mistakes, [""; 0]),
                Some(sentence) => assert!(mistakes[0].contains(sentence), "{mistakes:?}"),
            }
        }
    }

    /// Every address, with each way to be asked for, and what its operator is told.
    #[test]
    fn an_address_that_others_reach_has_callers_who_prove_who_they_are() {
        let key = "ci:".to_owned() + &"0".repeat(64);
        let keys = [("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &*key)];
        let url = ("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp");
        let hosts = ("MCPFN_ALLOWED_HOSTS", "mcp.internal");
        for (variables, told) in [
            (vec![], Some("MCPFN_AUTH is not set")),
            (vec![("MCPFN_AUTH", "none")], Some("MCPFN_AUTH must be one")),
            (keys.to_vec(), Some("MCPFN_ALLOWED_HOSTS")),
            ([&keys[..], &[url]].concat(), None),
            ([&keys[..], &[hosts]].concat(), None),
            ([&keys[..], &[("MCPFN_ALLOWED_HOSTS", "*")]].concat(), None),
            (
                [&keys[..], &[("MCPFN_ALLOWED_HOSTS", "a b")]].concat(),
                Some("MCPFN_ALLOWED_HOSTS"),
            ),
        ] {
            for address in ["0.0.0.0", "[::]:80", "10.0.0.1", "::ffff:10.0.0.1"] {
                let mut variables = variables.clone();
                variables.push(("MCPFN_LISTEN", address));
                let values = |name: &str| {
                    let found = variables.iter().find(|(known, _)| *known == name);
                    found.map(|(_, value)| (*value).into())
                };
                let read = Settings::read(EnvReader::new(&values), &[]);
                match (told, read) {
                    (None, Ok(settings)) => {
                        assert_eq!(settings.bounds.drain_delay, Duration::from_secs(5));
                    }
                    (Some(told), Err(error)) => {
                        assert!(error.to_string().contains(told), "{variables:?}: {error}");
                    }
                    (told, read) => panic!("{variables:?}: {told:?}, {read:?}"),
                }
            }
        }
    }

    #[test]
    fn callers_that_are_not_told_apart_are_warned_of() {
        let key = "ci:".to_owned() + &"0".repeat(64);
        let keys = [("MCPFN_AUTH", "api-key"), ("MCPFN_API_KEYS", &*key)];
        let hosts = ("MCPFN_ALLOWED_HOSTS", "mcp.internal");
        let url = ("MCPFN_PUBLIC_URL", "https://mcp.example.com/mcp");
        let here = ("MCPFN_PUBLIC_URL", "http://localhost:8787/mcp");
        let proxy = ("MCPFN_TRUSTED_PROXIES", "127.0.0.1");
        let file = ("MCPFN_LISTEN", "unix:/run/mcpfn/mcp.sock");
        let network = ("MCPFN_LISTEN", "0.0.0.0:8787");
        for (variables, warned) in [
            (vec![file, hosts], true),
            (vec![file, hosts, proxy], false),
            (vec![file, url], true),
            (vec![url], true),
            (vec![url, proxy], false),
            (vec![here], false),
            (vec![], false),
            (vec![network, url], false),
        ] {
            let all = [&keys[..], &variables].concat();
            let values = |name: &str| {
                let found = all.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).into())
            };
            let settings = Settings::read(EnvReader::new(&values), &[]).unwrap();
            assert_eq!(settings.warning().is_some(), warned, "{variables:?}");
        }
        // where nobody proves anything, there is no count
        let settings = Settings::read(EnvReader::new(&|_: &str| None), &[]).unwrap();
        assert_eq!(settings.warning(), None);
    }

    #[test]
    fn calls_may_end_within_the_longest_limit_of_a_tool() {
        let server = |seconds: &[u64]| {
            let tools = seconds.iter().map(|seconds| {
                Tool::new(format!("tool_{seconds}"))
                    .description("Waits.")
                    .timeout(Duration::from_secs(*seconds))
                    .handler(|_: NoArguments| async { "waited" })
            });
            let builder = Server::builder("waiting", "1");
            tools.fold(builder, Builder::tool).build().unwrap()
        };
        for (set, tools, seconds) in [
            (None, &[][..], 10),
            (None, &[5, 9], 10),
            (None, &[5, 600, 30], 601),
            (Some("3"), &[600], 3),
            (Some("0"), &[], 0),
        ] {
            let values = |name: &str| match name {
                "MCPFN_DRAIN_TIMEOUT_SECONDS" => set.map(Into::into),
                _ => None,
            };
            let settings = Settings::read(EnvReader::new(&values), &[]).unwrap();
            let bounds = settings.bounds_for(&server(tools));
            assert_eq!(bounds.drain_timeout.as_secs(), seconds, "{set:?} {tools:?}");
        }
    }

    #[test]
    fn empty_means_not_set() {
        let spaces = |_: &str| Some(" ".into());
        let settings = Settings::read(EnvReader::new(&spaces), &[]).unwrap();
        assert_eq!(
            (
                settings.listen,
                settings.common.origins.len(),
                settings.common.state_keys.is_none()
            ),
            (ListenAddress::Loopback(8787), 0, true)
        );
    }

    #[test]
    fn the_table_has_what_is_read_and_nothing_else() {
        let sets: &[&[(&str, &str)]] = &[
            &[
                ("MCPFN_AUTH", "oauth,api-key"),
                ("MCPFN_API_KEYS_SOURCE", "x"),
            ],
            &[("MCPFN_AUTH", "api-key")],
            &[],
        ];
        let (listed, read) = mcpfn_settings::listed_and_read(HOST.id, sets, |reader| {
            drop(Settings::read(reader, &[]));
        });
        assert_eq!(
            read, listed,
            "read, and listed in crates/settings/src/table.rs"
        );
    }
}
