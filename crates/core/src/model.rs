//! Wire types, one file per page of the specification, under the specification's names.

pub(crate) mod capabilities;
pub(crate) mod completion;
pub(crate) mod content;
mod down_level;
pub(crate) mod implementation;
pub(crate) mod input;
pub(crate) mod list_kind;
pub(crate) mod meta;
pub(crate) mod name;
pub(crate) mod notify;
pub(crate) mod page;
pub(crate) mod prompt;
pub(crate) mod resource;
pub(crate) mod subscription;
pub(crate) mod tool;

/// An open JSON object, for `_meta` and the like.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;
