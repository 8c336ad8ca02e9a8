//! The attribute's own text: `#[tool(read_only, timeout = "5s")]` -> `MacroSettings`. Keys and the forms
//! of their values are judged here; whether they fit the function is not.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, Lit, LitStr, Token};

use crate::duration;
use crate::errors::Errors;

/// Which attribute is at work.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MacroKind {
    Tool,
    Prompt,
    Resource,
}

/// What stands behind a key.
#[derive(Clone, Copy)]
enum SettingForm {
    Text,
    /// On or not mentioned.
    Mark,
    /// On, off or not mentioned.
    Hint,
    Time,
    Rate,
    /// A list of keys of its own, or none.
    Task,
}

impl MacroKind {
    /// The attribute's name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
        }
    }

    /// Every key is the name of the builder's method.
    fn keys(self) -> impl Iterator<Item = (&'static str, SettingForm)> {
        const TEXTS: [&str; 4] = ["name", "title", "description", "scope"];
        const OUTLIVED: [(&str, SettingForm); 2] = [
            ("old_name", SettingForm::Text),
            ("deprecated", SettingForm::Text),
        ];
        let own: &[(&str, SettingForm)] = match self {
            Self::Tool => &[
                ("read_only", SettingForm::Mark),
                ("destructive", SettingForm::Hint),
                ("idempotent", SettingForm::Mark),
                ("open_world", SettingForm::Hint),
                ("timeout", SettingForm::Time),
                ("cache", SettingForm::Time),
                ("cache_stale", SettingForm::Time),
                ("cache_stale_if_error", SettingForm::Time),
                ("cache_public", SettingForm::Mark),
                ("rate_limit", SettingForm::Rate),
                ("task", SettingForm::Task),
                ("ui", SettingForm::Text),
                ("app_only", SettingForm::Mark),
                OUTLIVED[0],
                OUTLIVED[1],
            ],
            Self::Prompt => &OUTLIVED,
            Self::Resource => &[("mime", SettingForm::Text)],
        };
        TEXTS
            .map(|key| (key, SettingForm::Text))
            .into_iter()
            .chain(own.iter().copied())
    }
}

/// Keys of `task(..)`: each is the name of the options' method.
const TASK: [(&str, SettingForm); 5] = [
    ("required", SettingForm::Mark),
    ("begun_by_handler", SettingForm::Mark),
    ("run", SettingForm::Time),
    ("ttl", SettingForm::Time),
    ("poll", SettingForm::Time),
];

/// What the author said, in the author's order.
#[derive(Default)]
pub(crate) struct MacroSettings {
    pub(crate) uri: Option<LitStr>,
    pub(crate) values: Vec<(Ident, SettingValue)>,
}

/// A value that was understood.
pub(crate) enum SettingValue {
    Text(LitStr),
    Mark(bool),
    Hint(bool),
    Milliseconds(u64),
    /// So many calls in so many milliseconds.
    Rate(u32, u64),
    /// Options of a task.
    Task(Vec<(Ident, Self)>),
}

