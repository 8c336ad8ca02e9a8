//! An upstream's entry, mended where it has not the form of the revision or clients are known to
//! refuse it: one that is passed on as it is can take the whole list from a client. What can't be
//! mended is left out alone. Texts are cleaned in `entry`, where a schema leads is `references`.

use serde_json::{Value, json};

use super::changes::Changes;
use super::{mend_schema, references};
use crate::model::JsonObject;
use crate::text::quoted;
use crate::tool::{plain, portable};

/// What a tool, a prompt and a resource may say of themselves, as texts.
const TEXTS: [&str; 3] = ["title", "description", "mimeType"];
const HINTS: [&str; 4] = [
    "readOnlyHint",
    "destructiveHint",
    "idempotentHint",
    "openWorldHint",
];

/// The members that a block of a result, what it holds and what a resource has may leave out: what
/// has not the form of the protocol is taken off, so that clients do not refuse the whole result.
pub fn mend_block(block: &mut Value) {
    let mut changes = Changes::default();
    common(block, &mut changes);
    if let Some(members) = block.as_object_mut() {
        keep(members, "icons", Value::is_array, &mut changes);
        keep(members, "_meta", Value::is_object, &mut changes);
        if let Some(Value::Array(icons)) = members.get_mut("icons") {
            icons.retain(|icon| icon.get("src").is_some_and(Value::is_string));
        }
        if let Some(resource) = members.get_mut("resource") {
            mend_block(resource);
        }
    }
}

/// The members that every entry may have.
pub(super) fn common(entry: &mut Value, changes: &mut Changes) {
    let Some(members) = entry.as_object_mut() else {
        return;
    };
    for key in TEXTS {
        keep(members, key, Value::is_string, changes);
    }
    keep(members, "size", Value::is_u64, changes);
    keep(members, "arguments", Value::is_array, changes);
    keep(members, "annotations", Value::is_object, changes);
    keep(members, "outputSchema", Value::is_object, changes);
    if let Some(Value::Object(annotations)) = members.get_mut("annotations") {
        for hint in HINTS {
            keep(annotations, hint, Value::is_boolean, changes);
        }
        keep(annotations, "title", Value::is_string, changes);
        let from_0_to_1 = |value: &Value| {
            value
                .as_f64()
                .is_some_and(|priority| (0.0..=1.0).contains(&priority))
        };
        keep(annotations, "priority", from_0_to_1, changes);
        keep(annotations, "lastModified", is_time, changes);
        keep(annotations, "audience", Value::is_array, changes);
        if let Some(Value::Array(audience)) = annotations.get_mut("audience") {
            audience.retain(|role| role == "user" || role == "assistant");
        }
    }
    if let Some(Value::Array(icons)) = members.get_mut("icons") {
        for icon in icons.iter_mut().filter_map(Value::as_object_mut) {
            keep(
                icon,
                "theme",
                |theme| theme == "light" || theme == "dark",
                changes,
            );
        }
    }
    if let Some(Value::Array(arguments)) = members.get_mut("arguments") {
        arguments.retain(|argument| argument.get("name").is_some_and(Value::is_string));
        for argument in arguments.iter_mut().filter_map(Value::as_object_mut) {
            keep(argument, "title", Value::is_string, changes);
            keep(argument, "description", Value::is_string, changes);
            keep(argument, "required", Value::is_boolean, changes);
        }
    }
}

/// Takes off a member that has not the form that it must have.
fn keep(members: &mut JsonObject, key: &str, fits: impl Fn(&Value) -> bool, changes: &mut Changes) {
    if members.get(key).is_some_and(|value| !fits(value)) {
        members.remove(key);
        changes.add(format!("without its `{key}`"));
    }
}

