//! The attribute's own text: `#[tool(read_only, timeout = "5s")]` -> `Settings`. Keys and the kinds of their values are
//! judged here; whether they fit the function is not.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Token};

use crate::duration;
use crate::errors::Errors;

/// Which attribute is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Tool,
    Prompt,
    Resource,
}

impl Kind {
    /// The attribute's name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
        }
    }

    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Tool => &[
                "name",
                "title",
                "description",
                "read_only",
                "destructive",
                "idempotent",
                "open_world",
                "timeout",
            ],
            Self::Prompt => &["name", "title", "description"],
            Self::Resource => &["name", "title", "description", "mime"],
        }
    }
}

/// Keys that are part of the design but not of this version, so that their author learns more than "unknown".
const LATER: [&str; 2] = ["cache", "scope"];

/// What the author said. Absent means: as the builder has it.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) uri: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) title: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) mime: Option<LitStr>,
    /// Milliseconds.
    pub(crate) timeout: Option<u64>,
    pub(crate) read_only: Option<bool>,
    pub(crate) destructive: Option<bool>,
    pub(crate) idempotent: Option<bool>,
    pub(crate) open_world: Option<bool>,
}

impl Settings {
    /// Reads the attribute. What can be read is kept, whatever else is wrong, so that one mistake hides no other.
    pub(crate) fn read(kind: Kind, attribute: TokenStream, errors: &mut Errors) -> Self {
        let mut settings = Self::default();
        let mut seen = Vec::new();
        let entries = |input: ParseStream<'_>| {
            while !input.is_empty() {
                settings.entry(kind, input, &mut seen, errors)?;
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        // A slip in the syntax leaves the rest without meaning, so it is the last error.
        if let Err(error) = entries.parse2(attribute) {
            errors.add(error);
        }
        settings
    }

    fn entry(
        &mut self,
        kind: Kind,
        input: ParseStream<'_>,
        seen: &mut Vec<String>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        if input.peek(Lit) {
            let literal: Lit = input.parse()?;
            match literal {
                Lit::Str(uri) if kind == Kind::Resource && seen.is_empty() => self.uri = Some(uri),
                other => errors.at(other, format!("a value needs a key: {}", known(kind))),
            }
            seen.push(String::new());
            return Ok(());
        }
        let key = input.call(Ident::parse_any)?;
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse::<Expr>()?),
            None => None,
        };
        let word = key.to_string();
        if !kind.keys().contains(&word.as_str()) {
            errors.at(&key, unknown(kind, &word));
        } else if seen.contains(&word) {
            errors.at(&key, format!("`{word}` is given twice"));
        } else {
            self.set(&key, &word, value, errors);
        }
        seen.push(word);
        Ok(())
    }

    fn set(&mut self, key: &Ident, word: &str, value: Option<Expr>, errors: &mut Errors) {
        match word {
            "name" => self.name = text(key, value, errors),
            "title" => self.title = text(key, value, errors),
            "description" => self.description = text(key, value, errors),
            "mime" => self.mime = text(key, value, errors),
            "timeout" => self.timeout = timeout(key, value, errors),
            "read_only" => self.read_only = switch(key, value, errors),
            "destructive" => self.destructive = switch(key, value, errors),
            "idempotent" => self.idempotent = switch(key, value, errors),
            // `Kind::keys` lists no other.
            _ => self.open_world = switch(key, value, errors),
        }
    }
}

fn text(key: &Ident, value: Option<Expr>, errors: &mut Errors) -> Option<LitStr> {
    match value {
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if !text.value().trim().is_empty() => {
            return Some(text);
        }
        Some(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) => {
            errors.at(text, format!("`{key}` is empty: say something or leave it out"));
        }
        Some(other) => errors.at(other, format!("`{key}` is a string literal: {key} = \"..\"")),
        None => errors.at(key, format!("`{key}` needs a value: {key} = \"..\"")),
    }
    None
}

fn timeout(key: &Ident, value: Option<Expr>, errors: &mut Errors) -> Option<u64> {
    let text = text(key, value, errors)?;
    match duration::milliseconds(&text.value()) {
        Ok(milliseconds) => Some(milliseconds),
        Err(sentence) => {
            errors.at(text, sentence);
            None
        }
    }
}

fn switch(key: &Ident, value: Option<Expr>, errors: &mut Errors) -> Option<bool> {
    match value {
        None => Some(true),
        Some(Expr::Lit(ExprLit { lit: Lit::Bool(switch), .. })) => Some(switch.value),
        Some(other) => {
            errors.at(other, format!("`{key}` is a switch: {key}, or {key} = false"));
            None
        }
    }
}

fn unknown(kind: Kind, word: &str) -> String {
    let near = kind.keys().iter().map(|key| (distance(word, key), key)).min();
    match near {
        _ if LATER.contains(&word) => {
            format!("`{word}` comes with a later version: for now {}", known(kind))
        }
        Some((0..=2, key)) => format!("unknown key `{word}`: did you mean `{key}`?"),
        _ => format!("unknown key `{word}`: {}", known(kind)),
    }
}

fn known(kind: Kind) -> String {
    format!("#[{}] knows {}", kind.word(), kind.keys().join(", "))
}

/// Levenshtein's distance, one row at a time.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (taken, from) in left.bytes().enumerate() {
        let mut diagonal = taken;
        row[0] = taken + 1;
        for (column, to) in right.bytes().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn distances() {
        assert_eq!(distance("", "name"), 4);
        assert_eq!(distance("readonly", "read_only"), 1);
        assert_eq!(distance("titel", "title"), 2);
        assert_eq!(distance("name", "name"), 0);
    }
}
