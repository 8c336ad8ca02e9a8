//! What is wrong with the items of an array. Its length is a quality like others: `report.rs`.

use serde_json::Value;

use super::Explainer;
use crate::number;
use crate::path::{PathSegment, ValuePath};
use crate::program::{Count, SchemaId, Subschema};
use crate::words;

impl Explainer<'_, '_> {
    pub(super) fn items(
        &mut self,
        prefix: &[SchemaId],
        rest: Option<SchemaId>,
        items: &[Value],
        at: &ValuePath<'_>,
        nesting: u32,
    ) {
        for (position, (item, id)) in items.iter().zip(prefix).enumerate() {
            self.descend(*id, item, &at.step(PathSegment::Item(position)), nesting);
        }
        match rest.map(|id| (id, self.evaluator.schema(id))) {
            Some((_, Subschema::Nothing)) if items.len() > prefix.len() => {
                self.too_many(prefix.len(), items, at);
            }
            Some((id, _)) => {
                for (position, item) in items.iter().enumerate().skip(prefix.len()) {
                    self.descend(id, item, &at.step(PathSegment::Item(position)), nesting);
                }
            }
            None => {}
        }
    }

    pub(super) fn unique(&mut self, items: &[Value], at: &ValuePath<'_>) {
        if let Some((earlier, later)) = number::equal_items(items) {
            self.add(
                at,
                format_args!("expected items that differ, got equal ones at {earlier} and {later}"),
            );
        }
    }

    fn too_many(&mut self, most: usize, items: &[Value], at: &ValuePath<'_>) {
        let count = words::count(Count { least: 0, most }, "item", "items");
        self.expected(at, format_args!("an array of {count}"), items.len());
    }
}
