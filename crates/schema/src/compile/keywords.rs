//! Reads a schema's keywords that have no subschemas, and minds their shapes. Knows nothing of
//! other schemas.

use serde_json::{Map, Number, Value};

use crate::error::CompileError;
use crate::number;
use crate::pattern::Pattern;
use crate::program::{Bound, Count, Kinds, Range, Rule};

/// One schema object and where it is: reads keywords that have no subschemas, and minds their
/// shapes.
pub(super) struct SchemaObject<'s, 'p> {
    pub(super) members: &'s Map<String, Value>,
    pub(super) at: &'p str,
}

impl SchemaObject<'_, '_> {
    pub(super) fn of(&self, keyword: &str) -> String {
        format!("{}/{keyword}", self.at)
    }

    pub(super) fn must_be(&self, keyword: &str, shape: &str) -> CompileError {
        CompileError::new(self.of(keyword), format!("must be {shape}"))
    }

    pub(super) fn kinds(&self) -> Result<Kinds, CompileError> {
        let named = |value: &Value| value.as_str().and_then(Kinds::named);
        let kinds = match self.members.get("type") {
            None => return Ok(Kinds::ALL),
            Some(Value::Array(names)) if !names.is_empty() => names
                .iter()
                .try_fold(Kinds::NONE, |kinds, name| Some(kinds.with(named(name)?))),
            Some(name) => named(name),
        };
        kinds.ok_or_else(|| self.must_be("type", "a type such as \"string\", or an array of types"))
    }

    /// Rules without subschemas, cheap ones first.
    pub(super) fn assertions(&self) -> Result<Vec<Rule>, CompileError> {
        let mut rules = Vec::new();
        if let Some(value) = self.members.get("const") {
            rules.push(Rule::Enum([value.clone()].into()));
        }
        if let Some(values) = self.members.get("enum") {
            let values = values
                .as_array()
                .ok_or_else(|| self.must_be("enum", "an array"))?;
            rules.push(Rule::Enum(values.clone().into()));
        }
        let range = Range {
            least: self.bound("minimum", "exclusiveMinimum", true)?,
            most: self.bound("maximum", "exclusiveMaximum", false)?,
        };
        if range.least.is_some() || range.most.is_some() {
            rules.push(Rule::Range(range));
        }
        if let Some(of) = self.number("multipleOf")? {
            if number::compare(&of, &0.into()).is_le() {
                return Err(self.must_be("multipleOf", "more than 0"));
            }
            rules.push(Rule::MultipleOf(of));
        }
        rules.extend(self.counts("minLength", "maxLength")?.map(Rule::Length));
        rules.extend(self.counts("minItems", "maxItems")?.map(Rule::ItemCount));
        rules.extend(
            self.counts("minProperties", "maxProperties")?
                .map(Rule::PropertyCount),
        );
        if let Some(source) = self.string("pattern")? {
            let pattern = Pattern::compile(source)
                .map_err(|reason| CompileError::new(self.of("pattern"), reason))?;
            rules.push(Rule::Pattern(pattern));
        }
        Ok(rules)
    }

    /// The stricter of two bounds on one side.
    fn bound(
        &self,
        including: &str,
        excluding: &str,
        least: bool,
    ) -> Result<Option<Bound>, CompileError> {
        let including = self.number(including)?.map(|at| Bound {
            at,
            excluded: false,
        });
        let excluding = self
            .number(excluding)?
            .map(|at| Bound { at, excluded: true });
        Ok(match (including, excluding) {
            (Some(including), Some(excluding)) => {
                let ordering = number::compare(&including.at, &excluding.at);
                let stricter = if least {
                    ordering.is_gt()
                } else {
                    ordering.is_lt()
                };
                Some(if stricter { including } else { excluding })
            }
            (including, excluding) => including.or(excluding),
        })
    }

    pub(super) fn needs(&self) -> Result<Option<Rule>, CompileError> {
        let Some(value) = self.members.get("dependentRequired") else {
            return Ok(None);
        };
        let pair =
            |(name, needed): (&String, &Value)| Some((name.clone(), strings(needed)?.into()));
        let pairs = value
            .as_object()
            .and_then(|map| map.iter().map(pair).collect());
        pairs
            .map(|pairs| Some(Rule::Needs(pairs)))
            .ok_or_else(|| self.must_be("dependentRequired", "an object of arrays of strings"))
    }

    fn number(&self, keyword: &str) -> Result<Option<Number>, CompileError> {
        match self.members.get(keyword) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(number.clone())),
            Some(_) => Err(self.must_be(keyword, "a number")),
        }
    }

    fn counts(&self, least: &str, most: &str) -> Result<Option<Count>, CompileError> {
        let (least, most) = (self.count(least)?, self.count(most)?);
        Ok((least.is_some() || most.is_some()).then(|| Count {
            least: least.unwrap_or(0),
            most: most.unwrap_or(usize::MAX),
        }))
    }

    pub(super) fn count(&self, keyword: &str) -> Result<Option<usize>, CompileError> {
        let Some(number) = self.number(keyword)? else {
            return Ok(None);
        };
        let whole = number
            .as_f64()
            .filter(|float| number::is_integer(&number) && *float >= 0.0);
        // the cast saturates, and nothing has more parts than the largest `usize`
        whole
            .map(|float| Some(float as usize))
            .ok_or_else(|| self.must_be(keyword, "a whole number of at least 0"))
    }

    pub(super) fn string(&self, keyword: &str) -> Result<Option<&str>, CompileError> {
        match self.members.get(keyword) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.must_be(keyword, "a string")),
        }
    }

    pub(super) fn strings(&self, keyword: &str) -> Result<Option<Vec<String>>, CompileError> {
        let Some(value) = self.members.get(keyword) else {
            return Ok(None);
        };
        strings(value)
            .map(Some)
            .ok_or_else(|| self.must_be(keyword, "an array of strings"))
    }

    pub(super) fn flag(&self, keyword: &str) -> Result<bool, CompileError> {
        let flag = |value: &Value| {
            value
                .as_bool()
                .ok_or_else(|| self.must_be(keyword, "true or false"))
        };
        self.members.get(keyword).map_or(Ok(false), flag)
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}