impl MacroSettings {
    /// Reads the attribute. What can be read is kept, whatever else is wrong, so that one mistake
    /// hides no other.
    pub(crate) fn read(kind: MacroKind, attribute: TokenStream, errors: &mut Errors) -> Self {
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

    /// The text of a key.
    pub(crate) fn text(&self, word: &str) -> Option<&LitStr> {
        self.values.iter().find_map(|(key, value)| match value {
            SettingValue::Text(text) if key == word => Some(text),
            _ => None,
        })
    }

    /// Whether a switch is on.
    pub(crate) fn is_on(&self, word: &str) -> bool {
        let on = |value: &SettingValue| {
            matches!(value, SettingValue::Mark(true) | SettingValue::Hint(true))
        };
        self.values
            .iter()
            .any(|(key, value)| key == word && on(value))
    }

    fn entry(
        &mut self,
        kind: MacroKind,
        input: ParseStream<'_>,
        seen: &mut Vec<String>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        if input.peek(Lit) {
            match input.parse()? {
                Lit::Str(uri) if kind == MacroKind::Resource && seen.is_empty() => {
                    self.uri = Some(uri);
                }
                other => errors.at(other, format!("a value needs a key: {}", known(kind))),
            }
            seen.push(String::new());
            return Ok(());
        }
        let key = input.call(Ident::parse_any)?;
        if key == "task" && kind == MacroKind::Tool && !input.peek(Token![=]) {
            if seen.contains(&key.to_string()) {
                errors.at(&key, "`task` is given twice");
            }
            seen.push(key.to_string());
            let options = task(input, errors)?;
            self.values.push((key, SettingValue::Task(options)));
            return Ok(());
        }
        let value = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        let word = key.to_string();
        match kind.keys().find(|(known, _)| *known == word) {
            None => errors.at(&key, unknown(kind, &word)),
            Some(_) if seen.contains(&word) => errors.at(&key, format!("`{key}` is given twice")),
            Some((_, form)) => {
                let value = form.read(&key, value, errors);
                self.values.extend(value.map(|value| (key, value)));
            }
        }
        seen.push(word);
        Ok(())
    }
}

/// What stands in parentheses behind `task`, if anything does.
fn task(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<(Ident, SettingValue)>> {
    let mut options = Vec::<(Ident, SettingValue)>::new();
    if !input.peek(syn::token::Paren) {
        return Ok(options);
    }
    let inside;
    syn::parenthesized!(inside in input);
    while !inside.is_empty() {
        if inside.peek(Lit) {
            let value: Lit = inside.parse()?;
            errors.at(value, format!("a value needs a key: {}", task_keys()));
            if !inside.is_empty() {
                inside.parse::<Token![,]>()?;
            }
            continue;
        }
        let key = inside.call(Ident::parse_any)?;
        let value = match inside.parse::<Option<Token![=]>>()? {
            Some(_) => Some(inside.parse()?),
            None => None,
        };
        let form = TASK.iter().find(|(known, _)| key == known);
        match form {
            None => {
                errors.at(&key, format!("unknown key `{key}`: {}", task_keys()));
            }
            Some(_) if options.iter().any(|(seen, _)| *seen == key) => {
                errors.at(&key, format!("`{key}` is given twice"));
            }
            Some((_, form)) => {
                let value = form.read(&key, value, errors);
                options.extend(value.map(|value| (key, value)));
            }
        }
        if !inside.is_empty() {
            inside.parse::<Token![,]>()?;
        }
    }
    Ok(options)
}

fn task_keys() -> String {
    let known: Vec<&str> = TASK.iter().map(|(key, _)| *key).collect();
    format!("`task` knows {}", known.join(", "))
}

impl SettingForm {
    fn read(self, key: &Ident, value: Option<Expr>, errors: &mut Errors) -> Option<SettingValue> {
        match self {
            Self::Text => text(key, value, errors).map(SettingValue::Text),
            Self::Mark => switch(key, value, errors).map(SettingValue::Mark),
            Self::Hint => switch(key, value, errors).map(SettingValue::Hint),
            Self::Time => {
                let text = text(key, value, errors)?;
                let read = duration::milliseconds(&text.value());
                read.map_err(|sentence| errors.at(text, sentence))
                    .ok()
                    .map(SettingValue::Milliseconds)
            }
            Self::Task => {
                errors.at(
                    key,
                    "`task` takes options: task(run = \"10m\", ttl = \"1h\")",
                );
                None
            }
            Self::Rate => {
                let text = text(key, value, errors)?;
                let read = duration::rate(&text.value());
                read.map_err(|sentence| errors.at(text, sentence))
                    .ok()
                    .map(|(calls, per)| SettingValue::Rate(calls, per))
            }
        }
    }
}

fn text(key: &Ident, value: Option<Expr>, errors: &mut Errors) -> Option<LitStr> {
    match value {
        Some(Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        })) if text.value().trim().is_empty() => {
            errors.at(
                text,
                format!("`{key}` is empty: say something or leave it out"),
            );
        }
        Some(Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        })) => return Some(text),
        Some(other) => errors.at(
            other,
            format!("`{key}` is a string literal: {key} = \"..\""),
        ),
        None => errors.at(key, format!("`{key}` needs a value: {key} = \"..\"")),
    }
    None
}

fn switch(key: &Ident, value: Option<Expr>, errors: &mut Errors) -> Option<bool> {
    match value {
        None => return Some(true),
        Some(Expr::Lit(ExprLit {
            lit: Lit::Bool(on), ..
        })) => return Some(on.value),
        Some(other) => errors.at(
            other,
            format!("`{key}` is a switch: {key}, or {key} = false"),
        ),
    }
    None
}

fn unknown(kind: MacroKind, word: &str) -> String {
    match kind.keys().map(|(key, _)| (distance(word, key), key)).min() {
        Some((0..=2, near)) => format!("unknown key `{word}`: did you mean `{near}`?"),
        _ => format!("unknown key `{word}`: {}", known(kind)),
    }
}

fn known(kind: MacroKind) -> String {
    let keys: Vec<&str> = kind.keys().map(|(key, _)| key).collect();
    format!("#[{}] knows {}", kind.word(), keys.join(", "))
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
