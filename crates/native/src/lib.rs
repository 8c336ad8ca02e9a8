//! What hosts on an operating system share: ports to its clock, timer, randomness and log, and stores in
//! its memory. Not a host: it serves nothing.

mod background;
pub mod memory;
mod ports;

pub use background::Tasks;
pub use mcpfn_host::{Policies, RATE, Reader, SettingsError, Setup};
pub use ports::{OsRandom, new_key, platform};
