//! Checks JSON against a JSON Schema; being written (accepts everything for now).

use serde_json::Value;

/// A compiled JSON Schema.
#[derive(Debug)]
pub struct Validator;

impl Validator {
    /// Compiles a schema.
    ///
    /// # Errors
    /// A sentence that names the place.
    pub fn compile(_: &Value) -> Result<Self, String> {
        Ok(Self)
    }

    /// Every violation.
    ///
    /// # Errors
    /// One line for each violation.
    pub fn check(&self, _: &Value) -> Result<(), String> {
        Ok(())
    }

    /// Whether the value fits.
    #[must_use]
    pub fn accepts(&self, _: &Value) -> bool {
        true
    }
}
