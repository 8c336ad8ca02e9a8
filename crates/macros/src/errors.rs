//! The store of an expansion's mistakes: all are reported together. Not a policy: what is a mistake
//! is decided elsewhere.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Error;

/// Every mistake found so far.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds a sentence that is shown under the author's own tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, sentence: impl Display) {
        self.add(Error::new_spanned(tokens, sentence));
    }

    /// Adds that the attribute stands on something else than it should.
    pub(crate) fn misplaced(&mut self, attribute: &str, place: &str, error: &Error) {
        let sentence = format!("#[{attribute}] belongs on {place}: {error}");
        self.add(Error::new(error.span(), sentence));
    }

    /// Adds an error that has its place already.
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            none => *none = Some(error),
        }
    }

    /// Takes over what another store holds.
    pub(crate) fn append(&mut self, other: Self) {
        if let Some(error) = other.0 {
            self.add(error);
        }
    }

    /// Whether there was a mistake.
    pub(crate) fn any(&self) -> bool {
        self.0.is_some()
    }

    /// One `compile_error!` per mistake; nothing without a mistake.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }
}
