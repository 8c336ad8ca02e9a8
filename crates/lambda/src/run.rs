//! From exec to the first event: settings, the server, the runtime's loop. A start that fails tells
//! the platform why.

use std::fmt::Display;
use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::tower::layer::layer_fn;
use lambda_runtime::{LambdaEvent, LambdaInvocation, Runtime, service_fn};
use lambda_runtime_api_client::BoxError;
use mcpfn_auth::AuthMethod;
use mcpfn_client::Client;
use mcpfn_core::{HttpClient, Platform};
use mcpfn_http::{Config, Service};
use mcpfn_native::memory::MemoryStores;
use mcpfn_native::{Setup, Tasks, Telemetry, Transport};
use serde::de::IgnoredAny;
use tracing::Level;

use crate::api::Api;
use crate::host::LambdaHost;
use crate::logging;
use crate::metrics::EmfMetrics;
use crate::settings::{MetricsFormat, Settings};

/// Serves events until the platform ends the process.
pub fn run<E, P>(setup: impl FnOnce() -> Result<Setup<P>, E>) -> ExitCode
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let Err(message) = start(setup) else {
        return ExitCode::SUCCESS;
    };
    // settings may be what failed
    logging::start(Level::ERROR);
    tracing::error!("{message}");
    ExitCode::FAILURE
}

fn start<E, P>(setup: impl FnOnce() -> Result<Setup<P>, E>) -> Result<(), String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err(
            "this program is started by AWS Lambda, or by an emulator that sets \
            AWS_LAMBDA_RUNTIME_API; neither did"
                .to_owned(),
        );
    }
    // one event at a time needs one thread; on managed instances the tasks of several take turns on
    // it
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| format!("the runtime can't start: {error}"))?;
    match host(setup) {
        Ok(host) => runtime
            .block_on(serve(host))
            .map_err(|error| format!("the Lambda runtime API failed: {error}")),
        Err(message) => {
            if let Err(error) = runtime.block_on(Api::new().failed_start(message.clone())) {
                tracing::warn!(%error, "the failed start was not reported");
            }
            Err(message)
        }
    }
}

fn host<E, P>(setup: impl FnOnce() -> Result<Setup<P>, E>) -> Result<LambdaHost, String>
where
    E: Display,
    P: FnOnce(Platform) -> Platform,
{
    let settings =
        Settings::read(|name| std::env::var_os(name)).map_err(|error| error.to_string())?;
    logging::start(settings.log_level);
    let Setup {
        builder,
        ports: add_ports,
    } = setup().map_err(|error| error.to_string())?;
    let server = builder.build().map_err(|error| error.to_string())?;
    let anybody = settings.methods.has(AuthMethod::None);
    if anybody {
        tracing::warn!("MCPFN_AUTH is none: anybody who reaches this function may call every tool");
    }
    let keys = settings.state_keys.unwrap_or_else(|| {
        tracing::warn!(
            "MCPFN_STATE_KEY is not set: a tool that asks its user something fails when another \
             instance gets the answer; set it to 32 random bytes in Base64, the same for all \
             instances"
        );
        mcpfn_native::new_key()
    });
    let tasks = Tasks::default();
    let mut platform = mcpfn_native::platform(keys).with_background(Arc::new(tasks.clone()));
    platform = platform.with_port::<dyn HttpClient>(Arc::new(Client::new()));
    if settings.metrics == MetricsFormat::Emf {
        let metrics = EmfMetrics {
            service: server.name().to_owned(),
            clock: Arc::clone(platform.clock()),
        };
        platform = platform.with_audit_log(Arc::new(metrics));
    }
    let (platform, telemetry) = Telemetry::apply(platform, server.name(), Transport::Tcp)?;
    let in_memory = |platform| {
        settings
            .policies
            .apply(platform, Arc::new(MemoryStores::default()))
    };
    #[cfg(feature = "dynamodb")]
    let platform = match settings.table {
        Some(table) => settings
            .policies
            .apply(platform, Arc::new(crate::dynamodb::Stores::new(table))),
        None => in_memory(platform),
    };
    #[cfg(not(feature = "dynamodb"))]
    let platform = in_memory(platform);
    let mut config = Config::default();
    config.anonymous = anybody;
    config.auth = settings.proofs.auth;
    config.origins.listed = settings.origins;
    config.max_body = settings.max_body;
    Ok(LambdaHost {
        api: Api::new(),
        service: Service::new(server, config),
        platform: Arc::new(add_ports(platform)),
        tasks,
        telemetry,
        methods: settings.methods,
        iam: settings.proofs.iam,
        default_scopes: settings.proofs.default_scopes,
        mode: settings.mode,
        base_path: settings.base_path,
        margin_ms: settings.margin_ms,
    })
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
