//! What every host shares, whatever it runs on: settings read from variables, records of calls
//! written to the log. Not a host: it serves nothing.

mod log;
mod observed;
mod policies;
mod settings;

pub use log::Log;
pub use observed::Observed;
pub use policies::{Policies, RATE};
pub use settings::{EnvReader, SettingsError, Setup, strip_base_path};
