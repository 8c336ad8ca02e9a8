//! Which of `anyOf` or `oneOf` a value was meant for: the one whose violations are worth reading.
//! Verdicts are not made here.

use serde_json::Value;

use super::eval::Run;
use super::program::{Id, Rule, Schema};

impl Run<'_> {
    /// The alternatives that a value may be meant for, by its type, its constants and its
    /// properties, in this order. Empty when there is no telling.
    pub(super) fn candidates(&self, ids: &[Id], value: &Value, nesting: u32) -> Vec<Id> {
        let mut candidates: Vec<Id> = ids
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

    fn is_of_kind(&self, id: Id, value: &Value) -> bool {
        match self.schema(id) {
            Schema::Rules(kinds, _) => kinds.has(value),
            other => matches!(other, Schema::Anything),
        }
    }

    /// Whether a value is one of the schema's own, and its members are where the schema has one
    /// value for them.
    fn has_constants(&self, id: Id, value: &Value, nesting: u32) -> bool {
        self.rules(id).iter().all(|rule| match rule {
            Rule::Enum(_) => self.holds(rule, &[], value, nesting),
            Rule::Members(members) => members.properties.iter().all(|property| {
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

    pub(super) fn has_required(&self, id: Id, value: &Value) -> bool {
        self.rules(id).iter().all(|rule| match rule {
            Rule::Members(members) => members
                .properties
                .iter()
                .all(|property| !property.required || value.get(&property.name).is_some()),
            _ => true,
        })
    }

    fn rules(&self, id: Id) -> &[Rule] {
        match self.schema(id) {
            Schema::Rules(_, rules) => rules,
            _ => &[],
        }
    }
}
