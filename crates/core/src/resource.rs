//! Resources and resource templates: how an author declares one. The wire's definition is
//! `model/resource.rs`.

pub(crate) mod result;
pub(crate) mod template;

use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::complete::{Completers, Completions};
use crate::context::Cx;
use crate::declared::declared;
use crate::error::ToolError;
use crate::handler_future::Registrable;
use crate::handler_trait::Handler;
use crate::model::JsonObject;
use crate::model::content::{Annotations, ResourceContents};
use crate::model::implementation::Icon;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::tool::schema::{self, JsonSchema};
use result::IntoResourceContents;

/// A resource at a fixed URI, or a template of URIs (RFC 6570) when the URI has a `{`.
///
/// ```
/// use std::time::Duration;
/// use mcpfn_core::{Cx, JsonSchema, Resource, Server, ToolError, content::{Annotations, Role}};
/// use mcpfn_testing::{CompletionTarget, TestClient};
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Product {
///     sku: String,
/// }
///
/// let terms = Resource::new("shop://terms", "terms")
///     .title("Terms")
///     .description("The terms of sale.")
///     .mime("text/plain")
///     .size(13)
///     .annotate(Annotations::default().audience(Role::User).priority(0.5))
///     .fresh_for(Duration::from_secs(3600))
///     .public()
///     .handler(|| async { "No refunds..." });
/// let product = Resource::new("shop://product/{sku}", "product")
///     .description("One product.")
///     .scope("catalog:read")
///     .handler(|args: Product| async move {
///         match args.sku.as_str() {
///             "tea-1" => Ok("Green tea"),
///             _ => Err(ToolError::not_found("there is no such product")),
///         }
///     })
///     .complete("sku", |_typed: String, _: Cx| async { vec!["tea-1".to_owned()] });
/// let client = TestClient::new(Server::builder("shop", "1.0.0").resource(terms).resource(product));
/// let terms = client.read("shop://terms").wait().unwrap();
/// assert_eq!((terms.ttl_ms, terms.cache_scope.as_deref()), (Some(3_600_000), Some("public")));
/// assert_eq!(client.read("shop://product/tea-1").wait().unwrap().text(), Some("Green tea"));
/// assert_eq!(client.read("shop://product/x").wait().unwrap_err().code(), Some(-32602));
/// let template = CompletionTarget::resource("shop://product/{sku}");
/// assert_eq!(client.complete(template, "sku", "t").wait().unwrap().values, ["tea-1"]);
/// ```
#[must_use = "give it to `Builder::resource`"]
pub struct Resource {
    pub(crate) uri: String,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) scopes: Vec<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) annotations: Option<Annotations>,
    pub(crate) meta: JsonObject,
    pub(crate) fresh_for: Duration,
    pub(crate) public: bool,
    pub(crate) schema: Option<Value>,
    pub(crate) completers: Completers,
    pub(crate) run: Option<Box<dyn ErasedResource>>,
}

impl Resource {
    /// A URI or a template of URIs, and a name for programs. The handler is to follow.
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            icons: Vec::new(),
            scopes: Vec::new(),
            mime_type: None,
            size: None,
            annotations: None,
            meta: JsonObject::new(),
            fresh_for: Duration::ZERO,
            public: false,
            schema: None,
            completers: Completers::new(),
            run: None,
        }
    }

    pub(crate) fn is_template(&self) -> bool {
        self.uri.contains('{')
    }

    /// The media type of its contents; `text/plain` for text and `application/octet-stream` for
    /// bytes by default.
    pub fn mime(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Its size in bytes, if known beforehand.
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Adds a fact for programs to the definition (`_meta`), from 2025-06-18 on. What programs read with
    /// the contents is [`ResourceContents::meta`](crate::content::ResourceContents::meta).
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    /// Whom it is for and how much it matters.
    pub fn annotate(mut self, annotations: Annotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// How long a client may keep the contents (`ttlMs`); not at all by default.
    pub fn fresh_for(mut self, duration: Duration) -> Self {
        self.fresh_for = duration;
        self
    }

    /// The contents are the same for every caller, so that any cache between may share them
    /// (`cacheScope: public`).
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// The function that reads the resource: `Fn()` or `Fn(Cx)` for a fixed URI; `Fn(A)` or
    /// `Fn(A, Cx)` for a template, where the fields of `A` are the template's variables (strings).
    pub fn handler<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<M>,
        H::Arguments: Variables,
        H::Output: IntoResourceContents,
        M: 'static,
    {
        self.schema = H::Arguments::schema();
        self.run = Some(Box::new(TypedResource(handler, PhantomData::<fn() -> M>)));
        self
    }

    /// Offers values while a person fills in a variable of the template: a `Vec<String>` of all that
    /// there are, or [`Completions`].
    pub fn complete<F, Fut>(mut self, variable: impl Into<String>, completer: F) -> Self
    where
        F: Fn(String, Cx) -> Fut + MaybeSend + MaybeSync + 'static,
        Fut: Future<Output: Into<Completions>> + MaybeSend + 'static,
    {
        self.completers.insert(variable.into(), Arc::new(completer));
        self
    }
}

declared!(Resource, "What the resource holds.", "read");

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resource")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

/// What `Builder::resource` takes: a [`Resource`], or what `#[resource]` makes of a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    label = "not a resource",
    note = "mark the function `#[resource]`, or build one with `Resource::new`"
)]
pub trait IntoResource<Shape = ()> {
    /// Gives the resource.
    fn into_resource(self) -> Resource;
}

