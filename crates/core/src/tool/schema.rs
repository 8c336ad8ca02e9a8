//! JSON Schemas of arguments and results, derived from a handler's own types and checked once when
//! the server is built. The one file that names schemars.

pub use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::text;

/// The argument type of a handler that takes no arguments but wants the `Cx`:
/// `|_: NoArguments, cx: Cx| ...`.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

/// A type that a call's arguments are read into: anything that serde reads and schemars describes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be read from a call's arguments",
    label = "not an argument type",
    note = "mark the type `#[input]`, or derive `Deserialize` and `JsonSchema` for it"
)]
pub trait Input: DeserializeOwned + JsonSchema {}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned + JsonSchema> Input for T {}

/// The schema of what `T` is read from. Sub-schemas are inlined: clients drop tools whose schemas
/// have `$ref`.
pub(crate) fn of_input<T: JsonSchema>() -> Value {
    let mut schema = derive::<T>(SchemaSettings::draft2020_12().for_deserialize());
    bound(&mut schema);
    tidy(&mut schema);
    schema
}

/// The schema of what `T` is written as.
pub(crate) fn of_output<T: JsonSchema>() -> Value {
    let mut schema = derive::<T>(SchemaSettings::draft2020_12().for_serialize());
    tidy(&mut schema);
    schema
}

fn derive<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        // clients drop tools whose schemas have `$ref`
        settings.inline_subschemas = true;
        // 2020-12 is the protocol's default, so `$schema` would only be bytes in every list
        settings.meta_schema = None;
    });
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    if let Some(root) = schema.as_object_mut() {
        // the root's title is the Rust type's name and its description the type's comment: the tool
        // has its own
        root.remove("title");
        root.remove("description");
        if root.get("type").is_some_and(|kind| kind == "object") {
            root.entry("properties").or_insert_with(|| json!({}));
        }
    }
    schema
}

/// Says which integers a type holds, so that none is admitted that it can't be read from. Those of
/// 128 bits are read as far as JSON is: from the least `i64` to the greatest `u64`.
fn bound(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        if let Value::Array(items) = schema {
            items.iter_mut().for_each(bound);
        }
        return;
    };
    if let Some((least, most)) = members
        .get("format")
        .and_then(Value::as_str)
        .and_then(range)
    {
        let open = |names: [&str; 2]| !names.iter().any(|name| members.contains_key(*name));
        let (below, above) = (
            open(["minimum", "exclusiveMinimum"]),
            open(["maximum", "exclusiveMaximum"]),
        );
        if below {
            members.insert("minimum".to_owned(), least.into());
        }
        if above {
            members.insert("maximum".to_owned(), most.into());
        }
    }
    for (key, value) in members.iter_mut() {
        if !matches!(key.as_str(), "default" | "examples" | "const" | "enum") {
            bound(value);
        }
    }
}

/// The least and the greatest integer of a width as schemars writes it: `int32`, `uint`.
fn range(format: &str) -> Option<(i64, u64)> {
    let (unsigned, bits) = match format.strip_prefix("uint") {
        Some(bits) => (true, bits),
        None => (false, format.strip_prefix("int")?),
    };
    let bits = match bits {
        "" => usize::BITS,
        bits => bits.parse().ok()?,
    };
    let all = u64::MAX >> 64_u32.saturating_sub(bits).min(63);
    Some(match (unsigned, bits) {
        (true, _) => (0, all),
        (false, 128) => (i64::MIN, all),
        (false, _) => (-((all >> 1) as i64) - 1, all >> 1),
    })
}

