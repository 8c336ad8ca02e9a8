//! The host for AWS Lambda: events of function URLs, API Gateway and load balancers in, buffered or
//! streamed answers out. Conversion only: what a message means is decided in `mcpfn-core` and
//! `mcpfn-http`.
//!
//! | trigger | caller | answer |
//! |---|---|---|
//! | function URL | IAM | buffered, or streamed with `MCPFN_LAMBDA_MODE=stream` |
//! | HTTP API | IAM, JWT authorizer, Lambda authorizer | buffered |
//! | REST API | IAM, Cognito, Lambda authorizer | buffered, or streamed with `MCPFN_LAMBDA_MODE=stream` |
//! | load balancer | none: its headers are not authenticated | buffered |
//!
//! The caller is believed because the platform put it into the event. Anyone who may invoke the
//! function directly can write any event, so grant `lambda:InvokeFunction` only to identities that
//! may act for every caller.
//!
//! `lambda_runtime` asks for events, `lambda_http` reads them, after what it would lose or panic on
//! was taken out (see `event/bare.rs`). Answers are sent here, because `lambda_runtime` sends a
//! stream in small writes that wait for each other (see `api.rs`).
//!
//! Every other event is for the port [`PlatformEvents`](mcpfn_ports::PlatformEvents), if the program has given one: of a
//! queue, a stream, a schedule, a bucket. Without it such an event is refused.
//!
//! A second function of the same program, without a trigger, runs tasks (`MCPFN_LAMBDA_MODE=tasks`); the
//! first one, which answers clients, invokes it (`MCPFN_TASKS_FUNCTION`). A third one sends events to
//! subscribers (`MCPFN_LAMBDA_MODE=events`): messages of an SQS queue that all of them write to
//! (`MCPFN_EVENTS_QUEUE`).
//!
//! With the feature `tower`, `tower::service` is the same server for `lambda_http::run` and its like, in a program that
//! owns its loop.
//!
//! # When to use it
//!
//! Depend on `mcpfn` with the feature `lambda`: the same program then serves Lambda where Lambda
//! starts it. By itself:
//!
//! ```no_run
//! use std::convert::Infallible;
//! use std::process::ExitCode;
//! use mcpfn_core::{NoArguments, Server, Tool, port::Platform};
//! use mcpfn_lambda::{Setup, Variables};
//!
//! fn main() -> ExitCode {
//!     let tick = Tool::new("tick").description("Says tick.");
//!     let tick = tick.handler(|_: NoArguments| async { "tick" });
//!     let setup = |_: &Variables| {
//!         Ok::<_, Infallible>(Setup {
//!             builder: Server::builder("clock", "1.0.0").tool(tick),
//!             ports: |platform: Platform| platform,
//!         })
//!     };
//!     mcpfn_lambda::run(setup, &[])
//! }
//! ```

mod api;
mod callers;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
mod event;
#[cfg(feature = "dynamodb")]
mod events;
mod function;
mod host;
mod logging;
mod metrics;
mod response;
mod run;
#[cfg(feature = "secrets")]
mod secret_store;
#[cfg(feature = "secrets")]
mod secrets;
mod settings;
#[cfg(feature = "dynamodb")]
mod shared_needs;
#[cfg(feature = "dynamodb")]
mod signed;
#[cfg(feature = "dynamodb")]
mod tasks;
#[cfg(feature = "tower")]
pub mod tower;

pub use event::caller_of_event;
#[cfg(feature = "dynamodb")]
pub use events::{DeliveryQueue, QueueAddress};
#[cfg(any(feature = "dynamodb", feature = "secrets"))]
pub use mcpfn_aws::{AccessKeys, AwsAccount};
pub use mcpfn_native::{Variables, platform};
pub use mcpfn_settings::{EnvReader, Hosts, Setting, SettingsError, Setup};
pub use run::run;
pub use settings::{Mode, Settings};
#[cfg(feature = "dynamodb")]
pub use tasks::TaskFunction;
