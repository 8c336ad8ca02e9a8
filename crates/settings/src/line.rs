//! A log event as one line of JSON, every member at the top and none twice. Where the line goes,
//! and what a host knows beside the event, is the host's business.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Level};

/// What hosts say about every line: an event's field of such a name gets `field_` before it.
const RESERVED: [&str; 7] = [
    "timestamp",
    "level",
    "service",
    "functionVersion",
    "coldStart",
    "requestId",
    "traceId",
];

/// A line that is being written.
#[derive(Debug)]
pub struct LogLine(String);

impl LogLine {
    /// Begins a line with its level, where log services look for it.
    #[must_use]
    pub fn new(level: Level) -> Self {
        let mut line = String::with_capacity(512);
        line.push('{');
        let mut line = Self(line);
        line.text("level", level.as_str());
        line
    }

    /// Adds a text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.quote(value);
    }

    /// Adds a number or a switch: what JSON writes as it is displayed.
    pub fn plain(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        // writing to a text does not fail
        let _ = write!(self.0, "{value}");
    }

    /// Adds the fields of an event under their names.
    pub fn event(&mut self, event: &Event<'_>) {
        event.record(&mut Fields(self));
    }

    /// The whole line, without a line break.
    #[must_use]
    pub fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.quote(name);
        self.0.push(':');
    }

    fn quote(&mut self, text: &str) {
        self.0.push('"');
        let mut plain = 0;
        for (at, byte) in text.bytes().enumerate() {
            if byte >= 0x20 && byte != b'"' && byte != b'\\' {
                continue;
            }
            self.0.push_str(&text[plain..at]);
            plain = at + 1;
            let _ = match byte {
                b'"' | b'\\' => write!(self.0, "\\{}", byte as char),
                b'\n' => write!(self.0, "\\n"),
                b'\t' => write!(self.0, "\\t"),
                _ => write!(self.0, "\\u{byte:04x}"),
            };
        }
        self.0.push_str(&text[plain..]);
        self.0.push('"');
    }
}

struct Fields<'a>(&'a mut LogLine);

impl Fields<'_> {
    fn text(&mut self, field: &Field, value: &str) {
        if RESERVED.contains(&field.name()) {
            self.0.text(&format!("field_{}", field.name()), value);
        } else {
            self.0.text(field.name(), value);
        }
    }

    fn plain(&mut self, field: &Field, value: impl fmt::Display) {
        if RESERVED.contains(&field.name()) {
            self.0.plain(&format!("field_{}", field.name()), value);
        } else {
            self.0.plain(field.name(), value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.plain(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.plain(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.plain(field, value);
        } else {
            self.text(field, &value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;
    use serde_json::Value;
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
            let mut line = LogLine::new(*event.metadata().level());
            line.text("service", "it");
            line.event(event);
            self.0.lock().unwrap().push(line.end());
        }
    }

    fn written(log: impl FnOnce()) -> String {
        let kept = Kept::default();
        tracing::subscriber::with_default(kept.clone(), log);
        let lines = kept.0.lock().unwrap();
        lines.join("\n")
    }

    #[test]
    fn an_event_is_one_json_object() {
        let line = written(|| {
            tracing::warn!(
                user = "a \"b\"\n",
                count = 3_u64,
                share = 0.5,
                nothing = f64::NAN,
                absent = Option::<&str>::None,
                on = true,
                service = "of the event",
                "it {}",
                "happened"
            );
        });
        let value: Value = serde_json::from_str(&line).unwrap();
        let expected = serde_json::json!({"level": "WARN", "service": "it", "message": "it happened",
            "user": "a \"b\"\n", "count": 3, "share": 0.5, "nothing": "NaN", "on": true,
            "field_service": "of the event"});
        assert_eq!(value, expected);
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_panic_has_its_message_once() {
        crate::panics::log_panics();
        let line = written(|| {
            let _ = std::panic::catch_unwind(|| panic!("too {}", "bad"));
        });
        let _ = std::panic::take_hook();
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["event"], "panic");
        assert_eq!(value["panic"], "too bad");
        let names: Vec<&str> = line
            .split(",\"")
            .map(|part| part.split('"').next().unwrap())
            .collect();
        let distinct: BTreeSet<&str> = names.iter().copied().collect();
        assert_eq!(names.len(), distinct.len(), "{line}");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(name in any::<String>(), value in any::<String>()) {
            prop_assume!(name != "level");
            let mut line = LogLine::new(Level::INFO);
            line.text(&name, &value);
            let line = line.end();
            prop_assert!(!line.contains(['\n', '\r']));
            let read: Value = serde_json::from_str(&line).unwrap();
            prop_assert_eq!(&read[&name], &value);
        }
    }
}
