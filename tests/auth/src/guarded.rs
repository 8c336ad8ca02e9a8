//! The server that the tests of the hosts guard: tools that need no scope, one, and two; and one
//! whose results are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use mcpfn::prelude::*;

/// Says how the caller was recognised, and as whom.
#[tool(read_only)]
async fn whoami(cx: &Cx) -> String {
    let principal = cx.principal();
    format!("{:?} {}", principal.kind, principal.subject)
}

/// Reads accounts.
#[tool(read_only, scope = "crm:read")]
async fn accounts() -> &'static str {
    "Acme"
}

/// A server that needs to know who calls.
pub fn guarded() -> Builder {
    let runs = Arc::new(AtomicU32::new(0));
    let kept = Tool::new("kept")
        .description("Says whom it ran for; the result is kept.")
        .read_only();
    let kept =
        kept.cache(std::time::Duration::from_secs(120))
            .handler(move |_: NoArguments, cx: Cx| {
                let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
                async move { format!("run {run} for {}", cx.principal().subject) }
            });
    let notify = Tool::new("notify")
        .description("Writes to an account.")
        .scope("crm:write")
        .scope("mail:send");
    Server::builder("guarded", "1.0.0")
        .tool(whoami)
        .tool(accounts)
        .tool(notify.handler(|_: NoArguments| async { "sent" }))
        .tool(kept)
}
