//! A tool as a server holds it: its schemas compiled, its policies checked.

use std::time::Duration;

use mcpfn_schema::Schema;
use serde_json::{Value, json};

use super::check::{NO_HANDLER, check_description, check_name, check_scopes, report};
use crate::deprecated::Deprecations;
use crate::model::tool::{ToolAnnotations, ToolDefinition};
use crate::page;
use crate::policy::Cache;
use crate::server::registered::RegisteredTool;
use crate::task::TaskOptions;
use crate::tool::Tool;
use crate::tool::plain;
use crate::tool::schema::{self, HeaderParameter};

/// `keys` is whether idempotency keys are published, `tasks` whether the platform keeps tasks.
pub(crate) fn tool(
    tool: Tool,
    keys: bool,
    tasks: bool,
    mistakes: &mut Vec<String>,
) -> Option<RegisteredTool> {
    // every check runs, whatever failed before it: an author reads all mistakes of one build
    let mut found = Vec::new();
    let read_only = tool.annotations.read_only_hint == Some(true);
    let closed = tool.annotations.open_world_hint == Some(false);
    let mut input = input_schema(&tool);
    let deprecations = Deprecations::take(tool.deprecated.clone(), &mut input, &mut found);
    let key_argument = schema::key_argument(&input, read_only, &mut found);
    // a call with the key is refused all the same, by its name
    if let Some(key) = key_argument.as_deref().filter(|_| !keys) {
        schema::without(&mut input, key, &mut found);
    }
    let mut schemas = Schemas::check(&tool, input, &mut found);
    deprecations.publish(&mut schemas.input);
    check_parts(&tool, &mut found);
    check_policies(&tool, read_only, &mut found);
    let task = task_options(&tool, tasks, &mut found);
    let hidden = schema::hidden(&schemas.input);
    report("tool", &tool.name, &found, mistakes);
    let (description, mut meta) = (deprecations.describe(tool.description), tool.meta);
    deprecations.tell(&mut meta);
    page::tell(tool.page.as_deref(), tool.visibility, &mut meta);
    let annotations =
        Some(tool.annotations).filter(|annotations| *annotations != ToolAnnotations::default());
    Some(RegisteredTool {
        definition: ToolDefinition {
            name: tool.name.clone(),
            title: tool.title,
            description,
            icons: tool.icons,
            input_schema: schemas.input,
            output_schema: schemas.output,
            annotations,
            meta,
        },
        name: tool.name,
        scopes: tool.scopes,
        validator: schemas.validator?,
        output: schemas.output_validator,
        headers: schemas.headers,
        timeout: tool.timeout,
        rate_limit: tool.rate_limit,
        cache: Some(tool.cache).filter(|cache| !cache.fresh.is_zero()),
        task,
        writes: !read_only,
        reads_own_data: read_only && closed,
        key_argument,
        hidden,
        old_names: tool.old_names,
        deprecations,
        run: tool.run?,
        upstream: None,
    })
}

/// Names, description and scopes, and whether there is a handler.
fn check_parts(tool: &Tool, found: &mut Vec<String>) {
    for name in std::iter::once(&tool.name).chain(&tool.old_names) {
        check_name(name, found);
    }
    check_description(tool.description.as_ref(), found);
    check_scopes(&tool.scopes, found);
    if tool.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
}

/// How calls are tasks, on a platform that keeps any.
fn task_options(tool: &Tool, tasks: bool, found: &mut Vec<String>) -> Option<TaskOptions> {
    let options = tool.task?;
    if !tasks && options.required {
        found.push(
            "it can only run as a task, and this deployment keeps none: give it a place for tasks"
                .to_owned(),
        );
    }
    tasks.then_some(options)
}

fn input_schema(tool: &Tool) -> Value {
    let given = tool.input.as_ref().or(tool.derived_input.as_ref());
    given.map_or_else(|| json!({"type": "object"}), Value::clone)
}

/// The schemas that are published, and what is enforced of them.
struct Schemas {
    input: Value,
    output: Option<Value>,
    headers: Vec<HeaderParameter>,
    validator: Option<Schema>,
    output_validator: Option<Schema>,
}

impl Schemas {
    fn check(tool: &Tool, input: Value, found: &mut Vec<String>) -> Self {
        let headers = schema::check_input(&input, tool.input.is_none(), found);
        let output = tool.output.clone().or_else(|| tool.derived_output.clone());
        if let Some(output) = &output {
            schema::check_references(output, tool.output.is_none(), found);
        }
        // a schema with a mistake of its own is not worth a second complaint from the compiler
        let compiles = found.is_empty();
        let mut compile = |what: &str, schema: &Value| match Schema::compile(schema) {
            Ok(validator) => Some(validator),
            Err(error) => {
                if compiles {
                    found.push(format!("its {what} schema is not valid: {error}"));
                }
                None
            }
        };
        Self {
            validator: compile("input", &input),
            // a derived schema can't differ from the type that it was derived from
            output_validator: tool
                .output
                .as_ref()
                .and_then(|schema| compile("output", schema)),
            input: match tool.input {
                // given by hand: published unchanged
                Some(_) => input,
                None => plain::published(&input),
            },
            output,
            headers,
        }
    }
}

/// Time, cache and rate: values with which no call could work, or a write would be left out.
fn check_policies(tool: &Tool, read_only: bool, found: &mut Vec<String>) {
    if tool.timeout.is_zero() {
        found.push("its timeout is zero: no call could end in time".to_owned());
    }
    if tool.cache != Cache::default() {
        if !read_only {
            found.push(
                "it caches its results, and is not `read_only`: a cached result would skip a write"
                    .to_owned(),
            );
        }
        if tool.cache.fresh.is_zero() {
            found.push("it has cache options and no duration: add `cache`".to_owned());
        }
    }
    if let Some(task) = &tool.task {
        if tool.cache != Cache::default() {
            found.push(
                "it caches its results, and can be a task, whose result has a store of its own: \
                 remove one of the two"
                    .to_owned(),
            );
        }
        let millisecond = Duration::from_millis(1);
        if task.run.min(task.ttl).min(task.poll) < millisecond || task.ttl < task.run {
            found.push(
                "its task has a time of zero, or is kept for less than one run of it takes: give \
                 a `ttl` that is longer than `run`"
                    .to_owned(),
            );
        }
    }
    // stores count in milliseconds
    if tool
        .rate_limit
        .is_some_and(|rate| rate.calls == 0 || rate.per < Duration::from_millis(1))
    {
        found.push(
            "its rate limit allows no call: give one or more, in a millisecond or more".to_owned(),
        );
    }
}
