//! What people paste into MCP clients so that they find a server, as data: one source for what a
//! start prints, what `cargo mcpfn deploy` prints, and pages. Text only; no secret is in it, but the
//! place for one.

mod command_line;
mod entries;
mod links;
mod paths;
mod stdio;

use std::fmt;

use serde_json::{Value, json};

pub use stdio::{is_of_http, stdio_environment};

/// What stands where a person writes the API key.
pub const KEY_PLACEHOLDER: &str = "YOUR_KEY";

/// The header of an API key.
const KEY_HEADER: &str = "X-API-Key";

/// A server as clients reach it: at a URL, as a program that they start, or both.
///
/// ```
/// use mcpfn_settings::{ClientAccess, ClientLanguage};
///
/// let access = ClientAccess::new("acme").at("http://127.0.0.1:8787/mcp").with_key();
/// let entries = access.entries();
/// let first = &entries[0];
/// assert_eq!((first.client, first.language), ("Claude Code", ClientLanguage::Shell));
/// assert_eq!(
///     first.text,
///     "claude mcp add --scope user --transport http acme http://127.0.0.1:8787/mcp \
///      --header 'X-API-Key: YOUR_KEY'",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientAccess {
    pub(crate) name: String,
    pub(crate) url: Option<String>,
    pub(crate) key: bool,
    pub(crate) program: Option<StdioProgram>,
}

/// A program that speaks MCP over its standard input and output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StdioProgram {
    /// The program, with its whole path unless it is found by name.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables that it needs; secrets are placeholders.
    pub env: Vec<(String, String)>,
}

/// One thing to paste or to open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientEntry {
    /// The client, as it calls itself.
    pub client: &'static str,
    /// What the entry does there, as a part of a sentence; empty if there is nothing to say.
    pub about: &'static str,
    /// What the text is.
    pub language: ClientLanguage,
    /// The text, on one line for each command; a member of the file's JSON is written as a whole file.
    pub text: String,
    /// The files that the text belongs into, of which there is one for each system; empty if none.
    pub files: &'static [ClientFile],
}

/// What the text of an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientLanguage {
    /// The content of a file.
    Json,
    /// Commands for a terminal.
    Shell,
    /// A link that opens the client, or a URL to paste into it.
    Url,
}

/// A file of a client's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFile {
    /// Where the path holds, such as `macOS`, `Windows` or `one project`; empty if it is the only one.
    pub system: &'static str,
    /// Where it is, from the home folder (`~`), a variable (`%APPDATA%`) or the project.
    pub path: &'static str,
}

impl ClientAccess {
    /// A server of this name, not yet reached.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: None,
            key: false,
            program: None,
        }
    }

    /// At this URL, over Streamable HTTP.
    #[must_use]
    pub fn at(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// The URL wants an API key. (With OAuth nothing is to be said: clients discover it.)
    #[must_use]
    pub fn with_key(mut self) -> Self {
        self.key = true;
        self
    }

    /// As a program, for clients that take no URL; for all of them without one.
    #[must_use]
    pub fn started_by(mut self, program: StdioProgram) -> Self {
        self.program = Some(program);
        self
    }

    /// What to paste where, the usual clients first.
    #[must_use]
    pub fn entries(&self) -> Vec<ClientEntry> {
        entries::entries(self)
    }

    /// The variable in which clients that read variables find the API key.
    #[must_use]
    pub fn key_variable(&self) -> String {
        let legal = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        let name: String = self.name.to_ascii_uppercase().chars().map(legal).collect();
        let first = if name.starts_with(|c: char| c.is_ascii_digit()) {
            "MCP_"
        } else {
            ""
        };
        format!("{first}{name}_API_KEY")
    }

    /// The headers of the URL, with what stands for the key.
    pub(crate) fn headers(&self, key: &str) -> Option<Value> {
        self.key.then(|| json!({KEY_HEADER: key}))
    }
}

impl fmt::Display for ClientEntry {
    /// As a terminal shows it: what it is, the files, the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.client)?;
        if !self.about.is_empty() {
            write!(f, ", {}", self.about)?;
        }
        for (position, file) in self.files.iter().enumerate() {
            f.write_str(if position == 0 { ": " } else { "; " })?;
            match file.system {
                "" => f.write_str(file.path)?,
                system => write!(f, "{} ({system})", file.path)?,
            }
        }
        self.text
            .lines()
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}

#[cfg(test)]
mod tests;
