//! Which paths that an operator wrote down may be repeated in a mistake. Logs keep mistakes, and a
//! URL with a password gets into the place of a path easily.

use std::path::Path;

/// Whether a text may be, or be meant as, something with a password in it: a URL, `USER:PASSWORD@HOST`
/// or `host=HOST password=PASSWORD`. Paths seldom have these characters.
pub(crate) fn may_have_password(path: &Path) -> bool {
    let text = path.to_string_lossy();
    ["://", "@", "="].iter().any(|mark| text.contains(mark))
}

/// The path for a mistake, or words in its place.
pub(crate) fn shown(path: &Path) -> String {
    if may_have_password(path) {
        "what it names (not repeated: it may have a password in it)".to_owned()
    } else {
        path.display().to_string()
    }
}
