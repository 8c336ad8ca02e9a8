//! A log event as one line of JSON. Where the line goes is the console's business.

use std::fmt;

use serde_json::{Map, Value};
use tracing::Event;
use tracing::field::{Field, Visit};

/// `level` and `message` stand first, as Workers Logs shows them; the other fields follow under
/// their names.
pub(crate) fn line(event: &Event<'_>) -> String {
    let mut fields = LineFields(Map::new());
    fields
        .0
        .insert("level".to_owned(), event.metadata().level().as_str().into());
    event.record(&mut fields);
    Value::Object(fields.0).to_string()
}

struct LineFields(Map<String, Value>);

impl LineFields {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for LineFields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Metadata, Subscriber};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Kept {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            self.0.lock().unwrap().push(line(event));
        }
    }

    #[test]
    fn an_event_is_one_json_object() {
        let kept = Kept::default();
        tracing::subscriber::with_default(kept.clone(), || {
            tracing::warn!(
                user = "a \"b\"\n",
                count = 3_u64,
                share = 0.5,
                on = true,
                "it {}",
                "happened"
            );
        });
        let lines = kept.0.lock().unwrap();
        let value: Value = serde_json::from_str(&lines[0]).unwrap();
        let expected = serde_json::json!({"level": "WARN", "message": "it happened", "user": "a \"b\"\n", "count": 3, "share": 0.5, "on": true});
        assert_eq!(value, expected);
        assert!(!lines[0].contains('\n'));
    }
}
