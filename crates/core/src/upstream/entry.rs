//! One entry of an upstream's list, from the upstream's words to this server's: cleaned, renamed,
//! and refused where this server could not list it by its own rules.

use std::borrow::Cow;

use mcpfn_schema::Schema;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::changes::Changes;
use super::mend;
use super::namespaced_uri;
use super::references;
use crate::jsonrpc::to_json;
use crate::model::implementation::Icon;
use crate::model::list_kind::ListKind;
use crate::model::name::is_name;
use crate::model::prompt::PromptDefinition;
use crate::model::resource::ResourceDefinition;
use crate::model::tool::ToolDefinition;
use crate::text::{is_visible, quoted, visible};
use crate::tool::portable;
use crate::tool::schema::{self, HeaderParameter};
use crate::version::Revision;

/// How deep an entry may be nested. Clients read the whole list, four levels around it, and many
/// read 64 (.NET) or 128 (serde_json): one entry would take all others from them.
const MAX_NESTING: usize = 60;

/// What calls repeat letter by letter: it is refused where it has hidden characters, because
/// nothing may be taken out of it.
const EXACT: [&str; 5] = ["name", "uri", "uriTemplate", "required", "$ref"];
/// The same with all that is in it.
const DATA: [&str; 2] = ["enum", "const"];

/// An entry that may be listed.
pub(super) struct Read {
    pub(super) name: String,
    /// The upstream's own name, where this one is not the same behind the prefix.
    pub(super) original: Option<String>,
    /// What was changed so that clients take it, for the log.
    pub(super) changes: Option<String>,
    /// As the newest revision has it.
    pub(super) json: Vec<u8>,
    /// As any revision has it.
    pub(super) write: Box<dyn Fn(Revision) -> Vec<u8>>,
    pub(super) headers: Vec<HeaderParameter>,
    pub(super) has_output_schema: bool,
}

pub(super) fn read(kind: ListKind, upstream: &str, mut entry: Value) -> Result<Read, String> {
    if nesting(&entry, MAX_NESTING) > MAX_NESTING {
        let reason = format!("it is nested more than {MAX_NESTING} levels deep");
        return Err(named(&entry, reason));
    }
    if let Err(reason) = refuse_hidden(&entry, false) {
        return Err(named(&entry, reason));
    }
    clean(&mut entry);
    if let Some(icons) = entry.get_mut("icons") {
        keep_icons(icons);
    }
    let mut changes = Changes::default();
    mend::common(&mut entry, &mut changes);
    let mut read = match kind {
        ListKind::Tools => {
            mend::tool(&mut entry, &mut changes).map_err(|reason| named(&entry, reason))?;
            tool(upstream, entry, &mut changes)
        }
        ListKind::Prompts => prompt(upstream, entry),
        ListKind::Resources | ListKind::Templates => resource(kind, upstream, entry),
    }?;
    read.changes = changes.line();
    Ok(read)
}

fn named(entry: &Value, reason: String) -> String {
    match entry_name(entry) {
        Some(name) => format!("{}: {reason}", quoted(name)),
        None => reason,
    }
}

fn entry_name(entry: &Value) -> Option<&str> {
    let members = ["name", "uri", "uriTemplate"].into_iter();
    members
        .filter_map(|member| entry.get(member)?.as_str())
        .next()
}

fn tool(upstream: &str, entry: Value, changes: &mut Changes) -> Result<Read, String> {
    let mut tool: ToolDefinition = of_type(entry)?;
    let original = tool.name;
    tool.name = portable_name(upstream, &original)?;
    let is_mended = !tool.name.ends_with(&original);
    if is_mended {
        changes.add(format!("as `{}`", tool.name));
    }
    let name = tool.name.clone();
    let refused = |reason: String| format!("`{name}`: {reason}");
    let mut mistakes = Vec::new();
    let headers = schema::check_input(&tool.input_schema, false, &mut mistakes);
    if let Some(mistake) = mistakes.first() {
        return Err(refused(mistake.clone()));
    }
    // the calls that repeat these arguments in headers are those of this server
    headers.iter().for_each(|parameter| {
        schema::remove_header(&mut tool.input_schema, &parameter.path);
    });
    // what can't be checked here is not promised to clients, who may be led elsewhere by it
    let had_output = tool.output_schema.is_some();
    tool.output_schema = tool.output_schema.and_then(promised);
    if had_output && tool.output_schema.is_none() {
        changes.add("without its output schema, which can't be checked");
    }
    tool.meta.clear();
    Ok(Read {
        name: tool.name.clone(),
        original: is_mended.then_some(original),
        changes: None,
        json: to_json(&tool),
        headers,
        has_output_schema: tool.output_schema.is_some(),
        write: Box::new(move |revision| to_json(&tool.clone().down_level(revision))),
    })
}

fn prompt(upstream: &str, entry: Value) -> Result<Read, String> {
    let mut prompt: PromptDefinition = of_type(entry)?;
    prompt.name = shown_name(upstream, &prompt.name)?;
    prompt.meta.clear();
    Ok(Read {
        name: prompt.name.clone(),
        original: None,
        changes: None,
        json: to_json(&prompt),
        headers: Vec::new(),
        has_output_schema: false,
        write: Box::new(move |revision| to_json(&prompt.clone().down_level(revision))),
    })
}

fn resource(kind: ListKind, upstream: &str, entry: Value) -> Result<Read, String> {
    let mut resource: ResourceDefinition = of_type(entry)?;
    let name = namespace(&mut resource, kind, upstream)?;
    resource.meta.clear();
    Ok(Read {
        name,
        original: None,
        changes: None,
        json: to_json(&resource),
        headers: Vec::new(),
        has_output_schema: false,
        write: Box::new(move |revision| to_json(&resource.clone().down_level(revision))),
    })
}

