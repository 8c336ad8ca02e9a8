//! Paths of files as clients write them: what may be one. The first of two walls; the second is the
//! store's, which resolves links.

use std::fmt;

use mcpfn_core::text::unsafe_to_show;

/// The longest path, in bytes; that of S3.
const MAX_LENGTH: usize = 1024;

/// The longest name in it, in bytes; that of most file systems.
const MAX_NAME_LENGTH: usize = 255;

/// A path below the top of a store: names with `/` between, none for the top itself. On no platform
/// does its text alone lead anywhere else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BlobPath(String);

impl BlobPath {
    /// The top.
    #[must_use]
    pub fn top() -> Self {
        Self(String::new())
    }

    /// Takes a path that a client wrote. Nothing is decoded or repaired: what is doubtful is
    /// refused, so that no two ways of reading a text exist.
    ///
    /// # Errors
    /// When the text is no path of a file: the sentence says why.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        if text.is_empty() {
            return Err(BadPath("it is empty"));
        }
        if text.len() > MAX_LENGTH {
            return Err(BadPath("it has more than 1,024 bytes"));
        }
        if text.starts_with(['/', '~']) {
            return Err(BadPath("it must begin with a name, not with `/` or `~`"));
        }
        text.split('/').try_for_each(name)?;
        Ok(Self(text.to_owned()))
    }

    /// The path of an entry of this directory.
    ///
    /// # Errors
    /// As for [`BlobPath::parse`].
    pub fn join(&self, name: &str) -> Result<Self, BadPath> {
        if self.is_top() {
            Self::parse(name)
        } else {
            Self::parse(&format!("{self}/{name}"))
        }
    }

    /// Whether this is the top.
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// The text, empty for the top.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that it is in, and its own name; nothing for the top.
    #[must_use]
    pub fn split(&self) -> Option<(Self, &str)> {
        match self.0.rsplit_once('/') {
            _ if self.is_top() => None,
            Some((directory, name)) => Some((Self(directory.to_owned()), name)),
            None => Some((Self::top(), &self.0)),
        }
    }
}

impl fmt::Display for BlobPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks one name.
fn name(name: &str) -> Result<(), BadPath> {
    let sentence = if name.is_empty() {
        "it has an empty name: two `/` in a row, or one at the end"
    } else if name == "." || name == ".." {
        "it must not have the names `.` and `..`"
    } else if name.len() > MAX_NAME_LENGTH {
        "one of its names has more than 255 bytes"
    } else if name.contains('\\') {
        "names stand between `/`, and `\\` is not allowed"
    } else if name.contains([':', '*', '?', '"', '<', '>', '|']) {
        "it must not have any of the characters `: * ? \" < > |`"
    } else if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        "none of its names may end with a dot, or begin or end with a space"
    } else if has_hidden(name) {
        "it has control characters, invisible ones, or a backtick"
    } else if is_dots(name) {
        "one of its names is made of dots alone"
    } else if name.chars().any(looks_like_another) {
        "it has a character that looks like a dot, a slash or a backslash but is not one"
    } else if has_escapes(name) {
        "it is percent-encoded: write the characters themselves"
    } else if is_device(name) {
        "one of its names is that of a device on Windows, such as `con` or `nul`"
    } else {
        return Ok(());
    };
    Err(BadPath(sentence))
}

/// Whether a name has characters that people do not see. Joiners and variation selectors are seen:
/// they make one picture of several, and letters of Persian and of India's scripts. They stand
/// between or after characters beyond ASCII, so that no two names of ASCII look the same.
fn has_hidden(name: &str) -> bool {
    let mut before = None;
    let mut characters = name.chars().peekable();
    while let Some(character) = characters.next() {
        let is_beyond = |one: Option<char>| {
            one.is_some_and(|one| !one.is_ascii() && (is_visible(one) || one == '\u{fe0f}'))
        };
        let belongs = match character {
            '\u{200c}' | '\u{200d}' => is_beyond(before) && is_beyond(characters.peek().copied()),
            // keycaps are digits with a picture around them: 1️⃣
            '\u{fe0f}' => {
                is_beyond(before) || before.is_some() && characters.peek() == Some(&'\u{20e3}')
            }
            _ => is_visible(character),
        };
        if !belongs {
            return true;
        }
        before = Some(character);
    }
    false
}

fn is_visible(character: char) -> bool {
    !unsafe_to_show(character)
}

/// Some programs turn an ellipsis into three dots, and some of those go up.
fn is_dots(name: &str) -> bool {
    name.chars()
        .all(|character| matches!(character, '.' | '\u{2026}'))
}

/// Some programs turn these into `.`, `/` and `\`.
fn looks_like_another(character: char) -> bool {
    matches!(
        character,
        '\u{2024}' | '\u{2025}' | '\u{fe52}' | '\u{ff0e}' // dots
            | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' // slashes
            | '\u{2216}' | '\u{29f5}' | '\u{29f9}' | '\u{fe68}' | '\u{ff3c}' // backslashes
            | '\u{fffd}'
    )
}

/// A second decoding, somewhere, would make another path of it.
fn has_escapes(name: &str) -> bool {
    name.as_bytes().windows(3).any(|three| {
        three[0] == b'%' && three[1].is_ascii_hexdigit() && three[2].is_ascii_hexdigit()
    })
}

