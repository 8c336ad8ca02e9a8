//! Schemas of several parts: alternatives, and parts that hold together.

use serde_json::{Map, Value};

use super::gap::{Gap, GapKind};
use super::narrowed::SchemaPair;

type Members = Map<String, Value>;

impl SchemaPair<'_> {
    /// The gaps between schemas of which one has parts; nothing where neither has.
    pub(super) fn alternatives(
        &self,
        from: &Members,
        to: &Members,
        place: &str,
        depth: usize,
    ) -> Option<Vec<Gap>> {
        let between = |from: &Members, to: &Members| {
            let (from, to) = (Value::Object(from.clone()), Value::Object(to.clone()));
            self.between(&from, &to, place, depth + 1)
        };
        for union in ["anyOf", "oneOf"] {
            // each value fits one of them, so each of them has to be admitted
            if let Some(parts) = parts(from, union) {
                return Some(parts.iter().flat_map(|part| between(part, to)).collect());
            }
        }
        if let Some(parts) = parts(to, "allOf") {
            return Some(parts.iter().flat_map(|part| between(from, part)).collect());
        }
        if let Some(parts) = parts(from, "allOf") {
            // each value fits all of them, so it is enough if one is admitted
            let tried = parts.iter().map(|part| between(part, to));
            return tried.min_by_key(Vec::len);
        }
        for union in ["anyOf", "oneOf"] {
            let Some(parts) = parts(to, union) else {
                continue;
            };
            let kinds = from.get("type").and_then(Value::as_array);
            if let Some(kinds) = kinds.filter(|kinds| kinds.len() > 1) {
                // a value is of one of the types
                let of = |kind: &Value| {
                    let mut one = from.clone();
                    one.insert("type".to_owned(), kind.clone());
                    one
                };
                return Some(
                    kinds
                        .iter()
                        .flat_map(|kind| between(&of(kind), to))
                        .collect(),
                );
            }
            let mut tried: Vec<Vec<Gap>> = parts.iter().map(|part| between(from, part)).collect();
            if tried.iter().any(Vec::is_empty) {
                return Some(Vec::new());
            }
            return Some(match tried.as_mut_slice() {
                [only] => std::mem::take(only),
                _ => vec![Gap::new(place, GapKind::Type, "no alternative takes it")],
            });
        }
        None
    }
}

/// The parts under a keyword, each with what stands beside them.
fn parts(schema: &Members, keyword: &str) -> Option<Vec<Members>> {
    let parts = schema.get(keyword)?.as_array()?;
    let mut beside = schema.clone();
    beside.remove(keyword);
    let joined = |part: &Value| {
        let mut joined = beside.clone();
        joined.extend(part.as_object().cloned().unwrap_or_default());
        joined
    };
    Some(parts.iter().map(joined).collect())
}
