//! Servers besides `everything`, for what it does not show: pages, missing capabilities,
//! definitions with all their parts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcpfn::prelude::*;
use mcpfn::{
    ConfirmMode, JsonObject,
    content::{Annotations, Icon, ResourceLink},
};
use mcpfn_it::asking::asking;
use serde_json::json;

/// By the name that fixtures use.
pub(crate) fn named(name: &str) -> fn() -> Builder {
    match name {
        "everything" => mcpfn_it::everything_within_calls,
        "everything-tasks" => mcpfn_it::everything,
        "paged" => paged,
        "plain" => plain,
        "extended" => extended,
        "rich" => rich,
        "counting" => counting,
        "asks-auto" => || asking(ConfirmMode::Auto),
        "asks-always" => || asking(ConfirmMode::Always),
        "asks-never" => || asking(ConfirmMode::Never),
        "renamed" => mcpfn_it::renamed::renamed,
        other => panic!("no server is called {other}: the names are in servers.rs"),
    }
}

fn says(name: &str) -> Tool {
    Tool::new(name)
        .description("Says its name.")
        .handler(|_: NoArguments| async { "said" })
}

/// One entry a page.
pub(crate) fn paged() -> Builder {
    let prompt = |name: &str| {
        Prompt::new(name)
            .description("A prompt.")
            .handler(|| async { "asked" })
    };
    let resource = |uri: &str| {
        Resource::new(uri, "thing")
            .description("A thing.")
            .handler(|_: Cx| async { "read" })
    };
    Server::builder("paged", "1.0.0")
        .page_size(1)
        .tool(says("one"))
        .tool(says("two"))
        .tool(says("three"))
        .prompt(prompt("first"))
        .prompt(prompt("second"))
        .resource(resource("paged://a"))
        .resource(resource("paged://b"))
        .resource(template("paged://x/{id}"))
        .resource(template("paged://y/{id}"))
}

#[derive(serde::Deserialize, JsonSchema)]
struct Id {
    /// Which.
    id: String,
}

fn template(uri: &str) -> Resource {
    Resource::new(uri, "things")
        .description("Things.")
        .handler(|id: Id| async move { id.id })
}

#[derive(serde::Deserialize, JsonSchema)]
struct Order {
    /// Which.
    id: String,
    /// Repeat it to repeat the order safely.
    #[serde(default, rename = "request")]
    #[schemars(extend("x-idempotency-key" = true))]
    _request: Option<String>,
}

/// Tools that say how often they ran in this process: one keeps its results, one writes.
pub(crate) fn counting() -> Builder {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let run = |id: Id| async move {
        format!("run {} for {}", RUNS.fetch_add(1, Ordering::SeqCst), id.id)
    };
    Server::builder("counting", "1.0.0")
        .tool(
            Tool::new("find")
                .description("Finds.")
                .read_only()
                .cache(Duration::from_secs(60))
                .handler(run),
        )
        .tool(
            Tool::new("buy")
                .description("Buys.")
                .handler(move |order: Order| run(Id { id: order.id })),
        )
        .tool(
            Tool::new("look")
                .description("Looks.")
                .read_only()
                .handler(run),
        )
}

/// One tool and nothing else: no prompts, resources, completions or logging are advertised.
pub(crate) fn plain() -> Builder {
    Server::builder("plain", "1.0.0").tool(says("say"))
}

/// Extensions of both sides.
pub(crate) fn extended() -> Builder {
    let settings = json!({"nested": {"enabled": true, "limit": 0}, "values": [null, "b", false]});
    let extensions = Tool::new("extensions").description("Says which extensions the client has.");
    let extensions = extensions
        .read_only()
        .handler(|_: NoArguments, cx: Cx| async move {
            json!({"extensions": cx.client().extensions}).to_string()
        });
    Server::builder("extended", "1.0.0")
        .extension("com.example/conformance", settings)
        .extension("com.example/empty", json!({}))
        .tool(extensions)
}

/// Definitions and results with every part that some revision does not know.
pub(crate) fn rich() -> Builder {
    Server::builder("rich", "1.0.0")
        .title("Rich")
        .description("Everything that can be left out.")
        .website("https://example.com/")
        .icon(icon())
        .instructions("Look closely.")
        .tool(
            Tool::new("objects")
                .title("Objects")
                .description("Gives an object.")
                .icon(icon())
                .read_only()
                .destructive(false)
                .meta("example.com/kind", json!("object"))
                .output_schema(json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}))
                .handler(|_: NoArguments| async {
                    CallToolResult::text("{\"a\":1}").structured(json!({"a": 1})).meta("example.com/took", json!(3))
                }),
        )
        .tool(
            Tool::new("lists")
                .description("Gives a list.")
                .output_schema(json!({"type": "array", "items": {"type": "integer"}}))
                .handler(|_: NoArguments| async { CallToolResult::text("[1,2]").structured(json!([1, 2])) }),
        )
        .tool(Tool::new("blocks").description("Gives content of every kind.").handler(|_: JsonObject| async {
            vec![Content::text("words"), Content::audio(b"sound", "audio/wav"), Content::resource_link(link())]
        }))
        .prompt(
            Prompt::new("titled")
                .title("Titled")
                .description("A prompt with titles.")
                .icon(icon())
                .handler(|arguments: Titled| async move { arguments.who }),
        )
        .resource(
            Resource::new("rich://one", "one")
                .meta("com.example/kind", json!({"page": false}))
                .title("One")
                .description("One of a kind.")
                .icon(icon())
                .mime("text/plain")
                .size(4)
                .annotate(annotations())
                .fresh_for(Duration::from_secs(2))
                .public()
                .handler(|_: Cx| async { "text" }),
        )
}

#[derive(serde::Deserialize, JsonSchema)]
struct Titled {
    /// Whom it is about.
    #[schemars(title = "Who")]
    who: String,
}

fn annotations() -> Annotations {
    let mut annotations = Annotations::default();
    annotations.last_modified = Some("2026-07-28T00:00:00Z".to_owned());
    annotations.priority = Some(0.5);
    annotations
}

fn icon() -> Icon {
    Icon::new("https://example.com/icon.png")
}

fn link() -> ResourceLink {
    let mut link = ResourceLink::new("rich://one", "one");
    link.description = Some("One of a kind.".to_owned());
    link
}
