//! Arguments in one spelling, and digests of what a call is: for cache keys, sealed state, and keys
//! of stores. No secrets.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Number, Value};
use sha2::{Digest as _, Sha256};

use crate::jsonrpc::to_json;

/// JSON without spaces and with its members in the order of RFC 8785 (UTF-16 code units): a client
/// that writes the same arguments differently still means the same call.
///
/// Numbers differ from that RFC on purpose: integers keep all their digits (rounded to a double,
/// two large ids would be one), and `1.0` is written as `1`, which a schema's `integer` takes as
/// the same.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

type Member<'a> = (&'a String, &'a Value);

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<Member> = members.iter().collect();
            // for ASCII, which names of arguments nearly always are, the bytes have the same order
            // as the code units
            let order: fn(&Member, &Member) -> Ordering =
                match members.iter().all(|(key, _)| key.is_ascii()) {
                    true => |one, other| one.0.cmp(other.0),
                    false => |one, other| one.0.encode_utf16().cmp(other.0.encode_utf16()),
                };
            // both ways by one sort: each would be another four kilobytes of code
            members.sort_unstable_by(order);
            out.push(b'{');
            for (position, (key, value)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(&to_json(key));
                out.push(b':');
                write(value, out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write(item, out);
            }
            out.push(b']');
        }
        Value::Number(number) => match whole(number) {
            Some(whole) => out.extend_from_slice(whole.to_string().as_bytes()),
            None => out.extend_from_slice(&to_json(number)),
        },
        scalar => out.extend_from_slice(&to_json(scalar)),
    }
}

/// The integer that a double is, where a double still tells every integer from the next.
fn whole(number: &Number) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let double = number.as_f64().filter(|_| number.is_f64())?;
    (double.fract() == 0.0 && double.abs() < EXACT).then_some(double as i64)
}

/// A key of 43 URL-safe characters that stands for these parts in this order, and for no other
/// ones.
pub(crate) fn digest_key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // lengths first, so that no two different lists of parts give the same bytes
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// Letters of the part of a key that stands for its caller, of Base64: two callers have the same
/// with a chance of one in 2^72, and would share room.
const CALLER_LENGTH: usize = 12;

/// The end that all keys of a caller have, by which stores with little room share it out.
pub(crate) fn caller_key(principal: &str) -> String {
    let mut key = digest_key(&[b"caller", principal.as_bytes()]);
    key.truncate(CALLER_LENGTH);
    key
}

/// The first 16 hexadecimal digits of the SHA-256 of some bytes: enough to find equal inputs in a
/// log, not to read them.
pub(crate) fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(text: &str) -> String {
        String::from_utf8(canonical(&serde_json::from_str(text).unwrap())).unwrap()
    }

    #[test]
    fn one_spelling() {
        assert_eq!(
            spelled(r#" { "b" : [1.0, 1, -0.0, 1.5e300], "a": {"y": null, "x": "\u00e9"} } "#),
            r#"{"a":{"x":"é","y":null},"b":[1,1,0,1.5e+300]}"#
        );
        // the order of RFC 8785's example: by UTF-16 code units, in which the emoji comes before
        // U+FB33
        assert_eq!(
            spelled("{\"\u{fb33}\":1,\"\u{1f600}\":2,\"\u{80}\":3}"),
            "{\"\u{80}\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
        assert_ne!(
            spelled("9007199254740993"),
            spelled("9007199254740992"),
            "large ids stay apart"
        );
    }

    #[test]
    fn keys_tell_parts_apart() {
        assert_eq!(digest_key(&[b"a", b"b"]).len(), 43);
        assert_ne!(digest_key(&[b"ab", b""]), digest_key(&[b"a", b"b"]));
        assert_eq!(fingerprint(b""), "e3b0c44298fc1c14");
    }
}
