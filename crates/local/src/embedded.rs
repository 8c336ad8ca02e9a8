//! An endpoint for a program that serves HTTP itself, with axum for example: the variables of every
//! host, this process's ports, and stores in memory or shared. It opens no socket, and leaves the log to the
//! program's own `tracing` subscriber.

use mcpfn_core::{
    Builder,
    port::{Platform, Rate},
};
use mcpfn_http::Endpoint;
use mcpfn_native::{OsRandom, Process, Transport, Variables};
use mcpfn_settings::{
    AuthMethod, AuthMethods, Common, Deployment, EnvReader, Host, Hosts, Kept, SETTINGS, Setting,
    Setup, build,
};

use crate::settings;
use crate::stores::SharedStores;

/// Settings of the local host that are the program's own business here: how it listens, and how its
/// log looks.
fn of_the_program() -> impl Iterator<Item = &'static str> {
    let listening = SETTINGS
        .iter()
        .filter(|setting| setting.listening && setting.hosts.meets(Hosts::LOCAL));
    let names = listening.map(|setting| setting.name);
    names.chain(["MCPFN_LOG_FORMAT"])
}

/// What this host is: others can reach it, wherever the program listens.
const HOST: Host = Host {
    auth_unset: Some(
        "MCPFN_AUTH is not set, and an endpoint in another program requires it: set it to oauth or \
         api-key for tokens or keys that this endpoint checks, or to none to let anyone call; or \
         put a CallerLayer in front that names the callers, and make the endpoint with \
         `callers_named_in_front`",
    ),
    rate: Some(Rate::per_minute(60)),
    deployment: Some(Deployment {
        unit: "endpoint",
        instance: "process",
        state_key: "set it to 32 random bytes in Base64, the same for all processes",
    }),
    ..settings::HOST
};

/// What is to be embedded. See [`Embedded`].
#[derive(Debug)]
#[must_use]
pub struct Embedding<P> {
    builder: Builder,
    ports: P,
    program: &'static [Setting],
    path: Option<String>,
    named_in_front: bool,
}

impl Embedding<fn(Platform) -> Platform> {
    /// This server.
    pub fn new(builder: Builder) -> Self {
        Self {
            builder,
            ports: |platform| platform,
            program: &[],
            path: None,
            named_in_front: false,
        }
    }
}

impl<P: FnOnce(Platform) -> Platform> Embedding<P> {
    /// Adds ports for handlers, such as a database.
    pub fn ports<Q: FnOnce(Platform) -> Platform>(self, ports: Q) -> Embedding<Q> {
        Embedding {
            builder: self.builder,
            ports,
            program: self.program,
            path: self.path,
            named_in_front: self.named_in_front,
        }
    }

    /// The variables that the program reads itself; others whose names begin with `MCPFN_` are
    /// mistakes.
    pub fn settings(mut self, program: &'static [Setting]) -> Self {
        self.program = program;
        self
    }

    /// The endpoint's path, where a route leaves it as it is and it is neither `/mcp` nor that of
    /// `MCPFN_PUBLIC_URL`.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Callers are recognised in front of the endpoint, by a `CallerLayer`: `MCPFN_AUTH` may be
    /// missing, and whoever is not named is refused then.
    pub fn callers_named_in_front(mut self) -> Self {
        self.named_in_front = true;
        self
    }

    /// Reads the environment and builds the server.
    ///
    /// # Errors
    /// Everything that is wrong with either, in sentences that say what to change.
    pub fn build(self) -> Result<Embedded, String> {
        let variables = Variables::of_process().with_secret_files(self.program)?;
        variables.read(|reader| self.build_from(reader))
    }

    fn build_from(self, mut reader: EnvReader<'_>) -> Result<Embedded, String> {
        let unset = self.named_in_front && reader.text("MCPFN_AUTH").is_none();
        let host = Host {
            auth_unset: HOST.auth_unset.filter(|_| !unset),
            ..HOST
        };
        let mut common = Common::read(&mut reader, &host, self.program);
        let shared = SharedStores::read(&mut reader);
        for name in of_the_program() {
            if reader.text(name).is_some() {
                reader.mistake(format!(
                    "{name} has no effect on an endpoint in another program: remove it"
                ));
            }
        }
        reader.finish(()).map_err(|error| error.to_string())?;
        if unset {
            // whom nobody names is refused: no setting opened this endpoint
            common.methods = AuthMethods::of([] as [AuthMethod; 0]);
        }
        let Self {
            builder,
            ports,
            path,
            named_in_front,
            ..
        } = self;
        let setup = || Ok::<_, String>(Setup { builder, ports });
        let (server, add) = build(setup, Kept::ALL, &common.tools, common.subscriptions)?;
        let policies = common.policies;
        let mut process = Process::default();
        let assembly = common.assemble(
            &host,
            server.clone(),
            &OsRandom,
            |server, keys| {
                let (platform, started) = Process::start(server, keys, Transport::Tcp, |it| it)?;
                process = started;
                Ok(shared.apply(policies, platform, &process))
            },
            add,
        )?;
        process.task_runs.serve(&server, &assembly.platform);
        process.event_runs.serve(&server, &assembly.platform);
        let service = match &path {
            Some(path) => assembly.service.at(path),
            None => assembly.service,
        };
        let endpoint = if named_in_front {
            Endpoint::behind_middleware(service, assembly.platform)
        } else {
            Endpoint::new(service, assembly.platform).map_err(|error| error.to_string())?
        };
        Ok(Embedded { endpoint, process })
    }
}

