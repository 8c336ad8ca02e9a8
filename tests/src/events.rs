//! Something that clients can hear of, and the tool that makes it happen; and where a receiver of it may be in a test.

use std::sync::Arc;

use mcpfn::JsonObject;
use mcpfn::event::Event;
use mcpfn::handler::BoxFuture;
use mcpfn::port::{HttpClient, HttpError, HttpRequest, HttpResponse, Platform};
use mcpfn::prelude::*;
use mcpfn_native::Client;

/// What is noted.
#[input]
#[derive(serde::Serialize)]
struct Note {
    /// What it is about.
    topic: String,
    /// What it says.
    text: String,
}

/// Which notes a client wants to hear of.
#[input]
struct Wanted {
    /// Those about this.
    topic: Option<String>,
}

/// Notes something, and says so to who waits for it.
#[tool(destructive = false)]
async fn note(args: Note, cx: &Cx) -> Result<String, ToolError> {
    cx.emit("note.added", &args).await
}

/// Adds the event and its tool.
pub fn add(builder: Builder) -> Builder {
    let event = Event::new("note.added")
        .description("Somebody noted something.")
        .payload::<Note>()
        .matching(|wanted: Wanted, note: JsonObject| {
            let topic = wanted.topic.as_deref();
            topic.is_none_or(|topic| note["topic"] == topic)
        });
    builder.event(event).tool(note)
}

/// The host's client, as a test has it: it trusts one more root, and reaches one host as if it were
/// of the public internet, which a test has no other receiver of.
struct Near {
    client: Client,
    host: Option<String>,
}

impl HttpClient for Near {
    fn send<'a>(
        &'a self,
        mut request: HttpRequest,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let rest = request.url.strip_prefix("https://").unwrap_or_default();
        let host = rest.split('/').next();
        if host.is_some() && host == self.host.as_deref() {
            request.public_only = false;
        }
        self.client.send(request)
    }
}

/// Puts that client in the place of the host's own, if there is a file with a certificate (DER).
///
/// # Panics
/// When the file has none.
pub fn with_receiver(platform: Platform, root: Option<String>, host: Option<String>) -> Platform {
    let Some(path) = root else {
        return platform;
    };
    let root = std::fs::read(path).expect("a certificate");
    let client = Client::new().with_root(&root).expect("a root");
    platform.with_port::<dyn HttpClient>(Arc::new(Near { client, host }))
}
