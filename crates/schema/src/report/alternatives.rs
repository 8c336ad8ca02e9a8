//! Which of `anyOf` or `oneOf` a value was meant for: the one whose violations are worth reading.
//! Verdicts are not made here.

use serde_json::Value;

use super::Explainer;
use crate::eval::Evaluator;
use crate::path::ValuePath;
use crate::phrase::MAX_PHRASE_NESTING;
use crate::program::{Rule, SchemaId, Subschema};
use crate::words::got;

impl Explainer<'_, '_> {
    pub(super) fn alternatives(
        &mut self,
        ids: &[SchemaId],
        value: &Value,
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        let fitting = ids
            .iter()
            .filter(|id| self.evaluator.fits(**id, value, nesting))
            .count();
        let phrases = || self.evaluator.phrases(ids, " or ", MAX_PHRASE_NESTING);
        if fitting > 1 {
            return self.add(
                at,
                format_args!(
                    "fits {fitting} alternatives, and exactly one is allowed: {}",
                    phrases()
                ),
            );
        }
        let candidates = self.evaluator.candidates(ids, value, nesting);
        let alike = candidates.len() > 1
            && !self
                .evaluator
                .phrases(&candidates, "\n", MAX_PHRASE_NESTING)
                .contains('\n');
        // a phrase names what an object must have; to one that has it all it says nothing
        let deep = (value.is_object() || value.is_array())
            && candidates
                .iter()
                .all(|id| self.evaluator.has_required(*id, value));
        match candidates.as_slice() {
            [only] => self.explain(*only, value, at, nesting),
            [_, ..] if alike || deep => {
                let nearest = candidates
                    .into_iter()
                    .min_by_key(|id| self.violations(*id, value, nesting));
                nearest
                    .iter()
                    .for_each(|id| self.explain(*id, value, at, nesting));
            }
            _ => self.expected(at, phrases(), got(value)),
        }
    }

    /// How much is wrong with a value by one alternative.
    fn violations(&self, id: SchemaId, value: &Value, nesting: u32) -> usize {
        let mut explainer = Explainer::new(self.evaluator);
        explainer.explain(id, value, &ValuePath::ROOT, nesting);
        explainer.found.total()
    }
}

impl Evaluator<'_> {
    /// The alternatives that a value may be meant for, by its type, its constants and its
    /// properties, in this order. Empty when they can't be told apart.
    fn candidates(&self, ids: &[SchemaId], value: &Value, nesting: u32) -> Vec<SchemaId> {
        let mut candidates: Vec<SchemaId> = ids
            .iter()
            .copied()
            .filter(|id| self.is_of_kind(*id, value))
            .collect();
        if candidates.len() > 1 {
            candidates.retain(|id| self.has_constants(*id, value, nesting));
        }
        if candidates.len() > 1 && candidates.iter().any(|id| self.has_required(*id, value)) {
            candidates.retain(|id| self.has_required(*id, value));
        }
        candidates
    }

    fn is_of_kind(&self, id: SchemaId, value: &Value) -> bool {
        match self.schema(id) {
            Subschema::Rules(kinds, _) => kinds.has(value),
            other => matches!(other, Subschema::Anything),
        }
    }

    /// Whether a value is one of the schema's own, and its members are where the schema has one
    /// value for them.
    fn has_constants(&self, id: SchemaId, value: &Value, nesting: u32) -> bool {
        self.rules(id).iter().all(|rule| match rule {
            Rule::Enum(_) => self.holds(rule, &[], value, nesting),
            Rule::Properties(members) => members.properties.iter().all(|property| {
                let (Some(member), Some(id)) = (value.get(&property.name), property.schema) else {
                    return true;
                };
                let mut constants = self
                    .rules(id)
                    .iter()
                    .filter(|rule| matches!(rule, Rule::Enum(values) if values.len() == 1));
                constants.all(|rule| self.holds(rule, &[], member, nesting))
            }),
            _ => true,
        })
    }

    fn has_required(&self, id: SchemaId, value: &Value) -> bool {
        self.rules(id).iter().all(|rule| match rule {
            Rule::Properties(members) => members
                .properties
                .iter()
                .all(|property| !property.required || value.get(&property.name).is_some()),
            _ => true,
        })
    }

    fn rules(&self, id: SchemaId) -> &[Rule] {
        match self.schema(id) {
            Subschema::Rules(_, rules) => rules,
            _ => &[],
        }
    }
}
