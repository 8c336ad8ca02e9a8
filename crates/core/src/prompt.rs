//! Prompts: how an author declares one. The wire's definition is `model/prompt.rs`.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use serde_json::Value;

use crate::complete::{Completers, Completions};
use crate::context::Cx;
use crate::declared::{declared, outlived};
use crate::error::ToolError;
use crate::handler_future::Registrable;
use crate::handler_trait::Handler;
use crate::model::JsonObject;
use crate::model::implementation::Icon;
use crate::model::prompt::{GetPromptResult, PromptArgument, PromptMessage};
use crate::send::{BoxFuture, MaybeSend, MaybeSync};
use crate::tool::schema::{self, Input};

/// A prompt: a conversation that a person starts by name, and its handler.
///
/// ```
/// use mcpfn_core::{Cx, JsonSchema, Prompt, Server};
/// use mcpfn_testing::{CompletionTarget, TestClient};
/// use serde_json::json;
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Week {
///     /// The week's number.
///     week: String,
/// }
///
/// let summary = Prompt::new("weekly_summary")
///     .title("Weekly summary")
///     .description("Summarises a week's orders.")
///     .scope("orders:read")
///     .handler(|args: Week| async move { format!("Summarise week {}.", args.week) })
///     .complete("week", |typed: String, _: Cx| async move {
///         let weeks = (1..=52).map(|week| week.to_string());
///         weeks.filter(|week| week.starts_with(&typed)).collect::<Vec<_>>()
///     });
/// let client = TestClient::new(Server::builder("shop", "1.0.0").prompt(summary));
/// let prompt = client.get_prompt("weekly_summary", json!({"week": "31"})).wait().unwrap();
/// assert_eq!(prompt.messages[0].content, "Summarise week 31.".into());
/// let offered = client.complete(CompletionTarget::prompt("weekly_summary"), "week", "5").wait().unwrap();
/// assert_eq!(offered.values, ["5", "50", "51", "52"]);
/// ```
#[must_use = "give it to `Builder::prompt`"]
pub struct Prompt {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) icons: Vec<Icon>,
    pub(crate) scopes: Vec<String>,
    pub(crate) meta: JsonObject,
    pub(crate) old_names: Vec<String>,
    pub(crate) deprecated: Option<String>,
    pub(crate) schema: Option<Value>,
    pub(crate) completers: Completers,
    pub(crate) run: Option<Box<dyn ErasedPrompt>>,
}

impl Prompt {
    /// A prompt without description and handler; both are to follow.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            icons: Vec::new(),
            scopes: Vec::new(),
            meta: JsonObject::new(),
            old_names: Vec::new(),
            deprecated: None,
            schema: None,
            completers: Completers::new(),
            run: None,
        }
    }

    /// The function that writes the messages. The fields of its argument type (`String`, an enum of
    /// words, or `Option` of these) are the prompt's arguments, their comments the descriptions.
    pub fn handler<H, M>(mut self, handler: H) -> Self
    where
        H: Handler<M>,
        H::Arguments: Input,
        H::Output: IntoPromptResult,
        M: 'static,
    {
        self.schema = Some(schema::of_input::<H::Arguments>());
        self.run = Some(Box::new(TypedPrompt(handler, PhantomData::<fn() -> M>)));
        self
    }

    /// Offers values while a person types an argument: a `Vec<String>` of all that there are, or
    /// [`Completions`]. An argument that is an enum needs no
    /// completer.
    pub fn complete<F, Fut>(mut self, argument: impl Into<String>, completer: F) -> Self
    where
        F: Fn(String, Cx) -> Fut + MaybeSend + MaybeSync + 'static,
        Fut: Future<Output: Into<Completions>> + MaybeSend + 'static,
    {
        self.completers.insert(argument.into(), Arc::new(completer));
        self
    }
}

declared!(
    Prompt,
    "What the prompt is for. A person chooses by this text.",
    "get"
);
outlived!(Prompt, "prompt");

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What `Builder::prompt` takes: a [`Prompt`], or what `#[prompt]` makes of a function.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a prompt",
    label = "not a prompt",
    note = "mark the function `#[prompt]`, or build one with `Prompt::new`"
)]
pub trait IntoPrompt<Shape = ()> {
    /// Gives the prompt.
    fn into_prompt(self) -> Prompt;
}

