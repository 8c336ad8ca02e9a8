//! Numbers as JSON means them (`1` is `1.0`, `0.3` is a multiple of `0.1`), and equality of values
//! that follows from it. No number is rounded to compare it.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt::{self, Write};

use serde_json::{Map, Number, Value};

/// Above this many items, equal ones are found by sorting.
const FEW_ITEMS: usize = 16;

pub(crate) fn is_integer(number: &Number) -> bool {
    !number.is_f64() || number.as_f64().is_some_and(|float| float.trunc() == float)
}

fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

pub(crate) fn compare(a: &Number, b: &Number) -> Ordering {
    let float = |number: &Number| number.as_f64().unwrap_or_default();
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (None, Some(b)) => float_to_integer(float(a), b),
        (Some(a), None) => float_to_integer(float(b), a).reverse(),
        (None, None) => float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal),
    }
}

/// A cast saturates, and no integer of JSON comes near the ends of an `i128`.
fn float_to_integer(float: f64, integer: i128) -> Ordering {
    let whole = float.floor();
    (whole as i128).cmp(&integer).then(if float > whole {
        Ordering::Greater
    } else {
        Ordering::Equal
    })
}

pub(crate) fn is_multiple(number: &Number, of: &Number) -> bool {
    if let (Some(number), Some(of)) = (integer(number), integer(of)) {
        return number.checked_rem(of) == Some(0);
    }
    let (Some(number), Some(of)) = (Decimal::read(number), Decimal::read(of)) else {
        return false;
    };
    if number.digits == 0 || of.digits == 0 {
        return number.digits == 0;
    }
    if number.exponent >= of.exponent {
        // digits have at most 20 places, so ten times a remainder fits
        let places = number.exponent - of.exponent;
        return (0..places).fold(number.digits % of.digits, |rest, _| rest * 10 % of.digits) == 0;
    }
    let scale = 10u128.checked_pow(of.exponent.abs_diff(number.exponent));
    let of = scale.and_then(|scale| of.digits.checked_mul(scale));
    of.is_some_and(|of| number.digits % of == 0)
}

/// A number's magnitude as the decimal that JSON writes: digits times a power of ten.
#[derive(Default)]
struct Decimal {
    digits: u128,
    exponent: i32,
}

impl Decimal {
    fn read(number: &Number) -> Option<Self> {
        let mut text = NumberBuffer::default();
        write!(text, "{number}").ok()?;
        let text = std::str::from_utf8(&text.bytes[..text.length])
            .ok()?
            .trim_start_matches('-');
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut decimal = Self {
            digits: 0,
            exponent: exponent.parse().ok()?,
        };
        for digit in whole.bytes().chain(fraction.bytes()) {
            decimal.digits = decimal.digits.checked_mul(10)? + u128::from(digit.checked_sub(b'0')?);
        }
        decimal.exponent -= i32::try_from(fraction.len()).ok()?;
        Some(decimal)
    }
}

/// Where a number is written to read its digits, without an allocation.
#[derive(Default)]
struct NumberBuffer {
    bytes: [u8; 32],
    length: usize,
}

impl Write for NumberBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// Equality of JSON: by mathematical value for numbers, in any order for members.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => compare(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Two positions of equal items.
pub(crate) fn equal_items(items: &[Value]) -> Option<(usize, usize)> {
    if items.len() <= FEW_ITEMS {
        let pairs =
            (1..items.len()).flat_map(|later| (0..later).map(move |earlier| (earlier, later)));
        return pairs
            .into_iter()
            .find(|(earlier, later)| same(&items[*earlier], &items[*later]));
    }
    let mut positions: Vec<usize> = (0..items.len()).collect();
    positions.sort_unstable_by(|a, b| order(&items[*a], &items[*b]).then(a.cmp(b)));
    let neighbours = positions
        .windows(2)
        .find(|pair| order(&items[pair[0]], &items[pair[1]]).is_eq())?;
    Some((neighbours[0], neighbours[1]))
}

/// Some total order in which equal values, and no others, are equal.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => compare(a, b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Array(a), Value::Array(b)) => {
            let unequal = a
                .iter()
                .zip(b)
                .map(|(a, b)| order(a, b))
                .find(|ordering| ordering.is_ne());
            unequal.unwrap_or_else(|| a.len().cmp(&b.len()))
        }
        (Value::Object(a), Value::Object(b)) => {
            let (keys_a, keys_b) = (sorted_keys(a), sorted_keys(b));
            let unequal = || {
                keys_a
                    .iter()
                    .map(|key| order(&a[*key], &b[*key]))
                    .find(|ordering| ordering.is_ne())
            };
            keys_a
                .cmp(&keys_b)
                .then_with(|| unequal().unwrap_or(Ordering::Equal))
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

/// A `Map` is in no order at all when some crate turns serde_json's `preserve_order` on.
fn sorted_keys(map: &Map<String, Value>) -> BTreeSet<&str> {
    let mut keys = BTreeSet::new();
    // to collect them would sort them first, by five kilobytes of code of its own
    map.keys().for_each(|key| _ = keys.insert(key.as_str()));
    keys
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}
