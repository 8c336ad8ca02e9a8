//! From exec to the first event: settings, the server, the runtime's loop. A start that fails tells
//! the platform why.

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use lambda_runtime::tower::layer::layer_fn;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use lambda_runtime_api_client::BoxError;
#[cfg(feature = "dynamodb")]
use mcpfn_core::port::EventPorts;
use mcpfn_core::port::Platform;
use mcpfn_native::memory::MemoryStores;
use mcpfn_native::{OsRandom, Process, Transport, Variables};
#[cfg(feature = "dynamodb")]
use mcpfn_settings::Policies;
use mcpfn_settings::{Kept, Setting, Setup, and_of_server, build};
use serde::de::IgnoredAny;
use tracing::Level;

use crate::api::Api;
use crate::callers::Callers;
use crate::function::Function;
use crate::host::LambdaHost;
use crate::logging;
use crate::metrics::EmfMetrics;
use crate::settings::{HOST, Settings};

/// Serves events until the platform ends the process. `program` are the settings of the program
/// itself.
pub fn run<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> ExitCode
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let Err(message) = start(setup, program) else {
        return ExitCode::SUCCESS;
    };
    // settings may be what failed
    logging::start(Level::ERROR);
    tracing::error!(event = "start_failed", "{message}");
    ExitCode::FAILURE
}

fn start<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Result<(), String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(
            "this program was built for AWS Lambda alone, and neither Lambda nor an emulator started \
            it (AWS_LAMBDA_RUNTIME_API is not set): for this machine, build it with the feature \
            `local` of mcpfn"
                .to_owned(),
        );
    }
    // one event at a time needs one thread; on managed instances the tasks of several take turns on
    // it
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("the runtime can't start: {error}"))?;
    match host(setup, program) {
        Ok(host) => runtime
            .block_on(serve(host))
            .map_err(|error| format!("the Lambda runtime API failed: {error}")),
        Err(message) => {
            if let Err(error) = runtime.block_on(Api::new().failed_start(message.clone())) {
                tracing::warn!(event = "start_not_reported", %error, "the failed start was not reported");
            }
            Err(message)
        }
    }
}

fn host<E, P>(
    setup: impl FnOnce(&Variables) -> Result<Setup<P>, E>,
    program: &'static [Setting],
) -> Result<LambdaHost, String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let since = Instant::now();
    let variables = Variables::of_process().with_secret_files(program)?;
    let settings = match variables.read(|reader| Settings::read(reader, program)) {
        Ok(settings) => settings,
        Err(error) => {
            let variable = |name: &str| variables.find(name);
            return Err(and_of_server(error, &variable, || setup(&variables)).to_string());
        }
    };
    logging::start(settings.log_level);
    Ok(LambdaHost {
        api: Api::new(),
        mode: settings.mode,
        function: function(settings, since, || setup(&variables))?,
        cold: logging::starts_on_demand().into(),
    })
}

