//! Variables as typed values: each read once, every mistake reported together. Where the variables
//! come from is the host's business, which of them there are is `table.rs`.

use std::ffi::OsString;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use mcpfn_core::text::switch;

/// Reads variables, and remembers what is wrong with them.
pub struct EnvReader<'a> {
    variable: &'a dyn Fn(&str) -> Option<OsString>,
    names: Vec<String>,
    mistakes: Vec<String>,
}

impl fmt::Debug for EnvReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // values may be secrets
        f.debug_struct("EnvReader")
            .field("mistakes", &self.mistakes)
            .finish_non_exhaustive()
    }
}

impl<'a> EnvReader<'a> {
    /// Reads through `variable`; an empty variable counts as not set.
    pub fn new(variable: &'a dyn Fn(&str) -> Option<OsString>) -> Self {
        Self {
            variable,
            names: Vec::new(),
            mistakes: Vec::new(),
        }
    }

    /// Also knows which variables there are, to report those that have no effect. Only names that
    /// begin with `MCPFN_` matter.
    #[must_use]
    pub fn with_names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names = names.into_iter().collect();
        // the order of an environment is nobody's
        self.names.sort_unstable();
        self
    }

    /// The variables that there are, as far as they are known.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn take_names(&mut self) -> Vec<String> {
        std::mem::take(&mut self.names)
    }

    /// The settings, if nothing is wrong with any of them.
    ///
    /// # Errors
    /// Every variable that can't be used, not only the first.
    pub fn finish<T>(self, settings: T) -> Result<T, SettingsError> {
        if self.mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError {
                mistakes: self.mistakes,
            })
        }
    }

    /// Remembers a mistake: one sentence that says what to change.
    pub fn mistake(&mut self, sentence: impl Into<String>) {
        self.mistakes.push(sentence.into());
    }

    /// Whether the variable has any value, also one that is no text.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        (self.variable)(name)
            .is_some_and(|value| value.to_str().is_none_or(|text| !text.trim().is_empty()))
    }

    /// The variable's text, if it is any, for what says nothing about the variable itself.
    pub(crate) fn untold(&self, name: &str) -> Option<String> {
        (self.variable)(name)?.into_string().ok()
    }

    /// The variable's text, if it is set to any.
    pub fn text(&mut self, name: &str) -> Option<String> {
        match (self.variable)(name)?.into_string() {
            Ok(text) => Some(text).filter(|text| !text.trim().is_empty()),
            Err(_) => {
                // not repeated: it may be a secret
                self.mistake(format!("{name} is not text in UTF-8"));
                None
            }
        }
    }

    /// The variable's value, or `default` when it is not set. `expected` ends the sentence "... must
    /// be".
    pub fn parsed<T: FromStr>(&mut self, name: &str, default: T, expected: &str) -> T {
        let Some(text) = self.text(name) else {
            return default;
        };
        text.trim().parse().unwrap_or_else(|_| {
            self.mistake(format!("{name} must be {expected}"));
            default
        })
    }

    /// The variable's number, or `default` when it is not set or not within the range. `what` is
    /// the number, for the sentence "... must be {what} from .. to ..".
    pub fn within<T>(&mut self, name: &str, default: T, range: RangeInclusive<T>, what: &str) -> T
    where
        T: Copy + FromStr + PartialOrd + fmt::Display,
    {
        let Some(text) = self.text(name) else {
            return default;
        };
        let value = text.trim().parse().ok();
        value
            .filter(|value| range.contains(value))
            .unwrap_or_else(|| {
                let (least, most) = (range.start(), range.end());
                self.mistake(format!("{name} must be {what} from {least} to {most}"));
                default
            })
    }

    /// Whether the variable says on; `default` when it is not set, and off for what is neither.
    pub fn switch(&mut self, name: &str, default: bool) -> bool {
        let Some(text) = self.text(name) else {
            return default;
        };
        switch(text.trim()).unwrap_or_else(|| {
            self.mistake(format!("{name} must be on or off"));
            false
        })
    }

    /// Whether something that has one form here, named `form`, is switched on: by that name or by
    /// any word for on. Off by any word for off, by `none`, and when not set.
    pub fn form(&mut self, name: &str, form: &str) -> bool {
        let Some(text) = self.text(name) else {
            return false;
        };
        let text = text.trim();
        if text.eq_ignore_ascii_case(form) {
            return true;
        }
        if is_none(text) {
            return false;
        }
        switch(text).unwrap_or_else(|| {
            self.mistake(format!("{name} must be {form} or off"));
            false
        })
    }

    /// What the variable lists, separated by commas.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        listed(&self.text(name).unwrap_or_default())
    }
}

/// Whether a value that can be absent is.
pub(crate) fn is_none(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("none")
}

/// What stands between the commas of a text.
pub(crate) fn listed(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Every variable that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// One sentence each.
    pub mistakes: Vec<String>,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid configuration:")?;
        for mistake in &self.mistakes {
            write!(f, "\n  - {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_is_spelled_one_way_for_all() {
        let read = |text: &str| {
            let variable = |_: &str| Some(text.into());
            let mut reader = EnvReader::new(&variable);
            let on = reader.form("MCPFN_METRICS", "emf");
            reader.finish(on).map_err(|error| error.mistakes)
        };
        for on in ["emf", "EMF", "on", "True", "1", "yes"] {
            assert_eq!(read(on), Ok(true), "{on}");
        }
        for off in ["off", "OFF", "false", "0", "no", "none", " None ", ""] {
            assert_eq!(read(off), Ok(false), "{off}");
        }
        assert_eq!(
            read("prometheus"),
            Err(vec!["MCPFN_METRICS must be emf or off".to_owned()])
        );
    }
}
