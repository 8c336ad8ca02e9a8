//! The words of a violation: what a schema expects, what it got, and where. Everything is short,
//! and a client's text is never repeated as it is.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use serde_json::Value;

use super::eval::Run;
use super::program::{Count, Id, Kinds, Members, Range, Rule, Schema};
use crate::text::{clean, quoted};

/// Values, names and alternatives that one line lists.
const LISTED: usize = 10;
/// Characters of a pointer that are shown from each end.
const POINTER_END: usize = 80;
/// Alternatives inside alternatives that a phrase describes.
pub(super) const PHRASE_NESTED: u32 = 3;

/// A segment of a JSON pointer.
pub(super) fn escaped(segment: &str) -> Cow<'_, str> {
    if segment.contains(['~', '/']) {
        segment.replace('~', "~0").replace('/', "~1").into()
    } else {
        segment.into()
    }
}

/// Where a value is in the document.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) above: Option<&'a Self>,
    pub(super) last: Step<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Property(&'a str),
    Item(usize),
    /// Not the value of a property but its name.
    Name(&'a str),
}

impl<'a> At<'a> {
    pub(super) const ROOT: Self = Self {
        above: None,
        last: Step::Root,
    };

    pub(super) fn step(&'a self, last: Step<'a>) -> Self {
        Self {
            above: Some(self),
            last,
        }
    }

    pub(super) fn is_name(&self) -> bool {
        matches!(self.last, Step::Name(_))
    }

    /// Writes the JSON pointer, cut in the middle.
    pub(super) fn write_pointer(&self, out: &mut String) {
        let start = out.len();
        self.write_segments(out);
        if out.len() == start {
            out.push('/');
        }
        let pointer = &out[start..];
        let length = if pointer.len() <= 2 * POINTER_END {
            0
        } else {
            pointer.chars().count()
        };
        if length > 2 * POINTER_END {
            let end: String = pointer.chars().skip(length - POINTER_END).collect();
            let kept = pointer
                .char_indices()
                .nth(POINTER_END)
                .map_or(0, |(position, _)| position);
            out.truncate(start + kept);
            out.push('…');
            out.push_str(&end);
        }
    }

    fn write_segments(&self, out: &mut String) {
        if let Some(above) = self.above {
            above.write_segments(out);
        }
        // writing to a String can't fail
        let _ = match self.last {
            Step::Root => Ok(()),
            Step::Property(name) | Step::Name(name) if name.contains(['~', '/']) => {
                write!(out, "/{}", escaped(&clean(name).to_string()))
            }
            Step::Property(name) | Step::Name(name) => write!(out, "/{}", clean(name)),
            Step::Item(position) => write!(out, "/{position}"),
        };
    }
}

/// A value as a sentence shows it: scalars as they are, the rest by type.
pub(super) fn got(value: &Value) -> impl Display + '_ {
    Got(value)
}

struct Got<'a>(&'a Value);

impl Display for Got<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) if text.contains(['\\', '"']) => {
                write!(
                    f,
                    "\"{}\"",
                    clean(text)
                        .to_string()
                        .replace('\\', r"\\")
                        .replace('"', r#"\""#)
                )
            }
            Value::String(text) => write!(f, "\"{}\"", clean(text)),
            Value::Array(_) => f.write_str("an array"),
            Value::Object(_) => f.write_str("an object"),
            scalar => clean(&scalar.to_string()).fmt(f),
        }
    }
}

/// A value of the schema.
fn allowed(value: &Value) -> String {
    if value.is_array() || value.is_object() {
        clean(&value.to_string()).to_string()
    } else {
        got(value).to_string()
    }
}

pub(super) fn list<T: Display>(items: impl ExactSizeIterator<Item = T>, separator: &str) -> String {
    let more = items.len().saturating_sub(LISTED);
    let mut list = String::new();
    for item in items.take(LISTED) {
        // writing to a String can't fail
        let _ = write!(
            list,
            "{}{item}",
            if list.is_empty() { "" } else { separator }
        );
    }
    if more > 0 {
        let _ = write!(list, "{separator}{more} more");
    }
    list
}

pub(super) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    list(names.map(quoted), ", ")
}

pub(super) fn kinds(kinds: Kinds) -> String {
    list(kinds.words().collect::<Vec<_>>().into_iter(), " or ")
}

pub(super) fn one_of(values: &[Value]) -> String {
    let list = list(values.iter().map(allowed), ", ");
    match values {
        [] => "nothing".to_owned(),
        [_] => list,
        _ => format!("one of {list}"),
    }
}

/// `at least 2 items`
pub(super) fn count(count: Count, singular: &str, plural: &str) -> String {
    let noun = |count: usize| if count == 1 { singular } else { plural };
    match (count.least, count.most) {
        (least, usize::MAX) => format!("at least {least} {}", noun(least)),
        (0, most) => format!("at most {most} {}", noun(most)),
        (least, most) if least == most => format!("exactly {least} {}", noun(least)),
        (least, most) => format!("{least} to {most} {}", noun(most)),
    }
}

