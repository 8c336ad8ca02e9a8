//! Where a stranger's schema leads: no client may be led to another host by it, or in circles. Not
//! a validator: `mcpfn-schema` is.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

/// Keywords whose values are data.
const DATA: [&str; 4] = ["const", "enum", "default", "examples"];
/// Keywords whose values are schemas by a name of their own.
const MAPS: [&str; 5] = [
    "properties",
    "patternProperties",
    "dependentSchemas",
    "$defs",
    "definitions",
];
/// Keywords whose schemas apply to the same value as the schema that has them.
const IN_PLACE: [&str; 7] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];
/// How many such schemas may lead to one another.
const MAX_CHAIN: usize = 64;

/// Refuses a schema that leads a client elsewhere, or to itself without end; takes off the `$id` at
/// the root, by which schemas of two servers could be taken for each other.
///
/// # Errors
/// What the schema has that is refused, for the log.
pub(super) fn check(schema: &mut Value) -> Result<(), String> {
    if let Some(members) = schema.as_object_mut() {
        members.remove("$id");
    }
    let mut walk = Walk {
        root: schema,
        anchors: HashMap::new(),
        done: HashSet::new(),
    };
    walk.anchors(schema);
    walk.schema(schema)
}

struct Walk<'a> {
    root: &'a Value,
    anchors: HashMap<&'a str, &'a Value>,
    /// Schemas that are known to end, by their address.
    done: HashSet<*const Value>,
}

impl<'a> Walk<'a> {
    fn anchors(&mut self, schema: &'a Value) {
        match schema {
            Value::Object(members) => {
                if let Some(name) = members.get("$anchor").and_then(Value::as_str) {
                    self.anchors.entry(name).or_insert(schema);
                }
                members.values().for_each(|value| self.anchors(value));
            }
            Value::Array(items) => items.iter().for_each(|item| self.anchors(item)),
            _ => {}
        }
    }

    fn schema(&mut self, schema: &'a Value) -> Result<(), String> {
        let members = match schema {
            Value::Object(members) => members,
            // a keyword that has a list of schemas
            Value::Array(items) => return items.iter().try_for_each(|item| self.schema(item)),
            _ => return Ok(()),
        };
        self.keywords(members)?;
        self.ends(schema, &mut Vec::new())?;
        for (key, value) in members {
            if MAPS.contains(&key.as_str()) {
                let named = value.as_object().into_iter().flatten();
                named
                    .map(|(_, value)| value)
                    .try_for_each(|value| self.schema(value))?;
            } else if !DATA.contains(&key.as_str()) {
                self.schema(value)?;
            }
        }
        Ok(())
    }

    fn keywords(&self, members: &Map<String, Value>) -> Result<(), String> {
        for key in ["$dynamicRef", "$recursiveRef"] {
            if members.contains_key(key) {
                return Err(format!(
                    "its schema has `{key}`, which few clients understand"
                ));
            }
        }
        // at the root it was taken off
        if members.contains_key("$id") {
            return Err("its schema has an `$id` below the root".to_owned());
        }
        let dialect = members.get("$schema").map(|dialect| dialect.as_str());
        if dialect.is_some_and(|dialect| !dialect.is_some_and(is_known)) {
            return Err("its `$schema` is not one of json-schema.org".to_owned());
        }
        Ok(())
    }

    /// Whether the schemas that apply to one and the same value come to an end.
    fn ends(&mut self, schema: &'a Value, through: &mut Vec<*const Value>) -> Result<(), String> {
        let address: *const Value = schema;
        if through.contains(&address) || through.len() > MAX_CHAIN {
            return Err("its schema leads to itself without end".to_owned());
        }
        let Some(members) = schema.as_object() else {
            return Ok(());
        };
        if self.done.contains(&address) {
            return Ok(());
        }
        through.push(address);
        if let Some(reference) = members.get("$ref") {
            self.ends(self.target(reference)?, through)?;
        }
        for value in IN_PLACE.iter().filter_map(|key| members.get(*key)) {
            match value {
                Value::Array(items) => {
                    items.iter().try_for_each(|item| self.ends(item, through))?;
                }
                value => self.ends(value, through)?,
            }
        }
        let dependent = members.get("dependentSchemas").and_then(Value::as_object);
        for (_, value) in dependent.into_iter().flatten() {
            self.ends(value, through)?;
        }
        through.pop();
        self.done.insert(address);
        Ok(())
    }

    fn target(&self, reference: &Value) -> Result<&'a Value, String> {
        let Some(reference) = reference.as_str() else {
            return Err("its schema has a `$ref` that is not a text".to_owned());
        };
        let shown = crate::text::quoted(reference);
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(format!(
                "its schema refers to {shown}: only references inside the schema (`#...`) are \
                 resolved"
            ));
        };
        let found = if fragment.is_empty() || fragment.starts_with('/') {
            self.root.pointer(fragment)
        } else {
            self.anchors.get(fragment).copied()
        };
        found.ok_or_else(|| format!("its schema refers to {shown}, which is not in it"))
    }
}

/// The dialects' own names; a client may load what stands there.
pub(super) fn is_known(dialect: &str) -> bool {
    ["https://json-schema.org/", "http://json-schema.org/"]
        .iter()
        .any(|host| dialect.starts_with(host))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_chain_and_a_wide_one_cost_little() {
        let chain = |length: usize| {
            let mut defs = Map::new();
            for number in 0..length {
                let next = json!({"$ref": format!("#/$defs/d{}", number + 1)});
                defs.insert(format!("d{number}"), json!({"anyOf": [next, next]}));
            }
            defs.insert(format!("d{length}"), json!({"type": "string"}));
            json!({"type": "object", "$defs": defs, "properties": {"a": {"$ref": "#/$defs/d0"}}})
        };
        // two ways at each of 20 steps: a million, if each were walked
        assert_eq!(check(&mut chain(20)), Ok(()));
        assert!(check(&mut chain(2000)).unwrap_err().contains("without end"));
    }

    #[test]
    fn properties_may_have_the_names_of_keywords() {
        let mut schema = json!({"type": "object", "properties": {
            "$ref": {"type": "string"}, "$schema": {"type": "string"}, "$id": {"type": "string"},
            "enum": {"type": "array", "items": {"$ref": "#/properties/$ref"}},
        }});
        assert_eq!(check(&mut schema), Ok(()));
        let mut schema = json!({"type": "object", "properties": {
            "default": {"$ref": "https://evil.example/s"}}});
        assert!(check(&mut schema).is_err());
    }
}
