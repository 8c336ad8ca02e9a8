//! Baseline files: the failures the suite is told to expect. Only the shape our own files have is
//! read here (one list under `server:`, every entry explained); the suite reads the same files with
//! a real YAML reader.

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Baseline {
    entries: Vec<String>,
}

impl Baseline {
    /// Refuses an entry without a reason, because a failure nobody can explain is not an expected
    /// one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut entries = Vec::new();
        let mut in_server = false;
        let mut explained = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            let trimmed = line.trim_start();
            if let Some(entry) = trimmed.strip_prefix("- ").filter(|_| in_server) {
                let (entry, comment) = entry.split_once(" #").unwrap_or((entry, ""));
                if !explained && comment.trim().is_empty() {
                    return Err(format!(
                        "line {}: `{}` needs a comment that gives the reason",
                        number + 1,
                        entry.trim()
                    ));
                }
                entries.push(entry.trim().to_owned());
            } else if trimmed.starts_with('#') {
                // A comment explains every entry down to the next empty line.
                explained = true;
            } else if trimmed.is_empty() {
                explained = false;
            } else {
                in_server = line == "server:";
            }
        }
        Ok(Self { entries })
    }

    /// Entries name a whole scenario, or one check of it as `scenario:check`.
    pub(super) fn expects(&self, scenario: &str, check: &str) -> bool {
        self.entries
            .iter()
            .any(|entry| match entry.split_once(':') {
                None => entry == scenario,
                Some(one) => one == (scenario, check),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_and_single_checks_are_expected_by_name() {
        let text = "\
# about the file

server:
  # Needs a call back into the same connection.
  - tools-call-sampling
  - tools-call-elicitation

  - server-stateless:one-check # for a reason
client: []
";
        let baseline = Baseline::parse(text).unwrap();
        assert!(baseline.expects("tools-call-sampling", "any"));
        assert!(baseline.expects("tools-call-elicitation", "any"));
        assert!(baseline.expects("server-stateless", "one-check"));
        assert!(!baseline.expects("server-stateless", "another"));
        assert!(!baseline.expects("tools-list", "any"));
    }

    #[test]
    fn an_entry_without_a_reason_is_refused() {
        let text = "server:\n  # A reason.\n  - explained\n\n  - unexplained\n";
        assert_eq!(
            Baseline::parse(text),
            Err("line 5: `unexplained` needs a comment that gives the reason".to_owned())
        );
    }
}
