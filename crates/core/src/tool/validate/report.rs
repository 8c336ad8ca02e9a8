//! Why a value does not fit, in lines that a model can act on. Walks only what the verdict
//! (`eval.rs`) refused.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde_json::{Map, Value};

use super::eval::{MOST_NESTED, Run};
use super::number;
use super::program::{Count, Id, Kinds, Members, Rule, Schema};
use super::words::{self, At, PHRASE_NESTED, Step, got};
use crate::text::{nearest, quoted};

/// Violations that are listed; the rest is counted.
const MOST_LINES: usize = 20;
/// Bytes of all lines together.
const MOST_BYTES: usize = 4096;
/// Characters of one line.
const MOST_CHARACTERS: usize = 600;
/// Bytes that most lines have room in.
const LINE: usize = 96;
/// Names that an unknown property's line lists when none is near.
const MOST_NAMES: usize = 10;

/// What is wrong with a value that does not fit the first schema.
pub(super) fn report(schemas: &[Schema], value: &Value) -> String {
    let run = Run::new(schemas);
    let mut report = Report {
        run: &run,
        lines: Vec::new(),
        bytes: 0,
        more: 0,
        full: false,
    };
    report.explain(0, value, &At::ROOT, MOST_NESTED);
    if report.lines.is_empty() {
        return "- /: too large or too deeply nested to be checked".to_owned();
    }
    if report.more > 0 {
        report.lines.push(format!("and {} more", report.more));
    }
    report.lines.join("\n")
}

struct Report<'r, 'v> {
    run: &'r Run<'v>,
    lines: Vec<String>,
    bytes: usize,
    more: usize,
    /// Nothing more is listed.
    full: bool,
}