fn is_device(name: &str) -> bool {
    let stem = name
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_lowercase();
    let numbered = |port: &str| {
        let number = stem
            .strip_prefix(port)
            .map(|rest| rest.chars().collect::<Vec<_>>());
        number.is_some_and(|number| matches!(number[..], ['0'..='9' | '¹' | '²' | '³']))
    };
    matches!(
        stem.as_str(),
        "con" | "prn" | "aux" | "nul" | "conin$" | "conout$" | "clock$"
    ) || numbered("com")
        || numbered("lpt")
}

/// Why a text is no path: the end of a sentence that begins with the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPath(&'static str);

impl fmt::Display for BadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadPath {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const REFUSED: [&str; 73] = [
        "…",
        "….",
        "a/…/b",
        "a\u{200d}b",
        "\u{200d}é",
        "é\u{200d}",
        "é\u{200d}\u{200d}é",
        "a\u{fe0f}b",
        "é\u{200c}a",
        "",
        ".",
        "..",
        "../x",
        "a/..",
        "a/../b",
        "a/./b",
        "./a",
        "/",
        "/etc/passwd",
        "//host/share",
        "a//b",
        "a/",
        "~",
        "~root/x",
        "..\\x",
        "a\\b",
        "\\\\host\\share",
        "\\\\?\\C:\\x",
        "\\\\.\\pipe\\x",
        "C:/x",
        "C:x",
        "c:",
        "a:stream",
        "a::$DATA",
        "%2e%2e/x",
        "%2E%2E%2Fx",
        "a%2fb",
        "a%5cb",
        "a%00b",
        "%252e%252e/x",
        "%c0%ae%c0%ae/x",
        "a\0b",
        "a\nb",
        "a\u{7f}b",
        "a\u{85}b",
        "con",
        "CON",
        "Con.txt",
        "nul",
        "a/NUL.tar.gz",
        "aux .txt",
        "prn",
        "com1",
        "COM9.log",
        "com¹",
        "lpt0",
        "lpt³.x",
        "conin$",
        "clock$",
        "a.",
        "a..",
        "...",
        "a ",
        " a",
        "a./b",
        "．．/x",
        "․․/x",
        "‥/x",
        "a／b",
        "a∕b",
        "a＼b",
        "a\u{202e}b",
        "a\u{200b}b",
    ];

    #[test]
    fn what_leads_elsewhere_somewhere_is_refused() {
        for text in REFUSED {
            let refused = BlobPath::parse(text);
            assert!(refused.is_err(), "{text:?}");
            assert!(
                BlobPath::parse(&format!("a/{text}")).is_err() || text.starts_with(['/', '~']),
                "a/{text:?}"
            );
        }
        assert!(BlobPath::parse(&"a".repeat(256)).is_err());
        assert!(BlobPath::parse(&"a/".repeat(600)).is_err());
    }

    #[test]
    fn ordinary_names_are_taken_as_they_are() {
        for text in [
            "a",
            "a/b/c.md",
            ".env",
            "..a",
            "a..b",
            "...a",
            "Übersicht 2026 (2).pdf",
            "日本語/メモ.txt",
            "100%",
            "5%off",
            "a+b=c&d#e",
            "console",
            "com10",
            "comx",
            "null",
            "it's",
            "-rf",
            "🦀.rs",
            "a/~x",
            "Entwurf….md",
            "Kapitel 1 … 3.txt",
            "Notizen…",
            "👨\u{200d}👩\u{200d}👧.png",
            "❤\u{fe0f}\u{200d}🔥.txt",
            "1\u{fe0f}\u{20e3}.txt",
            "می\u{200c}خواهم.txt",
            "क्\u{200d}ष.txt",
            "Cafe\u{301}.txt",
            "Café.txt",
        ] {
            assert_eq!(
                BlobPath::parse(text).map(|path| path.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn directories_and_names() {
        let path = BlobPath::parse("a/b/c").unwrap();
        assert_eq!(path.split(), Some((BlobPath::parse("a/b").unwrap(), "c")));
        assert_eq!(
            BlobPath::parse("c").unwrap().split(),
            Some((BlobPath::top(), "c"))
        );
        assert_eq!(BlobPath::top().split(), None);
        assert_eq!(
            BlobPath::top()
                .join("a")
                .unwrap()
                .join("b")
                .unwrap()
                .as_str(),
            "a/b"
        );
        assert!(path.join("..").is_err() && path.join("").is_err() && path.join("/x").is_err());
    }

    proptest! {
        #[test]
        fn a_path_never_goes_up_or_starts_elsewhere(text in "([a.%/\\\\:~ ]|\\PC|%2[eEfF]){0,12}") {
            if let Ok(path) = BlobPath::parse(&text) {
                prop_assert!(path.as_str().split('/').all(|name| !name.is_empty() && !name.trim_matches('.').is_empty()));
                prop_assert!(!path.as_str().starts_with('/') && !path.as_str().contains(['\\', ':', '\0']));
                let components = std::path::Path::new(path.as_str()).components();
                prop_assert!(components.into_iter().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
