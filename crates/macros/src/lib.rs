//! `#[tool]`, `#[prompt]`, `#[resource]`, `#[input]`, `#[output]`: sugar over mcpfn's public
//! builder. Not a second way to build a server: whatever a macro writes, an author can write by
//! hand.
//!
//! Depend on `mcpfn`, which re-exports them. A crate that sees `mcpfn-core` only says
//! `extern crate mcpfn_core as mcpfn;` at its root, because expansions begin with `::mcpfn`.
//!
//! ```
//! # extern crate mcpfn_core as mcpfn;
//! use mcpfn::Server;
//! use mcpfn_macros::{input, tool};
//!
//! #[input]
//! struct Hello {
//!     /// Whom to greet.
//!     name: String,
//! }
//!
//! /// Says hello.
//! #[tool(read_only)]
//! async fn hello(args: Hello) -> String {
//!     format!("Hello, {}!", args.name)
//! }
//!
//! assert_eq!(Server::builder("hello", "1.0.0").tool(hello).build()?.counts(), (1, 0, 0));
//! # Ok::<(), mcpfn::BuildError>(())
//! ```
//!
//! An expansion goes three steps, one file each: `attr` reads the attribute, `check` judges it with
//! the function, `expand` writes. Every mistake found on the way is reported, under the author's
//! own words; the function is written all the same, so that a mistake here is no second one where
//! the tool is registered.

mod attr;
mod check;
mod doc;
mod duration;
mod errors;
mod expand;
mod item;
#[cfg(feature = "embed")]
mod page;
#[cfg(feature = "embed")]
mod skills;

use proc_macro::TokenStream;

use crate::attr::MacroKind;
use crate::item::Side;

/// Makes a function a tool that a model can call.
///
/// ```
/// # extern crate mcpfn_core as mcpfn;
/// # use mcpfn::{Cx, Server, ToolError};
/// # use mcpfn_macros::{input, output, tool};
/// #[input]
/// struct Search {
///     /// Words from the name, e.g. "bluetooth headphones".
///     query: String,
/// }
///
/// #[output]
/// struct Product {
///     name: String,
/// }
///
/// /// Search the product catalog. Use this when the user asks about products.
/// #[tool(read_only, timeout = "2s")]
/// async fn search_products(args: Search, cx: &Cx) -> Result<Vec<Product>, ToolError> {
///     Ok(vec![Product { name: args.query }])
/// }
///
/// let server = Server::builder("catalog", "1.0.0").tool(search_products).build()?;
/// # Ok::<(), mcpfn::BuildError>(())
/// ```
///
/// The function is `async` or not, and takes nothing, one argument object, the context (a
/// reference, always last), or both. Its doc comment is what a model chooses by. It returns
/// whatever a handler may return.
///
/// | key | value | what it does |
/// |---|---|---|
/// | `name` | text | another name than the function's |
/// | `title` | text | a name for people |
/// | `description` | text | instead of the doc comment |
/// | `scope` | text | the scope that a caller must have, such as `"catalog:read"` |
/// | `read_only` | | the tool changes nothing |
/// | `destructive` | `= false` | its changes destroy nothing |
/// | `idempotent` | | calling it again changes nothing more |
/// | `open_world` | `= false` | it reaches nothing outside this server |
/// | `timeout` | `"250ms"`, `"5s"`, `"2m"` | how long a call may run |
/// | `cache` | as `timeout`, or `"1h"` | how long a result is kept for the same caller; only with `read_only` |
/// | `task` | `task`, `task(run = "10m", ttl = "1h", poll = "5s", required, begun_by_handler)` | calls of clients that can do tasks go on after their response |
/// | `cache_stale` | as `cache` | how long after that it is still given while a new one is made |
/// | `cache_stale_if_error` | as `cache` | how long after `cache` it is given, with its age, where there is no newer one |
/// | `cache_public` | | any caller gets what was kept for any other |
/// | `rate_limit` | `"10/m"`, `"5/10s"` | how often one caller may call it |
/// | `ui` | text | the page that hosts show with its result, such as `"ui://shop/orders"` |
/// | `app_only` | | for pages to call: hosts do not show it to their model |
/// | `old_name` | text | a name that it had before: still called by that, and listed as deprecated |
/// | `deprecated` | text | what to do instead, such as ``"use `find` "``: told with each call |
///
/// # What it becomes
///
/// The same function, still called as it was written: a test says
/// `search_products(args, &cx).await`. Only its return type is new, a future of the old one that is
/// marked with the tool, and that is how `Builder::tool` finds the rest. A function that does not
/// wait gives a future as well.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(MacroKind::Tool, attribute.into(), &item.into()).into()
}

/// Makes a function a prompt that a person can start by name. The fields of its argument are what
/// the person fills in.
///
/// ```
/// # extern crate mcpfn_core as mcpfn;
/// # use mcpfn::Server;
/// # use mcpfn_macros::{input, prompt};
/// #[input]
/// struct Week {
///     /// The week's number.
///     week: String,
/// }
///
/// /// Summarise a week's orders.
/// #[prompt(title = "Weekly summary")]
/// async fn weekly_summary(args: Week) -> String {
///     format!("Summarise the orders of week {}.", args.week)
/// }
///
/// let server = Server::builder("catalog", "1.0.0").prompt(weekly_summary).build()?;
/// # Ok::<(), mcpfn::BuildError>(())
/// ```
///
/// Keys: `name`, `title`, `description`, `scope`, `old_name` and `deprecated`, as for [`macro@tool`]; the function's shapes
/// and what it becomes are the same.
#[proc_macro_attribute]
pub fn prompt(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(MacroKind::Prompt, attribute.into(), &item.into()).into()
}

