//! The builder: takes everything in, checks everything once, reports every mistake together.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::model::capabilities::{Offered, ServerCapabilities};
use crate::model::implementation::{Icon, Implementation};
use crate::model::prompt::PromptDefinition;
use crate::model::resource::ResourceDefinition;
use crate::model::tool::{ToolAnnotations, ToolDefinition};
use crate::port::TypeMap;
use crate::prompt::{self, IntoPrompt, Prompt};
use crate::resource::template::Template;
use crate::resource::{self, IntoResource, Resource};
use crate::send::{MaybeSend, MaybeSync};
use crate::server::lists::{Kind, List, Lists};
use crate::server::registered::{RegisteredPrompt, RegisteredResource, RegisteredTool};
use crate::server::{Inner, Rendered, Server};
use crate::tool::schema;
use crate::tool::validate::Validator;
use crate::tool::{IntoTool, Tool};

/// Entries of one page of a list.
const PAGE: usize = 100;
/// How long a client may keep a list.
const LIST_TTL: Duration = Duration::from_secs(60);
/// Bytes of one answer: under what function URLs carry when buffered (6 MB).
const MOST_RESULT: usize = 5 * 1024 * 1024;

const NO_HANDLER: &str = "it has no handler: add `.handler(..)`";

/// Puts a server together. Registration happens here and nowhere else.
#[derive(Debug)]
#[must_use = "call `build()`"]
pub struct Builder {
    info: Implementation,
    instructions: Option<String>,
    tools: Vec<Tool>,
    prompts: Vec<Prompt>,
    resources: Vec<Resource>,
    state: TypeMap,
    logging: bool,
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
            tools: Vec::new(),
            prompts: Vec::new(),
            resources: Vec::new(),
            state: TypeMap::default(),
            logging: false,
            per_page: PAGE,
            list_ttl: LIST_TTL,
            most_result: MOST_RESULT,
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

    /// What a model should know before it uses the tools together.
    pub fn instructions(mut self, instructions: impl Into<String>) -> Self {
        self.instructions = Some(instructions.into());
        self
    }

    /// Adds a tool.
    pub fn tool(mut self, tool: impl IntoTool) -> Self {
        self.tools.push(tool.into_tool());
        self
    }

    /// Adds a prompt.
    pub fn prompt(mut self, prompt: impl IntoPrompt) -> Self {
        self.prompts.push(prompt.into_prompt());
        self
    }

    /// Adds a resource or a resource template.
    pub fn resource(mut self, resource: impl IntoResource) -> Self {
        self.resources.push(resource.into_resource());
        self
    }

    /// Adds what a function adds: a toolkit.
    pub fn with(self, toolkit: impl FnOnce(Self) -> Self) -> Self {
        toolkit(self)
    }

    /// Adds a value that handlers read by its type with `cx.state::<T>()`.
    pub fn state<T: Any + MaybeSend + MaybeSync>(mut self, value: T) -> Self {
        if self.state.insert(value) {
            self.mistakes.push(format!("state of type {} was given twice", std::any::type_name::<T>()));
        }
        self
    }

    /// Declares the `logging` capability, without which `cx.log` sends nothing. (Deprecated by 2026-07-28.)
    pub fn logging(mut self) -> Self {
        self.logging = true;
        self
    }

    /// Entries of one page of a list; 100 when not said.
    pub fn page_size(mut self, entries: usize) -> Self {
        self.per_page = entries;
        self
    }

    /// How long a client may keep a list (`ttlMs`); one minute when not said.
    pub fn list_ttl(mut self, ttl: Duration) -> Self {
        self.list_ttl = ttl;
        self
    }

    /// Bytes that one result may have; 5 MiB when not said, which fits a buffered function URL.
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
        let tools: Vec<RegisteredTool> = self.tools.into_iter().filter_map(|tool| register_tool(tool, &mut mistakes)).collect();
        let prompts: Vec<RegisteredPrompt> = self.prompts.into_iter().filter_map(|prompt| register_prompt(prompt, &mut mistakes)).collect();
        let resources: Vec<RegisteredResource> =
            self.resources.into_iter().filter_map(|resource| register_resource(resource, &mut mistakes)).collect();
        let tool_index = index("tool", tools.iter().map(|tool| tool.name.as_str()), &mut mistakes);
        let prompt_index = index("prompt", prompts.iter().map(|prompt| prompt.definition.name.as_str()), &mut mistakes);
        let resource_index = index("resource", resources.iter().map(registered_uri), &mut mistakes);
        if !mistakes.is_empty() {
            return Err(BuildError { server: self.info.name, mistakes });
        }

