//! What people paste into MCP clients so that they find a server, as data: one source for what a
//! start prints, what `cargo mcpfn deploy` prints, and pages. Text only; no secret is in it, but the
//! place for one.

mod access;
mod command_line;
mod entries;
mod entry;
mod links;
mod paths;
mod stdio;
#[cfg(test)]
mod tests;

pub use access::{ClientAccess, KEY_PLACEHOLDER, StdioProgram};
pub use entry::{ClientEntry, ClientFile, ClientLanguage};
pub use stdio::{is_of_http, stdio_environment};
