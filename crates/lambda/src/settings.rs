//! The settings of this host, from the environment: those that every host has, and its own.

use std::str::FromStr;

use mcpfn_core::port::Rate;
use mcpfn_settings::{
    AuthMethod, Common, Deployment, EnvReader, Host, Hosts, OpenKeySource, Setting, SettingsError,
};
use tracing::Level;

#[cfg(feature = "dynamodb")]
use crate::dynamodb::Table;
#[cfg(feature = "dynamodb")]
use crate::events::DeliveryQueue;
#[cfg(feature = "dynamodb")]
use crate::tasks::TaskFunction;

/// Milliseconds kept for an answer to leave when not set.
const MARGIN: u64 = 200;

/// What this host is.
pub(crate) const HOST: Host = Host {
    id: Hosts::LAMBDA,
    methods: &[
        AuthMethod::Iam,
        AuthMethod::Authorizer,
        AuthMethod::OAuth,
        AuthMethod::ApiKey,
        AuthMethod::None,
    ],
    auth_unset: Some(
        "MCPFN_AUTH is not set, and a deployed server requires it: set it to iam for a function \
         URL with AuthType AWS_IAM, to authorizer behind an API Gateway authorizer, to oauth or \
         api-key for tokens or keys that this server checks, or to none to let anyone call",
    ),
    // an event has at most 6 MB, which are 4.5 MB behind a trigger that encodes bodies in Base64
    max_body: 4 * 1024 * 1024,
    // one call a second on average, sixty at once
    rate: Some(Rate::per_minute(60)),
    rate_with_auth: None,
    key_source: Some(KEY_SOURCE),
    // each stream would hold an environment for all of its time
    listening: None,
    deployment: Some(Deployment {
        unit: "function",
        instance: "instance",
        state_key: "set it to 32 random bytes in Base64, the same for all instances",
    }),
};

/// What the environment decides.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// What every host has. Without `MCPFN_STATE_KEY` every execution environment makes a key of
    /// its own.
    pub common: Common,
    /// `MCPFN_LAMBDA_MODE`: how answers leave; buffered when not set.
    pub mode: Mode,
    /// `MCPFN_BASE_PATH`: path in front of the endpoint, without a slash at its end; empty when not
    /// set.
    pub base_path: String,
    /// `MCPFN_DEADLINE_MARGIN_MS`: how long before the platform's deadline a call is ended, in
    /// milliseconds; 200 when not set.
    pub margin_ms: u64,
    /// `MCPFN_DYNAMODB_TABLE` and what goes with it: where environments share what they know.
    /// Without one each has its own.
    #[cfg(feature = "dynamodb")]
    pub table: Option<Table>,
    /// `MCPFN_TASKS_FUNCTION`: what runs tasks. Without it tools that can be tasks run within their
    /// calls.
    #[cfg(feature = "dynamodb")]
    pub tasks: Option<TaskFunction>,
    /// `MCPFN_EVENTS_QUEUE` and what goes with it: where events wait that are to be sent. Without it
    /// nothing is kept of what handlers emit.
    #[cfg(feature = "dynamodb")]
    pub events: Option<DeliveryQueue>,
    /// `MCPFN_METRICS`: whether each call's log line is a metric in CloudWatch's embedded format.
    pub emf: bool,
    /// `MCPFN_METRICS_NAMESPACE`: where CloudWatch keeps these metrics; `mcpfn` when not set.
    pub metrics_namespace: String,
    /// `MCPFN_METRICS_TOOLS`: how many tools have metrics of their own there; 20 when not set.
    pub metrics_tools: usize,
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
    /// None are asked for: events order runs of tasks, and no other event is taken.
    Tasks,
    /// None are asked for: messages of a queue are events to send, and no other event is taken.
    Events,
}

impl FromStr for Mode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "buffer" => Ok(Self::Buffer),
            "stream" => Ok(Self::Stream),
            "tasks" => Ok(Self::Tasks),
            "events" => Ok(Self::Events),
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
        let common = Common::read(&mut reader, &HOST, program);
        let modes = "buffer, stream, tasks or events";
        let mode = reader.parsed("MCPFN_LAMBDA_MODE", Mode::Buffer, modes);
        #[cfg(feature = "dynamodb")]
        let table = Table::read(&mut reader);
        #[cfg(feature = "dynamodb")]
        let (tasks, events) = beside(&mut reader, mode, table.is_some());
        let settings = Self {
            mode,
            base_path: reader.base_path(),
            margin_ms: reader.parsed(
                "MCPFN_DEADLINE_MARGIN_MS",
                MARGIN,
                "a number of milliseconds",
            ),
            #[cfg(feature = "dynamodb")]
            table,
            #[cfg(feature = "dynamodb")]
            tasks,
            #[cfg(feature = "dynamodb")]
            events,
            emf: reader.form("MCPFN_METRICS", "emf"),
            metrics_namespace: namespace(&mut reader),
            metrics_tools: reader.within("MCPFN_METRICS_TOOLS", 20, 0..=1000, "a number of tools"),
            log_level: common
                .log_level
                .unwrap_or_else(|| platform_level(&mut reader)),
            common,
        };
        #[cfg(not(feature = "dynamodb"))]
        if reader.text("MCPFN_DYNAMODB_TABLE").is_some() {
            reader.mistake(
                "MCPFN_DYNAMODB_TABLE is set, but this program was built without the feature \
                dynamodb: build it with that, or remove the variable",
            );
        }
        #[cfg(not(feature = "dynamodb"))]
        without_table(&mut reader, mode);
        // what one environment is told the next one would not know
        let shares = cfg!(feature = "dynamodb") && reader.text("MCPFN_DYNAMODB_TABLE").is_some();
        if settings.common.subscriptions.poll && !shares {
            reader.mistake(
                "MCPFN_SUBSCRIPTIONS needs a store that all environments share: build with the \
                 feature dynamodb, and set MCPFN_DYNAMODB_TABLE",
            );
        }
        reader.finish(settings)
    }
}

