//! The environment of this process, and a file beside it, as settings and secrets are read from
//! them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use mcpfn_ports::Secret;
use mcpfn_settings::{EnvReader, SETTINGS, Setting, secret_in_file};

use crate::secret_file;

/// The variables that a server is set up with: those of this process, and those of a file where the
/// host was given one. The process has the last word.
///
/// A Worker's have the same methods, so that one function sets a server up on every host.
#[derive(Clone, Default)]
pub struct Variables {
    file: Arc<BTreeMap<String, String>>,
    /// Secrets that stand in files of their own.
    secrets: Arc<BTreeMap<String, String>>,
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // values may be secrets
        f.debug_struct("Variables")
            .field("file", &self.file.keys())
            .field("secrets", &self.secrets.keys())
            .finish_non_exhaustive()
    }
}

impl Variables {
    /// The variables of this process alone.
    #[must_use]
    pub fn of_process() -> Self {
        Self::default()
    }

    /// Also these, unless the process has one of the same name that is not empty.
    #[must_use]
    pub fn with_file(mut self, variables: BTreeMap<String, String>) -> Self {
        self.file = Arc::new(variables);
        self
    }

    /// Also the secrets that stand in files: `NAME_FILE` names the one of the secret setting `NAME`,
    /// of the hosts or of `program`.
    ///
    /// # Errors
    /// Every file that can't be used, and every secret that is given twice, in sentences.
    pub fn with_secret_files(mut self, program: &[Setting]) -> Result<Self, String> {
        let (mut secrets, mut mistakes) = (BTreeMap::new(), Vec::new());
        for variable in self.names() {
            let settings = SETTINGS.iter().chain(program);
            let Some(name) = secret_in_file(&variable, settings) else {
                continue;
            };
            let Some(path) = self.text(&variable) else {
                continue;
            };
            if self.text(name).is_some() {
                mistakes.push(format!(
                    "{name} and {variable} are both set: remove one of them"
                ));
                continue;
            }
            match secret_file::read(&path) {
                Ok(secret) => _ = secrets.insert(name.to_owned(), secret),
                Err(cause) => mistakes.push(format!("{variable}: {cause}")),
            }
        }
        self.secrets = Arc::new(secrets);
        if mistakes.is_empty() {
            Ok(self)
        } else {
            let lines = mistakes.iter().map(|mistake| format!("\n  - {mistake}"));
            Err(format!(
                "invalid configuration:{}",
                lines.collect::<String>()
            ))
        }
    }

