//! Checks JSON against a JSON Schema of the 2020-12 dialect, and says everything that is wrong with
//! a value in lines that a person or a language model can act on.
//!
//! ```
//! use mcpfn_schema::Schema;
//! use serde_json::json;
//!
//! let schema = Schema::compile(&json!({
//!     "type": "object",
//!     "properties": {
//!         "query": {"type": "string", "minLength": 2},
//!         "limit": {"type": "integer", "minimum": 1, "maximum": 100},
//!     },
//!     "required": ["query"],
//!     "additionalProperties": false,
//! }))?;
//! assert!(schema.check(&json!({"query": "shoes", "limit": 5})).is_ok());
//!
//! let violations = schema.check(&json!({"qurey": "shoes", "limit": 500})).unwrap_err();
//! assert_eq!(
//!     violations.to_string(),
//!     "- /limit: expected an integer from 1 to 100, got 500\n\
//!      - /query: required, but missing\n\
//!      - /qurey: unknown property; did you mean `query`?"
//! );
//! for violation in violations.iter() {
//!     println!("{} {}", violation.pointer, violation.message);
//! }
//! # Ok::<(), mcpfn_schema::CompileError>(())
//! ```
//!
//! # When to use it
//!
//! For values that come from somebody else and are worth an answer: the arguments of a tool that a
//! model calls, the body of a request. It is pure (no I/O, clock or randomness), never panics,
//! ends on every schema and every value, repeats no unprintable text of a client, and adds about
//! 84 KB to a wasm module after gzip.
//!
//! # When not to use it
//!
//! Where schemas come from many sources and are written for several drafts, where references lead
//! to other documents, where `format` must be enforced, or where the output formats of the
//! specification are wanted: [`jsonschema`](https://docs.rs/jsonschema) and
//! [`boon`](https://docs.rs/boon) do all this, and weigh five to nine times as much in wasm.
//!
//! # What is checked
//!
//! Every applicator and assertion of 2020-12, and `$ref` to any place in the same document, by
//! pointer or `$anchor`. Numbers are compared by value and never rounded: `1.0` is an integer, and
//! `0.3` is a multiple of `0.1`. `format`, the `content` keywords and unknown keywords are
//! annotations, which is the dialect's default.
//!
//! What would go unchecked is refused by [`Schema::compile`]:
//!
//! * a `$schema` other than 2020-12's, and words of other drafts (`dependencies`,
//!   `additionalItems`, `$recursiveRef`);
//! * `$dynamicRef`, an `$id` below the root, and references out of the document;
//! * a `pattern` with look-around, a reference to a group, `\p{..}` or flags: patterns run in
//!   linear time, with the meaning that ECMAScript gives them;
//! * a keyword of the wrong shape, a schema that refers to itself without end, one nested more than
//!   128 levels deep.
//!
//! # Limits
//!
//! * A check goes through at most 256 schemas inside schemas and applies at most 5,000,000. A value
//!   that needs more does not fit, and [`Violations::is_unchecked`] says so.
//! * At most 20 violations are listed, of 600 characters each and 4 KB together;
//!   [`Violations::unlisted`] counts the rest.
//! * At most 80 characters of a text from the value are repeated in a message.
//!
//! The size of a value is the caller's to limit: a check takes time in proportion to it, and
//! recursion as deep as its nesting. serde_json reads at most 128 levels.

mod compile;
mod error;
mod eval;
mod number;
mod path;
mod pattern;
mod phrase;
mod program;
mod report;
mod schema;
pub mod text;
mod violations;
mod words;

#[cfg(test)]
mod tests;

pub use error::CompileError;
pub use schema::Schema;
pub use violations::{Violation, Violations};

/// The README's example is compiled and run with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExample;
