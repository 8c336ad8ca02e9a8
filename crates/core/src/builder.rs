//! The builder: takes everything in, checks everything once, reports every mistake together.

mod assemble;
mod build_error;
mod event;
mod extensions;
mod hosts;
mod kinds;
mod register;
mod skills;
mod tool_setting;
mod upstream;
mod with_event;
mod with_listening;
mod with_task;

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::event::Event;
use crate::model::implementation::{Icon, Implementation};
use crate::model::subscription::{SubscribedServer, Subscriptions};
use crate::page::Page;
use crate::port::{TypeMap, milliseconds};
use crate::prompt::{IntoPrompt, Prompt};
use crate::resource::{IntoResource, Resource};
use crate::send::{MaybeSend, MaybeSync};
use crate::server::greetings::{Greetings, Instructions, ToolAdvice};
use crate::server::result_writer::ResultWriter;
use crate::server::{Server, ServerInner};
use crate::skill::Skills;
use crate::tool::{IntoTool, Tool};
use crate::upstream::Upstream;
use assemble::Declared;
use event::RegisterEvents;
use kinds::Kinds;

pub use build_error::BuildError;
pub use tool_setting::{ToolChange, ToolSetting};

/// Entries of one page of a list. Many clients read the first page only.
const PAGE: usize = 1000;
/// How long a client may keep a list.
const LIST_TTL: Duration = Duration::from_secs(60);
/// Bytes of one answer: under what function URLs carry when buffered (6 MB).
const MAX_RESULT: usize = 5 * 1024 * 1024;

/// Puts a server together. Registration happens here and nowhere else.
///
/// What the server says of itself, and limits of lists and results:
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::Server;
/// use mcpfn_testing::TestClient;
///
/// let builder = Server::builder("shop", "1.0.0")
///     .title("The shop")
///     .description("Products and orders.")
///     .instructions("Search before you order.")
///     .list_ttl(Duration::from_secs(300))
///     .page_size(50)
///     .max_result_bytes(1024 * 1024);
/// let discovery = TestClient::new(builder).discover().wait().unwrap();
/// assert_eq!(discovery.instructions.as_deref(), Some("Search before you order."));
/// ```
///
/// What it offers, and what its handlers share. A toolkit is a function from builder to builder:
///
/// ```
/// use mcpfn_core::{Builder, Cx, NoArguments, Resource, Server, Tool};
/// use mcpfn_testing::TestClient;
///
/// struct Stock(u32);
///
/// fn warehouse(builder: Builder) -> Builder {
///     let count = Tool::new("count_items").description("Counts the items.").read_only();
///     builder.state(Stock(7)).tool(count.handler(|_: NoArguments, cx: Cx| async move {
///         cx.state::<Stock>().map(|stock| stock.0.to_string())
///     }))
/// }
///
/// let about = Resource::new("shop://about", "about").description("The shop.");
/// let server = Server::builder("shop", "1.0.0")
///     .with(warehouse)
///     .resource(about.handler(|| async { "A small shop." }))
///     .build()?;
/// assert_eq!(server.counts(), (1, 1, 0));
/// let client = TestClient::new(server);
/// let result = client.call("count_items", serde_json::json!({})).wait().unwrap();
/// assert_eq!(result.text(), "7");
/// # Ok::<(), mcpfn_core::BuildError>(())
/// ```
#[must_use = "call `build()`"]
pub struct Builder {
    info: Implementation,
    instructions: Option<String>,
    advice: Vec<ToolAdvice>,
    tools: Vec<Tool>,
    kinds: Kinds,
    prompts: Vec<Prompt>,
    resources: Vec<Resource>,
    upstreams: Vec<Arc<dyn Upstream>>,
    skills: Vec<Skills>,
    pages: Vec<Page>,
    tool_settings: Vec<ToolSetting>,
    state: TypeMap,
    logging: bool,
    extensions: BTreeMap<String, Value>,
    events: Option<(Vec<Event>, RegisterEvents)>,
    tasks: bool,
    idempotency_keys: bool,
    subscriptions: Subscriptions,
    per_page: usize,
    list_ttl: Duration,
    most_result: usize,
    mistakes: Vec<String>,
}

