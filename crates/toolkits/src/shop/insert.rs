//! Rows as SQL text: few statements, none longer than every database takes.

use std::fmt::Write as _;

/// The longest statement, in bytes: D1 takes 100,000.
const MAX_STATEMENT: usize = 64 * 1024;

/// Rows for one table, in as few statements as their length allows. The values are this crate's
/// own, never a client's.
pub(super) struct Insert {
    head: &'static str,
    done: Vec<String>,
    current: String,
}

impl Insert {
    pub(super) fn new(head: &'static str) -> Self {
        Self {
            head,
            done: Vec::new(),
            current: String::new(),
        }
    }

    pub(super) fn row(&mut self, fill: impl FnOnce(&mut ScriptRow) -> &mut ScriptRow) {
        let mut row = ScriptRow(String::new());
        fill(&mut row);
        let ScriptRow(values) = row;
        if self.current.len() + values.len() > MAX_STATEMENT {
            self.done.push(std::mem::take(&mut self.current));
        }
        // writing to a String can't fail
        let _ = if self.current.is_empty() {
            write!(self.current, "INSERT INTO {} VALUES\n({values})", self.head)
        } else {
            write!(self.current, ",\n({values})")
        };
    }

    pub(super) fn finish(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            self.done.push(self.current);
        }
        self.done
    }
}

/// The literals of one row.
pub(super) struct ScriptRow(String);

impl ScriptRow {
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        self.literal(&number.to_string())
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.literal(&format!("'{}'", text.replace('\'', "''")))
    }

    pub(super) fn tenths(&mut self, tenths: Option<u64>) -> &mut Self {
        match tenths {
            Some(tenths) => self.literal(&format!("{}.{}", tenths / 10, tenths % 10)),
            None => self.literal("NULL"),
        }
    }

    pub(super) fn literal(&mut self, literal: &str) -> &mut Self {
        if !self.0.is_empty() {
            self.0.push_str(", ");
        }
        self.0.push_str(literal);
        self
    }
}
