//! Tokens of an OAuth issuer decide what a caller may do. The code names scopes; the issuer is a
//! setting, checked by every host in the same way:
//!
//! ```sh
//! MCPFN_AUTH=oauth \
//! MCPFN_ISSUER=https://login.example.com \
//! MCPFN_PUBLIC_URL=https://mcp.example.com/mcp \
//! cargo run -p mcpfn-examples --example oauth
//! ```
//!
//! A token must come from the issuer and be meant for `MCPFN_PUBLIC_URL`. Its claim `scope` becomes
//! the caller's scopes; `notes` covers `notes:read` and `notes:write`. Clients find the issuer at
//! `/.well-known/oauth-protected-resource`. Without `MCPFN_AUTH`, whoever reaches this machine's
//! loopback address is the local user and may do everything.

use std::sync::{Mutex, PoisonError};

use mcpfn::prelude::*;

/// Who wrote what.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, String)>>);

#[input]
struct Note {
    /// What to remember.
    #[schemars(length(min = 1, max = 1000))]
    text: String,
}

/// Remembers a note of the caller.
#[tool(scope = "notes:write", destructive = false)]
async fn remember(args: Note, cx: &Cx) -> Result<String, ToolError> {
    // `subject` is the token's; never take who calls from an argument
    let caller = cx.principal().subject.clone();
    let mut notes = lock(cx)?;
    notes.push((caller, args.text));
    Ok("Remembered.".to_owned())
}

/// Lists the caller's own notes.
#[tool(read_only, scope = "notes:read")]
async fn list_notes(cx: &Cx) -> Result<Json<Vec<String>>, ToolError> {
    let caller = &cx.principal().subject;
    let notes = lock(cx)?;
    let own = notes.iter().filter(|(author, _)| author == caller);
    Ok(Json(own.map(|(_, text)| text.clone()).collect()))
}

fn lock(cx: &Cx) -> Result<std::sync::MutexGuard<'_, Vec<(String, String)>>, ToolError> {
    let notes = cx.state::<Notes>()?;
    Ok(notes.0.lock().unwrap_or_else(PoisonError::into_inner))
}

pub(crate) fn server() -> Builder {
    Server::builder("notes", "1.0.0")
        .tool(remember)
        .tool(list_notes)
        .state(Notes::default())
}

mcpfn::main!(server);
