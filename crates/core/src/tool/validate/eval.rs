//! The verdict: whether a value fits. Allocates nothing for small values and says nothing about
//! why; that is `report.rs`.

use std::cell::Cell;

use serde_json::{Map, Value};

use super::number;
use super::program::{Id, Members, Rule, Schema};

/// Schemas inside schemas during one check. serde_json reads 128 levels of values, and each may
/// pass through several schemas.
pub(super) const MOST_NESTED: u32 = 256;
/// Schemas applied during one check: far more than a request's values need, and well under a second
/// of work. Recursive schemas with alternatives can ask for exponentially many.
const MOST_STEPS: u32 = 5_000_000;

/// Bytes that a pattern matches for the price of a step.
const BYTES_OF_A_STEP: usize = 8;

/// One check of one value. Once it is exhausted every verdict is no, and none of them counts.
pub(super) struct Run<'v> {
    schemas: &'v [Schema],
    steps: Cell<u32>,
}

/// A part of a value that another rule may have looked at.
#[derive(Clone, Copy)]
enum Part<'a> {
    Property(&'a str),
    Item(usize),
}

impl<'v> Run<'v> {
    pub(super) fn new(schemas: &'v [Schema]) -> Self {
        Self {
            schemas,
            steps: Cell::new(MOST_STEPS),
        }
    }

    /// Whether the value was too much to be checked.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Counts a step; gives the nesting that is left below it.
    pub(super) fn enter(&self, nesting: u32) -> Option<u32> {
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
    pub(super) fn schema(&self, mut id: Id) -> &'v Schema {
        while let Schema::Same(other) = &self.schemas[id] {
            id = *other;
        }
        &self.schemas[id]
    }

    pub(super) fn fits(&self, id: Id, value: &Value, nesting: u32) -> bool {
        let Some(nesting) = self.enter(nesting) else {
            return false;
        };
        match self.schema(id) {
            Schema::Rules(kinds, rules) => {
                kinds.has(value)
                    && rules
                        .iter()
                        .all(|rule| self.holds(rule, rules, value, nesting))
            }
            other => matches!(other, Schema::Anything),
        }
    }

    /// Whether one rule of a schema holds; a rule about another type does.
    pub(super) fn holds(&self, rule: &Rule, rules: &[Rule], value: &Value, nesting: u32) -> bool {
        let fits = |id: &Id| self.fits(*id, value, nesting);
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
            (Rule::Members(members), Value::Object(map)) => self.members(members, map, nesting),
            (Rule::Needs(pairs), Value::Object(map)) => pairs.iter().all(|(name, needed)| {
                !map.contains_key(name) || needed.iter().all(|name| map.contains_key(name))
            }),
            (Rule::Names(id), Value::Object(map)) => map
                .keys()
                .all(|name| self.fits(*id, &Value::String(name.clone()), nesting)),
            (Rule::Items(prefix, rest), Value::Array(items)) => {
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
            (Rule::Contains(id, count), Value::Array(items)) => count.has(
                items
                    .iter()
                    .filter(|item| self.fits(*id, item, nesting))
                    .count(),
            ),
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
            (Rule::UnevaluatedProperties(id), Value::Object(map)) => {
                map.iter().all(|(name, member)| {
                    self.is_evaluated(rules, value, Part::Property(name), nesting)
                        || self.fits(*id, member, nesting)
                })
            }
            (Rule::UnevaluatedItems(id), Value::Array(items)) => {
                items.iter().enumerate().all(|(position, item)| {
                    self.is_evaluated(rules, value, Part::Item(position), nesting)
                        || self.fits(*id, item, nesting)
                })
            }
            _ => true,
        }
    }

    fn members(&self, members: &Members, map: &Map<String, Value>, nesting: u32) -> bool {
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

    pub(super) fn is_evaluated_property(
        &self,
        rules: &[Rule],
        value: &Value,
        name: &str,
        nesting: u32,
    ) -> bool {
        self.is_evaluated(rules, value, Part::Property(name), nesting)
    }

    pub(super) fn is_evaluated_item(
        &self,
        rules: &[Rule],
        value: &Value,
        position: usize,
        nesting: u32,
    ) -> bool {
        self.is_evaluated(rules, value, Part::Item(position), nesting)
    }

    /// Whether the rules beside an `unevaluated` one looked at a part; their verdict on the whole
    /// is known to be yes. Asked anew for each part: keeping a list of parts would cost an
    /// allocation for each schema.
    fn is_evaluated(&self, rules: &[Rule], value: &Value, part: Part<'_>, nesting: u32) -> bool {
        rules
            .iter()
            .filter(|rule| !rule.is_unevaluated())
            .any(|rule| self.evaluates(rule, value, part, nesting))
    }

    fn evaluates(&self, rule: &Rule, value: &Value, part: Part<'_>, nesting: u32) -> bool {
        let below = |id: &Id| self.evaluates_in(*id, value, part, nesting);
        let fits = |id: &Id| self.fits(*id, value, nesting);
        match (rule, part) {
            (Rule::Members(members), Part::Property(name)) => {
                let matches = || {
                    members
                        .patterns
                        .iter()
                        .any(|(pattern, _)| pattern.matches(name))
                };
                members.additional.is_some() || members.declares(name) || matches()
            }
            (Rule::Items(prefix, rest), Part::Item(position)) => {
                rest.is_some() || position < prefix.len()
            }
            (Rule::Contains(id, _), Part::Item(position)) => {
                self.fits(*id, &value[position], nesting)
            }
            (Rule::UnevaluatedProperties(_), Part::Property(_))
            | (Rule::UnevaluatedItems(_), Part::Item(_)) => true,
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

    fn evaluates_in(&self, id: Id, value: &Value, part: Part<'_>, nesting: u32) -> bool {
        let Some(nesting) = self.enter(nesting) else {
            return false;
        };
        match self.schema(id) {
            Schema::Rules(_, rules) => rules
                .iter()
                .any(|rule| self.evaluates(rule, value, part, nesting)),
            _ => false,
        }
    }
}