impl<'v> Report<'_, 'v> {
    fn add(&mut self, at: &At<'_>, violation: fmt::Arguments<'_>) {
        // the verdicts of an exhausted run mean nothing, so neither do violations found after it
        if self.run.is_exhausted() {
            return;
        }
        if self.full {
            self.more += 1;
            return;
        }
        let mut line = String::with_capacity(LINE);
        line.push_str("- ");
        at.write_pointer(&mut line);
        line.push_str(if at.is_name() {
            ": the name does not fit: "
        } else {
            ": "
        });
        // writing to a String can't fail
        let _ = line.write_fmt(violation);
        if line.len() > MOST_CHARACTERS
            && let Some((cut, _)) = line.char_indices().nth(MOST_CHARACTERS)
        {
            line.truncate(cut);
            line.push('…');
        }
        if self.lines.contains(&line) {
            return;
        }
        self.bytes += line.len() + 1;
        if self.lines.len() == MOST_LINES || self.bytes > MOST_BYTES {
            self.full = true;
            self.more += 1;
        } else {
            self.lines.push(line);
        }
    }

    fn expected(&mut self, at: &At<'_>, expected: impl fmt::Display, got: impl fmt::Display) {
        self.add(at, format_args!("expected {expected}, got {got}"));
    }

    fn explain(&mut self, id: Id, value: &Value, at: &At<'_>, nesting: u32) {
        let Some(nesting) = self.run.enter(nesting) else {
            return;
        };
        let (kinds, rules) = match self.run.schema(id) {
            Schema::Rules(kinds, rules) => (*kinds, rules),
            Schema::Nothing => return self.add(at, format_args!("not allowed")),
            Schema::Anything | Schema::Same(_) => return,
        };
        if self.full {
            // words that nobody reads are not looked for
            self.more += 1;
            return;
        }
        let run = self.run;
        let broken = || {
            rules
                .iter()
                .filter(|rule| !run.holds(rule, rules, value, nesting))
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
        at: &At<'_>,
        nesting: u32,
    ) {
        match (rule, value) {
            (Rule::Enum(values), _) => self.expected(at, words::one_of(values), got(value)),
            (Rule::Members(members), Value::Object(map)) => self.members(members, map, at, nesting),
            (Rule::Needs(pairs), Value::Object(map)) => {
                for (name, needed) in pairs.iter().filter(|(name, _)| map.contains_key(name)) {
                    for missing in needed.iter().filter(|name| !map.contains_key(*name)) {
                        let violation =
                            format_args!("required when {} is given, but missing", quoted(name));
                        self.add(&at.step(Step::Property(missing)), violation);
                    }
                }
            }
            (Rule::Names(id), Value::Object(map)) => {
                for name in map.keys() {
                    self.descend(
                        *id,
                        &Value::String(name.clone()),
                        &at.step(Step::Name(name)),
                        nesting,
                    );
                }
            }
            (Rule::Items(prefix, rest), Value::Array(items)) => {
                for (position, (item, id)) in items.iter().zip(prefix).enumerate() {
                    self.descend(*id, item, &at.step(Step::Item(position)), nesting);
                }
                match rest.map(|id| (id, self.run.schema(id))) {
                    Some((_, Schema::Nothing)) if items.len() > prefix.len() => {
                        self.too_many(prefix.len(), items, at)
                    }
                    Some((id, _)) => {
                        for (position, item) in items.iter().enumerate().skip(prefix.len()) {
                            self.descend(id, item, &at.step(Step::Item(position)), nesting);
                        }
                    }
                    None => {}
                }
            }
            (Rule::Contains(id, count), Value::Array(items)) => {
                let fitting = items
                    .iter()
                    .filter(|item| self.run.fits(*id, item, nesting))
                    .count();
                let count = words::count(*count, "of the items", "of the items");
                let phrase = self.run.phrase(*id, PHRASE_NESTED);
                self.expected(at, format_args!("{count} to be {phrase}"), fitting);
            }
            (Rule::Unique, Value::Array(items)) => {
                if let Some((earlier, later)) = number::equal_items(items) {
                    self.add(
                        at,
                        format_args!(
                            "expected items that differ, got equal ones at {earlier} and {later}"
                        ),
                    );
                }
            }
            (Rule::All(ids), _) => ids
                .iter()
                .for_each(|id| self.descend(*id, value, at, nesting)),
            (Rule::Any(ids) | Rule::One(ids), _) => self.alternatives(ids, value, at, nesting),
            (Rule::Not(id), _) if matches!(self.run.schema(*id), Schema::Anything) => {
                self.add(at, format_args!("not allowed"))
            }
            (Rule::Not(id), _) => {
                let phrase = self.run.phrase(*id, PHRASE_NESTED);
                self.expected(at, format_args!("anything but {phrase}"), got(value));
            }
            (Rule::If(condition, then, otherwise), _) => {
                let branch = if self.run.fits(*condition, value, nesting) {
                    then
                } else {
                    otherwise
                };
                branch
                    .iter()
                    .for_each(|id| self.descend(*id, value, at, nesting));
            }
            (Rule::When(pairs), Value::Object(map)) => {
                for (_, id) in pairs.iter().filter(|(name, _)| map.contains_key(name)) {
                    self.descend(*id, value, at, nesting);
                }
            }
            (Rule::UnevaluatedProperties(id), Value::Object(map)) => {
                let left =
                    |name: &&String| !self.run.is_evaluated_property(rules, value, name, nesting);
                let left: Vec<&String> = map.keys().filter(left).collect();
                let mut known = BTreeSet::new();
                self.known_names(rules, &mut known, nesting);
                self.additional(*id, &left, &known, map, at, nesting);
            }
            (Rule::UnevaluatedItems(id), Value::Array(items)) => {
                for (position, item) in items.iter().enumerate() {
                    if !self.run.is_evaluated_item(rules, value, position, nesting) {
                        self.descend(*id, item, &at.step(Step::Item(position)), nesting);
                    }
                }
            }
            _ => self.quality(rule, kinds, value, at),
        }
    }

    /// Explains a part, if it is a part that does not fit.
    fn descend(&mut self, id: Id, value: &Value, at: &At<'_>, nesting: u32) {
        if !self.run.fits(id, value, nesting) {
            self.explain(id, value, at, nesting);
        }
    }

    fn quality(&mut self, rule: &Rule, kinds: Kinds, value: &Value, at: &At<'_>) {
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
                self.expected(at, expected, text.chars().count())
            }
            (_, Value::Array(items)) => self.expected(at, expected, items.len()),
            (_, Value::Object(map)) => self.expected(at, expected, map.len()),
            _ => self.expected(at, expected, got(value)),
        }
    }

    fn too_many(&mut self, most: usize, items: &[Value], at: &At<'_>) {
        let count = words::count(Count { least: 0, most }, "item", "items");
        self.expected(at, format_args!("an array of {count}"), items.len());
    }

    fn members(
        &mut self,
        members: &'v Members,
        map: &Map<String, Value>,
        at: &At<'_>,
        nesting: u32,
    ) {
        for property in &members.properties {
            let at = at.step(Step::Property(&property.name));
            match (map.get(&property.name), property.schema) {
                (None, _) if property.required => self.missing(&property.name, members, map, &at),
                (Some(value), Some(id)) => self.descend(id, value, &at, nesting),
                _ => {}
            }
        }
        for (pattern, id) in &members.patterns {
            for (name, value) in map.iter().filter(|(name, _)| pattern.matches(name)) {
                self.descend(*id, value, &at.step(Step::Property(name)), nesting);
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

    /// A required property. Where unknown names are allowed, one of them may be what its name was
    /// meant to be.
    fn missing(&mut self, name: &str, members: &Members, map: &Map<String, Value>, at: &At<'_>) {
        let is_closed = members
            .additional
            .is_some_and(|id| matches!(self.run.schema(id), Schema::Nothing));
        let unknown = map
            .keys()
            .map(String::as_str)
            .filter(|name| !is_closed && !members.declares(name));
        match nearest(name, unknown.take(MOST_NAMES)) {
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
        id: Id,
        names: &[&String],
        known: &BTreeSet<&str>,
        map: &Map<String, Value>,
        at: &At<'_>,
        nesting: u32,
    ) {
        let forbidden = matches!(self.run.schema(id), Schema::Nothing);
        let mut listed = !(1..=MOST_NAMES).contains(&known.len());
        // a name that is in use is not what a misspelt one stands for
        let free = || {
            known
                .iter()
                .copied()
                .filter(|name| !map.contains_key(*name))
        };
        for name in names {
            let at = at.step(Step::Property(name));
            if !forbidden {
                self.descend(id, &map[*name], &at, nesting);
            } else if self.full {
                self.more += 1;
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
        let Some(nesting) = self.run.enter(nesting) else {
            return;
        };
        for rule in rules {
            let below: Vec<Id> = match rule {
                Rule::Members(members) => {
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
                if let Schema::Rules(_, rules) = self.run.schema(id) {
                    self.known_names(rules, names, nesting);
                }
            }
        }
    }

    fn alternatives(&mut self, ids: &[Id], value: &Value, at: &At<'_>, nesting: u32) {
        let fitting = ids
            .iter()
            .filter(|id| self.run.fits(**id, value, nesting))
            .count();
        let phrases = || self.run.phrases(ids, " or ", PHRASE_NESTED);
        if fitting > 1 {
            return self.add(
                at,
                format_args!(
                    "fits {fitting} alternatives, and exactly one is allowed: {}",
                    phrases()
                ),
            );
        }
        let candidates = self.run.candidates(ids, value, nesting);
        let alike = candidates.len() > 1
            && !self
                .run
                .phrases(&candidates, "\n", PHRASE_NESTED)
                .contains('\n');
        // a phrase names what an object must have; to one that has it all it says nothing
        let deep = (value.is_object() || value.is_array())
            && candidates
                .iter()
                .all(|id| self.run.has_required(*id, value));
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
    fn violations(&self, id: Id, value: &Value, nesting: u32) -> usize {
        let mut report = Report {
            run: self.run,
            lines: Vec::new(),
            bytes: 0,
            more: 0,
            full: false,
        };
        report.explain(id, value, &At::ROOT, nesting);
        report.lines.len() + report.more
    }
}
