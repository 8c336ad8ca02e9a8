//! Tools: how an author declares one. The wire's definition is `model/tool.rs`; running one is
//! `dispatch/call.rs`.

mod finite;
pub(crate) mod plain;
pub mod portable;
pub(crate) mod result;
pub(crate) mod schema;

use std::marker::PhantomData;
use std::time::Duration;

use serde_json::Value;

use crate::context::Cx;
use crate::declared::{declared, outlived};
use crate::error::ToolError;
use crate::handler_future::Registrable;
use crate::handler_trait::Handler;
use crate::model::JsonObject;
use crate::model::implementation::Icon;
use crate::model::tool::{CallToolResult, ToolAnnotations};
use crate::page::UiVisibility;
use crate::policy::Cache;
use crate::port::TypeMap;
use crate::port::store::Rate;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::task::TaskOptions;
use result::IntoToolResult;
use schema::Input;

/// How long a tool may run unless it says otherwise.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(5);

/// A tool: its name, what a model reads to choose it, and its handler.
///
/// Words for models and people, hints, and limits. Times and rates are per call and per caller:
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::{NoArguments, Server, Tool, port::Rate};
/// use mcpfn_testing::TestClient;
/// use serde_json::json;
///
/// let stock = Tool::new("stock_levels")
///     .title("Stock")
///     .description("How many items of each product are left. Use it before an order.")
///     .read_only()
///     .open_world(false)
///     .scope("stock:read")
///     .timeout(Duration::from_secs(2))
///     .rate_limit(Rate::per_minute(60))
///     .cache(Duration::from_secs(30))
///     .cache_stale(Duration::from_secs(300))
///     .cache_public()
///     .meta("example.com/team", json!("warehouse"))
///     .handler(|_: NoArguments| async { "tea: 7" });
/// let client = TestClient::new(Server::builder("shop", "1.0.0").tool(stock));
/// assert!(client.list_tools().wait().unwrap()[0].is_read_only());
/// assert_eq!(client.call("stock_levels", json!({})).wait().unwrap().text(), "tea: 7");
/// assert_eq!(client.scopes("").call("stock_levels", json!({})).wait().unwrap_err().code(), Some(403));
/// ```
///
/// A write says what it may destroy and whether a repeat does more. Its schema comes from the type of
/// its argument; [`Tool::input_schema`] and [`Tool::output_schema`] publish others:
///
/// ```
/// use mcpfn_core::{JsonObject, Server, Tool, content::CallToolResult};
/// use mcpfn_testing::TestClient;
/// use serde_json::{Value, json};
///
/// let set = Tool::new("set_price")
///     .description("Sets the price of a product, in cents.")
///     .destructive(false)
///     .idempotent()
///     .input_schema(json!({
///         "type": "object",
///         "properties": {"cents": {"type": "integer", "minimum": 1}},
///         "required": ["cents"],
///     }))
///     .output_schema(json!({"type": "object", "required": ["cents"]}))
///     .handler(|args: JsonObject| async move {
///         CallToolResult::text("done").structured(Value::Object(args))
///     });
/// let client = TestClient::new(Server::builder("shop", "1.0.0").tool(set));
/// let done = client.call("set_price", json!({"cents": 250})).wait().unwrap();
/// assert_eq!(done.structured::<Value>(), json!({"cents": 250}));
/// let wrong = client.call("set_price", json!({"cents": 0})).wait().unwrap();
/// assert!(wrong.is_error() && wrong.text().contains("/cents"));
/// ```
#[must_use = "give it to `Builder::tool`"]
pub struct Tool {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) scopes: Vec<String>,
    pub(crate) annotations: ToolAnnotations,
    pub(crate) timeout: Duration,
    pub(crate) rate_limit: Option<Rate>,
    pub(crate) cache: Cache,
    pub(crate) task: Option<TaskOptions>,
    /// Puts into a server's state what serves its tasks.
    pub(crate) serve_tasks: Option<fn(&mut TypeMap)>,
    pub(crate) meta: JsonObject,
    pub(crate) page: Option<String>,
    pub(crate) visibility: UiVisibility,
    pub(crate) old_names: Vec<String>,
    pub(crate) deprecated: Option<String>,
    /// Schemas given by hand, published unchanged.
    pub(crate) input: Option<Value>,
    pub(crate) output: Option<Value>,
    /// Schemas derived from the handler's types.
    pub(crate) derived_input: Option<Value>,
    pub(crate) derived_output: Option<Value>,
    pub(crate) run: Option<Box<dyn ErasedTool>>,
}

