//! What hosts on an operating system share: ports to its clock, timer, randomness and log, a client
//! for other HTTP services, spans for a collector, and stores in its memory. Not a host: it serves
//! nothing.

mod background;
#[cfg(feature = "client")]
mod client;
mod environment;
pub mod memory;
mod ports;
#[cfg(feature = "client")]
mod process;
mod telemetry;

pub use background::Tasks;
#[cfg(feature = "client")]
pub use client::{Client, Resolve, SystemResolver};
pub use environment::environment;
pub use ports::{OsRandom, new_key, platform};
#[cfg(feature = "client")]
pub use process::Process;
pub use telemetry::{Telemetry, Transport};
