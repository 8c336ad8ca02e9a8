//! Which parts of a value `unevaluatedProperties` and `unevaluatedItems` are about: those that no
//! rule beside them looked at. Whether these parts fit is `eval.rs`.

use serde_json::Value;

use crate::eval::Evaluator;
use crate::program::{Rule, SchemaId, Subschema};

/// A part of a value that another rule may have looked at.
#[derive(Clone, Copy)]
pub(crate) enum ValuePart<'a> {
    Property(&'a str),
    Item(usize),
}

impl Evaluator<'_> {
    /// Whether every part that no other rule looked at fits a schema. `rules` are all rules of the
    /// schema that the `unevaluated` one belongs to.
    pub(super) fn left_over_fits(
        &self,
        id: SchemaId,
        rules: &[Rule],
        value: &Value,
        nesting: u32,
    ) -> bool {
        let fits = |part, value_of_part| {
            self.is_evaluated(rules, value, part, nesting) || self.fits(id, value_of_part, nesting)
        };
        match value {
            Value::Object(map) => map
                .iter()
                .all(|(name, member)| fits(ValuePart::Property(name), member)),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .all(|(position, item)| fits(ValuePart::Item(position), item)),
            _ => true,
        }
    }

    /// Whether the rules beside an `unevaluated` one looked at a part; their verdict on the whole
    /// is known to be yes. Asked anew for each part: keeping a list of parts would cost an
    /// allocation for each schema.
    pub(crate) fn is_evaluated(
        &self,
        rules: &[Rule],
        value: &Value,
        part: ValuePart<'_>,
        nesting: u32,
    ) -> bool {
        rules
            .iter()
            .filter(|rule| !rule.is_unevaluated())
            .any(|rule| self.evaluates(rule, value, part, nesting))
    }

    fn evaluates(&self, rule: &Rule, value: &Value, part: ValuePart<'_>, nesting: u32) -> bool {
        let below = |id: &SchemaId| self.evaluates_in(*id, value, part, nesting);
        let fits = |id: &SchemaId| self.fits(*id, value, nesting);
        match (rule, part) {
            (Rule::Properties(members), ValuePart::Property(name)) => {
                let matches = || {
                    members
                        .patterns
                        .iter()
                        .any(|(pattern, _)| pattern.matches(name))
                };
                members.additional.is_some() || members.declares(name) || matches()
            }
            (Rule::Items(prefix, rest), ValuePart::Item(position)) => {
                rest.is_some() || position < prefix.len()
            }
            (Rule::Contains(id, _), ValuePart::Item(position)) => {
                self.fits(*id, &value[position], nesting)
            }
            (Rule::UnevaluatedProperties(_), ValuePart::Property(_))
            | (Rule::UnevaluatedItems(_), ValuePart::Item(_)) => true,
            (Rule::All(ids), _) => ids.iter().any(below),
            (Rule::Any(ids) | Rule::One(ids), _) => ids.iter().any(|id| fits(id) && below(id)),
            (Rule::If(condition, then, otherwise), _) => {
                if fits(condition) {
                    below(condition) || then.as_ref().is_some_and(below)
                } else {
                    otherwise.as_ref().is_some_and(below)
                }
            }
            (Rule::When(pairs), _) => pairs
                .iter()
                .any(|(name, id)| value.get(name).is_some() && below(id)),
            _ => false,
        }
    }

    fn evaluates_in(&self, id: SchemaId, value: &Value, part: ValuePart<'_>, nesting: u32) -> bool {
        let Some(nesting) = self.enter(nesting) else {
            return false;
        };
        match self.schema(id) {
            Subschema::Rules(_, rules) => rules
                .iter()
                .any(|rule| self.evaluates(rule, value, part, nesting)),
            _ => false,
        }
    }
}
