//! Two lists of tools, prompts or resources, entry by entry: what has gone, what is asked for now,
//! and what is promised no more.

use std::fmt;

use serde_json::{Map, Value, json};

use super::gap::{Gap, GapKind};
use super::narrowed::{SchemaPair, Side};
use super::published::name;

/// Something that clients of the old version use, and that the new one does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Break {
    /// Its class, in words that stay: `tool-removed`, `argument-required`.
    pub(crate) code: String,
    /// The tool, prompt or resource.
    pub(crate) about: String,
    /// What is so, in a sentence without a full stop.
    pub(crate) what: String,
}

impl Break {
    pub(crate) fn json(&self) -> Value {
        json!({"code": self.code, "about": self.about, "what": self.what})
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}`: {}", self.code, self.about, self.what)
    }
}

/// Everything that would break, in the order of the old lists.
pub(crate) fn breaks(old: &Map<String, Value>, new: &Map<String, Value>) -> Vec<Break> {
    let mut found = Vec::new();
    for (member, kind) in [
        ("tools", "tool"),
        ("prompts", "prompt"),
        ("resources", "resource"),
        ("resourceTemplates", "template"),
    ] {
        for was in items(old, member) {
            let mut entry = Entry {
                about: name(was),
                found: &mut found,
            };
            match items(new, member).find(|is| name(is) == name(was)) {
                None => entry.add(
                    &format!("{kind}-removed"),
                    format!("the {kind} is not there any more"),
                ),
                Some(is) if kind == "tool" => entry.tool(was, is),
                Some(is) if kind == "prompt" => entry.prompt(was, is),
                Some(is) => entry.resource(was, is),
            }
        }
    }
    found
}

fn items<'a>(lists: &'a Map<String, Value>, member: &str) -> impl Iterator<Item = &'a Value> {
    let items = lists.get(member).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// Hints, each with what it is when it is left out, and the value that promises more.
const HINTS: [(&str, bool, bool, &str); 4] = [
    ("readOnlyHint", false, true, "reads only"),
    ("destructiveHint", true, false, "destroys nothing"),
    ("idempotentHint", false, true, "may be repeated"),
    ("openWorldHint", true, false, "reaches nothing outside"),
];

/// One thing that both versions have.
struct Entry<'a> {
    about: &'a str,
    found: &'a mut Vec<Break>,
}

impl Entry<'_> {
    fn add(&mut self, code: &str, what: String) {
        self.found.push(Break {
            code: code.to_owned(),
            about: self.about.to_owned(),
            what,
        });
    }

    fn tool(&mut self, was: &Value, is: &Value) {
        let renamed = &is["_meta"]["dev.mcpfn/deprecated"]["renamed"];
        let side = Side::Arguments { renamed };
        let inputs = SchemaPair::new(&was["inputSchema"], &is["inputSchema"], side);
        for gap in inputs.gaps() {
            self.add(
                &format!("argument-{}", gap.kind.word()),
                gap.told("argument"),
            );
        }
        match (was.get("outputSchema"), is.get("outputSchema")) {
            (Some(_), None) => self.add(
                "output-removed",
                "its structured results have no schema any more".to_owned(),
            ),
            // what the new version gives has to be what the old one said
            (Some(was), Some(is)) => {
                for gap in SchemaPair::new(is, was, Side::Results).gaps() {
                    self.add(&format!("output-{}", gap.kind.word()), gap.told("result"));
                }
            }
            (None, _) => {}
        }
        self.hints(&was["annotations"], &is["annotations"]);
    }

    fn hints(&mut self, was: &Value, is: &Value) {
        let reads = |annotations: &Value| annotations["readOnlyHint"] == true;
        for (hint, otherwise, promise, says) in HINTS {
            // what only reads destroys nothing and may be repeated, whatever it says
            let of_writes = matches!(hint, "destructiveHint" | "idempotentHint");
            let promises = |annotations: &Value| {
                let said = annotations[hint].as_bool().unwrap_or(otherwise);
                said == promise || (of_writes && reads(annotations))
            };
            if promises(was) && !promises(is) {
                let what = format!("it does not say any more that it {says} (`{hint}`)");
                self.add("annotation", what);
            }
        }
    }

    fn prompt(&mut self, was: &Value, is: &Value) {
        let arguments = |prompt: &Value| -> Vec<(String, bool)> {
            let arguments = prompt["arguments"].as_array().into_iter().flatten();
            let read = |one: &Value| (name(one).to_owned(), one["required"] == true);
            arguments.map(read).collect()
        };
        let (before, now) = (arguments(was), arguments(is));
        let renamed = &is["_meta"]["dev.mcpfn/deprecated"]["renamed"];
        for (argument, _) in &before {
            if !now.iter().any(|(name, _)| name == argument) {
                let gap = Gap::new(&format!("/{argument}"), GapKind::Removed, "");
                self.add("argument-removed", gap.told("argument"));
            }
        }
        for (argument, _) in now.iter().filter(|(_, required)| *required) {
            let required_before = |name: &str| before.contains(&(name.to_owned(), true));
            let by_old_name = before
                .iter()
                .any(|(name, required)| *required && renamed[name] == **argument);
            if !required_before(argument) && !by_old_name {
                let gap = Gap::new(&format!("/{argument}"), GapKind::Required, "");
                self.add("argument-required", gap.told("argument"));
            }
        }
    }

    fn resource(&mut self, was: &Value, is: &Value) {
        let (before, now) = (&was["mimeType"], &is["mimeType"]);
        if !before.is_null() && before != now {
            self.add(
                "resource-type",
                format!("its type was {before} and is {now}"),
            );
        }
    }
}
