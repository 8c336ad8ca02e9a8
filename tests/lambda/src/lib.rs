//! Plays AWS Lambda on this machine, at the level of bytes: starts a bootstrap with Lambda's
//! environment, hands it events through the Runtime API, and takes its answers, buffered or
//! streamed, with the time at which each piece arrived.
//!
//! **In scope:** `next`, `response` in both forms, `error`, `init/error`, deadlines, a connection
//! that breaks, a process that ends, function URL events of payload version 2.0; environments that are
//! frozen while they are idle, asynchronous invocations, and a table that they share.
//!
//! **Out of scope:** signatures, permissions, limits of AWS that no test needs. It is our reading
//! of the documentation, not AWS.

mod environment;
pub mod event_house;
mod event_source;
pub mod filter_pattern;
mod fleet;
mod front;
mod queue;
mod receiver;
mod reply;
mod runtime_api;
mod sqs;
pub mod table;
pub mod template;
mod url_event;

pub use environment::{Bootstrap, Environment, Parts};
pub use event_source::{EventSource, Turn};
pub use fleet::Fleet;
pub use front::Front;
pub use queue::{Deliveries, Ordered, Queue};
pub use receiver::{Delivered, Receiver};
pub use reply::{Failure, Head, Prelude, Reply};
pub use runtime_api::{Deadline, Invocation, Part};
pub use sqs::{PlayedSqs, Waiting};
pub use url_event::event;
