//! From what an author declared to what a server holds: every check of a registration, thing by
//! thing.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mcpfn_schema::Schema;

use crate::model::prompt::PromptDefinition;
use crate::model::resource::ResourceDefinition;
use crate::model::tool::{ToolAnnotations, ToolDefinition};
use crate::policy::Cache;
use crate::port::milliseconds;
use crate::prompt::{self, Prompt};
use crate::resource::template::Template;
use crate::resource::{self, Resource};
use crate::scope;
use crate::server::registered::{RegisteredPrompt, RegisteredResource, RegisteredTool};
use crate::tool::Tool;
use crate::tool::schema;

const NO_HANDLER: &str = "it has no handler: add `.handler(..)`";

pub(super) fn registered_uri(resource: &RegisteredResource) -> &str {
    resource
        .definition
        .uri
        .as_deref()
        .or(resource.definition.uri_template.as_deref())
        .unwrap_or_default()
}

/// Positions by name.
pub(super) fn index<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<String, usize> {
    names
        .enumerate()
        .map(|(position, name)| (name.to_owned(), position))
        .collect()
}

/// A name stands for one thing.
pub(super) fn unique<'a>(
    kind: &str,
    names: impl Iterator<Item = &'a String>,
    mistakes: &mut Vec<String>,
) {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            mistakes.push(format!("{kind} `{name}` is registered twice"));
        }
    }
}

/// Adds mistakes under the name of the thing that they are about.
fn report(kind: &str, name: &str, found: &[String], mistakes: &mut Vec<String>) {
    mistakes.extend(
        found
            .iter()
            .map(|found| format!("{kind} `{name}`: {found}")),
    );
}

/// Whether a tool or a prompt may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    // what the specification recommends for tools since 2025-11-25
    let legal =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.');
    !name.is_empty() && name.len() <= 128 && name.chars().all(legal)
}

fn check_name(name: &str, found: &mut Vec<String>) {
    if !is_name(name) {
        found.push("a name has 1 to 128 of the characters A-Z a-z 0-9 _ - .".to_owned());
    }
}

fn check_scopes(scopes: &[String], found: &mut Vec<String>) {
    found.extend(
        scopes
            .iter()
            .filter_map(|scope| scope::mistake(scope))
            .map(str::to_owned),
    );
}

fn check_description(description: Option<&String>, found: &mut Vec<String>) {
    if description.is_none_or(|description| description.trim().is_empty()) {
        found.push(
            "it has no description: add a doc comment or `.description(..)`, a model chooses by it"
                .to_owned(),
        );
    }
}

pub(super) fn tool(tool: Tool, mistakes: &mut Vec<String>) -> Option<RegisteredTool> {
    // every check runs, whatever failed before it: an author reads all mistakes of one build
    let mut found = Vec::new();
    let input = tool
        .input
        .clone()
        .or(tool.derived_input)
        .unwrap_or_else(|| serde_json::json!({"type": "object"}));
    let headers = schema::check_input(&input, tool.input.is_none(), &mut found);
    let output = tool.output.clone().or(tool.derived_output);
    if let Some(output) = &output {
        schema::check_references(output, tool.output.is_none(), &mut found);
    }
    // a schema with a mistake of its own is not worth a second complaint from the compiler
    let compiles = found.is_empty();
    let mut compile = |what: &str, schema: &serde_json::Value| match Schema::compile(schema) {
        Ok(validator) => Some(validator),
        Err(error) => {
            if compiles {
                found.push(format!("its {what} schema is not valid: {error}"));
            }
            None
        }
    };
    let validator = compile("input", &input);
    // only for a schema given by hand: a derived one can't differ from the type that is written
    let output_validator = tool
        .output
        .as_ref()
        .and_then(|schema| compile("output", schema));
    check_name(&tool.name, &mut found);
    check_description(tool.description.as_ref(), &mut found);
    check_scopes(&tool.scopes, &mut found);
    if tool.timeout.is_zero() {
        found.push("its timeout is zero: no call could end in time".to_owned());
    }
    let read_only = tool.annotations.read_only_hint == Some(true);
    if tool.cache != Cache::default() {
        if !read_only {
            found.push(
                "it keeps its results, and is not `read_only`: a cached result would leave \
                out a write"
                    .to_owned(),
            );
        }
        if tool.cache.fresh.is_zero() {
            found
                .push("it says how its results are kept, and not how long: add `cache`".to_owned());
        }
    }
    if tool
        .rate
        .is_some_and(|rate| rate.calls == 0 || rate.per < Duration::from_millis(1))
    {
        found.push(
            "its rate allows no call: give at least one call in at least a millisecond".to_owned(),
        );
    }
    let hidden = schema::hidden(&input);
    let key_argument = schema::key_argument(&input, read_only, &mut found);
    if tool.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
    report("tool", &tool.name, &found, mistakes);
    let annotations =
        Some(tool.annotations).filter(|annotations| *annotations != ToolAnnotations::default());
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
        scopes: tool.scopes,
        validator: validator?,
        output: output_validator,
        headers,
        timeout: tool.timeout,
        rate: tool.rate,
        cache: Some(tool.cache).filter(|cache| !cache.fresh.is_zero()),
        writes: !read_only,
        key_argument,
        hidden,
        run: tool.run?,
    })
}

