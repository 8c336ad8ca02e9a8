//! What was found, as a person and as a script read it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Some client can't use it.
    Error,
    /// It works, and could be better.
    Warning,
}

/// One fault.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) level: Severity,
    /// What is so.
    pub(crate) what: String,
    /// What to change.
    pub(crate) fix: String,
}

impl Finding {
    pub(crate) fn json(&self) -> Value {
        let level = match self.level {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        json!({"code": self.code, "level": level, "what": self.what, "fix": self.fix})
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) findings: Vec<Finding>,
    pub(crate) facts: Map<String, Value>,
}

impl Report {
    pub(crate) fn error(&mut self, code: &'static str, what: impl Into<String>, fix: &str) {
        self.add(Severity::Error, code, &what.into(), fix);
    }

    pub(crate) fn warning(&mut self, code: &'static str, what: impl Into<String>, fix: &str) {
        self.add(Severity::Warning, code, &what.into(), fix);
    }

    fn add(&mut self, level: Severity, code: &'static str, what: &str, fix: &str) {
        let fix = fix.to_owned();
        self.findings.push(Finding {
            code,
            level,
            what: visible(what),
            fix,
        });
    }

    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Value>) {
        self.facts.insert(name.to_owned(), value.into());
    }

    pub(crate) fn has(&self, level: Severity) -> bool {
        self.findings.iter().any(|finding| finding.level == level)
    }

    pub(crate) fn text(&self, target: &str) -> String {
        let mut text = format!("{}\n", visible(target));
        for (name, value) in &self.facts {
            let value = value.as_str().map_or_else(|| value.to_string(), visible);
            // writing to a String can't fail
            let _ = writeln!(text, "  {name}: {value}");
        }
        for finding in &self.findings {
            let level = match finding.level {
                Severity::Error => "FAULT",
                Severity::Warning => "warning",
            };
            let Finding {
                code, what, fix, ..
            } = finding;
            let _ = write!(text, "\n{level} {code}: {what}\n    {fix}\n");
        }
        if self.findings.is_empty() {
            text.push_str("\nnothing to change");
        }
        text.trim_end().to_owned()
    }
}

/// A server's words on one line, without what a terminal would obey.
pub(crate) fn visible(text: &str) -> String {
    let shown: String = text
        .chars()
        .take(500)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    shown
}