fn of_type<T: for<'de> Deserialize<'de>>(entry: Value) -> Result<T, String> {
    T::deserialize(entry)
        .map_err(|_| "an entry has not the members that the specification asks for".to_owned())
}

/// An output schema as results are checked against it.
pub(super) fn checkable(schema: &Value) -> Option<Schema> {
    let mut schema = Cow::Borrowed(schema);
    // only those of json-schema.org are left; what differs between its drafts is refused by words
    if schema.get("$schema").is_some() {
        schema.to_mut().as_object_mut()?.remove("$schema");
    }
    Schema::compile(&schema).ok()
}

/// An output schema that may be listed.
fn promised(mut schema: Value) -> Option<Value> {
    references::check(&mut schema).ok()?;
    checkable(&schema).is_some().then_some(schema)
}

/// Levels of arrays and objects, counted up to one more than `most`.
fn nesting(value: &Value, most: usize) -> usize {
    let inner = |value: &Value| match most {
        0 => 1,
        _ => 1 + nesting(value, most - 1),
    };
    match value {
        Value::Array(items) => items.iter().map(inner).max().unwrap_or(1),
        Value::Object(members) => members.values().map(inner).max().unwrap_or(1),
        _ => 0,
    }
}

/// Refuses hidden characters in names of members, and in what calls repeat letter by letter
/// (`exact`: all of the value is).
fn refuse_hidden(value: &Value, exact: bool) -> Result<(), String> {
    let refused = |text: &str| {
        Err(format!(
            "{} has hidden characters, and calls would repeat it letter by letter",
            quoted(text)
        ))
    };
    match value {
        Value::String(text) if exact && !is_visible(text) => refused(text),
        Value::Array(items) => items.iter().try_for_each(|item| refuse_hidden(item, exact)),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| {
            if !is_visible(key) {
                return refused(key);
            }
            // a property may have such a name too, and its schema is an object
            let exact = exact
                || DATA.contains(&key.as_str())
                || (EXACT.contains(&key.as_str()) && !value.is_object());
            refuse_hidden(value, exact)
        }),
        _ => Ok(()),
    }
}

/// Takes out what people would not see, and models would.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(seen) = visible(text) {
                *text = seen;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(members) => {
            // a pattern without some of its characters is another pattern; the upstream has its own
            let spoiled = |value: &Value| value.as_str().is_some_and(|text| !is_visible(text));
            if members.get("pattern").is_some_and(spoiled) {
                members.remove("pattern");
            }
            members.values_mut().for_each(clean);
        }
        _ => {}
    }
}

/// Leaves the icons that a client may load.
fn keep_icons(icons: &mut Value) {
    let Value::Array(icons) = icons else {
        *icons = Value::Array(Vec::new());
        return;
    };
    icons.retain(|icon| Icon::deserialize(icon).is_ok_and(|icon| icon_is_public(&icon.src)));
}

/// Whether a client may load the icon at an address that a stranger gave: `https`, and a host with
/// a public name, so no address, no credentials, and no name of the client's own network.
#[must_use]
pub fn icon_is_public(src: &str) -> bool {
    let Some((scheme, rest)) = src.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = match authority.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) => return false,
        None => authority,
    };
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let local = [
        "local",
        "localhost",
        "internal",
        "intranet",
        "lan",
        "home",
        "corp",
        "arpa",
    ];
    let last = labels.last().copied().unwrap_or_default();
    scheme.eq_ignore_ascii_case("https")
        && src.len() <= 2048
        && !src.contains(|character: char| character.is_whitespace() || character == '\\')
        && is_visible(src)
        && labels.len() > 1
        && labels.iter().all(is_label)
        // the last part of an address is a number, in any way of writing it
        && last.starts_with(|first: char| first.is_ascii_alphabetic())
        && !local.contains(&last)
}

/// Puts the upstream's prefix before the URI or the template of its resource, and gives what came
/// of it.
fn namespace(
    resource: &mut ResourceDefinition,
    kind: ListKind,
    upstream: &str,
) -> Result<String, String> {
    let template = kind == ListKind::Templates;
    let uri = if template {
        resource.uri_template.take()
    } else {
        resource.uri.take()
    };
    let uri =
        namespaced_uri(upstream, &uri.unwrap_or_default()).ok_or("a resource has no usable URI")?;
    // one of the two, whatever the upstream sent in the other list's member
    (resource.uri, resource.uri_template) = if template {
        (None, Some(uri.clone()))
    } else {
        (Some(uri.clone()), None)
    };
    Ok(uri)
}

/// A tool's name with its prefix as every client takes it: one with a dot, or too long, is written
/// with what tells it from any other.
fn portable_name(upstream: &str, name: &str) -> Result<String, String> {
    if !is_name(name) {
        return shown_name(upstream, name);
    }
    let shown = format!("{upstream}__{name}");
    if portable::is_portable_name(&shown) {
        return Ok(shown);
    }
    let hash = Sha256::digest(name.as_bytes());
    let suffix: String = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let room = 64 - upstream.len().min(32) - "__".len() - "_".len() - suffix.len();
    let kept: String = name.chars().take(room).collect();
    Ok(format!("{upstream}__{}_{suffix}", kept.replace('.', "_")))
}

fn shown_name(upstream: &str, name: &str) -> Result<String, String> {
    // underscores, because a name may have no colon and no slash
    let shown = format!("{upstream}__{name}");
    if is_name(&shown) && !name.is_empty() {
        return Ok(shown);
    }
    Err(format!(
        "{}: a name has 1 to 128 of the characters A-Z a-z 0-9 _ - ., with its prefix",
        quoted(name)
    ))
}