fn range(range: &Range) -> String {
    let above = |excluded: bool| if excluded { "above" } else { "of at least" };
    let below = |excluded: bool| if excluded { "below" } else { "of at most" };
    match (&range.least, &range.most) {
        (Some(least), Some(most)) if !least.excluded && !most.excluded => {
            format!("from {} to {}", least.at, most.at)
        }
        (Some(least), Some(most)) => {
            format!(
                "{} {} and {} {}",
                above(least.excluded),
                least.at,
                below(most.excluded),
                most.at
            )
        }
        (Some(least), None) => format!("{} {}", above(least.excluded), least.at),
        (None, Some(most)) => format!("{} {}", below(most.excluded), most.at),
        (None, None) => String::new(),
    }
}

/// What a rule about one type expects: the type and its quality.
pub(super) fn quality(rule: &Rule) -> Option<(&'static str, String)> {
    Some(match rule {
        Rule::Range(bounds) => ("a number", range(bounds)),
        Rule::MultipleOf(of) => ("a number", format!("that is a multiple of {of}")),
        Rule::Length(length) => (
            "a string",
            format!("of {}", count(*length, "character", "characters")),
        ),
        Rule::Pattern(pattern) => (
            "a string",
            format!("that matches {}", quoted(&pattern.source)),
        ),
        Rule::ItemCount(items) => ("an array", format!("of {}", count(*items, "item", "items"))),
        Rule::PropertyCount(properties) => (
            "an object",
            format!("of {}", count(*properties, "property", "properties")),
        ),
        _ => return None,
    })
}

impl Run<'_> {
    /// What a schema accepts, in a few words.
    pub(super) fn phrase(&self, id: Id, nesting: u32) -> String {
        let (allowed, rules) = match self.schema(id) {
            Schema::Rules(kinds, rules) => (*kinds, rules),
            Schema::Nothing => return "nothing".to_owned(),
            _ => return "anything".to_owned(),
        };
        if let Some(Rule::Enum(values)) = rules.iter().find(|rule| matches!(rule, Rule::Enum(_))) {
            return one_of(values);
        }
        let mut noun = (allowed != Kinds::ALL).then(|| kinds(allowed));
        let mut qualities = Vec::new();
        for rule in rules {
            let found = match rule {
                Rule::Members(members) => self
                    .members_quality(members)
                    .map(|quality| ("an object", quality)),
                Rule::Items(..) | Rule::Contains(..) | Rule::Unique => {
                    Some(("an array", String::new()))
                }
                rule => quality(rule),
            };
            if let Some((implied, quality)) = found {
                noun.get_or_insert_with(|| implied.to_owned());
                qualities.extend(Some(quality).filter(|quality| !quality.is_empty()));
            }
        }
        match noun {
            Some(noun) if qualities.is_empty() => noun,
            Some(noun) => format!("{noun} {}", qualities.join(" and ")),
            None => self.phrase_of_alternatives(rules, nesting),
        }
    }

    /// A schema that only applies others.
    fn phrase_of_alternatives(&self, rules: &[Rule], nesting: u32) -> String {
        let nesting = nesting.checked_sub(1);
        match (rules, nesting) {
            ([Rule::All(ids), ..], Some(nesting)) => self.phrases(ids, " and ", nesting),
            ([Rule::Any(ids) | Rule::One(ids), ..], Some(nesting)) => {
                self.phrases(ids, " or ", nesting)
            }
            ([Rule::Not(id), ..], Some(nesting)) => {
                format!("anything but {}", self.phrase(*id, nesting))
            }
            _ => "what the schema says there".to_owned(),
        }
    }

    pub(super) fn phrases(&self, ids: &[Id], separator: &str, nesting: u32) -> String {
        let mut phrases: Vec<String> = Vec::new();
        for phrase in ids
            .iter()
            .take(LISTED + 1)
            .map(|id| self.phrase(*id, nesting))
        {
            if !phrases.contains(&phrase) {
                phrases.push(phrase);
            }
        }
        list(phrases.iter(), separator)
    }

    /// `with `kind` "circle"`, or the names that are required.
    fn members_quality(&self, members: &Members) -> Option<String> {
        let constant = |id: Id| match self.schema(id) {
            Schema::Rules(_, rules) => rules.iter().find_map(|rule| match rule {
                Rule::Enum(values) if values.len() == 1 => Some(allowed(&values[0])),
                _ => None,
            }),
            _ => None,
        };
        let constants = members
            .properties
            .iter()
            .filter_map(|property| Some((property, constant(property.schema?)?)));
        let constants: Vec<String> = constants
            .map(|(property, value)| format!("{} {value}", quoted(&property.name)))
            .collect();
        let required: Vec<&str> = members
            .properties
            .iter()
            .filter(|property| property.required)
            .map(|property| property.name.as_str())
            .collect();
        match (constants.is_empty(), required.is_empty()) {
            (false, _) => Some(format!("with {}", list(constants.iter(), ", "))),
            (true, false) => Some(format!("with {}", names(required.into_iter()))),
            (true, true) => None,
        }
    }
}
