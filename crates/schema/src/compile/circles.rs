//! Finds schemas that are reached from themselves without going down into the value: a check would
//! never end. Circles that go down into the value are fine, and not looked for.

use crate::program::{Rule, SchemaId, Subschema};

/// A schema that is reached from itself without going down into the value. Takes away, one by one,
/// the schemas that nothing left applies; a circle is what stays.
pub(super) fn endless(schemas: &[Subschema]) -> Option<SchemaId> {
    let mut applied = vec![0usize; schemas.len()];
    schemas
        .iter()
        .flat_map(in_place)
        .for_each(|id| applied[id] += 1);
    let mut free: Vec<SchemaId> = (0..schemas.len()).filter(|id| applied[*id] == 0).collect();
    while let Some(id) = free.pop() {
        for id in in_place(&schemas[id]) {
            applied[id] -= 1;
            if applied[id] == 0 {
                free.push(id);
            }
        }
    }
    applied.iter().position(|applied| *applied > 0)
}

/// The schemas that a schema applies to the same value.
fn in_place(schema: &Subschema) -> Vec<SchemaId> {
    let rules = match schema {
        Subschema::Same(id) => return vec![*id],
        Subschema::Rules(_, rules) => rules,
        Subschema::Anything | Subschema::Nothing => return Vec::new(),
    };
    let of_rule = |rule: &Rule| match rule {
        Rule::All(ids) | Rule::Any(ids) | Rule::One(ids) => ids.to_vec(),
        Rule::Not(id) => vec![*id],
        Rule::If(condition, then, otherwise) => [Some(*condition), *then, *otherwise]
            .into_iter()
            .flatten()
            .collect(),
        Rule::When(list) => list.iter().map(|(_, id)| *id).collect(),
        _ => Vec::new(),
    };
    rules.iter().flat_map(of_rule).collect()
}
