//! Why a value does not fit, in lines that a model can act on. Walks only what the verdict
//! (`eval.rs`) refused.

mod alternatives;
mod arrays;
mod objects;

use std::fmt;

use serde_json::Value;

use crate::eval::{Evaluator, MAX_NESTING, ValuePart};
use crate::path::{PathSegment, ValuePath};
use crate::phrase::MAX_PHRASE_NESTING;
use crate::program::{Kinds, Rule, SchemaId, Subschema};
use crate::violations::Violations;
use crate::words::{self, got};

/// What is wrong with a value that does not fit the first schema.
pub(crate) fn report(schemas: &[Subschema], value: &Value) -> Violations {
    let evaluator = Evaluator::new(schemas);
    let mut explainer = Explainer::new(&evaluator);
    explainer.explain(0, value, &ValuePath::ROOT, MAX_NESTING);
    if explainer.found.is_empty() {
        return Violations::unchecked();
    }
    explainer.found
}

struct Explainer<'r, 'v> {
    evaluator: &'r Evaluator<'v>,
    found: Violations,
}

impl<'r, 'v> Explainer<'r, 'v> {
    fn new(evaluator: &'r Evaluator<'v>) -> Self {
        Self {
            evaluator,
            found: Violations::default(),
        }
    }

    fn add(&mut self, at: &ValuePath<'_>, message: fmt::Arguments<'_>) {
        // the verdicts of an exhausted check mean nothing, so neither do violations found after it
        if !self.evaluator.is_exhausted() {
            self.found.add(at, message);
        }
    }

    fn expected(
        &mut self,
        at: &ValuePath<'_>,
        expected: impl fmt::Display,
        got: impl fmt::Display,
    ) {
        self.add(at, format_args!("expected {expected}, got {got}"));
    }

    fn explain(&mut self, id: SchemaId, value: &Value, at: &ValuePath<'_>, nesting: u32) {
        let Some(nesting) = self.evaluator.enter(nesting) else {
            return;
        };
        let (kinds, rules) = match self.evaluator.schema(id) {
            Subschema::Rules(kinds, rules) => (*kinds, rules),
            Subschema::Nothing => return self.add(at, format_args!("not allowed")),
            Subschema::Anything | Subschema::Same(_) => return,
        };
        if self.found.is_full() {
            // words that are not read are not looked for
            self.found.count();
            return;
        }
        let evaluator = self.evaluator;
        let broken = || {
            rules
                .iter()
                .filter(|rule| !evaluator.holds(rule, rules, value, nesting))
        };
        if !kinds.has(value) {
            // a rule that names the type and more says it better
            let says_more = |rule: &&Rule| {
                matches!(rule, Rule::Enum(_))
                    || (matches!(rule, Rule::Range(_)) && kinds.overlaps(Kinds::INTEGER))
            };
            let better = broken().find(says_more);
            return match better {
                Some(rule) => self.broken(rule, rules, kinds, value, at, nesting),
                None => self.expected(at, words::kinds(kinds), got(value)),
            };
        }
        // what a broken alternative would have looked at is not known, so nothing can be said to be
        // left over
        let is_doubtful = |rule: &Rule| rule.is_unevaluated() && broken().any(Rule::is_in_place);
        for rule in broken().filter(|rule| !is_doubtful(rule)) {
            self.broken(rule, rules, kinds, value, at, nesting);
        }
    }

    fn broken(
        &mut self,
        rule: &'v Rule,
        rules: &'v [Rule],
        kinds: Kinds,
        value: &Value,
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        match (rule, value) {
            (Rule::Enum(values), _) => self.expected(at, words::one_of(values), got(value)),
            (Rule::Properties(members), Value::Object(map)) => {
                self.members(members, map, at, nesting);
            }
            (Rule::Needs(pairs), Value::Object(map)) => self.needs(pairs, map, at),
            (Rule::Names(id), Value::Object(map)) => self.names(*id, map, at, nesting),
            (Rule::Items(prefix, rest), Value::Array(items)) => {
                self.items(prefix, *rest, items, at, nesting);
            }
            (Rule::Contains(id, count), Value::Array(items)) => {
                let fitting = self.evaluator.count_fitting(*id, items, nesting);
                let count = words::count(*count, "of the items", "of the items");
                let phrase = self.evaluator.phrase(*id, MAX_PHRASE_NESTING);
                self.expected(at, format_args!("{count} to be {phrase}"), fitting);
            }
            (Rule::Unique, Value::Array(items)) => self.unique(items, at),
            (Rule::All(ids), _) => ids
                .iter()
                .for_each(|id| self.descend(*id, value, at, nesting)),
            (Rule::Any(ids) | Rule::One(ids), _) => self.alternatives(ids, value, at, nesting),
            (Rule::Not(id), _) => self.not(*id, value, at),
            (Rule::If(condition, then, otherwise), _) => {
                let fits = self.evaluator.fits(*condition, value, nesting);
                let branch = if fits { then } else { otherwise };
                branch
                    .iter()
                    .for_each(|id| self.descend(*id, value, at, nesting));
            }
            (Rule::When(pairs), Value::Object(map)) => {
                for (_, id) in pairs.iter().filter(|(name, _)| map.contains_key(name)) {
                    self.descend(*id, value, at, nesting);
                }
            }
            (Rule::UnevaluatedProperties(id), _) => {
                self.unevaluated(*id, rules, value, at, nesting);
            }
            (Rule::UnevaluatedItems(id), Value::Array(items)) => {
                for (position, item) in items.iter().enumerate() {
                    let part = ValuePart::Item(position);
                    if !self.evaluator.is_evaluated(rules, value, part, nesting) {
                        self.descend(*id, item, &at.step(PathSegment::Item(position)), nesting);
                    }
                }
            }
            _ => self.quality(rule, kinds, value, at),
        }
    }

    /// Explains a part, if it is a part that does not fit.
    fn descend(&mut self, id: SchemaId, value: &Value, at: &ValuePath<'_>, nesting: u32) {
        if !self.evaluator.fits(id, value, nesting) {
            self.explain(id, value, at, nesting);
        }
    }

    fn quality(&mut self, rule: &Rule, kinds: Kinds, value: &Value, at: &ValuePath<'_>) {
        let Some((noun, quality)) = words::quality(rule) else {
            return;
        };
        let only_integers = kinds.overlaps(Kinds::INTEGER) && !kinds.overlaps(Kinds::NUMBER);
        let noun = if value.is_number() && only_integers {
            "an integer"
        } else {
            noun
        };
        let expected = format_args!("{noun} {quality}");
        match (rule, value) {
            (Rule::Length(_), Value::String(text)) => {
                self.expected(at, expected, text.chars().count());
            }
            (_, Value::Array(items)) => self.expected(at, expected, items.len()),
            (_, Value::Object(map)) => self.expected(at, expected, map.len()),
            _ => self.expected(at, expected, got(value)),
        }
    }

    fn not(&mut self, id: SchemaId, value: &Value, at: &ValuePath<'_>) {
        if matches!(self.evaluator.schema(id), Subschema::Anything) {
            return self.add(at, format_args!("not allowed"));
        }
        let phrase = self.evaluator.phrase(id, MAX_PHRASE_NESTING);
        self.expected(at, format_args!("anything but {phrase}"), got(value));
    }
}