impl IntoPrompt for Prompt {
    fn into_prompt(self) -> Prompt {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<F, Shape> IntoPrompt<(Shape,)> for F
where
    F: Registrable<Shape>,
    F::Mark: IntoPrompt,
{
    fn into_prompt(self) -> Prompt {
        F::Mark::default().into_prompt()
    }
}

/// The arguments that a schema's properties stand for, with mistakes where a property can't be a
/// string.
pub(crate) fn arguments(schema: &Value, mistakes: &mut Vec<String>) -> Vec<PromptArgument> {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema["properties"].as_object();
    if properties.is_none() {
        mistakes.push("its arguments must be a struct with named fields".to_owned());
    }
    let arguments: Vec<PromptArgument> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| {
            let text = |key: &str| property.get(key).and_then(Value::as_str).map(str::to_owned);
            if !may_be_string(property) {
                mistakes.push(format!(
                    "its argument `{name}` must be a string, an enum of words or an `Option` of \
                     these: prompt arguments are strings"
                ));
            }
            let required = required.contains(&name.as_str());
            PromptArgument {
                name: name.clone(),
                title: text("title"),
                description: text("description"),
                required,
                values: words(property),
            }
        })
        .collect();
    // schema maps may be sorted by name; what must be filled in comes first
    let (mut first, others): (Vec<_>, Vec<_>) = arguments
        .into_iter()
        .partition(|argument: &PromptArgument| argument.required);
    first.extend(others);
    first
}

fn may_be_string(property: &Value) -> bool {
    match property.get("type") {
        Some(Value::String(kind)) => kind == "string",
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == "string"),
        _ => !words(property).is_empty(),
    }
}

/// The words of an enum, however the schema writes them.
fn words(property: &Value) -> Vec<String> {
    let choices = ["oneOf", "anyOf"]
        .iter()
        .filter_map(|key| property.get(key)?.as_array())
        .flatten();
    // schemars writes an enum whose words have comments as `oneOf` of `const`, and an `Option` of
    // one as `anyOf`
    let nested = choices.flat_map(|choice| match choice.get("const").and_then(Value::as_str) {
        Some(word) => vec![word.to_owned()],
        None => words(choice),
    });
    let own = property
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    own.chain(nested).collect()
}

/// A result that a prompt may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a prompt's result",
    label = "not a prompt result",
    note = "return a `String` (one message from the user), `PromptMessage`, `Vec<PromptMessage>`, \
        `GetPromptResult`, or a `Result` of one of these"
)]
pub trait IntoPromptResult {
    /// Turns the value into the wire's result.
    ///
    /// # Errors
    /// The handler's own failure.
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError>;
}

impl IntoPromptResult for GetPromptResult {
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError> {
        Ok(self)
    }
}

impl IntoPromptResult for Vec<PromptMessage> {
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError> {
        Ok(GetPromptResult::new(self))
    }
}

impl IntoPromptResult for PromptMessage {
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError> {
        vec![self].into_prompt_result()
    }
}

impl IntoPromptResult for String {
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError> {
        PromptMessage::user(self).into_prompt_result()
    }
}

impl IntoPromptResult for &'static str {
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError> {
        PromptMessage::user(self).into_prompt_result()
    }
}

impl<T: IntoPromptResult, E: Into<ToolError>> IntoPromptResult for Result<T, E> {
    fn into_prompt_result(self) -> Result<GetPromptResult, ToolError> {
        self.map_err(Into::into)?.into_prompt_result()
    }
}

/// A handler whose types are forgotten.
pub(crate) trait ErasedPrompt: MaybeSend + MaybeSync {
    fn start(
        &self,
        name: &str,
        arguments: Value,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<GetPromptResult, ToolError>>, serde_json::Error>;
}

struct TypedPrompt<H, M>(H, PhantomData<fn() -> M>);

impl<H, M> ErasedPrompt for TypedPrompt<H, M>
where
    H: Handler<M>,
    H::Arguments: Input,
    H::Output: IntoPromptResult,
    M: 'static,
{
    fn start(
        &self,
        _: &str,
        arguments: Value,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<GetPromptResult, ToolError>>, serde_json::Error> {
        let arguments = serde_json::from_value(arguments)?;
        let output = self.0.run(arguments, cx);
        Ok(Box::pin(async move { output.await.into_prompt_result() }))
    }
}
