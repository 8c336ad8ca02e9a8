//! The compiled schema: compile once, check any number of values. What a keyword means is
//! `eval.rs`, what a violation says `report.rs`.

use serde_json::Value;

use crate::error::CompileError;
use crate::eval::{Evaluator, MAX_NESTING};
use crate::program::Subschema;
use crate::violations::Violations;
use crate::{compile, report};

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct Schema {
    /// The first one is the document's root.
    program: Vec<Subschema>,
}

impl Schema {
    /// Compiles a schema once, for any number of checks.
    ///
    /// # Errors
    /// The first mistake and where it is. What would go unchecked is a mistake: references out of
    /// the schema, other dialects, keywords of the wrong shape, patterns that need backtracking, a
    /// schema nested more than 128 levels deep or one that refers to itself without end. Unknown
    /// keywords are annotations.
    pub fn compile(schema: &Value) -> Result<Self, CompileError> {
        compile::compile(schema).map(|program| Self { program })
    }

    /// Whether a value fits. A value that is too large or too deeply nested to be checked does not.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        let evaluator = Evaluator::new(&self.program);
        evaluator.fits(0, value, MAX_NESTING) && !evaluator.is_exhausted()
    }

    /// Accepts a value, or says everything that is wrong with it.
    ///
    /// # Errors
    /// At least one violation. A value that is too large or too deeply nested to be checked has
    /// one that says so; see [`Violations::is_unchecked`].
    pub fn check(&self, value: &Value) -> Result<(), Violations> {
        if self.accepts(value) {
            Ok(())
        } else {
            Err(report::report(&self.program, value))
        }
    }
}