/// An endpoint in another program, and what that program waits for before it ends.
#[derive(Debug, Clone)]
pub struct Embedded {
    endpoint: Endpoint,
    process: Process,
}

impl Embedded {
    /// The endpoint. Copies share everything.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }

    /// Sends spans of OpenTelemetry to their collector from time to time. It never ends: spawn it.
    pub async fn keep_flushing(self) {
        self.process.telemetry.keep_flushing().await;
    }

    /// Ends streams of changes, which clients would hold otherwise, and gives tasks that are at
    /// work back to their store, for another instance: call it when the program is told to stop.
    pub fn begin_shutdown(&self) {
        self.process.shutdown.begin();
    }

    /// Sends events to subscribers, also those that another process put into a queue that they share:
    /// spawn it. Without, this process sends from its first own event on.
    pub async fn keep_sending(self) {
        self.process.event_runs.keep_sending().await;
    }

    /// Waits for work that no call waits for, and sends the last spans: call it once the program no
    /// longer takes requests.
    pub async fn drain(&self) {
        self.begin_shutdown();
        self.process.task_runs.given_back().await;
        self.process.drain().await;
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use mcpfn_core::{NoArguments, Server, Tool};

    use super::*;

    fn embedding() -> Embedding<fn(Platform) -> Platform> {
        let tick = Tool::new("tick").description("Says tick.");
        let tick = tick.handler(|_: NoArguments| async { "tick" });
        Embedding::new(Server::builder("clock", "1.0.0").tool(tick))
    }

    fn build(
        embedding: Embedding<fn(Platform) -> Platform>,
        variables: &[(&str, &str)],
    ) -> Result<Embedded, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let names = variables.iter().map(|(name, _)| (*name).to_owned());
        embedding.build_from(EnvReader::new(&variable).with_names(names))
    }

    #[test]
    fn an_endpoint_that_nobody_guards_is_not_made() {
        let refused = build(embedding(), &[]).unwrap_err();
        assert!(
            refused.contains("MCPFN_AUTH is not set") && refused.contains("callers_named_in_front"),
            "{refused}"
        );
        for (embedding, variables) in [
            (embedding(), [("MCPFN_AUTH", "none")].as_slice()),
            (embedding().callers_named_in_front(), &[]),
            (
                embedding().callers_named_in_front(),
                &[("MCPFN_AUTH", "none")],
            ),
        ] {
            assert!(build(embedding, variables).is_ok(), "{variables:?}");
        }
    }

    #[test]
    fn what_only_a_listening_server_reads_is_a_mistake() {
        let mut names: Vec<&str> = of_the_program().collect();
        names.sort_unstable();
        let expected = [
            "MCPFN_ALLOWED_HOSTS",
            "MCPFN_BASE_PATH",
            "MCPFN_DRAIN_DELAY_SECONDS",
            "MCPFN_DRAIN_TIMEOUT_SECONDS",
            "MCPFN_FORWARDED_HEADER",
            "MCPFN_IDLE_TIMEOUT_SECONDS",
            "MCPFN_LISTEN",
            "MCPFN_LOG_FORMAT",
            "MCPFN_MAX_CONNECTIONS",
            "MCPFN_MAX_HEAD_BYTES",
            "MCPFN_METRICS",
            "MCPFN_METRICS_LISTEN",
            "MCPFN_PORT",
            "MCPFN_PROXY_PROTOCOL",
            "MCPFN_SOCKET_MODE",
            "MCPFN_TLS_CERTIFICATE",
            "MCPFN_TLS_KEY",
            "MCPFN_TRUSTED_PROXIES",
            "MCPFN_WORKER_THREADS",
        ];
        assert_eq!(names, expected);
        for name in names {
            let variables = [("MCPFN_AUTH", "none"), (name, "1")];
            let refused = build(embedding(), &variables).unwrap_err();
            assert!(
                refused.contains(name) && refused.contains("remove it"),
                "{refused}"
            );
        }
        let refused = build(embedding(), &[("MCPFN_AUHT", "none")]).unwrap_err();
        assert!(refused.contains("did you mean MCPFN_AUTH"), "{refused}");
    }
}
