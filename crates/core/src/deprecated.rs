//! What goes on for a release under an old name, or is on its way out: tools, prompts and their
//! arguments. Read from schemas once, published, put right in calls, and told of each call that uses
//! it. Not the checking of arguments.

use serde_json::{Map, Value, json};

use crate::model::JsonObject;
use crate::text;

/// Names that an argument had before: a list of strings on its property.
const OLD_NAMES: &str = "x-old-names";
/// What to do instead of giving an argument: a sentence's end, such as "use `limit`".
const ADVICE: &str = "x-deprecated";
/// The member of `_meta` that tells programs, in definitions and in results.
pub(crate) const META: &str = "dev.mcpfn/deprecated";
/// The most notes of one call.
const MAX_NOTES: usize = 8;

/// What of one tool or prompt is deprecated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Deprecations {
    /// All of it: what to do instead.
    pub(crate) advice: Option<String>,
    /// Arguments by an old name, and by the name that they have.
    renamed: Vec<(String, String)>,
    /// Arguments that are still read, and what to do instead.
    arguments: Vec<(String, String)>,
}

impl Deprecations {
    /// Of all of a tool or a prompt.
    pub(crate) fn of_all(advice: String) -> Self {
        Self {
            advice: Some(advice),
            ..Self::default()
        }
    }

    /// Takes what is said of arguments out of their schema; mistakes where it can't hold.
    pub(crate) fn take(
        advice: Option<String>,
        schema: &mut Value,
        mistakes: &mut Vec<String>,
    ) -> Self {
        let mut found = Self {
            advice,
            ..Self::default()
        };
        let required = schema.get("required").cloned().unwrap_or_default();
        let names = required.as_array().map_or(&[][..], Vec::as_slice);
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(properties) = properties {
            for (name, property) in properties.iter_mut() {
                let Some(members) = property.as_object_mut() else {
                    continue;
                };
                found.take_old_names(name, members, mistakes);
                found.take_advice(name, members, names, mistakes);
            }
            found.check(properties, mistakes);
        }
        if let Some(place) = nested(schema, &mut String::new()) {
            mistakes.push(format!(
                "old names and deprecations are of the arguments themselves, and {place} is inside \
                 of one: take it out there"
            ));
        }
        found
    }

    fn take_old_names(&mut self, name: &str, members: &mut JsonObject, mistakes: &mut Vec<String>) {
        let Some(old) = members.remove(OLD_NAMES) else {
            return;
        };
        let old = old.as_array().map_or(&[][..], Vec::as_slice);
        self.renamed.extend(
            old.iter()
                .filter_map(Value::as_str)
                .map(|old| (old.to_owned(), name.to_owned())),
        );
        if members.contains_key("x-mcp-header") {
            mistakes.push(format!(
                "its argument `{name}` has an old name and `x-mcp-header`, which clients send by the \
                 name that they know: leave one of the two out"
            ));
        }
    }

    fn take_advice(
        &mut self,
        name: &str,
        members: &mut JsonObject,
        required: &[Value],
        mistakes: &mut Vec<String>,
    ) {
        let Some(advice) = members.remove(ADVICE) else {
            return;
        };
        if required.iter().any(|known| known == name) {
            mistakes.push(format!(
                "its argument `{name}` is deprecated and required: make it optional, or no client \
                 can leave it out"
            ));
        }
        let advice = advice.as_str().unwrap_or_default().to_owned();
        self.arguments.push((name.to_owned(), advice));
    }

    /// An old name stands for one argument, and for nothing else.
    fn check(&self, properties: &JsonObject, mistakes: &mut Vec<String>) {
        for (position, (old, name)) in self.renamed.iter().enumerate() {
            let twice = self.renamed[..position]
                .iter()
                .any(|(other, _)| other == old);
            if twice || properties.contains_key(old) {
                mistakes.push(format!(
                    "`{old}`, an old name of its argument `{name}`, is the name of another one"
                ));
            }
        }
    }