    /// A variable as the system has it, which may be no text.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<OsString> {
        let own = std::env::var_os(name);
        if own.as_ref().is_some_and(|value| !value.is_empty()) {
            return own;
        }
        let given = self.secrets.get(name).or_else(|| self.file.get(name));
        given.map(OsString::from).or(own)
    }

    /// A variable's text. An empty one counts as not set, and so does one that is no text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        let text = self.find(name)?.into_string().ok()?;
        Some(text).filter(|text| !text.trim().is_empty())
    }

    /// A variable's text, of a server that can't do without it.
    ///
    /// # Errors
    /// When it is not set: a sentence that says where to set it.
    pub fn required(&self, name: &str) -> Result<String, String> {
        self.text(name).ok_or_else(|| {
            format!(
                "{name} is not set: set it in the environment of this process, or in a file that \
                 --env-file names; on AWS Lambda, among the function's environment variables"
            )
        })
    }

    /// A key or token that the server can't do without. With the feature `secrets`, on AWS Lambda, it
    /// may be `ssm:NAME` or `secretsmanager:NAME`, and is read at its first use. Where `name` is not
    /// set, `NAME_FILE` may name the file that has it.
    ///
    /// # Errors
    /// When it is not set, or no key: a sentence that repeats nothing of it.
    pub fn secret(&self, name: &str) -> Result<Secret, String> {
        let variable = format!("{name}_FILE");
        let text = match (self.text(name), self.text(&variable)) {
            (None, Some(path)) => {
                secret_file::read(&path).map_err(|cause| format!("{variable}: {cause}"))?
            }
            _ => self.required(name)?,
        };
        Secret::new(text).map_err(|error| format!("{name} {error}"))
    }

    /// The names of all variables, as far as they are text.
    fn names(&self) -> impl Iterator<Item = String> {
        let own = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let file: Vec<String> = self.file.keys().cloned().collect();
        let more = file
            .into_iter()
            .filter(|name| std::env::var_os(name).is_none());
        own.chain(more)
    }

    /// Reads settings from them: `read` gets a reader that knows every setting that is set.
    pub fn read<T>(&self, read: impl FnOnce(EnvReader<'_>) -> T) -> T {
        let variable = |name: &str| self.find(name);
        // a secret out of a file is set by its own name
        let of_file = |name: &String| {
            let secret = name.strip_suffix("_FILE");
            secret.is_some_and(|name| self.secrets.contains_key(name))
        };
        let names = self
            .names()
            .filter(|name| name.starts_with("MCPFN_") && !of_file(name));
        let names = names.chain(self.secrets.keys().cloned());
        read(EnvReader::new(&variable).with_names(names))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Variables {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Variables::of_process().with_file(pairs.collect())
    }

    #[test]
    fn the_process_has_the_last_word() {
        // cargo sets it for every test
        let own = std::env::var("CARGO_PKG_NAME").unwrap();
        let variables = with(&[("CARGO_PKG_NAME", "other"), ("ONLY_IN_THE_FILE", "x")]);
        assert_eq!(variables.text("CARGO_PKG_NAME"), Some(own));
        assert_eq!(variables.required("ONLY_IN_THE_FILE"), Ok("x".to_owned()));
        let named = variables.names().filter(|name| name == "CARGO_PKG_NAME");
        assert_eq!(named.count(), 1);
    }

    #[test]
    fn a_secret_that_is_missing_or_no_key_is_named_and_not_repeated() {
        let variables = with(&[("BAD_KEY", "hunter2 hunter2"), ("EMPTY_KEY", " ")]);
        for name in ["BAD_KEY", "EMPTY_KEY", "NO_SUCH_KEY"] {
            let error = variables.secret(name).unwrap_err();
            assert!(
                error.starts_with(name) && !error.contains("hunter2"),
                "{error}"
            );
        }
        assert!(!format!("{variables:?}").contains("hunter2"));
    }

    /// The walk over every secret of the hosts: `NAME_FILE` is as good as `NAME`.
    #[test]
    fn every_secret_may_stand_in_a_file() {
        let file = |name: &str, text: &str| {
            let name = format!("mcpfn-secret-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let secrets = SETTINGS.iter().filter(|setting| setting.secret);
        let secrets =
            secrets.filter(|setting| setting.hosts.meets(mcpfn_settings::Hosts::PROCESSES));
        let mut walked = 0;
        for setting in secrets {
            let name = setting.name;
            let variable = format!("{name}_FILE");
            let path = file(name, "hunter2\n");
            let variables = with(&[(&variable, &path)]).with_secret_files(&[]).unwrap();
            assert_eq!(variables.text(name).as_deref(), Some("hunter2"), "{name}");
            let known = variables
                .read(|reader| (reader_has(&reader, name), reader_has(&reader, &variable)));
            assert_eq!(known, (true, false), "{name}");
            assert!(!format!("{variables:?}").contains("hunter2"));
            let twice = with(&[(&variable, &path), (name, "x")]).with_secret_files(&[]);
            let mistake = twice.unwrap_err();
            assert!(
                mistake.contains("both set") && mistake.contains(name),
                "{mistake}"
            );
            let missing = with(&[(&variable, "/no/such/file")]).with_secret_files(&[]);
            assert!(missing.unwrap_err().contains(&variable), "{name}");
            std::fs::remove_file(path).unwrap();
            walked += 1;
        }
        assert!(walked >= 3, "{walked}");
        // a key of the program's own
        let path = file("own", "abc\n");
        let variables = with(&[("OWN_API_KEY_FILE", &path)]);
        assert_eq!(variables.secret("OWN_API_KEY").unwrap().expose(), "abc");
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn settings_of_the_file_are_settings() {
        let error = with(&[("MCPFN_NONSENSE", "1")]).read(|reader| {
            let names = ["MCPFN_NONSENSE"].map(|name| reader_has(&reader, name));
            names[0].then_some(()).ok_or("the reader does not know it")
        });
        assert_eq!(error, Ok(()));
    }

    fn reader_has(reader: &EnvReader<'_>, name: &str) -> bool {
        reader.names().iter().any(|known| known == name)
    }
}
