//! What is wrong with a registration, all of it at once.

use std::fmt;

/// Every mistake of a registration.
///
/// ```
/// use mcpfn_core::{NoArguments, Server, Tool};
///
/// let nameless = Tool::new("").handler(|_: NoArguments| async { "" });
/// let error = Server::builder("shop", "1.0.0").tool(nameless).page_size(0).build().unwrap_err();
/// assert_eq!(error.mistakes.len(), 3); // no name, no description, no entry on a page
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildError {
    pub(super) server: String,
    /// One sentence each, naming what it is about and what to change.
    pub mistakes: Vec<String>,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        write!(
            f,
            "server `{}` can't be built, {count} {} to correct:",
            self.server,
            if count == 1 { "mistake" } else { "mistakes" }
        )?;
        for mistake in &self.mistakes {
            write!(f, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}