/// A date and a time with an offset, as RFC 3339 writes them.
fn is_time(value: &Value) -> bool {
    let text = value
        .as_str()
        .filter(|text| text.is_ascii() && text.len() >= 20);
    let Some((start, end)) = text.map(|text| text.split_at(19)) else {
        return false;
    };
    let number = |text: &str, at: usize| {
        let digits = text
            .get(at..at + 2)
            .filter(|two| two.bytes().all(|one| one.is_ascii_digit()));
        digits
            .and_then(|digits| digits.parse::<u32>().ok())
            .unwrap_or(u32::MAX)
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let marked = marks
        .iter()
        .all(|(at, mark)| start.as_bytes()[*at] == *mark);
    // clients know the calendar; the 29th of February is left to them, and to those who write it
    let days = |month: u32| match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let day = number(start, 0) < 100
        && number(start, 2) < 100
        && (1..=12).contains(&number(start, 5))
        && (1..=days(number(start, 5))).contains(&number(start, 8));
    let time = number(start, 11) < 24 && number(start, 14) < 60 && number(start, 17) < 60;
    let fraction = end.strip_prefix('.').map_or(end, |rest| {
        rest.trim_start_matches(|one: char| one.is_ascii_digit())
    });
    let offset = fraction == "Z"
        || (fraction.len() == 6
            && fraction.starts_with(['+', '-'])
            && fraction.as_bytes()[3] == b':'
            && number(fraction, 1) < 24
            && number(fraction, 4) < 60);
    marked && day && time && offset
}

/// The schemas of a tool.
///
/// # Errors
/// Why no client could call it.
pub(super) fn tool(entry: &mut Value, changes: &mut Changes) -> Result<(), String> {
    let Some(members) = entry.as_object_mut() else {
        return Ok(());
    };
    if let Some(output) = members.get_mut("outputSchema") {
        mend_schema::mend(output, changes);
    }
    if let Some(input) = members.get_mut("inputSchema") {
        mend_schema::mend(input, changes);
        // before an alternative that leads elsewhere is taken off
        references::check(input)?;
        object(input, changes);
        keys(input, changes).map_err(|name| {
            format!(
                "it requires the property {}, whose name clients refuse",
                quoted(&name)
            )
        })?;
        let plain = plain::published(input);
        if plain != *input {
            changes.add("its arguments in the form that clients convert");
        }
        *input = plain;
    }
    Ok(())
}

/// An object at the root: the properties of all alternatives there, of which the upstream checks its
/// own.
fn object(schema: &mut Value, changes: &mut Changes) {
    let whole = schema.clone();
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    members.entry("type").or_insert_with(|| json!("object"));
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = members.remove(keyword) else {
            continue;
        };
        changes.add(format!("without `{keyword}` at the top"));
        for alternative in &alternatives {
            let alternative = resolved(&whole, alternative);
            for (name, property) in alternative
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let properties = members.entry("properties").or_insert_with(|| json!({}));
                if let Some(properties) = properties.as_object_mut() {
                    properties.entry(name).or_insert_with(|| property.clone());
                }
            }
            // what every alternative requires would have to be in all of them
            if keyword == "allOf"
                && let Some(Value::Array(more)) = alternative.get("required")
                && let Some(required) = members
                    .entry("required")
                    .or_insert_with(|| json!([]))
                    .as_array_mut()
            {
                required.extend(more.iter().cloned());
            }
        }
        // a property of one alternative is none that the root knows not
        members.remove("additionalProperties");
    }
    for keyword in [
        "not",
        "if",
        "then",
        "else",
        "enum",
        "const",
        "dependentSchemas",
    ] {
        if members.remove(keyword).is_some() {
            changes.add(format!("without `{keyword}` at the top"));
        }
    }
}

/// A schema, or the one of the same document that it refers to.
fn resolved<'a>(whole: &'a Value, schema: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer
        .and_then(|pointer| whole.pointer(pointer))
        .unwrap_or(schema)
}

/// Takes off optional properties whose names clients refuse.
///
/// # Errors
/// The name of one that is required.
fn keys(schema: &mut Value, changes: &mut Changes) -> Result<(), String> {
    let Some(members) = schema.as_object_mut() else {
        return Ok(());
    };
    let required: Vec<String> = match members.get("required") {
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| Some(name.as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    };
    if let Some(Value::Object(properties)) = members.get_mut("properties") {
        let mut refused = Vec::new();
        for (name, property) in properties.iter_mut() {
            let known = portable::is_portable_key(name);
            match keys(property, changes) {
                Ok(()) if known => {}
                _ if !required.contains(name) => refused.push(name.clone()),
                Err(inner) if known => return Err(inner),
                _ => return Err(name.clone()),
            }
        }
        for name in refused {
            properties.remove(&name);
            changes.add(format!("without its property {}", quoted(&name)));
        }
    }
    match members.get_mut("items") {
        Some(items) => keys(items, changes),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
