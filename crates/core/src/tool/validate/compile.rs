//! From a schema as JSON to a program. Refuses what would go unchecked; what a keyword means is
//! `eval.rs`.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::keywords::Place;
use super::program::{Count, Id, Kinds, Members, Pattern, Property, Rule, Schema};
use super::words::escaped;

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// As deep as serde_json reads.
const MOST_NESTED: usize = 128;

/// Keywords of other drafts whose meaning 2020-12 gives to other words: a silent one would be a
/// hole.
const GONE: [(&str, &str); 4] = [
    ("$dynamicRef", "is not supported: use `$ref`"),
    ("$recursiveRef", "is not in 2020-12: use `$ref`"),
    (
        "dependencies",
        "is not in 2020-12: use `dependentRequired` or `dependentSchemas`",
    ),
    (
        "additionalItems",
        "is not in 2020-12: use `prefixItems` and `items`",
    ),
];

/// Keywords by where their subschemas are.
const ONE: [&str; 10] = [
    "additionalProperties",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const MAP: [&str; 4] = [
    "$defs",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

pub(super) type Result<T> = std::result::Result<T, String>;

/// Compiles a document; its root schema is at position 0.
pub(super) fn compile(root: &Value) -> Result<Vec<Schema>> {
    let mut anchors = HashMap::new();
    find_anchors(root, "", 0, &mut anchors)?;
    let mut compiler = Compiler {
        root,
        anchors,
        places: vec![(root, String::new())],
        ids: HashMap::from([(String::new(), 0)]),
    };
    let mut schemas = Vec::new();
    // compiling one schema finds more; references may lead in circles and as far as they like
    while let Some((value, at)) = compiler.places.get(schemas.len()) {
        let (value, at) = (*value, at.clone());
        schemas.push(compiler.schema(value, &at)?);
    }
    match endless(&schemas) {
        Some(id) => Err(format!(
            "{}: the schema refers to itself without end",
            shown(&compiler.places[id].1)
        )),
        None => Ok(schemas),
    }
}

fn shown(at: &str) -> &str {
    if at.is_empty() { "/" } else { at }
}

fn find_anchors<'s>(
    schema: &'s Value,
    at: &str,
    depth: usize,
    anchors: &mut HashMap<&'s str, String>,
) -> Result<()> {
    if depth > MOST_NESTED {
        return Err(format!("{at}: the schema is nested too deeply"));
    }
    for keyword in ["$anchor", "$dynamicAnchor"] {
        let Some(anchor) = schema.get(keyword) else {
            continue;
        };
        let name = anchor
            .as_str()
            .ok_or_else(|| format!("{at}/{keyword}: must be a string"))?;
        if anchors.insert(name, at.to_owned()).is_some() {
            return Err(format!(
                "{at}/{keyword}: `{name}` is the name of two schemas"
            ));
        }
    }
    let Some(members) = schema.as_object() else {
        return Ok(());
    };
    for (keyword, value) in members {
        let at = format!("{at}/{}", escaped(keyword));
        match (keyword.as_str(), value) {
            (keyword, value) if ONE.contains(&keyword) => {
                find_anchors(value, &at, depth + 1, anchors)?
            }
            (keyword, Value::Array(list)) if LIST.contains(&keyword) => {
                for (position, value) in list.iter().enumerate() {
                    find_anchors(value, &format!("{at}/{position}"), depth + 2, anchors)?;
                }
            }
            (keyword, Value::Object(map)) if MAP.contains(&keyword) => {
                for (name, value) in map {
                    find_anchors(
                        value,
                        &format!("{at}/{}", escaped(name)),
                        depth + 2,
                        anchors,
                    )?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// A schema that is reached from itself without going down into the value. Takes away, one by one,
/// the schemas that nothing left applies; a circle is what stays.
fn endless(schemas: &[Schema]) -> Option<Id> {
    let mut applied = vec![0usize; schemas.len()];
    schemas
        .iter()
        .flat_map(in_place)
        .for_each(|id| applied[id] += 1);
    let mut free: Vec<Id> = (0..schemas.len()).filter(|id| applied[*id] == 0).collect();
    while let Some(id) = free.pop() {
        for id in in_place(&schemas[id]) {
            applied[id] -= 1;
            if applied[id] == 0 {
                free.push(id);
            }
        }
    }
    applied.iter().position(|applied| *applied > 0)
}

/// The schemas that a schema applies to the same value.
fn in_place(schema: &Schema) -> Vec<Id> {
    let rules = match schema {
        Schema::Same(id) => return vec![*id],
        Schema::Rules(_, rules) => rules,
        Schema::Anything | Schema::Nothing => return Vec::new(),
    };
    let of_rule = |rule: &Rule| match rule {
        Rule::All(ids) | Rule::Any(ids) | Rule::One(ids) => ids.to_vec(),
        Rule::Not(id) => vec![*id],
        Rule::If(condition, then, otherwise) => [Some(*condition), *then, *otherwise]
            .into_iter()
            .flatten()
            .collect(),
        Rule::When(list) => list.iter().map(|(_, id)| *id).collect(),
        _ => Vec::new(),
    };
    rules.iter().flat_map(of_rule).collect()
}

struct Compiler<'s> {
    root: &'s Value,
    anchors: HashMap<&'s str, String>,
    /// Every schema found so far and its JSON pointer, in the order of the program.
    places: Vec<(&'s Value, String)>,
    ids: HashMap<String, Id>,
}

impl<'s> Compiler<'s> {
    fn id(&mut self, value: &'s Value, at: String) -> Id {
        let next = self.places.len();
        let id = *self.ids.entry(at.clone()).or_insert(next);
        if id == next {
            self.places.push((value, at));
        }
        id
    }

    fn schema(&mut self, value: &'s Value, at: &str) -> Result<Schema> {
        match value {
            Value::Bool(true) => Ok(Schema::Anything),
            Value::Bool(false) => Ok(Schema::Nothing),
            Value::Object(members) => {
                check_identity(members, at)?;
                let place = Place { members, at };
                let kinds = place.kinds()?;
                let mut rules = place.assertions()?;
                let alone = rules.is_empty() && kinds == Kinds::ALL;
                self.applicators(&place, &mut rules)?;
                match rules.as_slice() {
                    [] if alone => Ok(Schema::Anything),
                    [Rule::All(ids)] if alone && ids.len() == 1 => Ok(Schema::Same(ids[0])),
                    _ => Ok(Schema::Rules(kinds, rules.into())),
                }
            }
            _ => Err(format!(
                "{}: a schema must be an object or a boolean",
                shown(at)
            )),
        }
    }

    fn applicators(&mut self, place: &Place<'s, '_>, rules: &mut Vec<Rule>) -> Result<()> {
        rules.extend(self.members(place)?);
        rules.extend(place.needs()?);
        rules.extend(self.one(place, "propertyNames").map(Rule::Names));
        let (prefix, rest) = (
            self.list(place, "prefixItems")?.unwrap_or_default(),
            self.one(place, "items"),
        );
        if !prefix.is_empty() || rest.is_some() {
            rules.push(Rule::Items(prefix, rest));
        }
        let (least, most) = (place.count("minContains")?, place.count("maxContains")?);
        let count = Count {
            least: least.unwrap_or(1),
            most: most.unwrap_or(usize::MAX),
        };
        rules.extend(
            self.one(place, "contains")
                .map(|id| Rule::Contains(id, count)),
        );
        if place.flag("uniqueItems")? {
            rules.push(Rule::Unique);
        }
        if let Some(id) = self.reference(place)? {
            rules.push(Rule::All([id].into()));
        }
        rules.extend(self.list(place, "allOf")?.map(Rule::All));
        let (then, otherwise) = (self.one(place, "then"), self.one(place, "else"));
        rules.extend(
            self.one(place, "if")
                .map(|condition| Rule::If(condition, then, otherwise)),
        );
        rules.extend(
            self.map(place, "dependentSchemas")?
                .map(|map| Rule::When(map.into())),
        );
        rules.extend(self.list(place, "anyOf")?.map(Rule::Any));
        rules.extend(self.list(place, "oneOf")?.map(Rule::One));
        rules.extend(self.one(place, "not").map(Rule::Not));
        rules.extend(
            self.one(place, "unevaluatedProperties")
                .map(Rule::UnevaluatedProperties),
        );
        rules.extend(
            self.one(place, "unevaluatedItems")
                .map(Rule::UnevaluatedItems),
        );
        // nothing refers to these by being there, but a mistake in them is a mistake
        self.map(place, "$defs")?;
        Ok(())
    }

    fn members(&mut self, place: &Place<'s, '_>) -> Result<Option<Rule>> {
        let mut properties: BTreeMap<String, Property> = BTreeMap::new();
        for (name, id) in self.map(place, "properties")?.unwrap_or_default() {
            properties.insert(
                name.clone(),
                Property {
                    name,
                    schema: Some(id),
                    required: false,
                },
            );
        }
        for name in place.strings("required")?.unwrap_or_default() {
            let undeclared = || Property {
                name: name.clone(),
                schema: None,
                required: true,
            };
            properties
                .entry(name.clone())
                .or_insert_with(undeclared)
                .required = true;
        }
        let mut patterns = Vec::new();
        for (source, id) in self.map(place, "patternProperties")?.unwrap_or_default() {
            let pattern = Pattern::compile(&source)
                .map_err(|error| format!("{}: {error}", place.of("patternProperties")))?;
            patterns.push((pattern, id));
        }
        let additional = self.one(place, "additionalProperties");
        let any = !properties.is_empty() || !patterns.is_empty() || additional.is_some();
        let properties = properties.into_values().collect();
        Ok(any.then(|| {
            Rule::Members(Members {
                properties,
                patterns: patterns.into(),
                additional,
            })
        }))
    }

    fn reference(&mut self, place: &Place<'s, '_>) -> Result<Option<Id>> {
        let Some(reference) = place.string("$ref")? else {
            return Ok(None);
        };
        let at = place.of("$ref");
        let fragment = reference.strip_prefix('#');
        let fragment = fragment.ok_or_else(|| {
            format!("{at}: `{reference}` is not inside this schema, and nothing is fetched")
        })?;
        let fragment = percent_decoded(fragment);
        let pointer = match self.anchors.get(fragment.as_str()) {
            Some(pointer) => pointer.clone(),
            None => fragment,
        };
        let target = self
            .root
            .pointer(&pointer)
            .ok_or_else(|| format!("{at}: there is no `{reference}` in this schema"))?;
        Ok(Some(self.id(target, pointer)))
    }

    fn one(&mut self, place: &Place<'s, '_>, keyword: &str) -> Option<Id> {
        let value = place.members.get(keyword)?;
        Some(self.id(value, place.of(keyword)))
    }

    fn list(&mut self, place: &Place<'s, '_>, keyword: &str) -> Result<Option<Box<[Id]>>> {
        let Some(value) = place.members.get(keyword) else {
            return Ok(None);
        };
        let list = value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| place.must_be(keyword, "a non-empty array of schemas"))?;
        let ids = list
            .iter()
            .enumerate()
            .map(|(position, value)| self.id(value, format!("{}/{position}", place.of(keyword))));
        Ok(Some(ids.collect()))
    }

    fn map(&mut self, place: &Place<'s, '_>, keyword: &str) -> Result<Option<Vec<(String, Id)>>> {
        let Some(value) = place.members.get(keyword) else {
            return Ok(None);
        };
        let map = value
            .as_object()
            .ok_or_else(|| place.must_be(keyword, "an object of schemas"))?;
        let ids = map.iter().map(|(name, value)| {
            (
                name.clone(),
                self.id(value, format!("{}/{}", place.of(keyword), escaped(name))),
            )
        });
        Ok(Some(ids.collect()))
    }
}

fn check_identity(members: &Map<String, Value>, at: &str) -> Result<()> {
    if let Some(dialect) = members.get("$schema")
        && dialect
            .as_str()
            .is_none_or(|dialect| dialect.trim_end_matches('#') != DIALECT)
    {
        return Err(format!(
            "{at}/$schema: only the dialect `{DIALECT}` is supported, which is also the default"
        ));
    }
    if members.contains_key("$id") && !at.is_empty() {
        return Err(format!(
            "{at}/$id: only the root may have one, since references are resolved inside one schema"
        ));
    }
    match GONE
        .iter()
        .find(|(keyword, _)| members.contains_key(*keyword))
    {
        Some((keyword, advice)) => Err(format!("{at}/{keyword}: {advice}")),
        None => Ok(()),
    }
}

/// `%7E` and the like in the fragment of a URI.
fn percent_decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match hex
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(|_| *first == b'%')
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