    /// Nothing is deprecated: the same as none.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Says it in a schema that clients read: old names are properties of their own.
    pub(crate) fn publish(&self, schema: &mut Value) {
        let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
            return;
        };
        for (name, advice) in &self.arguments {
            if let Some(property) = properties.get_mut(name).and_then(Value::as_object_mut) {
                mark(property, advice);
            }
        }
        for (old, name) in &self.renamed {
            // without a store of idempotent writes their key is not published
            let Some(mut property) = properties.get(name).and_then(Value::as_object).cloned()
            else {
                continue;
            };
            // what is told of the argument stands at its name
            for key in ["description", "default", "x-idempotency-key"] {
                property.remove(key);
            }
            mark(&mut property, &format!("use `{name}`"));
            properties.insert(old.clone(), Value::Object(property));
        }
    }

    /// A description with what to do instead.
    pub(crate) fn describe(&self, description: Option<String>) -> Option<String> {
        match &self.advice {
            // one that is missing is a mistake, which this does not hide
            Some(advice) => description.map(|rest| described(Some(&rest), advice)),
            None => description,
        }
    }

    /// The same for programs, as a member of a definition's `_meta`.
    pub(crate) fn tell(&self, meta: &mut JsonObject) {
        if self.is_empty() {
            return;
        }
        let mut told = Map::new();
        if let Some(advice) = &self.advice {
            told.insert("use".to_owned(), advice.as_str().into());
        }
        if !self.renamed.is_empty() {
            let renamed = self.renamed.iter();
            let renamed = renamed.map(|(old, name)| (old.clone(), json!(name)));
            told.insert("renamed".to_owned(), text::members(renamed).into());
        }
        meta.insert(META.to_owned(), told.into());
    }

    /// The old names, each with the argument's own.
    pub(crate) fn renamed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.renamed.iter().map(|(old, name)| (&**old, &**name))
    }

    /// The name that an argument has.
    pub(crate) fn current<'a>(&'a self, name: &'a str) -> &'a str {
        let mut renamed = self.renamed();
        renamed
            .find(|(old, _)| *old == name)
            .map_or(name, |(_, current)| current)
    }

    /// Gives arguments their own names.
    ///
    /// # Errors
    /// A line for each that is given by two names, as violations of a schema are told.
    pub(crate) fn rename(&self, arguments: &mut Value) -> Result<(), String> {
        let Some(members) = arguments.as_object_mut() else {
            return Ok(());
        };
        let mut twice = Vec::new();
        for (old, name) in &self.renamed {
            match members.remove(old) {
                // as in all arguments, null is what is left out
                None | Some(Value::Null) => {}
                Some(_) if members.get(name).is_some_and(|given| !given.is_null()) => {
                    twice.push(format!(
                        "- /{old}: the old name of `{name}`, which is given too; send `{name}` alone"
                    ));
                }
                Some(value) => _ = members.insert(name.clone(), value),
            }
        }
        if twice.is_empty() {
            Ok(())
        } else {
            Err(twice.join("\n"))
        }
    }

    /// What a call uses of it, in sentences for its client and for the log: `arguments` as they
    /// came, and the name that was called if that is an old one. At most eight.
    pub(crate) fn used(
        &self,
        (kind, name): (&str, &str),
        old_name: Option<&str>,
        arguments: &Value,
    ) -> Vec<String> {
        let given = |name: &str| arguments.get(name).is_some_and(|value| !value.is_null());
        let mut notes = Vec::new();
        if let Some(old) = old_name {
            notes.push(format!("{kind} `{old}` is deprecated: use `{name}`"));
        }
        if let Some(advice) = &self.advice {
            notes.push(format!("{kind} `{name}` is deprecated: {advice}"));
        }
        let renamed = self.renamed.iter().filter(|(old, _)| given(old));
        notes.extend(
            renamed.map(|(old, name)| format!("argument `{old}` is deprecated: use `{name}`")),
        );
        let arguments = self.arguments.iter().filter(|(name, _)| given(name));
        notes.extend(
            arguments.map(|(name, advice)| format!("argument `{name}` is deprecated: {advice}")),
        );
        notes.truncate(MAX_NOTES);
        notes
    }
}

/// A description that begins with what to do instead.
pub(crate) fn described(description: Option<&str>, advice: &str) -> String {
    match description {
        Some(rest) if !rest.is_empty() => format!("Deprecated: {advice}. {rest}"),
        _ => format!("Deprecated: {advice}."),
    }
}

