//! What is wrong with the members of an object: missing, unknown, misspelt. Verdicts are not made
//! here.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Explainer;
use crate::eval::ValuePart;
use crate::path::{PathSegment, ValuePath};
use crate::program::{PropertyRules, Rule, SchemaId, Subschema};
use crate::text::{nearest, quoted};
use crate::words;

/// Names that an unknown property's line lists when none is near.
const MAX_NAMES: usize = 10;

impl<'v> Explainer<'_, 'v> {
    pub(super) fn members(
        &mut self,
        members: &'v PropertyRules,
        map: &Map<String, Value>,
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        for property in &members.properties {
            let at = at.step(PathSegment::Property(&property.name));
            match (map.get(&property.name), property.schema) {
                (None, _) if property.required => self.missing(&property.name, members, map, &at),
                (Some(value), Some(id)) => self.descend(id, value, &at, nesting),
                _ => {}
            }
        }
        for (pattern, id) in &members.patterns {
            for (name, value) in map.iter().filter(|(name, _)| pattern.matches(name)) {
                self.descend(*id, value, &at.step(PathSegment::Property(name)), nesting);
            }
        }
        if let Some(id) = members.additional {
            let is_known = |name: &str| {
                members.declares(name)
                    || members
                        .patterns
                        .iter()
                        .any(|(pattern, _)| pattern.matches(name))
            };
            let unknown: Vec<&String> = map.keys().filter(|name| !is_known(name)).collect();
            let known = members
                .properties
                .iter()
                .filter(|property| property.schema.is_some());
            self.additional(
                id,
                &unknown,
                &known.map(|property| property.name.as_str()).collect(),
                map,
                at,
                nesting,
            );
        }
    }

    /// Names that must be there when another one is.
    pub(super) fn needs(
        &mut self,
        pairs: &[(String, Box<[String]>)],
        map: &Map<String, Value>,
        at: &ValuePath<'_>,
    ) {
        for (name, needed) in pairs.iter().filter(|(name, _)| map.contains_key(name)) {
            for missing in needed.iter().filter(|name| !map.contains_key(*name)) {
                let message = format_args!("required when {} is given, but missing", quoted(name));
                self.add(&at.step(PathSegment::Property(missing)), message);
            }
        }
    }

    pub(super) fn names(
        &mut self,
        id: SchemaId,
        map: &Map<String, Value>,
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        for name in map.keys() {
            let at = at.step(PathSegment::Name(name));
            self.descend(id, &Value::String(name.clone()), &at, nesting);
        }
    }

    /// Members that no rule of the schema looked at.
    pub(super) fn unevaluated(
        &mut self,
        id: SchemaId,
        rules: &'v [Rule],
        value: &Value,
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        let Value::Object(map) = value else {
            return;
        };
        let evaluator = self.evaluator;
        let is_left = |name: &&String| {
            !evaluator.is_evaluated(rules, value, ValuePart::Property(name), nesting)
        };
        let left: Vec<&String> = map.keys().filter(is_left).collect();
        let mut known = BTreeSet::new();
        self.known_names(rules, &mut known, nesting);
        self.additional(id, &left, &known, map, at, nesting);
    }

    /// A required property. Where unknown names are allowed, one of them may be what its name was
    /// meant to be.
    fn missing(
        &mut self,
        name: &str,
        members: &PropertyRules,
        map: &Map<String, Value>,
        at: &ValuePath<'_>,
    ) {
        let is_closed = members
            .additional
            .is_some_and(|id| matches!(self.evaluator.schema(id), Subschema::Nothing));
        let unknown = map
            .keys()
            .map(String::as_str)
            .filter(|name| !is_closed && !members.declares(name));
        match nearest(name, unknown.take(MAX_NAMES)) {
            Some(near) => self.add(
                at,
                format_args!(
                    "required, but missing; is it what {} was meant to be?",
                    quoted(near)
                ),
            ),
            None => self.add(at, format_args!("required, but missing")),
        }
    }

    /// Properties that no other keyword speaks for.
    fn additional(
        &mut self,
        id: SchemaId,
        names: &[&String],
        known: &BTreeSet<&str>,
        map: &Map<String, Value>,
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        let forbidden = matches!(self.evaluator.schema(id), Subschema::Nothing);
        let mut listed = !(1..=MAX_NAMES).contains(&known.len());
        // a name that is in use is not what a misspelt one stands for
        let free = || {
            known
                .iter()
                .copied()
                .filter(|name| !map.contains_key(*name))
        };
        for name in names {
            let at = at.step(PathSegment::Property(name));
            if !forbidden {
                self.descend(id, &map[*name], &at, nesting);
            } else if self.found.is_full() {
                self.found.count();
            } else if let Some(near) = nearest(name, free()) {
                self.add(
                    &at,
                    format_args!("unknown property; did you mean {}?", quoted(near)),
                );
            } else if listed {
                self.add(&at, format_args!("unknown property"));
            } else {
                listed = true;
                self.add(
                    &at,
                    format_args!(
                        "unknown property; known here: {}",
                        words::names(known.iter().copied())
                    ),
                );
            }
        }
    }

    /// The names that rules, and the schemas that they apply to the same value, declare.
    fn known_names(&self, rules: &'v [Rule], names: &mut BTreeSet<&'v str>, nesting: u32) {
        let Some(nesting) = self.evaluator.enter(nesting) else {
            return;
        };
        for rule in rules {
            let below: Vec<SchemaId> = match rule {
                Rule::Properties(members) => {
                    names.extend(
                        members
                            .properties
                            .iter()
                            .filter(|property| property.schema.is_some())
                            .map(|property| property.name.as_str()),
                    );
                    continue;
                }
                Rule::All(ids) | Rule::Any(ids) | Rule::One(ids) => ids.to_vec(),
                Rule::If(condition, then, otherwise) => [Some(*condition), *then, *otherwise]
                    .into_iter()
                    .flatten()
                    .collect(),
                Rule::When(pairs) => pairs.iter().map(|(_, id)| *id).collect(),
                _ => continue,
            };
            for id in below {
                if let Subschema::Rules(_, rules) = self.evaluator.schema(id) {
                    self.known_names(rules, names, nesting);
                }
            }
        }
    }
}
