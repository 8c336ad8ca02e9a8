//! Pages that hosts show beside a tool's result (extension `io.modelcontextprotocol/ui`, MCP Apps):
//! how an author declares one. To clients a page is a resource; how it is read is that of any other.
//!
//! What the specification says about who may load what (`csp`) belongs to the page, never to the
//! tool. It stands on the entry of the list and on the contents, because hosts look at either.

use std::borrow::Cow;
use std::time::Duration;

use mcpfn_embed::page::{MAX_BYTES, origin_mistake};
use serde_json::{Map, Value, json};

use crate::model::JsonObject;
use crate::model::content::ResourceContents;
use crate::resource::Resource;

#[cfg(feature = "embed")]
pub use mcpfn_macros::page;

/// The extension's id.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/ui";

/// The media type of a page.
pub(crate) const PAGE_MIME: &str = "text/html;profile=mcp-app";

/// How the URIs of all pages begin.
pub(crate) const SCHEME: &str = "ui://";

/// What a page may use beside its own document, if the host agrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Permission {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// Where the user is.
    Geolocation,
    /// Writing to the clipboard.
    ClipboardWrite,
}

impl Permission {
    fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Geolocation => "geolocation",
            Self::ClipboardWrite => "clipboardWrite",
        }
    }
}

/// A page: one complete HTML document that hosts show in a frame of its own.
///
/// A host gives it the arguments and the result of a tool that names it ([`Tool::ui`](crate::Tool::ui)).
/// A page loads nothing from elsewhere unless its origin is listed here.
///
/// ```
/// use mcpfn_core::page::Page;
/// use mcpfn_core::{NoArguments, Server, Tool};
/// use mcpfn_testing::TestClient;
///
/// let html = "<!doctype html><html><head><title>Orders</title></head><body>..</body></html>";
/// let page = Page::new("ui://shop/orders", html)
///     .description("The open orders as a table.")
///     .connect("https://api.shop.example")
///     .border(true);
/// let orders = Tool::new("orders").description("Lists the open orders.").ui("ui://shop/orders");
/// let orders = orders.handler(|_: NoArguments| async { "7 orders" });
/// let client = TestClient::new(Server::builder("shop", "1.0.0").page(page).tool(orders));
/// let read = client.request("resources/read", serde_json::json!({"uri": "ui://shop/orders"}));
/// let read = read.wait().unwrap();
/// let contents = &read["contents"][0];
/// assert_eq!(contents["mimeType"], "text/html;profile=mcp-app");
/// assert_eq!(contents["_meta"]["ui"]["csp"]["connectDomains"][0], "https://api.shop.example");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "give it to `Builder::page`"]
pub struct Page {
    uri: String,
    html: Cow<'static, str>,
    name: Option<String>,
    title: Option<String>,
    description: Option<String>,
    scopes: Vec<String>,
    connect: Vec<String>,
    resources: Vec<String>,
    frames: Vec<String>,
    base: Vec<String>,
    permissions: Vec<Permission>,
    domain: Option<String>,
    border: Option<bool>,
}

impl Page {
    /// A page at a URI that begins with `ui://`. [`page!`](macro@page) takes the document from a
    /// file, and checks there what it loads.
    pub fn new(uri: impl Into<String>, html: impl Into<Cow<'static, str>>) -> Self {
        Self {
            uri: uri.into(),
            html: html.into(),
            name: None,
            title: None,
            description: None,
            scopes: Vec::new(),
            connect: Vec::new(),
            resources: Vec::new(),
            frames: Vec::new(),
            base: Vec::new(),
            permissions: Vec::new(),
            domain: None,
            border: None,
        }
    }

    /// Its name for programs; what follows the last `/` of the URI by default.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// A name for people.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What it shows.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// A scope that a caller needs to read it. Given several times, all of them are needed.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// An origin that its scripts may ask, such as `https://api.shop.example` (`connectDomains`).
    pub fn connect(mut self, origin: impl Into<String>) -> Self {
        self.connect.push(origin.into());
        self
    }

    /// An origin of scripts, styles, pictures, fonts and media; `https://*.shop.example` has all
    /// below it (`resourceDomains`).
    pub fn resources(mut self, origin: impl Into<String>) -> Self {
        self.resources.push(origin.into());
        self
    }

    /// An origin of frames in it (`frameDomains`).
    pub fn frames(mut self, origin: impl Into<String>) -> Self {
        self.frames.push(origin.into());
        self
    }

    /// An origin that its `<base>` may name (`baseUriDomains`).
    pub fn base(mut self, origin: impl Into<String>) -> Self {
        self.base.push(origin.into());
        self
    }

    /// What it wants to use. A host may say no.
    pub fn permission(mut self, permission: Permission) -> Self {
        self.permissions.push(permission);
        self
    }

    /// An origin of its own that stays the same, in the form that a host has for it: where a service
    /// that it asks knows its callers by origin. Leave it out otherwise.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Whether a host should draw a border around it (`prefersBorder`); the host's choice by default.
    pub fn border(mut self, border: bool) -> Self {
        self.border = Some(border);
        self
    }

    pub(crate) fn uri(&self) -> &str {
        &self.uri
    }

