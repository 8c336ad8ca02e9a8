//! Settings from the environment: typed, read once, every mistake reported together.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use mcpfn_core::Keyring;
use tracing::Level;

/// Where the server listens unless told otherwise.
const PORT: u16 = 8787;
/// Most bytes of a message unless told otherwise: 4 MiB.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `MCPFN_PORT`: 0 takes any free port; 8787 when not set.
    pub port: u16,
    /// `MCPFN_ORIGINS`: browser origins that may call besides loopback ones, comma-separated.
    pub origins: Vec<String>,
    /// `MCPFN_MAX_BODY`: most bytes of a message; 4 MiB when not set.
    pub max_body: usize,
    /// `MCPFN_STATE_KEY`: keys that seal request state. Without it one is made for the life of the process.
    pub state_keys: Option<Keyring>,
    /// `MCPFN_LOG`: `error`, `warn`, `info` (when not set), `debug` or `trace`.
    pub log_level: Level,
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
    /// Reads settings through `variable`; an empty variable counts as not set.
    ///
    /// # Errors
    /// Every variable that can't be used, not only the first.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let mut reader = Reader { variable, mistakes: Vec::new() };
        let settings = Self {
            port: reader.parsed("MCPFN_PORT", PORT, "a port number from 0 to 65535"),
            max_body: reader.parsed("MCPFN_MAX_BODY", MAX_BODY, "a number of bytes"),
            log_level: reader.parsed("MCPFN_LOG", Level::INFO, "error, warn, info, debug or trace"),
            log_format: reader.parsed("MCPFN_LOG_FORMAT", LogFormat::Text, "text or json"),
            origins: reader.origins(),
            state_keys: reader.keys(),
        };
        if reader.mistakes.is_empty() { Ok(settings) } else { Err(SettingsError { mistakes: reader.mistakes }) }
    }
}

struct Reader<F> {
    variable: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&str) -> Option<OsString>> Reader<F> {
    /// The variable's text, if it is set to any.
    fn text(&mut self, name: &str) -> Option<String> {
        match (self.variable)(name)?.into_string() {
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(_) => {
                // not repeated: it may be a secret
                self.mistakes.push(format!("{name} is not text in UTF-8"));
                None
            }
        }
    }

    fn parsed<T: FromStr>(&mut self, name: &str, otherwise: T, expected: &str) -> T {
        let Some(text) = self.text(name) else { return otherwise };
        text.trim().parse().unwrap_or_else(|_| {
            self.mistakes.push(format!("{name} must be {expected}"));
            otherwise
        })
    }

    fn origins(&mut self) -> Vec<String> {
        let listed = self.text("MCPFN_ORIGINS").unwrap_or_default();
        let origins: Vec<String> = listed.split(',').map(str::trim).filter(|origin| !origin.is_empty()).map(str::to_owned).collect();
        for origin in &origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                self.mistakes.push("MCPFN_ORIGINS must list origins such as https://app.example.com: scheme and host, no path".to_owned());
                break;
            }
        }
        origins
    }

    fn keys(&mut self) -> Option<Keyring> {
        let text = self.text("MCPFN_STATE_KEY")?;
        // the text itself is a secret and is not repeated
        Keyring::parse(&text).map_err(|error| self.mistakes.push(format!("MCPFN_STATE_KEY: {error}"))).ok()
    }
}

/// Every variable that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// One sentence each.
    pub mistakes: Vec<String>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment has settings that can't be used:")?;
        for mistake in &self.mistakes {
            write!(f, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_reported_together() {
        let values = |name: &str| match name {
            "MCPFN_PORT" => Some("eighty".into()),
            "MCPFN_ORIGINS" => Some("app.example.com".into()),
            "MCPFN_STATE_KEY" => Some("hunter2".into()),
            "MCPFN_LOG" => Some("loud".into()),
            _ => None,
        };
        let error = Settings::read(values).unwrap_err();
        assert_eq!(error.mistakes.len(), 4, "{error}");
        assert!(!error.to_string().contains("hunter2"), "secrets are not repeated");
    }

    #[test]
    fn empty_means_not_set() {
        let settings = Settings::read(|_| Some(" ".into())).unwrap();
        assert_eq!((settings.port, settings.origins.len(), settings.state_keys.is_none()), (PORT, 0, true));
    }
}