impl Builder {
    pub(crate) fn new(name: String, version: String) -> Self {
        Self {
            info: Implementation::new(name, version),
            instructions: None,
            advice: Vec::new(),
            tools: Vec::new(),
            kinds: Kinds::default(),
            prompts: Vec::new(),
            resources: Vec::new(),
            upstreams: Vec::new(),
            skills: Vec::new(),
            pages: Vec::new(),
            tool_settings: Vec::new(),
            state: TypeMap::default(),
            logging: false,
            extensions: BTreeMap::new(),
            events: None,
            tasks: true,
            idempotency_keys: true,
            subscriptions: Subscriptions::default(),
            per_page: PAGE,
            list_ttl: LIST_TTL,
            most_result: MAX_RESULT,
            mistakes: Vec::new(),
        }
    }

    /// The server's name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.info.title = Some(title.into());
        self
    }

    /// One sentence on what the server is for.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.info.description = Some(description.into());
        self
    }

    /// The server's home page.
    pub fn website(mut self, url: impl Into<String>) -> Self {
        self.info.website_url = Some(url.into());
        self
    }

    /// Adds a picture of the server.
    pub fn icon(mut self, icon: Icon) -> Self {
        self.info.icons.push(icon);
        self
    }

    /// What a model should know before it uses the tools together. Every caller reads it, also one
    /// who sees no tool: name tools in [`advice`](Self::advice).
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Adds a text on tools to the instructions, on a line of its own, for callers who can see each
    /// of these tools. A text on a tool that the server does not have is left out, so that a toolkit
    /// can say how its tools go together with those of another.
    ///
    /// ```
    /// use mcpfn_core::{NoArguments, Scopes, Server, Tool};
    /// use mcpfn_testing::TestClient;
    ///
    /// let tool = |name: &str| Tool::new(name).description("Does it.").scope("stock");
    /// let builder = Server::builder("shop", "1.0.0")
    ///     .tool(tool("count_items").handler(|_: NoArguments| async { "7" }))
    ///     .advice(["count_items"], "Use `count_items` before you promise anything.")
    ///     .advice(["count_items", "order"], "Use `count_items` before `order`.");
    /// let client = TestClient::new(builder);
    /// let instructions = |client: &TestClient| client.discover().wait().unwrap().instructions;
    /// let told = "Use `count_items` before you promise anything.";
    /// assert_eq!(instructions(&client).as_deref(), Some(told));
    /// assert_eq!(instructions(&client.scopes("")), None);
    /// ```
    pub fn advice<Name: Into<String>>(
        mut self,
        tools: impl IntoIterator<Item = Name>,
        text: impl Into<String>,
    ) -> Self {
        self.advice.push(ToolAdvice {
            tools: tools.into_iter().map(Into::into).collect(),
            text: text.into(),
        });
        self
    }

    /// Takes away the [advice](Self::advice) that was added before: for a server whose operator
    /// wrote instructions that stand in its place.
    pub fn without_advice(mut self) -> Self {
        self.advice.clear();
        self
    }

    /// Adds a tool.
    pub fn tool<Shape>(mut self, tool: impl IntoTool<Shape>) -> Self {
        self.tools.push(tool.into_tool());
        self
    }

    /// Adds a prompt.
    pub fn prompt<Shape>(mut self, prompt: impl IntoPrompt<Shape>) -> Self {
        self.kinds.add_prompts(&mut self.state);
        self.prompts.push(prompt.into_prompt());
        self
    }

    /// Adds a resource or a resource template.
    pub fn resource<Shape>(mut self, resource: impl IntoResource<Shape>) -> Self {
        self.kinds.add_resources(&mut self.state);
        self.resources.push(resource.into_resource());
        self
    }

    /// Fronts another server: what it has is listed with this server's own under its name, and
    /// calls of that are passed on.
    pub fn upstream(mut self, upstream: impl Upstream + 'static) -> Self {
        self.kinds.add_upstreams(&mut self.state);
        self.upstreams.push(Arc::new(upstream));
        self
    }

    /// Adds what a function adds: a toolkit.
    pub fn with(self, toolkit: impl FnOnce(Self) -> Self) -> Self {
        toolkit(self)
    }

    /// Adds a value that handlers read by its type with `cx.state::<T>()`.
    pub fn state<T: Any + MaybeSend + MaybeSync>(mut self, value: T) -> Self {
        if self.state.insert(value) {
            self.mistakes.push(format!(
                "state of type {} was given twice",
                std::any::type_name::<T>()
            ));
        }
        self
    }

    /// Adds a mistake in what is behind this server, such as a setting: [`build`](Self::build) reports
    /// it with all others.
    ///
    /// ```
    /// use mcpfn_core::Server;
    ///
    /// let builder = Server::builder("shop", "1.0.0").mistake("SHOP_URL must be a URL").page_size(0);
    /// assert_eq!(builder.build().unwrap_err().mistakes.len(), 2);
    /// ```
    pub fn mistake(mut self, sentence: impl Into<String>) -> Self {
        self.mistakes.push(sentence.into());
        self
    }

    /// Declares the `logging` capability, without which `cx.log` sends nothing. (Deprecated by
    /// 2026-07-28.)
    pub fn logging(mut self) -> Self {
        self.logging = true;
        self
    }

    /// What the operator decides about single tools. A tool that is not registered is a mistake, and
    /// so is a cache for one that may write.
    pub fn tool_settings(mut self, settings: impl IntoIterator<Item = ToolSetting>) -> Self {
        self.tool_settings.extend(settings);
        self
    }

    /// The most entries of one page of a list; 1,000 by default. A page has about 900 KB at most,
    /// and many clients read the first page only.
    pub fn page_size(mut self, entries: usize) -> Self {
        self.per_page = entries;
        self
    }

    /// How long a client may keep a list (`ttlMs`); one minute by default.
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.list_ttl = ttl;
        self
    }

    /// Bytes that one result may have; 5 MiB by default, which fits a buffered function URL.
    pub fn max_result_bytes(mut self, bytes: usize) -> Self {
        self.most_result = bytes;
        self
    }

    /// Checks everything and gives the server.
    ///
    /// # Errors
    /// Every mistake of the registration, not only the first.
    pub fn build(self) -> Result<Server, BuildError> {
        let mut mistakes = self.mistakes;
        if self.info.name.trim().is_empty() || self.info.version.trim().is_empty() {
            mistakes.push("the server needs a name and a version".to_owned());
        }
        if self.per_page == 0 {
            mistakes.push("a page needs at least one entry".to_owned());
        }
        let mut state = self.state;
        if let Some(listening) = &self.subscriptions.listen {
            listening.serve.add_to(&mut state);
        }
        if self.subscriptions != Subscriptions::default() {
            state.insert(SubscribedServer(self.info.name.clone()));
        }
        let mut tools = self.tools;
        tool_setting::apply(&mut tools, self.tool_settings, &mut mistakes);
        kinds::add_tasks(&tools, &mut state);
        let declared = Declared {
            tools,
            kinds: self.kinds,
            prompts: self.prompts,
            resources: self.resources,
            upstreams: self.upstreams,
            skills: self.skills,
            pages: self.pages,
            most_result: self.most_result,
            list_ttl: self.list_ttl,
            idempotency_keys: self.idempotency_keys,
            tasks: self.tasks,
        };
        let registry = declared.register(&mut mistakes);
        let has_events = event::add(&self.info.name, self.events, &mut state, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(BuildError {
                server: self.info.name,
                mistakes,
            });
        }
        let mut capabilities = assemble::capabilities(&registry, self.logging, self.extensions);
        capabilities.subscriptions = self.subscriptions;
        if has_events {
            event::declare(&mut capabilities);
        }
        Ok(Server::from_inner(ServerInner {
            results: ResultWriter::new(&self.info),
            info: self.info,
            greetings: Greetings::new(Instructions::new(self.instructions, self.advice, &registry)),
            capabilities,
            header_names: assemble::header_names(&registry),
            lists: assemble::lists(&registry, self.per_page),
            registry,
            list_ttl_ms: milliseconds(self.list_ttl),
            max_result_bytes: self.most_result,
            state: Arc::new(state),
        }))
    }
}

impl Server {
    /// Starts a server of this name and version.
    pub fn builder(name: impl Into<String>, version: impl Into<String>) -> Builder {
        Builder::new(name.into(), version.into())
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let upstreams: Vec<&str> = self
            .upstreams
            .iter()
            .map(|upstream| upstream.name())
            .collect();
        f.debug_struct("Builder")
            .field("info", &self.info)
            .field("tools", &self.tools)
            .field("prompts", &self.prompts)
            .field("resources", &self.resources)
            .field("upstreams", &upstreams)
            .field("mistakes", &self.mistakes)
            .finish_non_exhaustive()
    }
}
