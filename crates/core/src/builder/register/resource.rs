//! A resource or a template as a server holds it.

use super::check::{NO_HANDLER, check_description, check_scopes, report};
use crate::model::resource::ResourceDefinition;
use crate::port::milliseconds;
use crate::resource::template::Template;
use crate::resource::{self, Resource};
use crate::server::registered::RegisteredResource;

pub(crate) fn resource(
    resource: Resource,
    mistakes: &mut Vec<String>,
) -> Option<RegisteredResource> {
    let mut found = Vec::new();
    check_uri(&resource.uri, &mut found);
    let is_template = resource.is_template();
    let template = match Template::parse(&resource.uri) {
        Ok(template) => Some(template),
        Err(error) if is_template => {
            found.push(format!("its template can't be used: {error}"));
            None
        }
        // a fixed URI, which is compared whole
        Err(_) => None,
    };
    check_variables(&resource, template.as_ref(), &mut found);
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
    registered(resource, template)
}

fn registered(resource: Resource, template: Option<Template>) -> Option<RegisteredResource> {
    let (uri, uri_template) = if resource.is_template() {
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
        upstream: None,
    })
}

fn check_uri(uri: &str, found: &mut Vec<String>) {
    let scheme = uri
        .split_once(':')
        .map(|(scheme, _)| scheme)
        .unwrap_or_default();
    let legal =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.');
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        || !scheme.chars().all(legal)
        || uri.contains(char::is_whitespace)
    {
        found.push("its URI needs a scheme, such as `shop://products`, and no spaces".to_owned());
    }
}

/// What the handler and the completers take must be what the template has.
fn check_variables(resource: &Resource, template: Option<&Template>, found: &mut Vec<String>) {
    if let Some(template) = template {
        resource::check_variables(template.variables(), resource.schema.as_ref(), found);
        for variable in resource
            .completers
            .keys()
            .filter(|name| !template.variables().any(|variable| variable == *name))
        {
            found.push(format!(
                "it completes `{variable}`, which is not a variable of its template"
            ));
        }
    } else if !resource.is_template()
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
}
