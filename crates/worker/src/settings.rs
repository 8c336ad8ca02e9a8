//! The settings of this host, from vars and secrets: those that every host has, and its own.

use std::time::Duration;

use mcpfn_core::host::Listening;
use mcpfn_settings::{
    AuthMethod, Common, Deployment, EnvReader, Host, Hosts, Setting, SettingsError,
};

/// How streams of changes are served. Each look is a subrequest, of which a request on the free plan
/// has 50.
const LISTENING: Listening = Listening::new(Duration::from_secs(10), Duration::from_secs(300));

/// Whether a schedule runs this Worker.
pub(crate) const EVENTS_SCHEDULE: &str = "MCPFN_EVENTS_SCHEDULE";

/// What this host is.
pub(crate) const HOST: Host = Host {
    id: Hosts::WORKERS,
    methods: &[
        AuthMethod::OAuth,
        AuthMethod::ApiKey,
        AuthMethod::CloudflareAccess,
        AuthMethod::None,
    ],
    auth_unset: Some(
        "MCPFN_AUTH is not set, and a deployed server requires it: set it in [vars] of \
         wrangler.toml to oauth, api-key or access for tokens, keys or Cloudflare Access, or to \
         none to let anyone call",
    ),
    // an isolate has 128 MB for all calls at the same time; a file of 1 MB in Base64 fits
    max_body: 2 * 1024 * 1024,
    // a rate needs a binding
    rate: None,
    rate_with_auth: None,
    key_source: None,
    listening: Some(LISTENING),
    deployment: Some(Deployment {
        unit: "Worker",
        instance: "isolate",
        state_key: "set it to 32 random bytes in Base64 with `wrangler secret put MCPFN_STATE_KEY`",
    }),
};

/// What vars and secrets decide.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// What every host has. Without `MCPFN_STATE_KEY` every isolate makes a key of its own.
    pub common: Common,
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub base_path: String,
    /// `MCPFN_EVENTS_SCHEDULE`: whether a schedule runs this Worker, which then reads events that have
    /// a function of their own.
    pub events_scheduled: bool,
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
            base_path: reader.base_path(),
            events_scheduled: reader.switch(EVENTS_SCHEDULE, false),
        };
        reader.finish(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        };
        let names = variables.iter().map(|(name, _)| (*name).to_owned());
        Settings::read(EnvReader::new(&variable).with_names(names), &[])
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
                .common
                .methods
                .has(AuthMethod::None)
        );
    }

    #[test]
    fn the_table_has_what_is_read_and_nothing_else() {
        let sets: &[&[(&str, &str)]] = &[&[("MCPFN_AUTH", "oauth,api-key,access")], &[]];
        let (listed, read) = mcpfn_settings::listed_and_read(HOST.id, sets, |reader| {
            drop(Settings::read(reader, &[]));
        });
        assert_eq!(
            read, listed,
            "read, and listed in crates/settings/src/table.rs"
        );
    }
}
