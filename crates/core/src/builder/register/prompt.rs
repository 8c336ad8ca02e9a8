//! A prompt as a server holds it.

use mcpfn_schema::Schema;

use super::check::{NO_HANDLER, check_description, check_name, check_scopes, report};
use crate::deprecated::Deprecations;
use crate::model::prompt::PromptDefinition;
use crate::prompt::{self, Prompt};
use crate::server::registered::RegisteredPrompt;

pub(crate) fn prompt(prompt: Prompt, mistakes: &mut Vec<String>) -> Option<RegisteredPrompt> {
    let mut found = Vec::new();
    let mut schema = prompt
        .schema
        .unwrap_or_else(|| serde_json::json!({"type": "object", "properties": {}}));
    let deprecations = Deprecations::take(prompt.deprecated, &mut schema, &mut found);
    let mut published = schema.clone();
    deprecations.publish(&mut published);
    let arguments = prompt::arguments(&published, &mut found);
    let validator = Schema::compile(&schema)
        .map_err(|error| found.push(format!("its arguments' schema is not valid: {error}")))
        .ok();
    for argument in prompt
        .completers
        .keys()
        .filter(|argument| !arguments.iter().any(|known| known.name == **argument))
    {
        found.push(format!(
            "it completes `{argument}`, which is not one of its arguments"
        ));
    }
    for name in std::iter::once(&prompt.name).chain(&prompt.old_names) {
        check_name(name, &mut found);
    }
    check_description(prompt.description.as_ref(), &mut found);
    check_scopes(&prompt.scopes, &mut found);
    if prompt.run.is_none() {
        found.push(NO_HANDLER.to_owned());
    }
    report("prompt", &prompt.name, &found, mistakes);
    let (description, mut meta) = (deprecations.describe(prompt.description), prompt.meta);
    deprecations.tell(&mut meta);
    Some(RegisteredPrompt {
        definition: PromptDefinition {
            name: prompt.name,
            title: prompt.title,
            description,
            icons: prompt.icons,
            arguments,
            meta,
        },
        scopes: prompt.scopes,
        validator: validator?,
        completers: prompt.completers,
        old_names: prompt.old_names,
        deprecations,
        run: prompt.run?,
        upstream: None,
    })
}
