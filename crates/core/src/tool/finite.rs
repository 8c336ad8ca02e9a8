//! Whether a value has a number that JSON can't hold: NaN and the infinities, which `serde_json`
//! writes as `null` without a word. Walks the value as a serializer, and writes nothing.

use std::fmt;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// Where in a value such a number is, as names and positions with `/` between.
pub(super) fn not_finite<T: Serialize + ?Sized>(value: &T) -> Option<String> {
    match value.serialize(FiniteCheck) {
        Err(CheckEnd::NotFinite(mut names)) => {
            names.reverse();
            Some(names.join("/"))
        }
        Err(CheckEnd::Other) | Ok(()) => None,
    }
}

/// Why a walk ended early.
#[derive(Debug)]
enum CheckEnd {
    /// The names and positions on the way there, the innermost first.
    NotFinite(Vec<String>),
    /// The value has a mistake of its own, which writing it has found.
    Other,
}

impl CheckEnd {
    fn below(self, name: impl fmt::Display) -> Self {
        match self {
            Self::NotFinite(mut names) => {
                names.push(name.to_string());
                Self::NotFinite(names)
            }
            Self::Other => Self::Other,
        }
    }
}

impl fmt::Display for CheckEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not finite")
    }
}

impl std::error::Error for CheckEnd {}

impl Error for CheckEnd {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

struct FiniteCheck;

/// The entries of a list or an object, so far.
#[derive(Default)]
struct CheckedEntries {
    position: usize,
    key: Option<String>,
}

impl CheckedEntries {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CheckEnd> {
        let position = self.position;
        self.position += 1;
        value
            .serialize(FiniteCheck)
            .map_err(|stop| stop.below(position))
    }
}

fn named<T: Serialize + ?Sized>(name: &str, value: &T) -> Result<(), CheckEnd> {
    value
        .serialize(FiniteCheck)
        .map_err(|stop| stop.below(name))
}

fn number(is_finite: bool) -> Result<(), CheckEnd> {
    if is_finite {
        Ok(())
    } else {
        Err(CheckEnd::NotFinite(Vec::new()))
    }
}

macro_rules! nothing_to_see {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(fn $method(self, _: $type) -> Result<(), CheckEnd> {
            Ok(())
        })*
    };
}

impl Serializer for FiniteCheck {
    type Ok = ();
    type Error = CheckEnd;
    type SerializeSeq = CheckedEntries;
    type SerializeTuple = CheckedEntries;
    type SerializeTupleStruct = CheckedEntries;
    type SerializeTupleVariant = CheckedEntries;
    type SerializeMap = CheckedEntries;
    type SerializeStruct = CheckedEntries;
    type SerializeStructVariant = CheckedEntries;

    nothing_to_see! {
        serialize_bool: bool, serialize_char: char, serialize_str: &str, serialize_bytes: &[u8],
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_i128: i128, serialize_u8: u8, serialize_u16: u16, serialize_u32: u32,
        serialize_u64: u64, serialize_u128: u128, serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, value: f32) -> Result<(), CheckEnd> {
        number(value.is_finite())
    }

    fn serialize_f64(self, value: f64) -> Result<(), CheckEnd> {
        number(value.is_finite())
    }

    fn serialize_none(self) -> Result<(), CheckEnd> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), CheckEnd> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CheckEnd> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
    ) -> Result<(), CheckEnd> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), CheckEnd> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CheckEnd> {
        named(variant, value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }

    fn serialize_tuple(self, _: usize) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<CheckedEntries, CheckEnd> {
        Ok(CheckedEntries::default())
    }
}

macro_rules! lists {
    ($($kind:ident: $method:ident),* $(,)?) => {
        $(impl $kind for CheckedEntries {
            type Ok = ();
            type Error = CheckEnd;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CheckEnd> {
                self.item(value)
            }

            fn end(self) -> Result<(), CheckEnd> {
                Ok(())
            }
        })*
    };
}

lists! {
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field,
}

macro_rules! structs {
    ($($kind:ident),* $(,)?) => {
        $(impl $kind for CheckedEntries {
            type Ok = ();
            type Error = CheckEnd;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), CheckEnd> {
                named(name, value)
            }

            fn end(self) -> Result<(), CheckEnd> {
                Ok(())
            }
        })*
    };
}

structs! { SerializeStruct, SerializeStructVariant }

impl SerializeMap for CheckedEntries {
    type Ok = ();
    type Error = CheckEnd;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CheckEnd> {
        let key = serde_json::to_value(key).ok();
        self.key = key.map(|key| key.as_str().map_or_else(|| key.to_string(), str::to_owned));
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CheckEnd> {
        named(self.key.take().as_deref().unwrap_or_default(), value)
    }

    fn end(self) -> Result<(), CheckEnd> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(serde::Serialize)]
    enum Shape {
        Unit,
        New(f32),
        Pair(i8, f64),
        Named { size: f64 },
    }

    #[derive(serde::Serialize)]
    struct Reading {
        name: &'static str,
        values: Vec<Option<f64>>,
        by_city: BTreeMap<String, (u8, f64)>,
        shapes: Vec<Shape>,
    }

    fn reading(bad: f64, at: usize) -> Reading {
        let value = |place: usize| if at == place { bad } else { 1.5 };
        Reading {
            name: "null",
            values: vec![None, Some(value(0))],
            by_city: BTreeMap::from([("Oslo".to_owned(), (1, value(1)))]),
            shapes: vec![
                Shape::Unit,
                Shape::New(value(2) as f32),
                Shape::Pair(1, value(3)),
                Shape::Named { size: value(4) },
            ],
        }
    }

    #[test]
    fn numbers_that_are_not_finite_are_found_wherever_they_are() {
        let places = [
            "values/1",
            "by_city/Oslo/1",
            "shapes/1/New",
            "shapes/2/1",
            "shapes/3/size",
        ];
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for (at, place) in places.iter().enumerate() {
                assert_eq!(
                    not_finite(&reading(bad, at)).as_deref(),
                    Some(*place),
                    "{bad}"
                );
            }
            assert_eq!(not_finite(&bad).as_deref(), Some(""));
            assert_eq!(
                not_finite(&BTreeMap::from([(7, bad)])).as_deref(),
                Some("7")
            );
        }
        assert_eq!(not_finite(&reading(0.0, 99)), None);
        assert_eq!(not_finite(&serde_json::json!({"a": [null, 1.5]})), None);
    }
}
