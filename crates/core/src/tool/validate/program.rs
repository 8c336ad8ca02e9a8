//! A compiled schema: a list of schemas that name each other by position. What it means is
//! `eval.rs`; nothing runs here.

use regex_lite::Regex;
use serde_json::{Number, Value};

use super::number;

/// A schema's position in the program.
pub(super) type Id = usize;

#[derive(Debug)]
pub(super) enum Schema {
    /// `true`, or a schema that only annotates.
    Anything,
    /// `false`.
    Nothing,
    /// Nothing but a reference, so a chain of references costs no stack.
    Same(Id),
    /// The allowed types, then the rules, cheap ones first and the `unevaluated` ones last.
    Rules(Kinds, Box<[Rule]>),
}

#[derive(Debug)]
pub(super) enum Rule {
    /// `enum`, and `const` as an enum of one.
    Enum(Box<[Value]>),
    Range(Range),
    MultipleOf(Number),
    Length(Count),
    Pattern(Pattern),
    ItemCount(Count),
    PropertyCount(Count),
    Members(Members),
    /// `dependentRequired`: when the first is there, so must the others be.
    Needs(Box<[(String, Box<[String]>)]>),
    Names(Id),
    /// `prefixItems` and, for the items after them, `items`.
    Items(Box<[Id]>, Option<Id>),
    Contains(Id, Count),
    Unique,
    /// `$ref` and `allOf`.
    All(Box<[Id]>),
    Any(Box<[Id]>),
    One(Box<[Id]>),
    Not(Id),
    If(Id, Option<Id>, Option<Id>),
    /// `dependentSchemas`: when the property is there, the whole object must fit.
    When(Box<[(String, Id)]>),
    UnevaluatedProperties(Id),
    UnevaluatedItems(Id),
}

impl Rule {
    /// Whether it only looks at what the other rules left over.
    pub(super) fn is_unevaluated(&self) -> bool {
        matches!(
            self,
            Self::UnevaluatedProperties(_) | Self::UnevaluatedItems(_)
        )
    }

    /// Whether it applies other schemas to the same value.
    pub(super) fn is_in_place(&self) -> bool {
        matches!(
            self,
            Self::All(_) | Self::Any(_) | Self::One(_) | Self::If(..) | Self::When(_)
        )
    }
}

/// `properties`, `required`, `patternProperties` and `additionalProperties`: one walk over the
/// object serves all four.
#[derive(Debug)]
pub(super) struct Members {
    /// Sorted by name.
    pub(super) properties: Box<[Property]>,
    pub(super) patterns: Box<[(Pattern, Id)]>,
    pub(super) additional: Option<Id>,
}

#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    /// None for a name that is required and not declared.
    pub(super) schema: Option<Id>,
    pub(super) required: bool,
}

impl Members {
    pub(super) fn declares(&self, name: &str) -> bool {
        let found = self
            .properties
            .binary_search_by(|property| property.name.as_str().cmp(name));
        found.is_ok_and(|position| self.properties[position].schema.is_some())
    }
}

#[derive(Debug)]
pub(super) struct Pattern {
    /// As the schema's author wrote it.
    pub(super) source: String,
    pub(super) regex: Regex,
}

/// How many of something there may be, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Count {
    pub(super) fn has(self, count: usize) -> bool {
        self.least <= count && count <= self.most
    }

    /// Whether a text has so many characters. Bytes decide most cases: a character has one to four.
    pub(super) fn has_characters(self, text: &str) -> bool {
        (text.len() <= self.most && text.len() / 4 >= self.least) || self.has(text.chars().count())
    }
}

#[derive(Debug, Default)]
pub(super) struct Range {
    pub(super) least: Option<Bound>,
    pub(super) most: Option<Bound>,
}

#[derive(Debug)]
pub(super) struct Bound {
    pub(super) at: Number,
    pub(super) excluded: bool,
}

impl Range {
    pub(super) fn has(&self, number: &Number) -> bool {
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
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(0x7f);
    const BOOLEAN: Self = Self(1);
    pub(super) const INTEGER: Self = Self(1 << 1);
    pub(super) const NUMBER: Self = Self(1 << 2);
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

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .position(|(known, _)| *known == name)
            .map(|position| Self(1 << position))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn has(self, value: &Value) -> bool {
        self.overlaps(Self::of(value))
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
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
    pub(super) fn words(self) -> impl Iterator<Item = &'static str> {
        let names = Self::NAMES.iter().enumerate();
        names
            .filter(move |(position, _)| self.0 >> position & 1 == 1)
            .map(|(_, (_, words))| *words)
    }
}