pub(super) fn prompt(prompt: Prompt, mistakes: &mut Vec<String>) -> Option<RegisteredPrompt> {
    let mut found = Vec::new();
    let schema = prompt
        .schema
        .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}));
    let arguments = prompt::arguments(&schema, &mut found);
    let validator = Schema::compile(&schema)
        .map_err(|error| found.push(format!("its arguments' schema is not valid: {error}")))
        .ok();
    for argument in prompt
        .completers
        .keys()
        .filter(|argument| !arguments.iter().any(|known| known.name == **argument))
    {
        found.push(format!(
            "it completes `{argument}`, which is no argument of it"
        ));
    }
    check_name(&prompt.name, &mut found);
    check_description(prompt.description.as_ref(), &mut found);
    check_scopes(&prompt.scopes, &mut found);
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
        scopes: prompt.scopes,
        validator: validator?,
        completers: prompt.completers,
        run: prompt.run?,
    })
}

pub(super) fn resource(
    resource: Resource,
    mistakes: &mut Vec<String>,
) -> Option<RegisteredResource> {
    let mut found = Vec::new();
    let scheme = resource
        .uri
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .unwrap_or_default();
    let legal =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
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
        for variable in resource
            .completers
            .keys()
            .filter(|name| !template.variables().any(|variable| variable == *name))
        {
            found.push(format!(
                "it completes `{variable}`, which is no variable of its template"
            ));
        }
    } else if !is_template
        && resource
            .schema
            .as_ref()
            .and_then(|schema| schema["required"].as_array())
            .is_some_and(|required| !required.is_empty())
    {
        found.push(
            "its handler takes variables and its URI has none: put them in braces, such as \
            `shop://products/{id}`"
                .to_owned(),
        );
    }
    if resource.name.trim().is_empty() {
        found.push("it needs a name".to_owned());
    }
    if resource.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
    check_description(resource.description.as_ref(), &mut found);
    check_scopes(&resource.scopes, &mut found);
    // a shared cache would give the contents to callers without the scope
    if resource.public && !resource.scopes.is_empty() {
        found.push(
            "it is `public`, for any cache to share, and needs a scope: leave one of the two out"
                .to_owned(),
        );
    }
    report("resource", &resource.uri, &found, mistakes);
    if is_template && template.is_none() {
        return None;
    }
    let (uri, uri_template) = if is_template {
        (None, Some(resource.uri))
    } else {
        (Some(resource.uri), None)
    };
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
        scopes: resource.scopes,
        template,
        fresh_ms: milliseconds(resource.fresh_for),
        public: resource.public,
        completers: resource.completers,
        run: resource.run?,
    })
}
