//! What every host shares, whatever it runs on: settings read from variables, the server that they
//! configure, the configuration of its clients, and the audit log as lines of the log. Not a host:
//! it serves nothing.
//!
//! A host describes itself ([`Host`]), reads its variables, and assembles what it serves:
//!
//! ```
//! use mcpfn_settings::{AuthMethod, Common, EnvReader, Host, Hosts};
//!
//! const HOST: Host = Host {
//!     id: Hosts::LOCAL,
//!     methods: &[AuthMethod::OAuth, AuthMethod::ApiKey, AuthMethod::None],
//!     auth_unset: None,
//!     max_body: 4 * 1024 * 1024,
//!     rate: None,
//!     rate_with_auth: None,
//!     key_source: None,
//!     listening: None,
//!     deployment: None,
//! };
//!
//! let variable = |name: &str| (name == "MCPFN_RATE_LIMIT").then(|| "60/min".into());
//! let mut reader = EnvReader::new(&variable).with_names(["MCPFN_RATE_LIMIT".to_owned()]);
//! let common = Common::read(&mut reader, &HOST, &[]);
//! let common = reader.finish(common)?;
//! assert!(common.methods.has(AuthMethod::None) && common.policies.rate.is_some());
//! # Ok::<(), mcpfn_settings::SettingsError>(())
//! ```

#[cfg(feature = "tokens")]
mod asked;
mod assembly;
mod base_path;
mod clients;
mod common;
mod credentials;
mod help;
mod line;
mod log;
mod methods;
mod metrics;
mod observed;
mod page;
mod panics;
mod policies;
mod reader;
mod recorded;
mod setting;
mod table;
mod tools;
mod unused;
mod urls;
mod webhooks;

pub use assembly::{Assembly, Kept, Setup, and_of_server, build, new_key, warn_of_tools};
pub use base_path::strip_base_path;
pub use clients::{
    ClientAccess, ClientEntry, ClientFile, ClientLanguage, KEY_PLACEHOLDER, StdioProgram,
    is_of_http, stdio_environment,
};
pub use common::{Common, Deployment, Host};
pub use credentials::{Credentials, OpenKeySource};
pub use help::help;
pub use line::LogLine;
pub use log::Log;
pub use methods::{AuthMethod, AuthMethods};
pub use metrics::{CALL_METRICS, call_metrics};
pub use observed::Observed;
pub use page::PageSettings;
pub use panics::log_panics;
pub use policies::Policies;
pub use reader::{EnvReader, SettingsError};
pub use recorded::listed_and_read;
pub use setting::{Hosts, Setting, secret_in_file};
pub use table::SETTINGS;
pub use tools::ToolSettings;
