//! The environment of this process, as settings are read from it.

use std::ffi::OsString;

use mcpfn_settings::EnvReader;

/// A reader of the environment, which knows every setting in it.
#[must_use]
pub fn environment() -> EnvReader<'static> {
    let names = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("MCPFN_"));
    EnvReader::new(&variable).with_names(names)
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