/// The server that these settings configure.
pub(crate) fn function<E, P>(
    settings: Settings,
    since: Instant,
    setup: impl FnOnce() -> Result<Setup<P>, E>,
) -> Result<Function, String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let common = &settings.common;
    let (server, add) = build(setup, kept(&settings), &common.tools, common.subscriptions)?;
    let (policies, callers) = (settings.common.policies, callers(&settings));
    logging::name_service(server.name());
    let emf = || Arc::new(EmfMetrics::of(&settings, &server));
    let metrics = settings.emf.then(emf);
    let audit = |platform: Platform| match &metrics {
        Some(metrics) => platform.with_audit_log(Arc::clone(metrics) as _),
        None => platform,
    };
    let mut started = Process::default();
    #[cfg(feature = "dynamodb")]
    let (mut tasks, mut events) = (None, None);
    let assembly = settings.common.assemble(
        &HOST,
        server,
        &OsRandom,
        |server, keys| {
            let (platform, process) = Process::start(server, keys, Transport::Tcp, audit)?;
            started = process;
            #[cfg(feature = "secrets")]
            let platform = with_secret_stores(platform);
            #[cfg(feature = "dynamodb")]
            if let Some(table) = settings.table {
                let runs = |function| crate::tasks::Invoker::new(function, platform.clock());
                tasks = settings.tasks.map(runs).map(Arc::new);
                let queue = settings.events.map(crate::events::SqsQueue::new);
                events = queue.map(Arc::new);
                let beside = (tasks.clone(), events.clone());
                return Ok(with_table(platform, table, policies, beside));
            }
            let own = Arc::new(MemoryStores::default());
            Ok(policies.apply_without_idempotency(platform, own))
        },
        add,
    )?;
    metrics.inspect(|metrics| metrics.started(since.elapsed()));
    Ok(Function {
        service: assembly.service,
        platform: assembly.platform,
        process: started,
        callers,
        base_path: settings.base_path,
        margin_ms: settings.margin_ms,
        #[cfg(feature = "dynamodb")]
        tasks,
        #[cfg(feature = "dynamodb")]
        events,
    })
}

/// What has a place: what one environment remembers, the next one does not know, so that a table
/// alone remembers writes, and a function beside it runs tasks.
#[cfg(feature = "dynamodb")]
fn kept(settings: &Settings) -> Kept {
    Kept {
        writes: settings.table.is_some(),
        tasks: settings.tasks.is_some(),
    }
}

#[cfg(not(feature = "dynamodb"))]
fn kept(_: &Settings) -> Kept {
    Kept {
        writes: false,
        tasks: false,
    }
}

fn callers(settings: &Settings) -> Callers {
    Callers {
        methods: settings.common.methods.clone(),
        iam: settings.common.credentials.iam.clone(),
        default_scopes: settings.common.credentials.default_scopes.clone(),
    }
}

/// What environments share.
#[cfg(feature = "dynamodb")]
fn with_table(
    platform: Platform,
    table: crate::dynamodb::Table,
    policies: Policies,
    (invoker, queue): (
        Option<Arc<crate::tasks::Invoker>>,
        Option<Arc<crate::events::SqsQueue>>,
    ),
) -> Platform {
    let stores = Arc::new(crate::dynamodb::Stores::new(table));
    let mut platform = platform
        .with_mailbox(Arc::clone(&stores) as _)
        .with_topics(Arc::clone(&stores) as _);
    if let Some(invoker) = invoker {
        platform = platform.with_tasks(Arc::clone(&stores) as _, invoker);
    }
    if let Some(queue) = queue {
        // no streams: each would hold an environment for all of its time
        let mut events = EventPorts::new(Arc::clone(&stores) as _);
        if queue.is_scheduled() {
            events = events.pumped();
        }
        platform = platform.with_events(events.webhooks(Arc::clone(&stores) as _, queue));
    }
    policies.apply(platform, stores)
}

/// Settings that name a secret read it by this port, on first use.
#[cfg(feature = "secrets")]
fn with_secret_stores(platform: Platform) -> Platform {
    let stores = crate::secret_store::SecretStores::new(Arc::clone(platform.clock()));
    platform.with_port::<dyn mcpfn_ports::SecretStore>(Arc::new(stores))
}

/// Takes events as `lambda_runtime` hands them out: several at a time where
/// `AWS_LAMBDA_MAX_CONCURRENCY` says so, else one.
async fn serve(host: LambdaHost) -> Result<(), BoxError> {
    let host = Arc::new(host);
    let handler = service_fn(move |invocation: LambdaInvocation| {
        let host = Arc::clone(&host);
        async move {
            host.invoke(invocation).await;
            Ok::<(), BoxError>(())
        }
    });
    // takes the place of the layers that would answer by themselves
    let unused = service_fn(async |_: LambdaEvent<IgnoredAny>| Ok::<_, BoxError>(()));
    Runtime::new(unused)
        .layer(layer_fn(move |_| handler.clone()))
        .run_concurrent()
        .await
}
