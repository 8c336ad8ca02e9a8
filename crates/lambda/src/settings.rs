//! The settings of this host, from the environment.

use std::ffi::OsString;
use std::str::FromStr;
use std::sync::Arc;

use mcpfn_auth::{AuthMethod, AuthMethods, Credentials, KeySource};
use mcpfn_core::Keyring;
use mcpfn_native::{EnvReader, Policies, RATE, SettingsError};
use tracing::Level;

#[cfg(feature = "dynamodb")]
use crate::dynamodb::Table;

/// Help text for the variables, as a command line prints it.
pub const ENVIRONMENT: &str = "\
On AWS Lambda:
  MCPFN_AUTH             how callers prove who they are: iam, authorizer (a JWT or Lambda authorizer in front), oauth, api-key;
                         several with commas; or none: anybody may call. Must be set
  MCPFN_LAMBDA_MODE      stream for a function URL with InvokeMode RESPONSE_STREAM, else buffer [buffer]
  MCPFN_BASE_PATH        path in front of /mcp, such as /tools; the stage is taken off by itself [none]
  MCPFN_DEADLINE_MARGIN_MS  milliseconds before the function's timeout at which a call is ended with an answer [200]
  MCPFN_ALLOWED_ORIGINS          browser origins that may call, comma-separated [none]
  MCPFN_MAX_BODY_BYTES         most bytes of a message [4194304]
  MCPFN_DYNAMODB_TABLE            DynamoDB table for what all environments share: results, rate limits, idempotent writes [none]
  MCPFN_DYNAMODB_TIMEOUT_MS    milliseconds that a request to the table may take, retry included [250]
  MCPFN_RATE_LIMIT             calls of one caller, such as 60/min, 10/s or 5/10s; or none [60/min]
  MCPFN_RATE_LIMIT_ON_ERROR        what a rate limit that can't be asked does to calls: allow or deny [allow]
  MCPFN_IDEMPOTENCY_ON_ERROR        what becomes of a write with an idempotency key when its store can't be asked: allow or deny [allow]
  MCPFN_STATE_KEY        32 random bytes in Base64 that seal request state; several, newest first, separated by commas
  MCPFN_METRICS          emf: each call's log line is a CloudWatch metric too, which CloudWatch charges for; or none [none]
  MCPFN_LOG              error, warn, info, debug or trace [AWS_LAMBDA_LOG_LEVEL, or info]
  MCPFN_LOG_ARGUMENTS        redacted: each call's line has its arguments, without what looks like a secret; or off [off]";

/// Milliseconds kept for an answer to leave unless told otherwise.
const MARGIN: u64 = 200;

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `MCPFN_AUTH`: how callers prove who they are. There is no default: a deployed server does
    /// not guess.
    pub methods: AuthMethods,
    /// What those methods need.
    pub proofs: Credentials,
    /// `MCPFN_LAMBDA_MODE`: how answers leave; buffered when not set.
    pub mode: Mode,
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub base_path: String,
    /// `MCPFN_DEADLINE_MARGIN_MS`: how long before the platform's deadline a call is ended, in
    /// milliseconds; 200 when not set.
    pub margin_ms: u64,
    /// `MCPFN_ALLOWED_ORIGINS`: browser origins that may call, comma-separated.
    pub origins: Vec<String>,
    /// `MCPFN_MAX_BODY_BYTES`: most bytes of a message; 4 MiB when not set.
    pub max_body: usize,
    /// `MCPFN_RATE_LIMIT` (60 a minute when not set), `MCPFN_RATE_LIMIT_ON_ERROR`, `MCPFN_IDEMPOTENCY_ON_ERROR`.
    pub policies: Policies,
    /// `MCPFN_STATE_KEY`: keys that seal request state. Without it every execution environment
    /// makes its own.
    pub state_keys: Option<Keyring>,
    /// `MCPFN_DYNAMODB_TABLE` and what goes with it: where environments share what they know. Without one
    /// each has its own.
    #[cfg(feature = "dynamodb")]
    pub table: Option<Table>,
    /// `MCPFN_METRICS`.
    pub metrics: MetricsFormat,
    /// `MCPFN_LOG`, else `AWS_LAMBDA_LOG_LEVEL`: `error`, `warn`, `info` (when not set), `debug` or
    /// `trace`.
    pub log_level: Level,
}

/// How answers leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Whole. Every trigger takes this.
    Buffer,
    /// In pieces, as they happen. Only a trigger in streaming mode takes this: with any other the
    /// client gets no answer.
    Stream,
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

/// How calls are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricsFormat {
    /// In log lines of CloudWatch's embedded metric format.
    Emf,
    /// Not beside the log.
    None,
}

