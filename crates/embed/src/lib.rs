//! Rules for what a server carries beside its code: skills with their files, pages of MCP Apps.
//!
//! The same rules hold where skills are embedded by a macro, registered with a builder or read
//! from a store, so they are a crate of their own. Nothing here reads a file, and nothing knows the
//! protocol.
//!
//! ```
//! use mcpfn_embed::skill::{MAX_FILES, directories, name_mistake, path_mistake};
//!
//! assert!(name_mistake("refunds").is_none());
//! assert!(name_mistake("Refunds!").is_some());
//! assert!(path_mistake("references/limits.md").is_none());
//! assert!(path_mistake("../limits.md").is_some());
//! let found = directories(&["refunds/SKILL.md", "refunds/references/limits.md", "notes.txt"]);
//! assert_eq!(found.skills[0].files.len(), 2);
//! assert_eq!(found.stray, ["notes.txt"]);
//! assert_eq!(MAX_FILES, 512);
//! ```

#[cfg(feature = "frontmatter")]
pub mod frontmatter;
pub mod page;
pub mod skill;