        let offered = |offered: bool| offered.then_some(Offered {});
        let completes =
            prompts.iter().any(|prompt| !prompt.completers.is_empty() || prompt.definition.arguments.iter().any(|a| !a.values.is_empty()))
                || resources.iter().any(|resource| !resource.completers.is_empty());
        let capabilities = ServerCapabilities {
            tools: offered(!tools.is_empty()),
            prompts: offered(!prompts.is_empty()),
            resources: offered(!resources.is_empty()),
            completions: offered(completes),
            logging: offered(self.logging),
        };
        let fixed = |templates: bool| resources.iter().filter(move |resource| resource.template.is_some() == templates).map(registered_uri);
        let lists = Lists {
            tools: List::new(Kind::Tools, self.per_page, tools.iter().map(|tool| tool.name.as_str())),
            prompts: List::new(Kind::Prompts, self.per_page, prompts.iter().map(|prompt| prompt.definition.name.as_str())),
            resources: List::new(Kind::Resources, self.per_page, fixed(false)),
            templates: List::new(Kind::Templates, self.per_page, fixed(true)),
        };
        let mut header_names: Vec<String> = tools.iter().flat_map(|tool| &tool.headers).map(|parameter| parameter.header.clone()).collect();
        header_names.sort();
        header_names.dedup();
        Ok(Server::from_inner(Inner {
            info: self.info,
            instructions: self.instructions,
            capabilities,
            tools,
            tool_index,
            prompts,
            prompt_index,
            resources,
            resource_index,
            header_names,
            lists,
            list_ttl_ms: milliseconds(self.list_ttl),
            most_result_bytes: self.most_result,
            state: Arc::new(self.state),
            rendered: Rendered::default(),
        }))
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn registered_uri(resource: &RegisteredResource) -> &str {
    resource.definition.uri.as_deref().or(resource.definition.uri_template.as_deref()).unwrap_or_default()
}

fn index<'a>(kind: &str, names: impl Iterator<Item = &'a str>, mistakes: &mut Vec<String>) -> HashMap<String, usize> {
    let mut index = HashMap::new();
    for (position, name) in names.enumerate() {
        if index.insert(name.to_owned(), position).is_some() {
            mistakes.push(format!("{kind} `{name}` is registered twice"));
        }
    }
    index
}

/// Adds mistakes under the name of the thing that they are about.
fn report(kind: &str, name: &str, found: &[String], mistakes: &mut Vec<String>) {
    mistakes.extend(found.iter().map(|found| format!("{kind} `{name}`: {found}")));
}

fn check_name(name: &str, found: &mut Vec<String>) {
    let legal = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    if name.is_empty() || name.len() > 128 || !name.chars().all(legal) {
        found.push("a name has 1 to 128 of the characters A-Z a-z 0-9 _ - .".to_owned());
    }
}

fn check_description(description: Option<&String>, found: &mut Vec<String>) {
    if description.is_none_or(|description| description.trim().is_empty()) {
        found.push("it has no description: add a doc comment or `.describe(..)`, a model chooses by it".to_owned());
    }
}

fn register_tool(tool: Tool, mistakes: &mut Vec<String>) -> Option<RegisteredTool> {
    let mut found = Vec::new();
    let input = tool.input.clone().or(tool.derived_input).unwrap_or_else(|| serde_json::json!({"type": "object"}));
    let headers = schema::check_input(&input, tool.input.is_none(), &mut found);
    let output = tool.output.clone().or(tool.derived_output);
    if let Some(output) = &output {
        schema::check_references(output, tool.output.is_none(), &mut found);
    }
    // a schema with a mistake of its own is not worth a second complaint from the compiler
    let compiles = found.is_empty();
    let mut compile = |what: &str, schema: &serde_json::Value| match Validator::compile(schema) {
        Ok(validator) => Some(validator),
        Err(error) => {
            if compiles {
                found.push(format!("its {what} schema is not valid: {error}"));
            }
            None
        }
    };
    let validator = compile("input", &input);
    let output_validator = tool.output.as_ref().and_then(|schema| compile("output", schema));
    check_name(&tool.name, &mut found);
    check_description(tool.description.as_ref(), &mut found);
    if tool.timeout.is_zero() {
        found.push("its timeout is zero: no call could end in time".to_owned());
    }
    if tool.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
    report("tool", &tool.name, &found, mistakes);
    let annotations = Some(tool.annotations).filter(|annotations| *annotations != ToolAnnotations::default());
    Some(RegisteredTool {
        definition: ToolDefinition {
            name: tool.name.clone(),
            title: tool.title,
            description: tool.description,
            icons: tool.icons,
            input_schema: input,
            output_schema: output,
            annotations,
            meta: tool.meta,
        },
        name: tool.name,
        validator: validator?,
        output: output_validator,
        headers,
        timeout: tool.timeout,
        run: tool.run?,
    })
}

