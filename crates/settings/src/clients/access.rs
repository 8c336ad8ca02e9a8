//! How clients reach a server. What they are given for it is `entries`.

use serde_json::{Value, json};

/// What stands where a person writes the API key.
pub const KEY_PLACEHOLDER: &str = "YOUR_KEY";

/// The header of an API key.
pub(super) const KEY_HEADER: &str = "X-API-Key";

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
