//! The settings of this host, from vars and secrets.

use std::ffi::OsString;

use mcpfn_auth::{AuthMethod, AuthMethods, Credentials};
use mcpfn_core::Keyring;
use mcpfn_settings::{EnvReader, Policies, SettingsError};
use tracing::Level;

/// Help text for the variables.
pub const ENVIRONMENT: &str = "\
On Cloudflare Workers, as vars or secrets:
  MCPFN_AUTH       how callers prove who they are: oauth, api-key, access (Cloudflare Access in front); several with commas; or
                   none: anybody may call. Must be set
  MCPFN_ALLOWED_ORIGINS    browser origins that may call, comma-separated [none]
  MCPFN_MAX_BODY_BYTES   most bytes of a message [4194304]
  MCPFN_BASE_PATH  path in front of /mcp, such as /tools, where a route has one [none]
  MCPFN_RATE_LIMIT       calls of one caller, 60/min or 100/10s, with a rate limit bound to it; or none [none]
  MCPFN_RATE_LIMIT_ON_ERROR  what a rate limit that can't be asked does to calls: allow or deny [allow]
  MCPFN_IDEMPOTENCY_ON_ERROR  what Durable Objects that can't be asked do to writes with an idempotencyKey: allow or deny [allow]
  MCPFN_STATE_KEY  32 random bytes in Base64 that seal request state; several, newest first, separated by commas
  MCPFN_LOG        error, warn, info, debug or trace [info]
  MCPFN_LOG_ARGUMENTS  redacted: each call's line has its arguments, without what looks like a secret; or off [off]";

/// What vars and secrets decide.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// `MCPFN_AUTH`: how callers prove who they are. There is no default: a deployed server does
    /// not guess.
    pub methods: AuthMethods,
    /// What those methods need.
    pub proofs: Credentials,
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub base_path: String,
    /// `MCPFN_ALLOWED_ORIGINS`: browser origins that may call, comma-separated.
    pub origins: Vec<String>,
    /// `MCPFN_MAX_BODY_BYTES`: most bytes of a message; 4 MiB when not set.
    pub max_body: usize,
    /// `MCPFN_RATE_LIMIT` (none when not set: it needs a binding), `MCPFN_RATE_LIMIT_ON_ERROR`, `MCPFN_IDEMPOTENCY_ON_ERROR`.
    pub policies: Policies,
    /// `MCPFN_STATE_KEY`: keys that seal request state. Without it every isolate makes its own.
    pub state_keys: Option<Keyring>,
    /// `MCPFN_LOG`: `error`, `warn`, `info` (when not set), `debug` or `trace`.
    pub log_level: Level,
}

impl Settings {
    /// Reads settings through `variable`; an empty variable counts as not set.
    ///
    /// # Errors
    /// Every variable that can't be used, not only the first.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, SettingsError> {
        let mut reader = EnvReader::new(variable);
        if reader.text("MCPFN_AUTH").is_none() {
            reader.mistake(
                "MCPFN_AUTH is not set, and a deployed server does not guess who may call it: set it in [vars] of wrangler.toml to \
                 oauth, api-key or access for tokens, keys or Cloudflare Access, or to none to let anybody call",
            );
        }
        let allowed = [
            AuthMethod::OAuth,
            AuthMethod::ApiKey,
            AuthMethod::Access,
            AuthMethod::None,
        ];
        // after a mistake nothing is served, so the word does not matter
        let methods =
            AuthMethods::read(&mut reader, &allowed).unwrap_or_else(|| AuthMethods::of([]));
        let settings = Self {
            proofs: Credentials::read(&mut reader, &methods),
            methods,
            base_path: reader.base_path(),
            origins: reader.origins(),
            max_body: reader.max_body(),
            policies: reader.policies(None),
            state_keys: reader.keys(),
            log_level: reader.parsed(
                "MCPFN_LOG",
                Level::INFO,
                "error, warn, info, debug or trace",
            ),
        };
        reader.finish(settings)
    }
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
            ("MCPFN_BASE_PATH", "tools"),
            ("MCPFN_ALLOWED_ORIGINS", "app.example.com"),
            ("MCPFN_MAX_BODY_BYTES", "4 MiB"),
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
        assert!(error.to_string().contains("wrangler.toml"), "{error}");
        assert!(
            read(&[("MCPFN_AUTH", "none")])
                .unwrap()
                .methods
                .has(AuthMethod::None)
        );
    }
}