fn mark(property: &mut JsonObject, advice: &str) {
    let description = property.get("description").and_then(Value::as_str);
    let description = described(description, advice);
    property.insert("description".to_owned(), description.into());
    property.insert("deprecated".to_owned(), true.into());
}

/// Where a schema still says something of an argument, once it was taken from the top.
fn nested(schema: &Value, place: &mut String) -> Option<String> {
    let length = place.len();
    let mut below = |key: &str, value: &Value| {
        place.push('/');
        place.push_str(key);
        let found = nested(value, place);
        place.truncate(length);
        found
    };
    match schema {
        Value::Object(members) => {
            if members.contains_key(OLD_NAMES) || members.contains_key(ADVICE) {
                return Some(place.clone());
            }
            let data = ["default", "examples", "const", "enum"];
            let mut schemas = members.iter().filter(|(key, _)| !data.contains(&&***key));
            schemas.find_map(|(key, value)| below(key, value))
        }
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(position, item)| below(&position.to_string(), item)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(mut schema: Value) -> (Deprecations, Value, Vec<String>) {
        let mut mistakes = Vec::new();
        let found = Deprecations::take(None, &mut schema, &mut mistakes);
        (found, schema, mistakes)
    }

    #[test]
    fn old_names_are_published_and_put_right() {
        let (found, own, mistakes) = taken(json!({
            "type": "object",
            "properties": {
                "query": {"type": "string", "description": "Words.", "x-old-names": ["text", "q"]},
                "max": {"type": "integer", "x-deprecated": "use `limit`"},
            },
            "required": ["query"],
        }));
        assert_eq!(mistakes, [""; 0]);
        assert_eq!(own["properties"]["max"], json!({"type": "integer"}));
        let mut published = own.clone();
        found.publish(&mut published);
        let properties = &published["properties"];
        let text = json!({"type": "string", "description": "Deprecated: use `query`.", "deprecated": true});
        assert_eq!((&properties["text"], &properties["q"]), (&text, &text));
        assert_eq!(properties["max"]["deprecated"], true);
        assert_eq!(properties["query"]["description"], "Words.");
        let mut arguments = json!({"text": "a", "q": null, "max": 3});
        let notes = found.used(("tool", "find"), Some("search"), &arguments);
        let expected = [
            "tool `search` is deprecated: use `find`",
            "argument `text` is deprecated: use `query`",
            "argument `max` is deprecated: use `limit`",
        ];
        assert_eq!(notes, expected);
        found.rename(&mut arguments).unwrap();
        assert_eq!(arguments, json!({"query": "a", "max": 3}));
        let mut both = json!({"text": "a", "query": "b", "q": "c"});
        let refusal = found.rename(&mut both).unwrap_err();
        assert!(
            refusal.contains("- /text: the old name of `query`"),
            "{refusal}"
        );
        assert!(
            refusal.contains("- /q: the old name of `query`"),
            "{refusal}"
        );
    }

    #[test]
    fn what_can_not_hold_is_a_mistake() {
        for (schema, named) in [
            (
                json!({"a": {"x-old-names": ["b"]}, "b": {}}),
                "`b`, an old name",
            ),
            (
                json!({"a": {"x-old-names": ["c"]}, "b": {"x-old-names": ["c"]}}),
                "`c`, an old name",
            ),
            (
                json!({"a": {"x-old-names": ["b"], "x-mcp-header": "A"}}),
                "x-mcp-header",
            ),
            (
                json!({"r": {"x-deprecated": "leave it out"}}),
                "deprecated and required",
            ),
            (
                json!({"a": {"properties": {"b": {"x-old-names": ["c"]}}}}),
                "/properties/a/properties/b",
            ),
            (
                json!({"a": {"items": {"x-deprecated": "c"}}}),
                "/properties/a/items",
            ),
        ] {
            let schema = json!({"type": "object", "properties": schema, "required": ["r"]});
            let (_, _, mistakes) = taken(schema);
            assert!(
                mistakes.len() == 1 && mistakes[0].contains(named),
                "{named}: {mistakes:?}"
            );
        }
    }
}
