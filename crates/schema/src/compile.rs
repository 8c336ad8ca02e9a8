//! From a schema as JSON to a program. Refuses what would go unchecked; what a keyword means is
//! `eval.rs`.

mod anchors;
mod circles;
mod dialect;
mod keywords;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use keywords::SchemaObject;

use crate::error::CompileError;
use crate::path::escaped;
use crate::pattern::Pattern;
use crate::program::{Count, Kinds, Property, PropertyRules, Rule, SchemaId, Subschema};

/// Compiles a document; its root schema is at position 0.
pub(crate) fn compile(root: &Value) -> Result<Vec<Subschema>, CompileError> {
    let mut anchors = HashMap::new();
    anchors::find(root, "", 0, &mut anchors)?;
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
    match circles::endless(&schemas) {
        Some(id) => Err(CompileError::new(
            compiler.places.swap_remove(id).1,
            "the schema refers to itself without end",
        )),
        None => Ok(schemas),
    }
}

struct Compiler<'s> {
    root: &'s Value,
    anchors: HashMap<&'s str, String>,
    /// Every schema found so far and its JSON pointer, in the order of the program.
    places: Vec<(&'s Value, String)>,
    ids: HashMap<String, SchemaId>,
}

impl<'s> Compiler<'s> {
    fn id(&mut self, value: &'s Value, at: String) -> SchemaId {
        let next = self.places.len();
        let id = *self.ids.entry(at.clone()).or_insert(next);
        if id == next {
            self.places.push((value, at));
        }
        id
    }

    fn schema(&mut self, value: &'s Value, at: &str) -> Result<Subschema, CompileError> {
        match value {
            Value::Bool(true) => Ok(Subschema::Anything),
            Value::Bool(false) => Ok(Subschema::Nothing),
            Value::Object(members) => {
                dialect::check(members, at)?;
                let object = SchemaObject { members, at };
                let kinds = object.kinds()?;
                let mut rules = object.assertions()?;
                let alone = rules.is_empty() && kinds == Kinds::ALL;
                self.applicators(&object, &mut rules)?;
                match rules.as_slice() {
                    [] if alone => Ok(Subschema::Anything),
                    [Rule::All(ids)] if alone && ids.len() == 1 => Ok(Subschema::Same(ids[0])),
                    _ => Ok(Subschema::Rules(kinds, rules.into())),
                }
            }
            _ => Err(CompileError::new(
                at,
                "a schema must be an object or a boolean",
            )),
        }
    }

    fn applicators(
        &mut self,
        object: &SchemaObject<'s, '_>,
        rules: &mut Vec<Rule>,
    ) -> Result<(), CompileError> {
        rules.extend(self.members(object)?);
        rules.extend(object.needs()?);
        rules.extend(self.one(object, "propertyNames").map(Rule::Names));
        self.of_items(object, rules)?;
        self.in_place(object, rules)?;
        rules.extend(
            self.one(object, "unevaluatedProperties")
                .map(Rule::UnevaluatedProperties),
        );
        rules.extend(
            self.one(object, "unevaluatedItems")
                .map(Rule::UnevaluatedItems),
        );
        // nothing refers to these by being there, but a mistake in them is a mistake
        self.map(object, "$defs")?;
        Ok(())
    }

    /// Rules about an array's items.
    fn of_items(
        &mut self,
        object: &SchemaObject<'s, '_>,
        rules: &mut Vec<Rule>,
    ) -> Result<(), CompileError> {
        let prefix = self.list(object, "prefixItems")?.unwrap_or_default();
        let rest = self.one(object, "items");
        if !prefix.is_empty() || rest.is_some() {
            rules.push(Rule::Items(prefix, rest));
        }
        let (least, most) = (object.count("minContains")?, object.count("maxContains")?);
        let count = Count {
            least: least.unwrap_or(1),
            most: most.unwrap_or(usize::MAX),
        };
        rules.extend(
            self.one(object, "contains")
                .map(|id| Rule::Contains(id, count)),
        );
        if object.flag("uniqueItems")? {
            rules.push(Rule::Unique);
        }
        Ok(())
    }