/// Leaves out what says nothing to a client, Rust's widths of numbers, and joins the lines of
/// comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            // schemars writes widths such as `uint32` and `double` as formats, which JSON Schema
            // does not define
            let rust = |format: &str| {
                let digits = format.trim_start_matches("uint").trim_start_matches("int");
                (digits.len() < format.len() && digits.chars().all(|c| c.is_ascii_digit()))
                    || matches!(format, "double" | "float")
            };
            if members
                .get("format")
                .and_then(Value::as_str)
                .is_some_and(rust)
            {
                members.remove("format");
            }
            if let Some(Value::String(description)) = members.get_mut("description") {
                *description = text::paragraphs(description);
            }
            for (key, value) in members.iter_mut() {
                // a default or an example is data, not a schema
                if !matches!(key.as_str(), "default" | "examples" | "const" | "enum") {
                    tidy(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// An argument that a client repeats in an HTTP header (`x-mcp-header`).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HeaderParameter {
    /// The header, lower case: `mcp-param-region`.
    pub header: String,
    /// Where the argument is: property names from the root.
    pub path: Vec<String>,
}

/// What is wrong with a tool's input schema, and which headers it names.
pub(crate) fn check_input(
    schema: &Value,
    derived: bool,
    mistakes: &mut Vec<String>,
) -> Vec<HeaderParameter> {
    match schema.get("type") {
        Some(kind) if kind == "object" => {}
        _ => mistakes.push(
            "its arguments must be a JSON object: take a struct with named fields".to_owned(),
        ),
    }
    check_references(schema, derived, mistakes);
    let mut headers = Vec::new();
    let mut path = Vec::new();
    find_headers(schema, &mut path, true, &mut headers, mistakes);
    for (position, parameter) in headers.iter().enumerate() {
        if headers[..position]
            .iter()
            .any(|other: &HeaderParameter| other.header == parameter.header)
        {
            mistakes.push(format!(
                "two properties have the same `x-mcp-header`, `{}`",
                parameter.header
            ));
        }
    }
    headers
}

const KEY: &str = "x-idempotency-key";

/// The argument by which a repeated write is known: the property with `"x-idempotency-key": true`.
pub(crate) fn key_argument(
    schema: &Value,
    read_only: bool,
    mistakes: &mut Vec<String>,
) -> Option<String> {
    let properties = schema.get("properties").and_then(Value::as_object)?;
    let mut marked = properties
        .iter()
        .filter(|(_, property)| property.get(KEY).is_some_and(|mark| *mark == true));
    let (name, property) = marked.next()?;
    if marked.next().is_some() {
        mistakes.push(format!("two properties have `{KEY}`: a call has one key"));
    }
    if read_only {
        mistakes.push(format!(
            "`{KEY}` at /{name}: a tool that is `read_only` may be repeated without a key"
        ));
    }
    let is_string = |kind: &Value| {
        kind == "string"
            || kind
                .as_array()
                .is_some_and(|kinds| kinds.iter().any(|kind| kind == "string"))
    };
    if !property.get("type").is_some_and(is_string) {
        mistakes.push(format!("`{KEY}` at /{name}: a key is a string"));
    }
    Some(name.clone())
}

/// Takes the argument that is an idempotency key out of a schema.
pub(crate) fn without(schema: &mut Value, key: &str, mistakes: &mut Vec<String>) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.remove(key);
    }
    let required = schema.get("required").and_then(Value::as_array);
    if required.is_some_and(|names| names.iter().any(|name| name == key)) {
        mistakes.push(format!(
            "it requires `{key}`, an idempotency key, and this deployment has no store of \
             idempotent writes: add one, or make the argument optional"
        ));
    }
}

/// The properties whose values are secrets: those that are `writeOnly`, or passwords.
pub(crate) fn hidden(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let is_secret = |property: &Value| {
        property.get("writeOnly") == Some(&true.into())
            || property.get("format") == Some(&"password".into())
    };
    let secret = properties
        .into_iter()
        .flatten()
        .filter(|(_, property)| is_secret(property));
    secret.map(|(name, _)| name.clone()).collect()
}

/// References that no client resolves, or that a derived schema has because its type contains
/// itself.
pub(crate) fn check_references(schema: &Value, derived: bool, mistakes: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                if derived {
                    // the root has no name of its own in its schema
                    let name = match reference.rsplit('/').next() {
                        Some("#") | None => "its type".to_owned(),
                        Some(name) => format!("the type `{name}`"),
                    };
                    mistakes.push(format!(
                        "{name} contains itself, and clients drop tools whose \
                        schemas have `$ref`: flatten it, or take `serde_json::Value` there"
                    ));
                    return;
                }
                if !reference.starts_with('#') {
                    mistakes.push(format!(
                        "its schema refers to `{reference}`: only references \
                        inside the schema (`#...`) are resolved"
                    ));
                }
            }
            members
                .iter()
                .filter(|(key, _)| *key != "$defs" || !derived)
                .for_each(|(_, value)| check_references(value, derived, mistakes));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| check_references(item, derived, mistakes)),
        _ => {}
    }
}

const HEADER: &str = "x-mcp-header";

/// Takes the annotation off a property.
pub(crate) fn remove_header(schema: &mut Value, path: &[String]) {
    let property = path.iter().try_fold(schema, |schema, name| {
        schema.get_mut("properties")?.get_mut(name)
    });
    if let Some(property) = property.and_then(Value::as_object_mut) {
        property.remove(HEADER);
    }
}