impl FromStr for MetricsFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "emf" => Ok(Self::Emf),
            "none" => Ok(Self::None),
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
        let methods = methods(&mut reader);
        let settings = Self {
            proofs: Credentials::read_with(&mut reader, &methods, key_store),
            methods,
            mode: reader.parsed("MCPFN_LAMBDA_MODE", Mode::Buffer, "buffer or stream"),
            base_path: reader.base_path(),
            margin_ms: reader.parsed(
                "MCPFN_DEADLINE_MARGIN_MS",
                MARGIN,
                "a number of milliseconds",
            ),
            origins: reader.origins(),
            max_body: reader.max_body(),
            policies: reader.policies(Some(RATE)),
            state_keys: reader.keys(),
            #[cfg(feature = "dynamodb")]
            table: Table::read(&mut reader),
            metrics: reader.parsed("MCPFN_METRICS", MetricsFormat::None, "emf or none"),
            log_level: log_level(&mut reader),
        };
        #[cfg(not(feature = "dynamodb"))]
        if reader.text("MCPFN_DYNAMODB_TABLE").is_some() {
            reader.mistake(
                "MCPFN_DYNAMODB_TABLE is set, but this program was built without the feature \
                dynamodb: build it with that, or unset it",
            );
        }
        reader.finish(settings)
    }
}

/// `ssm:NAME` or `secretsmanager:NAME`. Nothing is asked before a caller presents a key.
#[cfg(feature = "secrets")]
fn key_store<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
    source: &str,
) -> Option<Arc<dyn KeySource>> {
    let client = Arc::new(mcpfn_native::Client::new());
    Some(Arc::new(crate::secrets::SecretSource::read(
        reader,
        "MCPFN_API_KEYS_SOURCE",
        source,
        client,
    )?))
}

#[cfg(not(feature = "secrets"))]
fn key_store<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
    _: &str,
) -> Option<Arc<dyn KeySource>> {
    reader.mistake(
        "MCPFN_API_KEYS_SOURCE is set, but this program was built without the feature \
        secrets: build it with that, or unset it",
    );
    None
}

fn methods<F: Fn(&str) -> Option<OsString>>(reader: &mut EnvReader<F>) -> AuthMethods {
    if reader.text("MCPFN_AUTH").is_none() {
        reader.mistake(
            "MCPFN_AUTH is not set, and a deployed server does not guess who may call it: set it to iam for a function URL with \
             AuthType AWS_IAM, to authorizer behind an API Gateway authorizer, to oauth or api-key for tokens or keys that this server \
             checks, or to none to let anybody call",
        );
    }
    let allowed = [
        AuthMethod::Iam,
        AuthMethod::Authorizer,
        AuthMethod::OAuth,
        AuthMethod::ApiKey,
        AuthMethod::None,
    ];
    // after a mistake nothing starts, so the word does not matter
    AuthMethods::read(reader, &allowed).unwrap_or_else(|| AuthMethods::of([AuthMethod::Iam]))
}

fn log_level<F: Fn(&str) -> Option<OsString>>(reader: &mut EnvReader<F>) -> Level {
    // the platform's own level, in its own words; one that is not known here decides nothing
    let platform = reader
        .text("AWS_LAMBDA_LOG_LEVEL")
        .map(|level| level.trim().replace("FATAL", "ERROR"));
    let otherwise = platform
        .and_then(|level| level.parse().ok())
        .unwrap_or(Level::INFO);
    reader.parsed("MCPFN_LOG", otherwise, "error, warn, info, debug or trace")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        Settings::read(|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn mistakes_are_reported_together() {
        let error = read(&[
            ("MCPFN_AUTH", "everybody"),
            ("MCPFN_LAMBDA_MODE", "drip"),
            ("MCPFN_BASE_PATH", "tools"),
            ("MCPFN_DEADLINE_MARGIN_MS", "soon"),
            ("MCPFN_STATE_KEY", "hunter2"),
            ("MCPFN_LOG", "loud"),
        ])
        .unwrap_err();
        assert_eq!(error.mistakes.len(), 6, "{error}");
        assert!(
            !error.to_string().contains("hunter2"),
            "secrets are not repeated"
        );
    }

    #[test]
    fn who_may_call_must_be_said() {
        let error = read(&[("MCPFN_AUTH", " ")]).unwrap_err();
        assert_eq!(error.mistakes.len(), 1, "{error}");
        assert!(error.to_string().contains("set it to iam"), "{error}");
    }

    #[test]
    fn the_platforms_log_level_is_a_default() {
        let level = |variables: &[(&str, &str)]| {
            read(&[&[("MCPFN_AUTH", "iam")], variables].concat())
                .unwrap()
                .log_level
        };
        assert_eq!(level(&[]), Level::INFO);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "FATAL")]), Level::ERROR);
        assert_eq!(level(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG")]), Level::DEBUG);
        assert_eq!(
            level(&[("AWS_LAMBDA_LOG_LEVEL", "DEBUG"), ("MCPFN_LOG", "warn")]),
            Level::WARN
        );
    }
}
