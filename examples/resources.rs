//! Resources: one at a fixed URI, and a template whose variable is completed while a person types.
//!
//! ```sh
//! cargo run -p mcpfn-examples --example resources
//! ```

use mcpfn::prelude::*;
use mcpfn::{Cx, handler::IntoResource as _};

const NOTES: [(&str, &str); 3] = [
    ("breakfast", "Two eggs, bread, tea."),
    ("bread", "Flour, water, salt, and a night."),
    ("garden", "Water the beans."),
];

/// The names of all notes.
#[resource("note://index", name = "index", mime = "text/plain")]
async fn index() -> String {
    NOTES.map(|(name, _)| name).join("\n")
}

#[input]
struct Note {
    /// The note's name.
    name: String,
}

/// One note.
#[resource("note://{name}", name = "note", mime = "text/plain")]
async fn note(args: Note) -> Result<&'static str, ToolError> {
    let found = NOTES.iter().find(|(name, _)| *name == args.name);
    // the protocol's own error, with this sentence
    found
        .map(|(_, text)| *text)
        .ok_or_else(|| ToolError::not_found("there is no such note; read note://index"))
}

/// What is offered while a person types the name.
async fn names(typed: String, _: Cx) -> Vec<String> {
    let names = NOTES.map(|(name, _)| name).into_iter();
    let fitting = names.filter(|name| name.starts_with(&typed));
    fitting.map(str::to_owned).collect()
}

pub(crate) fn server() -> Builder {
    Server::builder("notes", "1.0.0")
        .resource(index)
        .resource(note.into_resource().complete("name", names))
}

mcpfn::main!(server);
