//! What hosts on an operating system share: ports to its clock, timer, randomness and log, and a reader of settings from its
//! environment. Not a host: it serves nothing.

mod ports;
mod settings;

pub use ports::{new_key, platform};
pub use settings::{Reader, SettingsError, Setup};
