//! Settings from variables: typed, read once, every mistake reported together. What the variables
//! of one host are, and where it has them from, is the host's business.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

use mcpfn_core::{Builder, Keyring};

/// Most bytes of a message unless told otherwise: 4 MiB, below the 6 MB of a Lambda event.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// What a host starts: a server, and the ports that its handlers ask for.
#[derive(Debug)]
pub struct Setup<P> {
    /// The server, not yet built.
    pub builder: Builder,
    /// Adds ports to the platform. Clients of other services belong behind their first use.
    pub ports: P,
}

/// Reads variables, and remembers what is wrong with them.
#[derive(Debug)]
pub struct EnvReader<F> {
    variable: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&str) -> Option<OsString>> EnvReader<F> {
    /// Reads through `variable`; an empty variable counts as not set.
    pub fn new(variable: F) -> Self {
        Self {
            variable,
            mistakes: Vec::new(),
        }
    }

    /// The settings, if nothing is wrong with any of them.
    ///
    /// # Errors
    /// Every variable that can't be used, not only the first.
    pub fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError {
                mistakes: self.mistakes,
            })
        }
    }

    /// Remembers a mistake: one sentence that says what to change.
    pub fn mistake(&mut self, sentence: impl Into<String>) {
        self.mistakes.push(sentence.into());
    }

    /// The variable's text, if it is set to any.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match (self.variable)(name)?.into_string() {
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(_) => {
                // not repeated: it may be a secret
                self.mistakes.push(format!("{name} is not text in UTF-8"));
                None
            }
        }
    }

    /// The variable's value, or another one when it is not set. `expected` ends the sentence "...
    /// must be".
    pub fn parsed<T: FromStr>(&mut self, name: &str, otherwise: T, expected: &str) -> T {
        let Some(text) = self.text(name) else {
            return otherwise;
        };
        text.trim().parse().unwrap_or_else(|_| {
            self.mistakes.push(format!("{name} must be {expected}"));
            otherwise
        })
    }

    /// `MCPFN_ALLOWED_ORIGINS`: browser origins that may call, comma-separated.
    pub fn origins(&mut self) -> Vec<String> {
        let listed = self.text("MCPFN_ALLOWED_ORIGINS").unwrap_or_default();
        let origins: Vec<String> = listed
            .split(',')
            .map(str::trim)
            .filter(|origin| !origin.is_empty())
            .map(str::to_owned)
            .collect();
        for origin in &origins {
            let host = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"));
            if host.is_none_or(|host| host.is_empty() || host.contains('/')) {
                self.mistakes.push(
                    "MCPFN_ALLOWED_ORIGINS must list origins such as \
                    https://app.example.com: scheme and host, no path"
                        .to_owned(),
                );
                break;
            }
        }
        origins
    }

    /// `MCPFN_MAX_BODY_BYTES`: most bytes of a message; 4 MiB when not set.
    pub fn max_body(&mut self) -> usize {
        self.parsed("MCPFN_MAX_BODY_BYTES", MAX_BODY, "a number of bytes")
    }

    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub fn base_path(&mut self) -> String {
        let path = self.text("MCPFN_BASE_PATH").unwrap_or_default();
        let path = path.trim().trim_end_matches('/');
        if !path.is_empty() && !path.starts_with('/') {
            self.mistake("MCPFN_BASE_PATH must begin with a slash, such as /tools");
        }
        path.to_owned()
    }

    /// `MCPFN_STATE_KEY`: keys that seal request state.
    pub fn keys(&mut self) -> Option<Keyring> {
        let text = self.text("MCPFN_STATE_KEY")?;
        // the text itself is a secret and is not repeated
        Keyring::parse(&text)
            .map_err(|error| self.mistakes.push(format!("MCPFN_STATE_KEY: {error}")))
            .ok()
    }
}

/// Every variable that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// One sentence each.
    pub mistakes: Vec<String>,
}

/// The path below a prefix of whole segments, or the path itself.
#[must_use]
pub fn strip_base_path<'a>(path: &'a str, prefix: &str) -> &'a str {
    match path.strip_prefix(prefix) {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
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
