//! Calls as points of Analytics Engine, with the names and numbers that metrics have on every host.
//! A point has columns without names, so infra/workers.md says which is which, and a test holds it
//! to [`BLOBS`] and [`CALL_METRICS`], which are the numbers from `double1` on.

use mcpfn_core::port::AuditEntry;
use mcpfn_settings::CALL_METRICS;

/// The texts of a point, from `blob1` on.
pub(crate) const BLOBS: [&str; 6] = [
    "service",
    "name",
    "method",
    "outcome",
    "cache",
    "functionVersion",
];
/// The most bytes of an index.
const MAX_INDEX: usize = 96;
/// The most bytes of each text, so that all fit into a point's 16 KB.
const MAX_BLOB: usize = 1024;

/// One call.
#[derive(Debug, PartialEq)]
pub(crate) struct Point<'a> {
    /// By which points are sampled, where there are too many: a tool that is seldom called stays
    /// visible beside one that is called all the time.
    pub(crate) index: &'a str,
    pub(crate) blobs: [&'a str; BLOBS.len()],
    pub(crate) doubles: [u64; CALL_METRICS.len()],
}

impl<'a> Point<'a> {
    pub(crate) fn new(
        call: &AuditEntry<'a>,
        service: &'a str,
        version: &'a str,
        cold_start: bool,
    ) -> Self {
        let name = if call.name.is_empty() {
            call.method
        } else {
            call.name
        };
        let blobs = [
            service,
            call.name,
            call.method,
            call.outcome.as_str(),
            call.cache.as_str(),
            version,
        ];
        Self {
            index: start(name, MAX_INDEX),
            blobs: blobs.map(|text| start(text, MAX_BLOB)),
            doubles: mcpfn_settings::call_metrics(call, cold_start),
        }
    }
}

/// As much of a text as fits, in whole characters.
fn start(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use mcpfn_core::port::{AuditLog, Failure};
    use mcpfn_core::{NoArguments, Server, Tool};
    use mcpfn_testing::TestClient;

    use super::*;

    const DOCUMENT: &str = include_str!("../../../infra/workers.md");

    /// The names of columns, as their position says it.
    fn columns() -> BTreeMap<String, &'static str> {
        let blobs = (1..)
            .zip(BLOBS)
            .map(|(at, name)| (format!("blob{at}"), name));
        let doubles = (1..)
            .zip(CALL_METRICS)
            .map(|(at, name)| (format!("double{at}"), name));
        blobs.chain(doubles).collect()
    }

    #[test]
    fn the_document_names_each_column() {
        let row = |line: &'static str| {
            let mut cells = line.strip_prefix("| `")?.split('`');
            let column = cells.next()?;
            let known = column.starts_with("blob") || column.starts_with("double");
            known.then_some((column.to_owned(), cells.nth(1)?))
        };
        let rows: BTreeMap<String, &str> = DOCUMENT.lines().filter_map(row).collect();
        assert_eq!(rows, columns());
    }

    #[test]
    fn queries_give_each_column_its_own_name() {
        let queries = DOCUMENT.split("```sql").skip(1);
        let queries = queries.filter_map(|text| text.split("```").next());
        let queries: Vec<&str> = queries.filter(|text| text.contains("FROM mcpfn")).collect();
        assert_eq!(queries.len(), 2);
        let columns = columns();
        let words = |text: &'static str| text.split(|byte: char| !byte.is_ascii_alphanumeric());
        for query in queries {
            for word in words(query) {
                let column = word.starts_with("blob") || word.starts_with("double");
                assert!(!column || columns.contains_key(word), "{word} is no column");
            }
            for (before, after) in query
                .match_indices(" AS ")
                .map(|(at, _)| query.split_at(at))
            {
                let alias = words(&after[4..]).next().unwrap();
                let expression = before
                    .rsplit(['\n', ','])
                    .find(|text| text.contains("(") || text.contains("blob"));
                let mut used = words(expression.unwrap()).filter_map(|word| columns.get(word));
                // a share of two numbers, and a time, have names of their own
                let own = ["ErrorRate", "time"].contains(&alias);
                assert!(
                    own || used.all(|name| *name == alias),
                    "{expression:?} AS {alias}"
                );
            }
        }
    }

    #[derive(Clone, Default)]
    struct Points(Arc<Mutex<Vec<String>>>);

    impl AuditLog for Points {
        fn failure(&self, _: &Failure<'_>) {}

        fn call(&self, call: &AuditEntry<'_>) {
            let point = Point::new(call, "clock", "v1", true);
            self.0.lock().unwrap().push(format!("{point:?}"));
        }

        fn denied(&self, _: &str, _: Option<&str>) {}
        fn store_failure(&self, _: &str, _: &str) {}
    }

    #[test]
    fn a_call_is_a_point() {
        let points = Points::default();
        let tool = Tool::new("tick")
            .description("Ticks.")
            .handler(|_: NoArguments| async { "tick" });
        let log = Arc::new(points.clone());
        let client = TestClient::new(Server::builder("clock", "1.0.0").tool(tool))
            .map_platform(|platform| platform.with_audit_log(log));
        client.call("tick", serde_json::json!({})).wait().unwrap();
        let points = points.0.lock().unwrap();
        let blobs = r#"["clock", "tick", "tools/call", "ok", "off", "v1"]"#;
        let expected =
            format!("Point {{ index: \"tick\", blobs: {blobs}, doubles: [1, 0, 0, 0, 1, 0] }}");
        assert_eq!(points.last(), Some(&expected));
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(start("abc", 96), "abc");
        assert_eq!(start(&"é".repeat(60), 95).len(), 94);
    }
}