impl IntoResource for Resource {
    fn into_resource(self) -> Resource {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<F, Shape> IntoResource<(Shape,)> for F
where
    F: Registrable<Shape>,
    F::Mark: IntoResource,
{
    fn into_resource(self) -> Resource {
        F::Mark::default().into_resource()
    }
}

/// What a resource's handler takes: a template's variables, or the call alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't hold the variables of a resource template",
    note = "take a struct with one `String` field per variable, marked `#[input]`, or the `Cx` \
        alone for a fixed URI"
)]
pub trait Variables: Sized {
    /// The schema of the variables, if the handler takes any.
    #[must_use]
    fn schema() -> Option<Value>;

    /// Reads the variables.
    ///
    /// # Errors
    /// When they do not fit the type.
    fn read(values: BTreeMap<String, String>, cx: &Cx) -> Result<Self, serde_json::Error>;
}

impl Variables for Cx {
    fn schema() -> Option<Value> {
        None
    }

    fn read(_: BTreeMap<String, String>, cx: &Cx) -> Result<Self, serde_json::Error> {
        Ok(cx.clone())
    }
}

impl<T: DeserializeOwned + JsonSchema> Variables for T {
    fn schema() -> Option<Value> {
        Some(schema::of_input::<T>())
    }

    fn read(values: BTreeMap<String, String>, _: &Cx) -> Result<Self, serde_json::Error> {
        serde_json::from_value(
            values
                .into_iter()
                .map(|(name, value)| (name, Value::from(value)))
                .collect(),
        )
    }
}

/// Variables and fields must have the same names.
pub(crate) fn check_variables<'a>(
    variables: impl Iterator<Item = &'a str>,
    schema: Option<&Value>,
    mistakes: &mut Vec<String>,
) {
    let Some(schema) = schema else {
        mistakes.push("its handler must take the template's variables".to_owned());
        return;
    };
    let variables: Vec<&str> = variables.collect();
    let fields: Vec<&str> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    for variable in &variables {
        if !fields.contains(variable) {
            mistakes.push(format!(
                "its variable `{variable}` has no field in the handler's argument type"
            ));
        }
    }
    let required = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    for field in required.filter(|field| !variables.contains(field)) {
        mistakes.push(format!(
            "the field `{field}` of the handler's argument type is not a variable of the template"
        ));
    }
}

/// A handler whose types are forgotten.
pub(crate) trait ErasedResource: MaybeSend + MaybeSync {
    fn start(
        &self,
        values: BTreeMap<String, String>,
        uri: String,
        mime_type: Option<String>,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<Vec<ResourceContents>, ToolError>>, serde_json::Error>;
}

struct TypedResource<H, M>(H, PhantomData<fn() -> M>);

impl<H, M> ErasedResource for TypedResource<H, M>
where
    H: Handler<M>,
    H::Arguments: Variables,
    H::Output: IntoResourceContents,
    M: 'static,
{
    fn start(
        &self,
        values: BTreeMap<String, String>,
        uri: String,
        mime_type: Option<String>,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<Vec<ResourceContents>, ToolError>>, serde_json::Error>
    {
        let variables = H::Arguments::read(values, &cx)?;
        let output = self.0.run(variables, cx);
        Ok(Box::pin(async move {
            output.await.into_contents(&uri, mime_type.as_deref())
        }))
    }
}
