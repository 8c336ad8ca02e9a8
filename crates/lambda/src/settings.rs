//! Settings from the environment: typed, read once, every mistake reported together.

use std::fmt;
use std::str::FromStr;

use mcpfn_core::Keyring;
use tracing::Level;

/// Help text for the variables, as a command line prints it.
pub const ENVIRONMENT: &str = "\
On AWS Lambda:
  MCPFN_AUTH             iam: only callers that AWS IAM recognised; authorizer: only callers that IAM or an authorizer in front
                         recognised; none: anybody. Must be set
  MCPFN_LAMBDA_MODE      stream for a function URL with InvokeMode RESPONSE_STREAM, else buffer [buffer]
  MCPFN_BASE_PATH        path in front of /mcp, such as /tools; the stage is taken off by itself [none]
  MCPFN_DEADLINE_MARGIN  milliseconds before the function's timeout at which a call is ended with an answer [200]
  MCPFN_ORIGINS          browser origins that may call, comma-separated [none]
  MCPFN_MAX_BODY         most bytes of a message [4194304]
  MCPFN_STATE_KEY        32 random bytes in Base64 that seal request state; several, newest first, separated by commas
  MCPFN_LOG              error, warn, info, debug or trace [AWS_LAMBDA_LOG_LEVEL, or info]";

/// Most bytes of a message unless told otherwise: 4 MiB, below the 6 MB of an event.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Milliseconds kept for an answer to leave unless told otherwise.
const MARGIN: u64 = 200;

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `MCPFN_AUTH`: who may call. There is no default, because both choices surprise somebody.
    pub auth: Auth,
    /// `MCPFN_LAMBDA_MODE`: how answers leave; buffered when not set.
    pub mode: Mode,
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not set.
    pub base_path: String,
    /// `MCPFN_DEADLINE_MARGIN`: how long before the platform's deadline a call is ended, in milliseconds; 200 when not set.
    pub margin_ms: u64,
    /// `MCPFN_ORIGINS`: browser origins that may call, comma-separated.
    pub origins: Vec<String>,
    /// `MCPFN_MAX_BODY`: most bytes of a message; 4 MiB when not set.
    pub max_body: usize,
    /// `MCPFN_STATE_KEY`: keys that seal request state. Without it every execution environment makes its own.
    pub state_keys: Option<Keyring>,
    /// `MCPFN_LOG`, else `AWS_LAMBDA_LOG_LEVEL`: `error`, `warn`, `info` (when not set), `debug` or `trace`.
    pub log_level: Level,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Auth {
    /// Callers that AWS IAM recognised.
    Iam,
    /// Callers that IAM, a JWT authorizer or a Lambda authorizer recognised.
    Authorizer,
    /// Anybody.
    None,
}

/// How answers leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Whole. Every trigger takes this.
    Buffer,
    /// In pieces, as they happen. Only a trigger in streaming mode takes this: with any other the client gets no answer.
    Stream,
}

impl FromStr for Auth {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "iam" => Ok(Self::Iam),
            "authorizer" => Ok(Self::Authorizer),
            "none" => Ok(Self::None),
            _ => Err(()),
        }
    }
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "buffer" => Ok(Self::Buffer),
            "stream" => Ok(Self::Stream),
            _ => Err(()),
        }
    }
}

impl Settings {
    /// Reads settings through `variable`; an empty variable counts as not set.
    ///
    /// # Errors
    /// Every variable that can't be used, not only the first.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader { variable: |name: &str| variable(name).filter(|value| !value.trim().is_empty()), mistakes: Vec::new() };
        let settings = Self {
            auth: reader.auth(),
            mode: reader.parsed("MCPFN_LAMBDA_MODE", Mode::Buffer, "buffer or stream"),
            base_path: reader.base_path(),
            margin_ms: reader.parsed("MCPFN_DEADLINE_MARGIN", MARGIN, "a number of milliseconds"),
            origins: reader.origins(),
            max_body: reader.parsed("MCPFN_MAX_BODY", MAX_BODY, "a number of bytes"),
            state_keys: reader.keys(),
            log_level: reader.log_level(),
        };
        if reader.mistakes.is_empty() { Ok(settings) } else { Err(SettingsError { mistakes: reader.mistakes }) }
    }
}

struct Reader<F> {
    variable: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<F> {
    fn parsed<T: FromStr>(&mut self, name: &str, otherwise: T, expected: &str) -> T {
        let Some(text) = (self.variable)(name) else { return otherwise };
        text.trim().parse().unwrap_or_else(|_| {
            self.mistakes.push(format!("{name} must be {expected}"));
            otherwise
        })
    }

    fn auth(&mut self) -> Auth {
        if (self.variable)("MCPFN_AUTH").is_none() {
            self.mistakes.push(
                "MCPFN_AUTH is not set, and a deployed server does not guess who may call it: set it to iam for a function URL with \
                 AuthType AWS_IAM, to authorizer behind an API Gateway authorizer, or to none to let anybody call"
                    .to_owned(),
            );
        }
        self.parsed("MCPFN_AUTH", Auth::Iam, "iam, authorizer or none")
    }

    fn base_path(&mut self) -> String {
        let path = (self.variable)("MCPFN_BASE_PATH").unwrap_or_default();
        let path = path.trim().trim_end_matches('/');
        if !path.is_empty() && !path.starts_with('/') {
            self.mistakes.push("MCPFN_BASE_PATH must begin with a slash, such as /tools".to_owned());
        }
        path.to_owned()
    }

    fn origins(&mut self) -> Vec<String> {
        let listed = (self.variable)("MCPFN_ORIGINS").unwrap_or_default();
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
        let text = (self.variable)("MCPFN_STATE_KEY")?;
        // the text itself is a secret and is not repeated
        Keyring::parse(&text).map_err(|error| self.mistakes.push(format!("MCPFN_STATE_KEY: {error}"))).ok()
    }

    fn log_level(&mut self) -> Level {
        // the platform's own level, in its own words; one that is not known here decides nothing
        let platform = (self.variable)("AWS_LAMBDA_LOG_LEVEL").map(|level| level.trim().replace("FATAL", "ERROR"));
        let otherwise = platform.and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
        self.parsed("MCPFN_LOG", otherwise, "error, warn, info, debug or trace")
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

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn mistakes_are_reported_together() {
        let error = read(&[
            ("MCPFN_AUTH", "everybody"),
            ("MCPFN_LAMBDA_MODE", "drip"),
            ("MCPFN_BASE_PATH", "tools"),
            ("MCPFN_DEADLINE_MARGIN", "soon"),
            ("MCPFN_STATE_KEY", "hunter2"),
            ("MCPFN_LOG", "loud"),
        ])
        .unwrap_err();
        assert_eq!(error.mistakes.len(), 6, "{error}");
        assert!(!error.to_string().contains("hunter2"), "secrets are not repeated");
    }

    #[test]
    fn who_may_call_must_be_said() {
        let error = read(&[("MCPFN_AUTH", " ")]).unwrap_err();
        assert_eq!(error.mistakes.len(), 1, "{error}");
        assert!(error.to_string().contains("set it to iam"), "{error}");
    }

    #[test]
    fn the_platforms_log_level_is_a_default() {
        let level = |variables: &[(&str, &str)]| read(&[&[("MCPFN_AUTH", "iam")], variables].concat()).unwrap().log_level;
        assert_eq!(level(&[]), Level::INFO);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Level::ERROR);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]), Level::DEBUG);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ("MCPFN_LOG", "warn")]), Level::WARN);
    }
}
