//! Rows of unknown tables as JSON of a bounded size, for the toolkits that read any table. Runs no
//! query.

use mcpfn_ports::{Rows, SqlValue};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

/// The longest text value that is shown whole, in characters.
const MAX_TEXT_LENGTH: usize = 2000;

/// The largest whole number that JavaScript does not round: 2^53 - 1.
pub(crate) const SAFE: u64 = (1 << 53) - 1;

/// The rows of one answer, in bytes of JSON. A model reads a third of this as one page.
pub(crate) const MAX_BYTES: usize = 64 * 1024;

/// The longest text value of a row of so many columns, in characters: a row of nothing but such
/// values fits into an answer with its names, and a hundred such rows into memory.
pub(crate) fn longest(columns: usize) -> usize {
    (MAX_BYTES / columns.max(1) * 3 / 4).clamp(100, MAX_TEXT_LENGTH)
}

/// A row: its columns' names and values, in the order of the columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row(Vec<(String, Value)>);

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// As many rows as fit.
pub(crate) struct Bounded {
    pub(crate) rows: Vec<Row>,
    /// Rows were there that did not fit.
    pub(crate) rows_left_out: bool,
    /// Text was shortened.
    pub(crate) values_cut: bool,
}

/// As many rows as fit, of those whose cells the statement cut.
pub(crate) fn bounded(found: Rows) -> Bounded {
    let most = longest(found.columns.len());
    let mut answer = Bounded {
        rows: Vec::new(),
        rows_left_out: false,
        values_cut: false,
    };
    let mut left = MAX_BYTES;
    for values in found.rows {
        let mut cut = false;
        let values = values
            .into_iter()
            .map(|value| marked(value, most, &mut cut));
        let row = Row(found.columns.iter().cloned().zip(values).collect());
        // a row that can't be written can't be sent either
        let size = serde_json::to_vec(&row).map_or(usize::MAX, |bytes| bytes.len());
        if size > left {
            answer.rows_left_out = true;
            break;
        }
        left -= size;
        answer.values_cut |= cut;
        answer.rows.push(row);
    }
    answer
}

/// A value that was cut where it was stored, as a model reads it. Behind the longest text is what
/// the statement says about it.
fn marked(value: SqlValue, most: usize, cut: &mut bool) -> Value {
    match value {
        SqlValue::Text(text) => match text.char_indices().nth(most) {
            Some((end, _)) => {
                *cut = true;
                // not in the statement: not every database has the character
                format!("{}…{}", &text[..end], &text[end..]).into()
            }
            None => text.into(),
        },
        value => number(value),
    }
}

/// Numbers as they are, and as text where JSON, or the numbers of JavaScript in which many clients
/// read it, would say another one or none.
fn number(value: SqlValue) -> Value {
    match value {
        SqlValue::Integer(integer) if integer.unsigned_abs() > SAFE => integer.to_string().into(),
        SqlValue::Real(real) if real.is_nan() => "NaN".into(),
        SqlValue::Real(f64::INFINITY) => "Infinity".into(),
        SqlValue::Real(f64::NEG_INFINITY) => "-Infinity".into(),
        value => value.into_json(),
    }
}

/// A value as a model can use it: bytes as their size, long text as its beginning.
pub(crate) fn shown(value: SqlValue, cut: &mut bool) -> Value {
    match value {
        SqlValue::Blob(bytes) => format!("(binary, {} bytes)", bytes.len()).into(),
        SqlValue::Text(text) => match text.char_indices().nth(MAX_TEXT_LENGTH) {
            Some((end, _)) => {
                *cut = true;
                format!(
                    "{}… (cut, {} characters in all)",
                    &text[..end],
                    text.chars().count()
                )
                .into()
            }
            None => text.into(),
        },
        value => number(value),
    }
}