    /// The `_meta` of the page, if there is anything to say.
    fn meta(&self) -> Option<Value> {
        let mut ui = Map::new();
        let origins = [
            ("connectDomains", &self.connect),
            ("resourceDomains", &self.resources),
            ("frameDomains", &self.frames),
            ("baseUriDomains", &self.base),
        ];
        let listed = origins
            .into_iter()
            .filter(|(_, origins)| !origins.is_empty());
        let csp: Map<String, Value> = listed
            .map(|(name, origins)| (name.to_owned(), json!(origins)))
            .collect();
        if !csp.is_empty() {
            ui.insert("csp".to_owned(), csp.into());
        }
        let permissions = self.permissions.iter();
        let permissions: Map<String, Value> = permissions
            .map(|permission| (permission.name().to_owned(), json!({})))
            .collect();
        if !permissions.is_empty() {
            ui.insert("permissions".to_owned(), permissions.into());
        }
        if let Some(domain) = &self.domain {
            ui.insert("domain".to_owned(), domain.as_str().into());
        }
        if let Some(border) = self.border {
            ui.insert("prefersBorder".to_owned(), border.into());
        }
        (!ui.is_empty()).then(|| ui.into())
    }

    /// The resource that it is to clients. Adds what is wrong with it.
    pub(crate) fn into_resource(self, list_ttl: Duration, mistakes: &mut Vec<String>) -> Resource {
        let mut found = Vec::new();
        self.check(&mut found);
        mistakes.extend(
            found
                .iter()
                .map(|mistake| format!("page `{}`: {mistake}", self.uri)),
        );
        let meta = self.meta();
        let name = self.uri.rsplit('/').next().unwrap_or_default().to_owned();
        let mut resource = Resource::new(self.uri.clone(), self.name.unwrap_or(name))
            .mime(PAGE_MIME)
            .fresh_for(list_ttl)
            .description(
                self.description
                    .unwrap_or_else(|| "A page that shows the result of a tool.".to_owned()),
            );
        resource.title = self.title;
        if self.scopes.is_empty() {
            resource = resource.public();
        }
        resource.scopes = self.scopes;
        if let Some(ui) = &meta {
            resource = resource.meta("ui", ui.clone());
        }
        let contents = ResourceContents::text(self.uri, PAGE_MIME, self.html);
        let contents = match meta {
            Some(ui) => contents.with_meta("ui", ui),
            None => contents,
        };
        resource.handler(move || {
            let contents = contents.clone();
            async move { contents }
        })
    }

    fn check(&self, found: &mut Vec<String>) {
        if !self.uri.starts_with(SCHEME) || self.uri.len() == SCHEME.len() {
            found.push("its URI begins with `ui://`, such as `ui://shop/orders`".to_owned());
        }
        let html = self.html.trim_ascii();
        let (first, last) = (html.get(..15), html.len().checked_sub(7));
        let begins = first.is_some_and(|first| first.eq_ignore_ascii_case("<!doctype html>"));
        let last = last.and_then(|start| html.get(start..));
        let ends = last.is_some_and(|last| last.eq_ignore_ascii_case("</html>"));
        if !begins || !ends {
            found.push(
                "it is no complete document: it begins with `<!doctype html>` and ends with \
                 `</html>`"
                    .to_owned(),
            );
        }
        if self.html.len() > MAX_BYTES {
            found.push(format!(
                "it has {} bytes, and a page has {MAX_BYTES} at most: make it smaller",
                self.html.len()
            ));
        }
        let resources = self.resources.iter().map(|origin| (origin, true));
        let others = [&self.connect, &self.frames, &self.base];
        let others = others.into_iter().flatten().map(|origin| (origin, false));
        for (origin, wildcard) in resources.chain(others) {
            if let Some(mistake) = origin_mistake(origin, wildcard) {
                found.push(format!("{}: {mistake}", crate::text::quoted(origin)));
            }
        }
        let is_host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        if let Some(domain) = &self.domain
            && (domain.is_empty() || !domain.chars().all(is_host))
        {
            found.push("its domain is the name of a host, without scheme and path".to_owned());
        }
    }
}

/// Who may call a tool with a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "pages"),
    expect(dead_code, reason = "its methods are those of the feature")
)]
pub(crate) enum UiVisibility {
    /// The model and pages.
    #[default]
    Both,
    /// Pages alone: a host does not show it to its model.
    App,
    /// The model alone.
    Model,
}

/// Adds what a tool says about its page: the key of today, and the one that older hosts read.
pub(crate) fn tell(page: Option<&str>, visibility: UiVisibility, meta: &mut JsonObject) {
    if !cfg!(feature = "pages") {
        return;
    }
    let mut ui = Map::new();
    if let Some(page) = page {
        ui.insert("resourceUri".to_owned(), page.into());
    }
    match visibility {
        UiVisibility::Both => {}
        UiVisibility::App => drop(ui.insert("visibility".to_owned(), json!(["app"]))),
        UiVisibility::Model => drop(ui.insert("visibility".to_owned(), json!(["model"]))),
    }
    if !ui.is_empty() {
        meta.insert("ui".to_owned(), ui.into());
    }
    if let Some(page) = page {
        meta.insert("ui/resourceUri".to_owned(), page.into());
    }
}
