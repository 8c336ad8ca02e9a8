//! A server with one write that its user has to agree to, in each mode of asking.

use mcpfn::prelude::*;
use mcpfn::{ConfirmMode, text};

/// Named after the mode: `asks-auto`, `asks-always`, `asks-never`.
pub fn asking(mode: ConfirmMode) -> Builder {
    let name = match mode {
        ConfirmMode::Auto => "asks-auto",
        ConfirmMode::Always => "asks-always",
        ConfirmMode::Never => "asks-never",
    };
    Server::builder(name, env!("CARGO_PKG_VERSION"))
        .confirm(mode)
        .tool(publish_note)
}

#[input]
struct Note {
    /// What everybody will read.
    text: String,
    /// What it is about.
    #[serde(default)]
    topic: Option<String>,
}

/// Publishes a note.
#[tool(destructive = false)]
async fn publish_note(args: Note, cx: &Cx) -> Result<String, ToolError> {
    cx.confirm(|| format!("Publish the note {}?", text::quoted(&args.text)))?;
    let topic = args.topic.as_deref().unwrap_or("nothing");
    Ok(format!("published `{}` about {topic}", args.text))
}
