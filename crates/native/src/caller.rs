//! Whose a key of a store is, as far as one tells: by which what a process has is shared out.

/// The part of a key that its caller's other keys have, too.
pub(crate) fn caller(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, caller)| caller)
}
