//! Regular expressions as JSON Schema means them (ECMAScript with the `u` flag), rewritten for
//! `regex-lite` where the same sign means something else there. What can't be rewritten is refused,
//! never approximated.

use std::iter::Peekable;
use std::str::Chars;

use regex_lite::Regex;

/// ECMAScript's `\s`, to stand inside a class.
const SPACE: &str =
    r"\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}";
/// Its complement, `\S`.
const NO_SPACE: &str = concat!(
    r"\x00-\x08\x0e-\x1f!-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}",
    r"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff}",
);

/// A regular expression of a schema, ready to run.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// As the schema's author wrote it.
    pub(crate) source: String,
    regex: Regex,
}

impl Pattern {
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        let refused = |reason: String| format!("the pattern `{source}` can't be used: {reason}");
        let rewritten = rewrite(source).map_err(refused)?;
        let regex = Regex::new(&rewritten).map_err(|error| refused(error.to_string()))?;
        Ok(Self {
            source: source.to_owned(),
            regex,
        })
    }

    pub(crate) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn rewrite(source: &str) -> Result<String, String> {
    let mut rewritten = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    let mut in_class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, in_class, &mut rewritten)?,
            ']' if in_class => {
                in_class = false;
                rewritten.push(']');
            }
            // set operations in Rust's syntax, plain characters in ECMAScript's
            '[' | '&' | '~' if in_class => rewritten.extend(['\\', character]),
            '[' => {
                in_class = true;
                rewritten.push('[');
                let negated = rest.next_if_eq(&'^').is_some();
                if rest.next_if_eq(&']').is_some() {
                    // `[]` is nothing and `[^]` anything; in Rust's syntax the bracket would be a
                    // member
                    rewritten.push_str(if negated {
                        r"\x00-\x{10ffff}]"
                    } else {
                        r"^\x00-\x{10ffff}]"
                    });
                    in_class = false;
                } else if negated {
                    rewritten.push('^');
                }
            }
            '.' if !in_class => rewritten.push_str(r"[^\n\r\x{2028}\x{2029}]"),
            '(' if !in_class && rest.next_if_eq(&'?').is_some() => {
                if !matches!(rest.peek(), Some(':' | '=' | '!' | '<')) {
                    return Err(
                        "flags and `(?P<` are not in JSON Schema's regular expressions".to_owned(),
                    );
                }
                rewritten.push_str("(?");
            }
            _ => rewritten.push(character),
        }
    }
    Ok(rewritten)
}

fn escape(
    rest: &mut Peekable<Chars<'_>>,
    in_class: bool,
    rewritten: &mut String,
) -> Result<(), String> {
    let Some(escaped) = rest.next() else {
        return Err("it ends in a backslash".to_owned());
    };
    match escaped {
        's' | 'S' => {
            let set = if escaped == 's' { SPACE } else { NO_SPACE };
            rewritten.push_str(&if in_class {
                set.to_owned()
            } else {
                format!("[{set}]")
            });
        }
        'b' if in_class => rewritten.push_str(r"\x08"),
        '0' if !rest.peek().is_some_and(char::is_ascii_digit) => rewritten.push_str(r"\x00"),
        'c' => match rest.next().filter(char::is_ascii_alphabetic) {
            Some(letter) => rewritten.push_str(&format!(r"\x{:02x}", letter as u32 % 32)),
            None => return Err(r"`\c` needs a letter".to_owned()),
        },
        // in Rust's syntax these are anchors and a bell
        'A' | 'z' | 'a' | 'U' | '<' | '>' => {
            return Err(format!(
                r"`\{escaped}` is not in JSON Schema's regular expressions"
            ));
        }
        _ => rewritten.extend(['\\', escaped]),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, matching: &[&str], other: &[&str]) {
        let pattern = Pattern::compile(source).unwrap();
        matching
            .iter()
            .for_each(|text| assert!(pattern.matches(text), "{source} {text:?}"));
        other
            .iter()
            .for_each(|text| assert!(!pattern.matches(text), "{source} {text:?}"));
    }

    #[test]
    fn signs_mean_what_ecmascript_means() {
        check(
            r"^\s$",
            &[" ", "\u{a0}", "\u{feff}", "\u{2029}", "\n"],
            &["a", "\u{200b}", "\u{85}"],
        );
        check(
            r"^\S$",
            &["a", "\u{200b}", "\u{85}", "é"],
            &[" ", "\u{a0}", "\u{feff}", "\u{2029}"],
        );
        check(r"^[\s\S]$", &["a", " ", "\n", "\u{a0}"], &["", "ab"]);
        check(r"^[^\s,]+$", &["ab"], &["a b", "a,b", "a\u{a0}b"]);
        check(r"^\d\w$", &["1a", "9_"], &["\u{661}a", "1é"]);
        check("^.$", &["a", "é", "\u{85}"], &["\n", "\r", "\u{2028}"]);
        check("^a$", &["a"], &["a\n"]);
        check("^[]$", &[], &["", "]", "a"]);
        check("^[^]$", &["]", "\n"], &[""]);
        check("^[[&&~~]+$", &["[&~"], &["a"]);
        check(r"^\cA\0[\b]\x41\u0042\/\-$", &["\u{1}\0\u{8}AB/-"], &[]);
        check(
            r"^(?<year>\d{4})-(?:0[1-9]|1[0-2])$",
            &["2026-07"],
            &["2026-13"],
        );
        check("b", &["abc"], &["ac"]);
    }

    #[test]
    fn what_would_mean_something_else_is_refused() {
        for source in [
            r"(?=a)",
            r"(?<!a)b",
            r"(a)\1",
            r"\p{L}",
            r"\Aa",
            r"a\z",
            r"\a",
            "(?i)a",
            "(?P<n>a)",
            "(",
            "a{2,1}",
            "[b-a]",
            r"\",
            r"[\w-.]",
            "((a{1000}){1000}){1000}",
        ] {
            let refusal = Pattern::compile(source).unwrap_err();
            assert!(
                refusal.starts_with(&format!("the pattern `{source}` can't be used: ")),
                "{refusal}"
            );
        }
    }
}
