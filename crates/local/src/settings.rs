//! The settings of this host, from the environment: those that every host has, and its own.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use mcpfn_auth::KeySource;
use mcpfn_http::TrustedProxies;
use mcpfn_settings::{AuthMethod, Common, EnvReader, Host, Hosts, Setting, SettingsError};

/// Where the server listens when not set.
const PORT: u16 = 8787;

/// What this host is.
pub(crate) const HOST: Host = Host {
    id: Hosts::LOCAL,
    methods: &[AuthMethod::OAuth, AuthMethod::ApiKey, AuthMethod::None],
    auth_unset: None,
    // as on Lambda, so that what works here works there
    max_body: 4 * 1024 * 1024,
    rate: None,
    key_source: Some(key_file),
    deployment: None,
};

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// What every host has. With `MCPFN_AUTH` not set, or `none`, anybody who reaches the loopback
    /// address may call. With `MCPFN_LOG` not set, a server logs from `info` on and a single
    /// command from `warn`.
    pub common: Common,
    /// `MCPFN_PORT`: 0 takes any free port; 8787 when not set.
    pub port: u16,
    /// `MCPFN_TRUSTED_PROXIES`: whose word about where a request came from is taken.
    pub trusted_proxies: TrustedProxies,
    /// `MCPFN_METRICS`: whether `/metrics` is served.
    pub metrics: bool,
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

impl Settings {
    /// Reads the settings; `program` are those of the program itself.
    ///
    /// # Errors
    /// Every variable that can't be used or has no effect, not only the first.
    pub fn read(
        mut reader: EnvReader<'_>,
        program: &'static [Setting],
    ) -> Result<Self, SettingsError> {
        let settings = Self {
            common: Common::read(&mut reader, &HOST, program),
            port: reader.parsed("MCPFN_PORT", PORT, "a port number from 0 to 65535"),
            trusted_proxies: trusted_proxies(&mut reader),
            metrics: reader.form("MCPFN_METRICS", "on"),
            log_format: reader.parsed("MCPFN_LOG_FORMAT", LogFormat::Text, "text or json"),
        };
        reader.finish(settings)
    }
}

fn trusted_proxies(reader: &mut EnvReader<'_>) -> TrustedProxies {
    let text = reader.text("MCPFN_TRUSTED_PROXIES").unwrap_or_default();
    let proxies: TrustedProxies = text.parse().unwrap_or_else(|mistake| {
        reader.mistake(format!("MCPFN_TRUSTED_PROXIES: {mistake}"));
        TrustedProxies::default()
    });
    let loopback = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if proxies != TrustedProxies::default() && !loopback.iter().any(|peer| proxies.trusts(*peer)) {
        reader.mistake(
            "MCPFN_TRUSTED_PROXIES must have 127.0.0.1: this server listens on this machine only, \
             so that a proxy in front of it calls from there",
        );
    }
    proxies
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

    #[test]
    fn empty_means_not_set() {
        let spaces = |_: &str| Some(" ".into());
        let settings = Settings::read(EnvReader::new(&spaces), &[]).unwrap();
        assert_eq!(
            (
                settings.port,
                settings.common.origins.len(),
                settings.common.state_keys.is_none()
            ),
            (PORT, 0, true)
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
