//! Tools, prompts and resources as a built server holds them: checked, indexed, their schemas
//! compiled.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_schema::Schema;
use serde_json::Value;

use crate::arguments;
use crate::complete::Completers;
use crate::deprecated::{Deprecations, described};
use crate::model::JsonObject;
use crate::model::prompt::PromptDefinition;
use crate::model::resource::ResourceDefinition;
use crate::model::tool::{CallToolResult, ToolDefinition};
use crate::policy::Cache;
use crate::port::store::Rate;
use crate::prompt::ErasedPrompt;
use crate::resource::ErasedResource;
use crate::resource::template::Template;
use crate::task::TaskOptions;
use crate::tool::ErasedTool;
use crate::tool::schema::HeaderParameter;
use crate::upstream::Upstream;

pub(crate) struct RegisteredTool {
    pub(crate) name: String,
    pub(crate) definition: ToolDefinition,
    pub(crate) scopes: Vec<String>,
    pub(crate) validator: Schema,
    /// For an output schema given by hand; a derived one can't differ from the type that it was
    /// derived from.
    pub(crate) output: Option<Schema>,
    pub(crate) headers: Vec<HeaderParameter>,
    pub(crate) timeout: Duration,
    pub(crate) rate_limit: Option<Rate>,
    pub(crate) cache: Option<Cache>,
    /// Its calls can be tasks.
    pub(crate) task: Option<TaskOptions>,
    /// A repeat may do what the call did again: it honours an `idempotencyKey`.
    pub(crate) writes: bool,
    /// It reads data of this server, which a write of this server may change.
    pub(crate) reads_own_data: bool,
    /// The argument that is its `idempotencyKey`, by its name.
    pub(crate) key_argument: Option<String>,
    /// Arguments that no record shows, by their names.
    pub(crate) hidden: Vec<String>,
    pub(crate) old_names: Vec<String>,
    pub(crate) deprecations: Deprecations,
    pub(crate) run: Box<dyn ErasedTool>,
    /// What it stands for, if it is not the server's own.
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
}

impl RegisteredTool {
    /// Calling it twice may do more than calling it once.
    pub(crate) fn repeats_write(&self) -> bool {
        let idempotent = self.definition.annotations.as_ref();
        self.writes && idempotent.and_then(|hints| hints.idempotent_hint) != Some(true)
    }

    /// Its name, and those that it had before.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.name)
            .chain(&self.old_names)
            .map(String::as_str)
    }

    /// As it is listed under each of them.
    pub(crate) fn listed(&self) -> impl Iterator<Item = ToolDefinition> + '_ {
        let old = self.old_names.iter().map(|old| {
            let (description, meta) = outdated(&self.name);
            ToolDefinition {
                name: old.clone(),
                description: Some(description),
                meta,
                ..self.definition.clone()
            }
        });
        std::iter::once_with(|| self.definition.clone()).chain(old)
    }

    /// Writes arguments as the handler gets them: by the names that they have now, and without the
    /// nulls of what is left out.
    ///
    /// # Errors
    /// What does not fit the schema, a line for each.
    pub(crate) fn fit(&self, given: &mut Value) -> Result<(), String> {
        arguments::with_integers(given);
        self.deprecations.rename(given)?;
        let mut checked = self.validator.check(given);
        if checked.is_err() && arguments::leave_out_nulls(given, &self.definition.input_schema) {
            checked = self.validator.check(given);
        }
        checked.map_err(|violations| violations.to_string())
    }

    /// A structured result must fit the published schema; the error is for the log.
    pub(crate) fn check_output(&self, result: &CallToolResult) -> Result<(), String> {
        let Some(output) = self.output.as_ref().filter(|_| !result.is_error) else {
            return Ok(());
        };
        match result.structured_content() {
            None => {
                Err("the tool has an output schema and its result no structured content".to_owned())
            }
            Some(value) => output.check(&value).map_err(|violations| {
                format!("the result does not fit the output schema:\n{violations}")
            }),
        }
    }
}

/// What is said of a tool or a prompt at a name that it had before `name`.
fn outdated(name: &str) -> (String, JsonObject) {
    let advice = format!("use `{name}`");
    let mut meta = JsonObject::new();
    let all = Deprecations::of_all(advice.clone());
    all.tell(&mut meta);
    (described(None, &advice), meta)
}

pub(crate) struct RegisteredPrompt {
    pub(crate) definition: PromptDefinition,
    pub(crate) scopes: Vec<String>,
    pub(crate) validator: Schema,
    pub(crate) completers: Completers,
    pub(crate) old_names: Vec<String>,
    pub(crate) deprecations: Deprecations,
    pub(crate) run: Box<dyn ErasedPrompt>,
    /// What it stands for, if it is not the server's own.
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
}

impl RegisteredPrompt {
    /// Its name, and those that it had before.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let name = &self.definition.name;
        std::iter::once(name)
            .chain(&self.old_names)
            .map(String::as_str)
    }

    /// As it is listed under each of them.
    pub(crate) fn listed(&self) -> impl Iterator<Item = PromptDefinition> + '_ {
        let old = self.old_names.iter().map(|old| {
            let (description, meta) = outdated(&self.definition.name);
            PromptDefinition {
                name: old.clone(),
                description: Some(description),
                meta,
                ..self.definition.clone()
            }
        });
        std::iter::once_with(|| self.definition.clone()).chain(old)
    }
}

pub(crate) struct RegisteredResource {
    pub(crate) definition: ResourceDefinition,
    pub(crate) scopes: Vec<String>,
    pub(crate) template: Option<Template>,
    pub(crate) fresh_ms: u64,
    pub(crate) public: bool,
    pub(crate) completers: Completers,
    pub(crate) run: Box<dyn ErasedResource>,
    /// What it stands for, if it is not the server's own.
    pub(crate) upstream: Option<Arc<dyn Upstream>>,
}

impl RegisteredResource {
    /// Its URI or its template, as it is listed.
    pub(crate) fn uri(&self) -> &str {
        let definition = &self.definition;
        definition
            .uri
            .as_deref()
            .or(definition.uri_template.as_deref())
            .unwrap_or_default()
    }

    /// Whether a completion's reference means this one: its URI, its template, or a URI that the
    /// template matches.
    pub(crate) fn is_named(&self, uri: &str) -> bool {
        self.definition.uri.as_deref() == Some(uri)
            || self.definition.uri_template.as_deref() == Some(uri)
            || self
                .template
                .as_ref()
                .is_some_and(|template| template.matches(uri).is_some())
    }

    pub(crate) fn has_variable(&self, name: &str) -> bool {
        self.template
            .as_ref()
            .is_some_and(|template| template.variables().any(|variable| variable == name))
    }
}

/// Another server, and what stands here for everything of each kind that it has. (What exactly it
/// has is known only when it is asked, after this server was built.)
pub(crate) struct RegisteredUpstream {
    pub(crate) upstream: Arc<dyn Upstream>,
    pub(crate) tool: Arc<RegisteredTool>,
    pub(crate) prompt: Arc<RegisteredPrompt>,
    pub(crate) resource: Arc<RegisteredResource>,
}
