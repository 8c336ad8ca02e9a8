//! Bounds of numbers, lengths and counts.

use serde_json::{Map, Value};

use super::gap::{Gap, GapKind, has_kind};

/// Keywords of lengths and counts with the type that they are about, and whether they are the least.
const COUNTS: [(&str, &str, bool); 6] = [
    ("minLength", "string", true),
    ("maxLength", "string", false),
    ("minItems", "array", true),
    ("maxItems", "array", false),
    ("minProperties", "object", true),
    ("maxProperties", "object", false),
];

/// Adds what `from` admits beyond the bounds of `to`.
pub(super) fn bounds(
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    place: &str,
    gaps: &mut Vec<Gap>,
) {
    let mut gap = |keyword: &str| gaps.push(Gap::new(place, GapKind::Bounds, keyword));
    for (keyword, kind, least) in COUNTS {
        let otherwise = if least { 0.0 } else { f64::INFINITY };
        let bound = |schema: &Map<String, Value>| number(schema, keyword).unwrap_or(otherwise);
        let (was, is) = (bound(from), bound(to));
        let narrower = if least { is > was } else { is < was };
        if has_kind(from, kind) && narrower {
            gap(keyword);
        }
    }
    if has_kind(from, "integer") {
        for (name, exclusive, least) in [
            ("minimum", "exclusiveMinimum", true),
            ("maximum", "exclusiveMaximum", false),
        ] {
            let (was, is) = (
                limit(from, name, exclusive, least),
                limit(to, name, exclusive, least),
            );
            if is.is_beyond(&was, least) {
                gap(name);
            }
        }
        if let Some(step) = number(to, "multipleOf") {
            let whole = !has_kind(from, "number");
            let before = number(from, "multipleOf").or(whole.then_some(1.0));
            if before.is_none_or(|before| (before / step).fract() != 0.0) {
                gap("multipleOf");
            }
        }
    }
    let unique =
        |schema: &Map<String, Value>| schema.get("uniqueItems") == Some(&Value::Bool(true));
    if has_kind(from, "array") && unique(to) && !unique(from) {
        gap("uniqueItems");
    }
}

/// An end of a range.
struct Limit {
    at: f64,
    /// The end itself is outside.
    open: bool,
}

impl Limit {
    /// Whether a range that ends here has less than one that ends there.
    fn is_beyond(&self, other: &Self, least: bool) -> bool {
        let further = if least {
            self.at > other.at
        } else {
            self.at < other.at
        };
        further || (self.at == other.at && self.open && !other.open)
    }
}

fn limit(schema: &Map<String, Value>, closed: &str, open: &str, least: bool) -> Limit {
    let nowhere = if least {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    };
    let limit = |keyword, open| Limit {
        at: number(schema, keyword).unwrap_or(nowhere),
        open,
    };
    let (closed, mut open) = (limit(closed, false), limit(open, true));
    if !has_kind(schema, "number") && open.at.fract() == 0.0 {
        // among integers the next one is the end
        open.at += if least { 1.0 } else { -1.0 };
        open.open = false;
    }
    if open.is_beyond(&closed, least) {
        open
    } else {
        closed
    }
}

fn number(schema: &Map<String, Value>, keyword: &str) -> Option<f64> {
    schema.get(keyword).and_then(Value::as_f64)
}