impl Tool {
    /// A tool without description and handler; both are to follow. The name has 1 to 128 of
    /// `A-Z a-z 0-9 _ - .`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            icons: Vec::new(),
            scopes: Vec::new(),
            annotations: ToolAnnotations::default(),
            timeout: TIMEOUT,
            rate_limit: None,
            cache: Cache::default(),
            task: None,
            serve_tasks: None,
            meta: JsonObject::new(),
            page: None,
            visibility: UiVisibility::default(),
            old_names: Vec::new(),
            deprecated: None,
            input: None,
            output: None,
            derived_input: None,
            derived_output: None,
            run: None,
        }
    }

    /// The tool changes nothing (`readOnlyHint`).
    pub fn read_only(mut self) -> Self {
        self.annotations.read_only_hint = Some(true);
        self
    }

    /// Whether a change may destroy something; `true` by default (`destructiveHint`).
    pub fn destructive(mut self, destructive: bool) -> Self {
        self.annotations.destructive_hint = Some(destructive);
        self
    }

    /// Calling it twice with the same arguments does no more than calling it once
    /// (`idempotentHint`).
    pub fn idempotent(mut self) -> Self {
        self.annotations.idempotent_hint = Some(true);
        self
    }

    /// Whether it reaches things outside this server; `true` by default (`openWorldHint`).
    pub fn open_world(mut self, open_world: bool) -> Self {
        self.annotations.open_world_hint = Some(open_world);
        self
    }

    /// How long a call may take; 5 seconds by default. Over it the call is cancelled and the model
    /// is told so.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often one caller may call it, beside what the deployment allows for all tools together.
    pub fn rate_limit(mut self, rate: Rate) -> Self {
        self.rate_limit = Some(rate);
        self
    }

    /// Keeps each result for so long, so that equal calls of the same principal need not run the
    /// handler. Only for tools that are `read_only`; failures are never kept.
    pub fn cache(mut self, fresh: Duration) -> Self {
        self.cache.fresh = fresh;
        self
    }

    /// For so long after that, an old result is still given at once, while a new one is made for
    /// the next caller. Where the host can't work after its answer, the call waits for the new one
    /// instead.
    pub fn cache_stale(mut self, stale: Duration) -> Self {
        self.cache.stale = stale;
        self
    }

    /// For so long after `cache`, an old result is given where the service that the handler asked
    /// fails ([`ToolError::with_fault`]) or the time is over, with how old it is and why there is no
    /// newer one. Longer ago is an error.
    pub fn cache_stale_if_error(mut self, stale: Duration) -> Self {
        self.cache.stale_if_error = stale;
        self
    }

    /// Any caller gets a result that was kept for any other: only for results that do not depend on
    /// who asks.
    pub fn cache_public(mut self) -> Self {
        self.cache.public = true;
        self
    }

    /// Adds a fact for programs to the definition.
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    /// Publishes this schema of the arguments, unchanged, instead of the derived one. Calls are
    /// checked against it.
    pub fn input_schema(mut self, schema: Value) -> Self {
        self.input = Some(schema);
        self
    }

    /// Publishes this schema of the structured content, unchanged, instead of the derived one.
    /// Results are checked against it.
    pub fn output_schema(mut self, schema: Value) -> Self {
        self.output = Some(schema);
        self
    }

    /// The function that answers calls; its types give the schemas. See [`Handler`] for the shapes.
    pub fn handler<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<M>,
        H::Arguments: Input,
        H::Output: IntoToolResult,
        M: 'static,
    {
        self.derived_input = Some(schema::of_input::<H::Arguments>());
        self.derived_output = H::Output::output_schema();
        self.run = Some(Box::new(TypedTool(handler, PhantomData::<fn() -> M>)));
        self
    }
}

#[cfg(feature = "pages")]
impl Tool {
    /// Hosts that can show pages show this one with each result: see [`Page`](crate::page::Page). All others
    /// have the result's text, so it says as much.
    pub fn ui(mut self, page: impl Into<String>) -> Self {
        self.page = Some(page.into());
        self
    }

    /// For pages to call: a host does not show it to its model. It is listed all the same, and anyone
    /// can call it; who may is said by scopes.
    pub fn app_only(mut self) -> Self {
        self.visibility = UiVisibility::App;
        self
    }

    /// For the model to call: a host lets no page do so.
    pub fn model_only(mut self) -> Self {
        self.visibility = UiVisibility::Model;
        self
    }
}

declared!(
    Tool,
    "What the tool does and when to use it. A model chooses by this text.",
    "call"
);
outlived!(Tool, "tool");

impl std::fmt::Debug for Tool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tool")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What `Builder::tool` takes: a [`Tool`], or what `#[tool]` makes of a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tool",
    label = "not a tool",
    note = "mark the function `#[tool]`, or build one with `Tool::new`"
)]
pub trait IntoTool<Shape = ()> {
    /// Gives the tool.
    fn into_tool(self) -> Tool;
}

impl IntoTool for Tool {
    fn into_tool(self) -> Tool {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<F, Shape> IntoTool<(Shape,)> for F
where
    F: Registrable<Shape>,
    F::Mark: IntoTool,
{
    fn into_tool(self) -> Tool {
        F::Mark::default().into_tool()
    }
}

/// A handler whose types are forgotten.
pub(crate) trait ErasedTool: MaybeSend + MaybeSync {
    /// Reads validated arguments and starts the handler. The error is serde's, for arguments that
    /// the schema lets through and the type does not. `name` is what was called, for what stands
    /// for several tools.
    fn start(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<CallToolResult, ToolError>>, serde_json::Error>;
}

struct TypedTool<H, M>(H, PhantomData<fn() -> M>);

impl<H, M> ErasedTool for TypedTool<H, M>
where
    H: Handler<M>,
    H::Arguments: Input,
    H::Output: IntoToolResult,
    M: 'static,
{
    fn start(
        &self,
        _: &str,
        arguments: Value,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<CallToolResult, ToolError>>, serde_json::Error> {
        let arguments = serde_json::from_value(arguments)?;
        let output = self.0.run(arguments, cx);
        Ok(Box::pin(async move { output.await.into_tool_result() }))
    }
}
