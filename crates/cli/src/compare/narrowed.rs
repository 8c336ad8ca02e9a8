//! Whether one JSON Schema admits all that another one does, keyword by keyword. Exact where values
//! can be counted; a keyword that can't be compared is a gap unless it is the same.

use mcpfn_schema::Schema;
use serde_json::{Map, Value};

use super::gap::{Gap, GapKind, KINDS, has_kind};
use super::numbers;

/// How deep schemas are followed, through references too.
const DEEPEST: usize = 48;

/// Keywords that say nothing of a value.
const ANNOTATIONS: [&str; 10] = [
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$comment",
    "$schema",
    "$id",
];

/// Keywords that are not taken apart: the same, or a gap.
const WHOLE: [&str; 12] = [
    "not",
    "if",
    "then",
    "else",
    "contains",
    "patternProperties",
    "propertyNames",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedProperties",
    "unevaluatedItems",
    "$dynamicRef",
];

/// Of what the schemas are: clients write arguments, and read results.
#[derive(Clone, Copy)]
pub(super) enum Side<'a> {
    /// `renamed` are old names with the ones that arguments have now.
    Arguments {
        renamed: &'a Value,
    },
    Results,
}

/// Two schemas: all that `from` admits should be admitted by `to`.
pub(super) struct SchemaPair<'a> {
    from: &'a Value,
    to: &'a Value,
    pub(super) side: Side<'a>,
}

impl<'a> SchemaPair<'a> {
    pub(super) fn new(from: &'a Value, to: &'a Value, side: Side<'a>) -> Self {
        Self { from, to, side }
    }

    pub(super) fn gaps(&self) -> Vec<Gap> {
        self.between(self.from, self.to, "", 0)
    }

    /// The gaps between two parts of the schemas.
    pub(super) fn between(&self, from: &Value, to: &Value, place: &str, depth: usize) -> Vec<Gap> {
        if depth > DEEPEST {
            // a circle: what is above was compared
            return Vec::new();
        }
        let (from, to) = (resolved(from, self.from), resolved(to, self.to));
        if from == &Value::Bool(false) || to == &Value::Bool(true) || asserts_nothing(to) {
            return Vec::new();
        }
        let nothing = Map::new();
        let (from, to) = match (from, to) {
            (_, Value::Bool(_)) => return vec![Gap::new(place, GapKind::Type, "nothing fits")],
            (Value::Object(from), Value::Object(to)) => (from, to),
            (_, Value::Object(to)) => (&nothing, to),
            _ => return Vec::new(),
        };
        if let Some(gaps) = self.by_values(from, to, place) {
            return gaps;
        }
        if let Some(gaps) = self.alternatives(from, to, place, depth) {
            return gaps;
        }
        let mut gaps = Vec::new();
        kinds(from, to, place, &mut gaps);
        if to.contains_key("enum") || to.contains_key("const") {
            gaps.push(Gap::new(place, GapKind::Values, "only listed ones"));
        }
        numbers::bounds(from, to, place, &mut gaps);
        forms(from, to, place, &mut gaps);
        self.objects(from, to, (place, depth), &mut gaps);
        self.items(from, to, (place, depth), &mut gaps);
        gaps
    }

    /// Where `from` lists its values, each is checked by the validator.
    fn by_values(
        &self,
        from: &Map<String, Value>,
        to: &Map<String, Value>,
        place: &str,
    ) -> Option<Vec<Gap>> {
        let only = from.get("const").map(std::slice::from_ref);
        let listed = || {
            from.get("enum")
                .and_then(Value::as_array)
                .map(Vec::as_slice)
        };
        let values = only.or_else(listed)?;
        let mut whole = to.clone();
        for definitions in ["$defs", "definitions"] {
            if let Some(found) = self.to.get(definitions) {
                whole.entry(definitions).or_insert_with(|| found.clone());
            }
        }
        let validator = Schema::compile(&Value::Object(whole)).ok()?;
        let refused = values.iter().filter(|value| !validator.accepts(value));
        let refused: Vec<String> = refused.map(ToString::to_string).take(8).collect();
        Some(match refused.as_slice() {
            [] => Vec::new(),
            some => vec![Gap::new(
                place,
                GapKind::Values,
                &format!("not {}", some.join(", ")),
            )],
        })
    }

