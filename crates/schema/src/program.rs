//! A compiled schema: a list of schemas that name each other by position. What it means is
//! `eval.rs`; nothing runs here.

use serde_json::{Number, Value};

use crate::number;
use crate::pattern::Pattern;

/// A schema's position in the program.
pub(crate) type SchemaId = usize;

#[derive(Debug)]
pub(crate) enum Subschema {
    /// `true`, or a schema that only annotates.
    Anything,
    /// `false`.
    Nothing,
    /// Nothing but a reference, so a chain of references costs no stack.
    Same(SchemaId),
    /// The allowed types, then the rules, cheap ones first and the `unevaluated` ones last.
    Rules(Kinds, Box<[Rule]>),
}

#[derive(Debug)]
pub(crate) enum Rule {
    /// `enum`, and `const` as an enum of one.
    Enum(Box<[Value]>),
    Range(Range),
    MultipleOf(Number),
    Length(Count),
    Pattern(Pattern),
    ItemCount(Count),
    PropertyCount(Count),
    Properties(PropertyRules),
    /// `dependentRequired`: when the first is there, so must the others be.
    Needs(Box<[(String, Box<[String]>)]>),
    Names(SchemaId),
    /// `prefixItems` and, for the items after them, `items`.
    Items(Box<[SchemaId]>, Option<SchemaId>),
    Contains(SchemaId, Count),
    Unique,
    /// `$ref` and `allOf`.
    All(Box<[SchemaId]>),
    Any(Box<[SchemaId]>),
    One(Box<[SchemaId]>),
    Not(SchemaId),
    If(SchemaId, Option<SchemaId>, Option<SchemaId>),
    /// `dependentSchemas`: when the property is there, the whole object must fit.
    When(Box<[(String, SchemaId)]>),
    UnevaluatedProperties(SchemaId),
    UnevaluatedItems(SchemaId),
}

impl Rule {
    /// Whether it only looks at what the other rules left over.
    pub(crate) fn is_unevaluated(&self) -> bool {
        matches!(
            self,
            Self::UnevaluatedProperties(_) | Self::UnevaluatedItems(_)
        )
    }

    /// Whether it applies other schemas to the same value.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(
            self,
            Self::All(_) | Self::Any(_) | Self::One(_) | Self::If(..) | Self::When(_)
        )
    }
}

/// `properties`, `required`, `patternProperties` and `additionalProperties`: one walk over the
/// object serves all four.
#[derive(Debug)]
pub(crate) struct PropertyRules {
    /// Sorted by name.
    pub(crate) properties: Box<[Property]>,
    pub(crate) patterns: Box<[(Pattern, SchemaId)]>,
    pub(crate) additional: Option<SchemaId>,
}

#[derive(Debug)]
pub(crate) struct Property {
    pub(crate) name: String,
    /// None for a name that is required and not declared.
    pub(crate) schema: Option<SchemaId>,
    pub(crate) required: bool,
}

impl PropertyRules {
    pub(crate) fn declares(&self, name: &str) -> bool {
        let found = self
            .properties
            .binary_search_by(|property| property.name.as_str().cmp(name));
        found.is_ok_and(|position| self.properties[position].schema.is_some())
    }
}

/// How many of something there may be, both ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) least: usize,
    pub(crate) most: usize,
}

impl Count {
    pub(crate) fn has(self, count: usize) -> bool {
        self.least <= count && count <= self.most
    }

    /// Whether a text has so many characters. Bytes decide most cases: a character has one to four.
    pub(crate) fn has_characters(self, text: &str) -> bool {
        (text.len() <= self.most && text.len() / 4 >= self.least) || self.has(text.chars().count())
    }
}

#[derive(Debug, Default)]
pub(crate) struct Range {
    pub(crate) least: Option<Bound>,
    pub(crate) most: Option<Bound>,
}

#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) at: Number,
    pub(crate) excluded: bool,
}

impl Range {
    pub(crate) fn has(&self, number: &Number) -> bool {
        let above = |bound: &Bound| match number::compare(number, &bound.at) {
            std::cmp::Ordering::Equal => !bound.excluded,
            ordering => ordering.is_gt(),
        };
        let below = |bound: &Bound| match number::compare(number, &bound.at) {
            std::cmp::Ordering::Equal => !bound.excluded,
            ordering => ordering.is_lt(),
        };
        self.least.as_ref().is_none_or(above) && self.most.as_ref().is_none_or(below)
    }
}

/// A set of JSON Schema's seven types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(0x7f);
    const BOOLEAN: Self = Self(1);
    pub(crate) const INTEGER: Self = Self(1 << 1);
    pub(crate) const NUMBER: Self = Self(1 << 2);
    const STRING: Self = Self(1 << 3);
    const ARRAY: Self = Self(1 << 4);
    const OBJECT: Self = Self(1 << 5);
    const NULL: Self = Self(1 << 6);
    /// Each type, in the order of its bits, and how a sentence calls a value of it.
    const NAMES: [(&'static str, &'static str); 7] = [
        ("boolean", "a boolean"),
        ("integer", "an integer"),
        ("number", "a number"),
        ("string", "a string"),
        ("array", "an array"),
        ("object", "an object"),
        ("null", "null"),
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .position(|(known, _)| *known == name)
            .map(|position| Self(1 << position))
    }

    pub(crate) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) fn has(self, value: &Value) -> bool {
        self.overlaps(Self::of(value))
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// An integer is also a number, and `1.0` is an integer.
    fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number::is_integer(number) => Self::INTEGER.with(Self::NUMBER),
            Value::Number(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    /// `a string`, `null`, ... for each type in the set.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let names = Self::NAMES.iter().enumerate();
        names
            .filter(move |(position, _)| self.0 >> position & 1 == 1)
            .map(|(_, (_, words))| *words)
    }
}
