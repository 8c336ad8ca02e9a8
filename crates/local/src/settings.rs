//! The settings of this host, from the environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use mcpfn_auth::{AuthMethod, AuthMethods, Credentials, KeySource};
use mcpfn_core::Keyring;
use mcpfn_native::{EnvReader, Policies, SettingsError};
use tracing::Level;

/// Where the server listens unless told otherwise.
const PORT: u16 = 8787;

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `MCPFN_PORT`: 0 takes any free port; 8787 when not set.
    pub port: u16,
    /// `MCPFN_AUTH`: how callers over HTTP prove who they are. When not set, or `none`, whoever
    /// reaches the loopback address may call.
    pub methods: Option<AuthMethods>,
    /// What those methods need.
    pub proofs: Credentials,
    /// `MCPFN_ALLOWED_ORIGINS`: browser origins that may call besides loopback ones, comma-separated.
    pub origins: Vec<String>,
    /// `MCPFN_MAX_BODY_BYTES`: most bytes of a message; 4 MiB when not set.
    pub max_body: usize,
    /// `MCPFN_STATE_KEY`: keys that seal request state. Without it one is made for the life of the
    /// process.
    pub state_keys: Option<Keyring>,
    /// `MCPFN_RATE_LIMIT` (none when not set), `MCPFN_RATE_LIMIT_ON_ERROR`, `MCPFN_IDEMPOTENCY_ON_ERROR`.
    pub policies: Policies,
    /// `MCPFN_METRICS`: whether `/metrics` is served.
    pub metrics: bool,
    /// `MCPFN_LOG`: `error`, `warn`, `info`, `debug` or `trace`. When not set, a server says `info`
    /// and a single command `warn`.
    pub log_level: Option<Level>,
    /// `MCPFN_LOG_FORMAT`: `text` (when not set) or `json`.
    pub log_format: LogFormat,
}

/// `on` or `off`.
#[derive(Clone, Copy)]
struct Switch(bool);

impl FromStr for Switch {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err(()),
        }
    }
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
    /// Reads settings through `variable`; an empty variable counts as not set.
    ///
    /// # Errors
    /// Every variable that can't be used, not only the first.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let mut reader = EnvReader::new(variable);
        let methods = AuthMethods::read(
            &mut reader,
            &[AuthMethod::OAuth, AuthMethod::ApiKey, AuthMethod::None],
        )
        .filter(|methods| !methods.has(AuthMethod::None));
        let settings = Self {
            proofs: Credentials::read_with(
                &mut reader,
                &methods.clone().unwrap_or_else(|| AuthMethods::of([])),
                key_file,
            ),
            methods,
            port: reader.parsed("MCPFN_PORT", PORT, "a port number from 0 to 65535"),
            max_body: reader.max_body(),
            policies: reader.policies(None),
            log_level: reader.text("MCPFN_LOG").map(|_| {
                reader.parsed(
                    "MCPFN_LOG",
                    Level::INFO,
                    "error, warn, info, debug or trace",
                )
            }),
            metrics: reader.parsed("MCPFN_METRICS", Switch(false), "on or off").0,
            log_format: reader.parsed("MCPFN_LOG_FORMAT", LogFormat::Text, "text or json"),
            origins: reader.origins(),
            state_keys: reader.keys(),
        };
        reader.finish(settings)
    }
}

/// `file:PATH`: a list of keys that may change while the server runs.
fn key_file<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
    source: &str,
) -> Option<Arc<dyn KeySource>> {
    let Some(path) = source
        .strip_prefix("file:")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
    else {
        // not repeated: it may be the list itself
        reader.mistake(
            "MCPFN_API_KEYS_SOURCE must be file: and an absolute path, such as \
            file:/etc/mcpfn/api-keys",
        );
        return None;
    };
    Some(Arc::new(move || {
        std::fs::read_to_string(&path)
            .map_err(|error| format!("{} can't be read: {error}", path.display()))
    }))
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
        let error = Settings::read(values).unwrap_err();
        assert_eq!(error.mistakes.len(), 4, "{error}");
        assert!(
            !error.to_string().contains("hunter2"),
            "secrets are not repeated"
        );
    }

    #[test]
    fn empty_means_not_set() {
        let settings = Settings::read(|_| Some(" ".into())).unwrap();
        assert_eq!(
            (
                settings.port,
                settings.origins.len(),
                settings.state_keys.is_none()
            ),
            (PORT, 0, true)
        );
    }
}