/// What else has a function of its own, over the table that all of them share.
#[cfg(feature = "dynamodb")]
fn beside(
    reader: &mut EnvReader<'_>,
    mode: Mode,
    has_table: bool,
) -> (Option<TaskFunction>, Option<DeliveryQueue>) {
    let has_key = reader.text("MCPFN_STATE_KEY").is_some();
    let tasks = TaskFunction::read(reader, mode == Mode::Tasks, has_table, has_key);
    let events = DeliveryQueue::read(reader, mode == Mode::Events, has_table, has_key);
    (tasks, events)
}

/// What needs a table is told, where this program has none.
#[cfg(not(feature = "dynamodb"))]
fn without_table(reader: &mut EnvReader<'_>, mode: Mode) {
    for (variable, word, own) in [
        ("MCPFN_TASKS_FUNCTION", "tasks", Some(Mode::Tasks)),
        ("MCPFN_EVENTS_QUEUE", "events", Some(Mode::Events)),
        ("MCPFN_EVENTS_SCHEDULE", "events", None),
    ] {
        if own == Some(mode) || reader.text(variable).is_some() {
            reader.mistake(format!(
                "{variable} or MCPFN_LAMBDA_MODE={word} is set, but this program was built without \
                 the feature dynamodb, which has the store of {word}: build it with that, or remove \
                 the variable"
            ));
        }
    }
}

/// What CloudWatch takes as a name.
fn namespace(reader: &mut EnvReader<'_>) -> String {
    let Some(name) = reader.text("MCPFN_METRICS_NAMESPACE") else {
        return "mcpfn".to_owned();
    };
    let legal = |letter: char| letter.is_ascii_alphanumeric() || ".-_/#:".contains(letter);
    if name.len() > 255 || name.starts_with(':') || !name.chars().all(legal) {
        reader.mistake(
            "MCPFN_METRICS_NAMESPACE must have at most 255 letters, digits and . - _ / # :, such \
             as mcpfn/production",
        );
    }
    name
}

/// `ssm:NAME` or `secretsmanager:NAME`. Nothing is asked before a caller presents a credential.
#[cfg(feature = "secrets")]
const KEY_SOURCE: OpenKeySource = |reader, variable, source| {
    let client = std::sync::Arc::new(mcpfn_native::Client::new());
    let source = crate::secrets::SecretSource::read(reader, variable, source, client)?;
    Some(std::sync::Arc::new(source))
};

#[cfg(not(feature = "secrets"))]
const KEY_SOURCE: OpenKeySource = |reader, variable, _| {
    reader.mistake(format!(
        "{variable} refers to a secret that AWS keeps, but this program was built without the \
         feature secrets: build it with that, or remove the variable"
    ));
    None
};

/// The platform's own level, in its own words; one that is not known here decides nothing.
fn platform_level(reader: &mut EnvReader<'_>) -> Level {
    reader
        .text("AWS_LAMBDA_LOG_LEVEL")
        .and_then(|level| level.trim().replace("FATAL", "ERROR").parse().ok())
        .unwrap_or(Level::INFO)
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
    fn subscriptions_need_what_environments_share() {
        let key = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
        let (auth, poll) = (("MCPFN_AUTH", "iam"), ("MCPFN_SUBSCRIPTIONS", "poll"));
        let error = read(&[auth, poll]).unwrap_err().to_string();
        for name in ["MCPFN_STATE_KEY", "MCPFN_DYNAMODB_TABLE"] {
            assert!(error.contains(name), "{error}");
        }
        let table = ("MCPFN_DYNAMODB_TABLE", "table");
        let settings = read(&[auth, poll, table, ("MCPFN_STATE_KEY", key)]);
        if cfg!(feature = "dynamodb") {
            let subscriptions = settings.unwrap().common.subscriptions;
            // no stream is held for which an environment is paid
            assert!(subscriptions.poll && subscriptions.listen.is_none());
        }
        assert!(!read(&[auth]).unwrap().common.subscriptions.poll);
    }

    #[test]
    fn a_namespace_is_one_that_cloudwatch_takes() {
        let namespace = |name: &str| {
            let auth = ("MCPFN_AUTH", "iam");
            read(&[auth, ("MCPFN_METRICS_NAMESPACE", name)]).map(|read| read.metrics_namespace)
        };
        assert_eq!(namespace("mcpfn/it-1").unwrap(), "mcpfn/it-1");
        assert_eq!(namespace("").unwrap(), "mcpfn");
        for name in ["a b", ":a", "a\"b", &"a".repeat(256)] {
            let error = namespace(name).unwrap_err().to_string();
            assert!(error.contains("MCPFN_METRICS_NAMESPACE"), "{error}");
        }
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

    #[test]
    #[cfg(feature = "dynamodb")]
    fn the_table_has_what_is_read_and_nothing_else() {
        let sets: &[&[(&str, &str)]] = &[
            &[
                ("MCPFN_AUTH", "iam,oauth,api-key"),
                ("MCPFN_API_KEYS_SOURCE", "x"),
                ("MCPFN_DYNAMODB_TABLE", "t"),
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
