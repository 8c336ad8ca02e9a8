//! The first tool a newcomer calls. Needs no port.

use mcpfn_core::{Builder, input, tool};

/// How much of a name is repeated, in characters.
const MAX_NAME_LENGTH: usize = 100;

/// Adds `hello_world`.
pub fn toolkit(builder: Builder) -> Builder {
    builder.tool(hello_world).advice(
        ["hello_world"],
        "`hello_world` only shows that the connection works.",
    )
}

/// Who is greeted.
#[input]
#[derive(Debug, Default)]
pub struct Hello {
    /// Whom to greet, e.g. "Ada". The world, when left out.
    #[schemars(length(max = 100))]
    #[serde(default)]
    pub name: Option<String>,
}

/// Say hello.
///
/// Use this to check that the connection to this server works. It has no effect and needs nothing.
#[tool(read_only, idempotent, open_world = false, title = "Hello, world")]
pub async fn hello_world(args: Hello) -> String {
    let name: String = args
        .name
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_NAME_LENGTH)
        .collect();
    match name.trim() {
        "" => "Hello, world!".to_owned(),
        name => format!("Hello, {name}!"),
    }
}