/// Makes a function a resource that a client can read: at one URI, or at every URI of a template.
///
/// ```
/// # extern crate mcpfn_core as mcpfn;
/// # use mcpfn::{Cx, Server, ToolError};
/// # use mcpfn_macros::{input, resource};
/// /// The tables of the catalog.
/// #[resource("catalog://tables", title = "Tables", mime = "text/plain")]
/// async fn tables(cx: &Cx) -> Result<String, ToolError> {
///     Ok("products".to_owned())
/// }
///
/// #[input]
/// struct Table {
///     name: String,
/// }
///
/// /// One table's columns.
/// #[resource("catalog://tables/{name}", name = "table")]
/// async fn columns(args: Table) -> String {
///     args.name
/// }
///
/// let server = Server::builder("catalog", "1.0.0").resource(tables).resource(columns).build()?;
/// # Ok::<(), mcpfn::BuildError>(())
/// ```
///
/// The URI comes first. One with a `{` is a template, and the function takes its variables. Keys:
/// `name`, `title`, `scope` and `description`, as for [`macro@tool`], and `mime`, the media type.
/// The function's shapes and what it becomes are the same.
#[proc_macro_attribute]
pub fn resource(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand::function(MacroKind::Resource, attribute.into(), &item.into()).into()
}

/// Makes a struct or an enum readable from a call's arguments: serde's `Deserialize` and schemars'
/// `JsonSchema`, without depending on either.
///
/// ```
/// # extern crate mcpfn_core as mcpfn;
/// # use mcpfn_macros::input;
/// #[input]
/// #[derive(Debug)]
/// #[serde(rename_all = "camelCase")]
/// struct Search {
///     /// Words to look for.
///     #[schemars(length(min = 2, max = 200))]
///     query: String,
///     /// Most results to return.
///     #[serde(default)]
///     most_results: Option<u32>,
/// }
/// ```
///
/// Fields that the struct does not have are refused, and the schema says so
/// (`deny_unknown_fields`), unless a field is marked `#[serde(flatten)]`. The attributes of serde
/// and schemars stand below this one.
///
/// A field that had another name, or that goes away, is read for some releases more. Clients see
/// both in the schema (`deprecated: true`), in the result's `_meta` and, in the description, what to
/// do instead:
///
/// ```
/// # extern crate mcpfn_core as mcpfn;
/// # use mcpfn_macros::input;
/// #[input]
/// struct Search {
///     /// Words to look for.
///     #[input(old_name = "text")]
///     query: String,
///     /// Most results to return.
///     #[input(deprecated = "use `limit`")]
///     max: Option<u32>,
///     limit: Option<u32>,
/// }
/// ```
///
/// A type that goes both ways has `#[input]` above [`macro@output`].
#[proc_macro_attribute]
pub fn input(attribute: TokenStream, item: TokenStream) -> TokenStream {
    item::item(Side::Input, attribute.into(), &item.into()).into()
}

/// Makes a struct or an enum a structured result: serde's `Serialize` and schemars' `JsonSchema`,
/// without depending on either, and the promise that clients may see it.
///
/// ```
/// # extern crate mcpfn_core as mcpfn;
/// # use mcpfn_macros::output;
/// #[output]
/// struct Page<T> {
///     items: Vec<T>,
///     #[serde(skip_serializing_if = "Option::is_none")]
///     next: Option<String>,
/// }
/// ```
#[proc_macro_attribute]
pub fn output(attribute: TokenStream, item: TokenStream) -> TokenStream {
    item::item(Side::Output, attribute.into(), &item.into()).into()
}

/// Embeds the skills of a directory: each directory in it that has a `SKILL.md`, with all of its
/// files. Gives the `Skills` for `Builder::skills`. (Feature `embed`.)
///
/// ```ignore
/// let server = Server::builder("shop", "1.0.0").skills(skills!("skills")).build()?;
/// ```
///
/// The path is relative to the package's `Cargo.toml`. The header of each `SKILL.md`, names, sizes
/// and the number of files are checked here, and every mistake is reported at once; so is a link, a
/// hidden file, and a file that is in no skill. Digests are those of the bytes that are embedded.
///
/// A changed file is compiled again by itself. A new one is not seen before something else changes:
/// have a `build.rs` print `cargo:rerun-if-changed=skills`.
#[cfg(feature = "embed")]
#[proc_macro]
pub fn skills(directory: TokenStream) -> TokenStream {
    skills::embed(directory.into()).into()
}

/// Embeds a page of MCP Apps: an HTML file, which is checked here. Gives the `Page` for
/// `Builder::page`. (Feature `embed`.)
///
/// ```ignore
/// let page = page!("ui://shop/orders", "pages/orders.html", connect("https://api.shop.example"))
///     .title("Orders")
///     .border(true);
/// ```
///
/// The first text is the page's URI, the second one the file, relative to the package's
/// `Cargo.toml`. Then come the origins that it uses: `connect`, `resources`, `frames` and `base`, as
/// the methods of `Page`.
///
/// The file is one complete document. `<script src="app.js"></script>` and
/// `<link rel="stylesheet" href="app.css">`, written exactly so, put a file beside it into the
/// document, so that pages can share one. Whatever else it loads in plain sight must be of an origin
/// that is listed; every mistake is reported at once.
#[cfg(feature = "embed")]
#[proc_macro]
pub fn page(arguments: TokenStream) -> TokenStream {
    page::embed(arguments.into()).into()
}
