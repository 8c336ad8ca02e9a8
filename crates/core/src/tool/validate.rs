//! Checks JSON against a JSON Schema of the 2020-12 dialect: every applicator and assertion,
//! references inside the schema. Not a resolver (nothing is fetched) and not a library for schemas
//! in general: what it can't check, it refuses to compile.
//!
//! `format` and the `content` keywords are annotations, as the dialect has it by default.

mod alternatives;
mod compile;
mod eval;
mod keywords;
mod number;
mod pattern;
mod program;
mod report;
mod words;

#[cfg(test)]
mod tests;

use serde_json::Value;

use eval::{MOST_NESTED, Run};
use program::Schema;

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct Validator {
    schemas: Vec<Schema>,
}

impl Validator {
    /// Compiles a schema once, for any number of checks.
    ///
    /// # Errors
    /// A sentence that begins with the place of the first mistake, as a JSON pointer into the
    /// schema. What would go unchecked is a mistake: references out of the schema, other dialects,
    /// keywords of the wrong shape, patterns that need backtracking. Unknown keywords are
    /// annotations.
    pub fn compile(schema: &Value) -> Result<Self, String> {
        compile::compile(schema).map(|schemas| Self { schemas })
    }

    /// Whether a value fits.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        let run = Run::new(&self.schemas);
        run.fits(0, value, MOST_NESTED) && !run.is_exhausted()
    }

    /// Accepts a value, or says what is wrong with it.
    ///
    /// # Errors
    /// A line for each violation, at most 20 and 4 KB together, each with a JSON pointer to the
    /// place in the value.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        if self.accepts(value) {
            Ok(())
        } else {
            Err(report::report(&self.schemas, value))
        }
    }
}