    /// Rules that apply other schemas to the same value.
    fn in_place(
        &mut self,
        object: &SchemaObject<'s, '_>,
        rules: &mut Vec<Rule>,
    ) -> Result<(), CompileError> {
        if let Some(id) = self.reference(object)? {
            rules.push(Rule::All([id].into()));
        }
        rules.extend(self.list(object, "allOf")?.map(Rule::All));
        let (then, otherwise) = (self.one(object, "then"), self.one(object, "else"));
        rules.extend(
            self.one(object, "if")
                .map(|condition| Rule::If(condition, then, otherwise)),
        );
        rules.extend(
            self.map(object, "dependentSchemas")?
                .map(|map| Rule::When(map.into())),
        );
        rules.extend(self.list(object, "anyOf")?.map(Rule::Any));
        rules.extend(self.list(object, "oneOf")?.map(Rule::One));
        rules.extend(self.one(object, "not").map(Rule::Not));
        Ok(())
    }

    fn members(&mut self, object: &SchemaObject<'s, '_>) -> Result<Option<Rule>, CompileError> {
        let mut properties: BTreeMap<String, Property> = BTreeMap::new();
        for (name, id) in self.map(object, "properties")?.unwrap_or_default() {
            properties.insert(
                name.clone(),
                Property {
                    name,
                    schema: Some(id),
                    required: false,
                },
            );
        }
        for name in object.strings("required")?.unwrap_or_default() {
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
        for (source, id) in self.map(object, "patternProperties")?.unwrap_or_default() {
            let pattern = Pattern::compile(&source)
                .map_err(|reason| CompileError::new(object.of("patternProperties"), reason))?;
            patterns.push((pattern, id));
        }
        let additional = self.one(object, "additionalProperties");
        let any = !properties.is_empty() || !patterns.is_empty() || additional.is_some();
        let properties = properties.into_values().collect();
        Ok(any.then(|| {
            Rule::Properties(PropertyRules {
                properties,
                patterns: patterns.into(),
                additional,
            })
        }))
    }

    fn reference(
        &mut self,
        object: &SchemaObject<'s, '_>,
    ) -> Result<Option<SchemaId>, CompileError> {
        let Some(reference) = object.string("$ref")? else {
            return Ok(None);
        };
        let refused = |reason: String| CompileError::new(object.of("$ref"), reason);
        let fragment = reference.strip_prefix('#').ok_or_else(|| {
            refused(format!(
                "`{reference}` is not inside this schema, and nothing is fetched"
            ))
        })?;
        let fragment = anchors::percent_decoded(fragment);
        let pointer = match self.anchors.get(fragment.as_str()) {
            Some(pointer) => pointer.clone(),
            None => fragment,
        };
        let target = self
            .root
            .pointer(&pointer)
            .ok_or_else(|| refused(format!("there is no `{reference}` in this schema")))?;
        Ok(Some(self.id(target, pointer)))
    }

    fn one(&mut self, object: &SchemaObject<'s, '_>, keyword: &str) -> Option<SchemaId> {
        let value = object.members.get(keyword)?;
        Some(self.id(value, object.of(keyword)))
    }

    fn list(
        &mut self,
        object: &SchemaObject<'s, '_>,
        keyword: &str,
    ) -> Result<Option<Box<[SchemaId]>>, CompileError> {
        let Some(value) = object.members.get(keyword) else {
            return Ok(None);
        };
        let list = value.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| object.must_be(keyword, "a non-empty array of schemas"))?;
        let ids = list
            .iter()
            .enumerate()
            .map(|(position, value)| self.id(value, format!("{}/{position}", object.of(keyword))));
        Ok(Some(ids.collect()))
    }

    fn map(
        &mut self,
        object: &SchemaObject<'s, '_>,
        keyword: &str,
    ) -> Result<Option<Vec<(String, SchemaId)>>, CompileError> {
        let Some(value) = object.members.get(keyword) else {
            return Ok(None);
        };
        let map = value
            .as_object()
            .ok_or_else(|| object.must_be(keyword, "an object of schemas"))?;
        let ids = map.iter().map(|(name, value)| {
            (
                name.clone(),
                self.id(value, format!("{}/{}", object.of(keyword), escaped(name))),
            )
        });
        Ok(Some(ids.collect()))
    }
}
