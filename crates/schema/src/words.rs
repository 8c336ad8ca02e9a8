//! The words of a violation: what a schema expects, what it got, and where. Everything is short,
//! and a client's text is never repeated as it is.

use std::fmt::{self, Display, Write as _};

use serde_json::Value;

use crate::program::{Count, Kinds, Range, Rule};
use crate::text::{clean, quoted};

/// Values, names and alternatives that one line lists.
pub(crate) const MAX_LISTED: usize = 10;
/// A value as a sentence shows it: scalars as they are, the rest by type.
pub(crate) fn got(value: &Value) -> impl Display + '_ {
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
pub(crate) fn allowed(value: &Value) -> String {
    if value.is_array() || value.is_object() {
        clean(&value.to_string()).to_string()
    } else {
        got(value).to_string()
    }
}

pub(crate) fn list<T: Display>(items: impl ExactSizeIterator<Item = T>, separator: &str) -> String {
    let more = items.len().saturating_sub(MAX_LISTED);
    let mut list = String::new();
    for item in items.take(MAX_LISTED) {
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

pub(crate) fn names<'a>(names: impl ExactSizeIterator<Item = &'a str>) -> String {
    list(names.map(quoted), ", ")
}

pub(crate) fn kinds(kinds: Kinds) -> String {
    list(kinds.words().collect::<Vec<_>>().into_iter(), " or ")
}

pub(crate) fn one_of(values: &[Value]) -> String {
    let list = list(values.iter().map(allowed), ", ");
    match values {
        [] => "nothing".to_owned(),
        [_] => list,
        _ => format!("one of {list}"),
    }
}

/// `at least 2 items`
pub(crate) fn count(count: Count, singular: &str, plural: &str) -> String {
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
pub(crate) fn quality(rule: &Rule) -> Option<(&'static str, String)> {
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