    fn objects(
        &self,
        from: &Map<String, Value>,
        to: &Map<String, Value>,
        (place, depth): (&str, usize),
        gaps: &mut Vec<Gap>,
    ) {
        if !has_kind(from, "object") {
            return;
        }
        let closed = |schema: &Map<String, Value>| {
            schema.get("additionalProperties") == Some(&Value::Bool(false))
        };
        let (before, now) = (properties(from), properties(to));
        for (name, was) in before {
            let below = format!("{place}/{name}");
            match now.get(name) {
                Some(is) => gaps.extend(self.between(was, is, &below, depth + 1)),
                // arguments that are ignored from now on have gone as well
                None if closed(to) || matches!(self.side, Side::Arguments { .. }) => {
                    let kind = match self.side {
                        Side::Arguments { .. } => GapKind::Removed,
                        Side::Results => GapKind::Unknown,
                    };
                    gaps.push(Gap::new(&below, kind, ""));
                }
                None => {}
            }
        }
        let required = |schema: &Map<String, Value>, name: &str| {
            let names = schema.get("required").and_then(Value::as_array);
            names.is_some_and(|names| names.iter().any(|one| one == name))
        };
        let names = to.get("required").and_then(Value::as_array);
        for name in names.into_iter().flatten().filter_map(Value::as_str) {
            let by_old_name = matches!(self.side, Side::Arguments { renamed } if before
                .keys()
                .any(|old| renamed[old] == name && required(from, old)));
            if !required(from, name) && !by_old_name {
                gaps.push(Gap::new(&format!("{place}/{name}"), GapKind::Required, ""));
            }
        }
        // a property that neither knows may be anything where it may be at all
        if closed(to) && !closed(from) {
            gaps.push(Gap::new(place, GapKind::Unknown, ""));
        } else if let (Some(is @ Value::Object(_)), false) =
            (to.get("additionalProperties"), closed(from))
        {
            let was = from
                .get("additionalProperties")
                .unwrap_or(&Value::Bool(true));
            gaps.extend(self.between(was, is, &format!("{place}/*"), depth + 1));
        }
    }

    fn items(
        &self,
        from: &Map<String, Value>,
        to: &Map<String, Value>,
        (place, depth): (&str, usize),
        gaps: &mut Vec<Gap>,
    ) {
        if !has_kind(from, "array") {
            return;
        }
        let any = Value::Bool(true);
        let was = from.get("items").unwrap_or(&any);
        if let Some(is) = to.get("items") {
            gaps.extend(self.between(was, is, &format!("{place}/*"), depth + 1));
        }
        let listed = |schema: &Map<String, Value>| -> Vec<Value> {
            let items = schema.get("prefixItems").and_then(Value::as_array);
            items.cloned().unwrap_or_default()
        };
        let before = listed(from);
        for (position, is) in listed(to).iter().enumerate() {
            let was = before.get(position).unwrap_or(was);
            gaps.extend(self.between(was, is, &format!("{place}/{position}"), depth + 1));
        }
    }
}

/// What a reference inside the same schema means.
fn resolved<'v>(mut schema: &'v Value, root: &'v Value) -> &'v Value {
    for _ in 0..DEEPEST {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
            return schema;
        };
        match reference
            .strip_prefix('#')
            .and_then(|path| root.pointer(path))
        {
            Some(found) => schema = found,
            None => return schema,
        }
    }
    schema
}

fn asserts_nothing(schema: &Value) -> bool {
    let known = |key: &str| ANNOTATIONS.contains(&key) || key.starts_with("x-");
    let definitions = |key: &str| matches!(key, "$defs" | "definitions");
    let members = schema.as_object();
    members.is_some_and(|members| members.keys().all(|key| known(key) || definitions(key)))
}

fn properties(schema: &Map<String, Value>) -> &Map<String, Value> {
    static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
    let found = schema.get("properties").and_then(Value::as_object);
    found.unwrap_or(&NONE)
}

fn kinds(from: &Map<String, Value>, to: &Map<String, Value>, place: &str, gaps: &mut Vec<Gap>) {
    let gone = KINDS
        .iter()
        .filter(|kind| has_kind(from, kind) && !has_kind(to, kind));
    let gone: Vec<&str> = gone.copied().collect();
    if !gone.is_empty() {
        gaps.push(Gap::new(
            place,
            GapKind::Type,
            &format!("not {}", gone.join(", ")),
        ));
    }
}

/// Patterns, formats, and what is not taken apart.
fn forms(from: &Map<String, Value>, to: &Map<String, Value>, place: &str, gaps: &mut Vec<Gap>) {
    for keyword in ["pattern", "format"] {
        let (was, is) = (from.get(keyword), to.get(keyword));
        if has_kind(from, "string") && is.is_some() && was != is {
            gaps.push(Gap::new(place, GapKind::Format, keyword));
        }
    }
    for keyword in WHOLE {
        let (was, is) = (from.get(keyword), to.get(keyword));
        if is.is_some() && was != is {
            gaps.push(Gap::new(place, GapKind::Shape, keyword));
        }
    }
}
