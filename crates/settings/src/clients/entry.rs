//! One thing to paste into a client, as data. Which there are is `entries`.

use std::fmt;

/// One thing to paste or to open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientEntry {
    /// The client, as it calls itself.
    pub client: &'static str,
    /// What the entry does there, as a part of a sentence; empty if there is nothing to say.
    pub about: &'static str,
    /// What the text is.
    pub language: ClientLanguage,
    /// The text, on one line for each command; a member of the file's JSON is written as a whole file.
    pub text: String,
    /// The files that the text belongs into, of which there is one for each system; empty if none.
    pub files: &'static [ClientFile],
}

/// What the text of an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientLanguage {
    /// The content of a file.
    Json,
    /// Commands for a terminal.
    Shell,
    /// A link that opens the client, or a URL to paste into it.
    Url,
}

/// A file of a client's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientFile {
    /// Where the path holds, such as `macOS`, `Windows` or `one project`; empty if it is the only one.
    pub system: &'static str,
    /// Where it is, from the home folder (`~`), a variable (`%APPDATA%`) or the project.
    pub path: &'static str,
}

impl ClientEntry {
    /// What it does and the files that it belongs into, on one line; may be empty.
    #[must_use]
    pub fn place(&self) -> String {
        let mut place = self.about.to_owned();
        for (position, file) in self.files.iter().enumerate() {
            place.push_str(match position {
                0 if place.is_empty() => "",
                0 => ": ",
                _ => "; ",
            });
            place.push_str(file.path);
            if !file.system.is_empty() {
                place.extend([" (", file.system, ")"]);
            }
        }
        place
    }
}

impl fmt::Display for ClientEntry {
    /// As a terminal shows it: what it is, the files, the text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.client)?;
        let place = self.place();
        if !place.is_empty() {
            // files follow a name as they follow what is said of it
            let between = if self.about.is_empty() { ": " } else { ", " };
            write!(f, "{between}{place}")?;
        }
        self.text
            .lines()
            .try_for_each(|line| write!(f, "\n    {line}"))
    }
}
