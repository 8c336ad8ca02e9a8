//! Between the port's values and PostgreSQL's text format, and from the port's placeholders to
//! PostgreSQL's. Sends nothing.

use mcpfn_ports::SqlValue;

// The types whose text is not simply the value; numbers of the system catalog, the same on every
// server.
const BOOL: u32 = 16;
const BYTEA: u32 = 17;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const OID: u32 = 26;
const FLOAT4: u32 = 700;
const FLOAT8: u32 = 701;
const TIMESTAMP: u32 = 1114;
const TIMESTAMPTZ: u32 = 1184;

/// A parameter as text, which the server reads as whatever type it expects in that place; `None` is
/// null.
pub(crate) fn written(value: &SqlValue) -> Option<String> {
    match value {
        SqlValue::Null => None,
        SqlValue::Integer(integer) => Some(integer.to_string()),
        SqlValue::Real(real) => Some(real.to_string()),
        // the one character that PostgreSQL's text can't have
        SqlValue::Text(text) => Some(text.replace('\0', "\u{fffd}")),
        SqlValue::Blob(bytes) => {
            let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or('0');
            let digits = bytes
                .iter()
                .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
            Some("\\x".chars().chain(digits).collect())
        }
    }
}

/// A value of a row, from its text.
pub(crate) fn read(kind: u32, text: &[u8]) -> SqlValue {
    let text = String::from_utf8_lossy(text);
    let read = match kind {
        BOOL => Some(SqlValue::Integer((text == "t").into())),
        INT2 | INT4 | INT8 | OID => text.parse().ok().map(SqlValue::Integer),
        FLOAT4 | FLOAT8 => text.parse().ok().map(SqlValue::Real),
        BYTEA => bytes(&text).map(SqlValue::Blob),
        // `2026-10-31 08:00:00+00`, as ISO 8601 has it; the connection's time zone is UTC
        TIMESTAMP | TIMESTAMPTZ => Some(SqlValue::Text(match text.strip_suffix("+00") {
            Some(utc) => utc.replacen(' ', "T", 1) + "Z",
            None => text.replacen(' ', "T", 1),
        })),
        _ => None,
    };
    read.unwrap_or_else(|| SqlValue::Text(text.into_owned()))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    // two digits make a byte
    digits
        .chunks(2)
        .map(|pair| Some((digit(pair[0])? * 16 + digit(*pair.get(1)?)?) as u8))
        .collect()
}

/// The statement with `?1` as `$1`, except in text, names and comments. A `?` without a number is
/// an operator and stays.
pub(crate) fn translated(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['?', '\'', '"', '-', '/']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match rest.as_bytes() {
            [b'?', digit, ..] if digit.is_ascii_digit() => {
                out.push('$');
                rest = &rest[1..];
                0
            }
            [b'\'', ..] => quoted(rest, '\''),
            [b'"', ..] => quoted(rest, '"'),
            [b'-', b'-', ..] => rest.find('\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => rest.find("*/").map_or(rest.len(), |end| end + 2),
            _ => 1,
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out + rest
}

/// The length of a text that begins with its quotation mark; a doubled mark ends it and begins the
/// next one.
fn quoted(text: &str, mark: char) -> usize {
    text[1..].find(mark).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_translated_where_they_are_placeholders() {
        for (sql, expected) in [
            ("SELECT ?1, ?12", "SELECT $1, $12"),
            (
                "a = ?1 AND b = '?1' AND \"?1\" = ?2",
                "a = $1 AND b = '?1' AND \"?1\" = $2",
            ),
            ("'it''s ?1' || ?1", "'it''s ?1' || $1"),
            (
                "-- ?1\n?1 /* ?2 */ - ?2 / ?3",
                "-- ?1\n$1 /* ?2 */ - $2 / $3",
            ),
            ("data ? 'key' AND data ?| ?1", "data ? 'key' AND data ?| $1"),
            ("'open ?1", "'open ?1"),
            ("?", "?"),
            ("é?1é", "é$1é"),
        ] {
            assert_eq!(translated(sql), expected);
        }
    }

    #[test]
    fn values_survive_as_text() {
        assert_eq!(written(&SqlValue::Null), None);
        for (kind, value, text) in [
            (INT8, SqlValue::Integer(i64::MIN), "-9223372036854775808"),
            (FLOAT8, SqlValue::Real(0.1), "0.1"),
            (25, SqlValue::Text("ü ?1".to_owned()), "ü ?1"),
            (BYTEA, SqlValue::Blob(vec![0, 255, 16]), "\\x00ff10"),
        ] {
            assert_eq!(written(&value).as_deref(), Some(text));
            assert_eq!(read(kind, text.as_bytes()), value);
        }
        assert_eq!(
            written(&SqlValue::Text("a\0b".to_owned())).unwrap(),
            "a\u{fffd}b"
        );
        for (kind, text, expected) in [
            (BOOL, "t", SqlValue::Integer(1)),
            (BOOL, "f", SqlValue::Integer(0)),
            (1700, "12.50", SqlValue::from("12.50")),
            (
                TIMESTAMPTZ,
                "2026-10-31 08:00:00+00",
                SqlValue::from("2026-10-31T08:00:00Z"),
            ),
            (
                TIMESTAMP,
                "2026-10-31 08:00:00.5",
                SqlValue::from("2026-10-31T08:00:00.5"),
            ),
            (1082, "2026-10-31", SqlValue::from("2026-10-31")),
            (BYTEA, "no hex", SqlValue::from("no hex")),
        ] {
            assert_eq!(read(kind, text.as_bytes()), expected);
        }
    }
}