fn register_prompt(prompt: Prompt, mistakes: &mut Vec<String>) -> Option<RegisteredPrompt> {
    let mut found = Vec::new();
    let schema = prompt.schema.unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}));
    let arguments = prompt::arguments(&schema, &mut found);
    let validator = Validator::compile(&schema).map_err(|error| found.push(format!("its arguments' schema is not valid: {error}"))).ok();
    for argument in prompt.completers.keys().filter(|argument| !arguments.iter().any(|known| known.name == **argument)) {
        found.push(format!("it completes `{argument}`, which is no argument of it"));
    }
    check_name(&prompt.name, &mut found);
    check_description(prompt.description.as_ref(), &mut found);
    if prompt.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
    report("prompt", &prompt.name, &found, mistakes);
    Some(RegisteredPrompt {
        definition: PromptDefinition {
            name: prompt.name,
            title: prompt.title,
            description: prompt.description,
            icons: prompt.icons,
            arguments,
            meta: prompt.meta,
        },
        validator: validator?,
        completers: prompt.completers,
        run: prompt.run?,
    })
}

fn register_resource(resource: Resource, mistakes: &mut Vec<String>) -> Option<RegisteredResource> {
    let mut found = Vec::new();
    let scheme = resource.uri.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let legal = |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        || !scheme.chars().all(legal)
        || resource.uri.contains(char::is_whitespace)
    {
        found.push("its URI needs a scheme, such as `shop://products`, and no spaces".to_owned());
    }
    let is_template = resource.is_template();
    let template = match Template::parse(&resource.uri) {
        Ok(template) => Some(template),
        Err(error) if is_template => {
            found.push(format!("its template can't be used: {error}"));
            None
        }
        Err(_) => None,
    };
    if let Some(template) = &template {
        resource::check_variables(template.variables(), resource.schema.as_ref(), &mut found);
        for variable in resource.completers.keys().filter(|name| !template.variables().any(|variable| variable == *name)) {
            found.push(format!("it completes `{variable}`, which is no variable of its template"));
        }
    } else if !is_template
        && resource.schema.as_ref().and_then(|schema| schema["required"].as_array()).is_some_and(|required| !required.is_empty())
    {
        found.push("its handler takes variables and its URI has none: put them in braces, such as `shop://products/{id}`".to_owned());
    }
    if resource.name.trim().is_empty() {
        found.push("it needs a name".to_owned());
    }
    if resource.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
    check_description(resource.description.as_ref(), &mut found);
    report("resource", &resource.uri, &found, mistakes);
    if is_template && template.is_none() {
        return None;
    }
    let (uri, uri_template) = if is_template { (None, Some(resource.uri)) } else { (Some(resource.uri), None) };
    Some(RegisteredResource {
        definition: ResourceDefinition {
            uri,
            uri_template,
            name: resource.name,
            title: resource.title,
            description: resource.description,
            mime_type: resource.mime_type,
            annotations: resource.annotations,
            size: resource.size,
            icons: resource.icons,
            meta: resource.meta,
        },
        template,
        fresh_ms: milliseconds(resource.fresh_for),
        public: resource.public,
        completers: resource.completers,
        run: resource.run?,
    })
}

/// Every mistake of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildError {
    server: String,
    /// One sentence each, naming what it is about and what to change.
    pub mistakes: Vec<String>,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        write!(f, "server `{}` can't be built, {count} {} to correct:", self.server, if count == 1 { "mistake" } else { "mistakes" })?;
        for mistake in &self.mistakes {
            write!(f, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for BuildError {}