fn find_headers(
    schema: &Value,
    path: &mut Vec<String>,
    reachable: bool,
    headers: &mut Vec<HeaderParameter>,
    mistakes: &mut Vec<String>,
) {
    let Some(members) = schema.as_object() else {
        return;
    };
    if let Some(header) = members.get(HEADER) {
        match header_mistake(header, members, path, reachable) {
            Some(mistake) => {
                mistakes.push(format!("`x-mcp-header` at /{}: {mistake}", path.join("/")));
            }
            None => {
                let name = header.as_str().unwrap_or_default().to_ascii_lowercase();
                headers.push(HeaderParameter {
                    header: format!("mcp-param-{name}"),
                    path: path.clone(),
                });
            }
        }
    }
    for (key, value) in members {
        if key == "properties" {
            for (name, property) in value.as_object().into_iter().flatten() {
                path.push(name.clone());
                find_headers(property, path, reachable, headers, mistakes);
                path.pop();
            }
        } else if !matches!(key.as_str(), "default" | "examples" | "const" | "enum") {
            // below items, anyOf, $defs and the like there may be no header: a client could not
            // tell which value it is
            let below = value
                .as_array()
                .map_or_else(|| vec![value], |items| items.iter().collect());
            below
                .into_iter()
                .for_each(|value| find_nested(value, path, headers, mistakes));
        }
    }
}

fn find_nested(
    value: &Value,
    path: &mut Vec<String>,
    headers: &mut Vec<HeaderParameter>,
    mistakes: &mut Vec<String>,
) {
    find_headers(value, path, false, headers, mistakes);
    // maps of schemas such as $defs and patternProperties
    for nested in value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, value)| *key != "properties" && value.is_object())
        .map(|(_, v)| v)
    {
        if nested.get(HEADER).is_some() {
            find_headers(nested, path, false, headers, mistakes);
        }
    }
}

fn header_mistake(
    header: &Value,
    schema: &Map<String, Value>,
    path: &[String],
    reachable: bool,
) -> Option<&'static str> {
    let token = |character: char| {
        character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
    };
    let name = header.as_str().unwrap_or_default();
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter_map(Value::as_str)
            .filter(|kind| *kind != "null")
            .collect(),
        _ => Vec::new(),
    };
    if name.is_empty() || !name.chars().all(token) {
        Some("the name must be a non-empty HTTP token such as `Region`")
    } else if !reachable || path.is_empty() {
        Some("it may stand only on a property reached through `properties` alone")
    } else if !matches!(kinds.as_slice(), ["string" | "integer" | "boolean"]) {
        Some("only a string, an integer or a boolean can be repeated in a header")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Search {
        /// Words to look for.
        #[schemars(length(min = 2, max = 200))]
        query: String,
        #[serde(default)]
        limit: u32,
        place: Place,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Place {
        #[schemars(extend("x-mcp-header" = "Region"))]
        region: String,
    }

    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is used")]
    struct Tree {
        children: Vec<Self>,
    }

    #[test]
    fn derived_schemas_are_inline_and_quiet() {
        assert_eq!(
            of_input::<Search>(),
            json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "Words to look for.", "minLength": 2, "maxLength": 200},
                    "limit": {"type": "integer", "minimum": 0, "maximum": 4_294_967_295_u32, "default": 0},
                    "place": {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}, "required": ["region"]},
                },
                "required": ["query", "place"],
            })
        );
        assert_eq!(
            of_input::<NoArguments>(),
            json!({"type": "object", "properties": {}, "additionalProperties": false})
        );
    }

    #[test]
    fn headers_are_found_through_properties() {
        let mut mistakes = Vec::new();
        let headers = check_input(&of_input::<Search>(), true, &mut mistakes);
        assert_eq!(mistakes, Vec::<String>::new());
        assert_eq!(
            headers,
            [HeaderParameter {
                header: "mcp-param-region".into(),
                path: vec!["place".into(), "region".into()]
            }]
        );
    }

    #[test]
    fn bad_schemas_are_named() {
        let mistakes = |schema: Value| {
            let mut mistakes = Vec::new();
            check_input(&schema, false, &mut mistakes);
            mistakes.join("\n")
        };
        let property = |property: Value| json!({"type": "object", "properties": {"a": property}});
        assert!(mistakes(json!({"type": "array"})).contains("must be a JSON object"));
        assert!(
            mistakes(json!({"type": "object", "$ref": "https://example.com/s"}))
                .contains("refers to")
        );
        assert!(
            mistakes(property(json!({"type": "number", "x-mcp-header": "A"})))
                .contains("only a string")
        );
        assert!(
            mistakes(property(json!({"type": "string", "x-mcp-header": "A b"})))
                .contains("HTTP token")
        );
        assert!(
            mistakes(property(
                json!({"type": "array", "items": {"type": "string", "x-mcp-header": "A"}})
            ))
            .contains("reached through")
        );
        let twice = json!({"type": "object", "properties": {"a": {"type": "string", "x-mcp-header": "N"}, "b": {"type": "string", "x-mcp-header": "n"}}});
        assert!(mistakes(twice).contains("same `x-mcp-header`"));
        let mut recursive = Vec::new();
        check_input(&of_input::<Tree>(), true, &mut recursive);
        assert!(
            recursive
                .iter()
                .any(|mistake| mistake.contains("contains itself")),
            "{recursive:?}"
        );
    }
}
