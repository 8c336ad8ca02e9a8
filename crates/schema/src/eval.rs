//! The verdict: whether a value fits. Allocates nothing for small values and says nothing about
//! why; that is `report.rs`.

mod unevaluated;

use std::cell::Cell;

pub(crate) use unevaluated::ValuePart;

use serde_json::{Map, Value};

use crate::number;
use crate::program::{PropertyRules, Rule, SchemaId, Subschema};

/// Schemas inside schemas during one check. serde_json reads 128 levels of values, and each may
/// pass through several schemas.
pub(crate) const MAX_NESTING: u32 = 256;
/// Schemas applied during one check: far more than a request's values need, and well under a second
/// of work. Recursive schemas with alternatives can ask for exponentially many.
const MAX_STEPS: u32 = 5_000_000;

/// Bytes that a pattern matches for the price of a step.
const BYTES_OF_A_STEP: usize = 8;

/// One check of one value. Once it is exhausted every verdict is no, and none of them counts.
pub(crate) struct Evaluator<'v> {
    schemas: &'v [Subschema],
    steps: Cell<u32>,
}

impl<'v> Evaluator<'v> {
    pub(crate) fn new(schemas: &'v [Subschema]) -> Self {
        Self {
            schemas,
            steps: Cell::new(MAX_STEPS),
        }
    }

    /// Whether the value was too much to be checked.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Counts a step; gives the nesting that is left below it.
    pub(crate) fn enter(&self, nesting: u32) -> Option<u32> {
        let left = nesting.checked_sub(1);
        self.spend(if left.is_some() { 1 } else { usize::MAX });
        left.filter(|_| !self.is_exhausted())
    }

    fn spend(&self, steps: usize) {
        self.steps.set(
            self.steps
                .get()
                .saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX)),
        );
    }

    /// The schema at a position, behind references. Circles of references don't compile.
    pub(crate) fn schema(&self, mut id: SchemaId) -> &'v Subschema {
        while let Subschema::Same(other) = &self.schemas[id] {
            id = *other;
        }
        &self.schemas[id]
    }

    pub(crate) fn fits(&self, id: SchemaId, value: &Value, nesting: u32) -> bool {
        let Some(nesting) = self.enter(nesting) else {
            return false;
        };
        match self.schema(id) {
            Subschema::Rules(kinds, rules) => {
                kinds.has(value)
                    && rules
                        .iter()
                        .all(|rule| self.holds(rule, rules, value, nesting))
            }
            other => matches!(other, Subschema::Anything),
        }
    }

    /// Whether one rule of a schema holds; a rule about another type does.
    pub(crate) fn holds(&self, rule: &Rule, rules: &[Rule], value: &Value, nesting: u32) -> bool {
        let fits = |id: &SchemaId| self.fits(*id, value, nesting);
        match (rule, value) {
            (Rule::Enum(values), _) => values.iter().any(|allowed| number::same(allowed, value)),
            (Rule::Range(range), Value::Number(number)) => range.has(number),
            (Rule::MultipleOf(of), Value::Number(number)) => number::is_multiple(number, of),
            (Rule::Length(count), Value::String(text)) => count.has_characters(text),
            (Rule::Pattern(pattern), Value::String(text)) => {
                self.spend(text.len() / BYTES_OF_A_STEP);
                pattern.matches(text)
            }
            (Rule::ItemCount(count), Value::Array(items)) => count.has(items.len()),
            (Rule::PropertyCount(count), Value::Object(map)) => count.has(map.len()),
            (Rule::Properties(members), Value::Object(map)) => self.members(members, map, nesting),
            (Rule::Needs(pairs), Value::Object(map)) => pairs.iter().all(|(name, needed)| {
                !map.contains_key(name) || needed.iter().all(|name| map.contains_key(name))
            }),
            (Rule::Names(id), Value::Object(map)) => map
                .keys()
                .all(|name| self.fits(*id, &Value::String(name.clone()), nesting)),
            (Rule::Items(prefix, rest), Value::Array(items)) => {
                self.items(prefix, *rest, items, nesting)
            }
            (Rule::Contains(id, count), Value::Array(items)) => {
                count.has(self.count_fitting(*id, items, nesting))
            }
            (Rule::Unique, Value::Array(items)) => {
                self.spend(items.len());
                number::equal_items(items).is_none()
            }
            (Rule::All(ids), _) => ids.iter().all(fits),
            (Rule::Any(ids), _) => ids.iter().any(fits),
            (Rule::One(ids), _) => ids.iter().filter(|id| fits(id)).take(2).count() == 1,
            (Rule::Not(id), _) => !fits(id),
            (Rule::If(condition, then, otherwise), _) => {
                let branch = if fits(condition) { then } else { otherwise };
                branch.as_ref().is_none_or(fits)
            }
            (Rule::When(pairs), Value::Object(map)) => pairs
                .iter()
                .all(|(name, id)| !map.contains_key(name) || fits(id)),
            (Rule::UnevaluatedProperties(id), Value::Object(_))
            | (Rule::UnevaluatedItems(id), Value::Array(_)) => {
                self.left_over_fits(*id, rules, value, nesting)
            }
            _ => true,
        }
    }

    fn items(
        &self,
        prefix: &[SchemaId],
        rest: Option<SchemaId>,
        items: &[Value],
        nesting: u32,
    ) -> bool {
        let leading = items
            .iter()
            .zip(prefix)
            .all(|(item, id)| self.fits(*id, item, nesting));
        leading
            && rest.is_none_or(|id| {
                items
                    .iter()
                    .skip(prefix.len())
                    .all(|item| self.fits(id, item, nesting))
            })
    }

    /// How many of the items fit, as `contains` counts them.
    pub(crate) fn count_fitting(&self, id: SchemaId, items: &[Value], nesting: u32) -> usize {
        items
            .iter()
            .filter(|item| self.fits(id, item, nesting))
            .count()
    }

    fn members(&self, members: &PropertyRules, map: &Map<String, Value>, nesting: u32) -> bool {
        let mut declared = 0;
        for property in &members.properties {
            match (map.get(&property.name), property.schema) {
                (Some(value), Some(id)) if self.fits(id, value, nesting) => declared += 1,
                (Some(_), Some(_)) => return false,
                (None, _) if property.required => return false,
                _ => {}
            }
        }
        if members.patterns.is_empty() && (members.additional.is_none() || declared == map.len()) {
            return true;
        }
        map.iter().all(|(name, value)| {
            let mut known = members.declares(name);
            for (_, id) in members
                .patterns
                .iter()
                .filter(|(pattern, _)| pattern.matches(name))
            {
                known = true;
                if !self.fits(*id, value, nesting) {
                    return false;
                }
            }
            known
                || members
                    .additional
                    .is_none_or(|id| self.fits(id, value, nesting))
        })
    }
}
