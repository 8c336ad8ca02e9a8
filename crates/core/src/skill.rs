//! Skills (extension `io.modelcontextprotocol/skills`): instructions for models with the files that
//! belong to them. How an author declares them; how they are served is `dispatch/skills.rs`.
//!
//! A skill is a directory with a `SKILL.md`, whose header names and describes it. Clients list
//! skills, read those that fit what a person wants, and check each file by the digest that the list
//! gave them. So a set of skills is a value that never changes: what is listed and what is read
//! come from the same one.
//!
//! Skills are embedded with [`skills!`](macro@skills) when the server is compiled, or come from a
//! [`SkillSource`], such as a bucket, while it runs.

mod read;
mod set;
mod shelf;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::context::Cx;
use crate::error::ToolError;
use crate::send::{BoxFuture, MaybeSend, MaybeSync};

#[cfg(feature = "embed")]
pub use mcpfn_macros::skills;

pub use mcpfn_embed::skill::{MAX_BYTES, MAX_FILES};
pub(crate) use read::SkillReader;
pub use set::SkillSet;
pub(crate) use shelf::{Shelf, SkillViews, Stock, StockSource};

/// The extension's id.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/skills";

/// How the URIs of all files of skills begin.
pub(crate) const SCHEME: &str = "skill://";

/// Whether a URI is one of skills.
pub(crate) fn is_uri(uri: &str) -> bool {
    uri.starts_with(SCHEME)
}

/// Skills to give to [`Builder::skills`](crate::Builder::skills).
///
/// ```
/// use mcpfn_core::Server;
/// use mcpfn_core::skill::{Skill, SkillFile, Skills};
/// use mcpfn_testing::TestClient;
/// use serde_json::json;
///
/// let text = "---\nname: refunds\ndescription: How to refund an order.\n---\n# Refunds\n";
/// let header = json!({"name": "refunds", "description": "How to refund an order."});
/// let skill = Skill::new("refunds", header.to_string()).file(SkillFile::new("SKILL.md", text));
/// let client = TestClient::new(Server::builder("shop", "1.0.0").skills(Skills::new().skill(skill)));
/// let listed = client.request("skills/list", json!({})).wait().unwrap();
/// assert_eq!(listed["skills"][0]["uri"], "skill://refunds/SKILL.md");
/// assert_eq!(client.read("skill://refunds/SKILL.md").wait().unwrap().text(), Some(text));
/// ```
#[derive(Default)]
#[must_use = "give it to `Builder::skills`"]
pub struct Skills {
    pub(crate) skills: Vec<Skill>,
    pub(crate) sources: Vec<Arc<dyn SkillSource>>,
    pub(crate) scopes: Vec<String>,
}

impl Skills {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that [`skills!`](macro@skills) embedded.
    pub fn embedded(skills: &'static [EmbeddedSkill]) -> Self {
        Self {
            skills: skills.iter().map(Skill::embedded).collect(),
            ..Self::default()
        }
    }

    /// Those of a source, which is asked while the server runs.
    pub fn from_source(source: impl SkillSource + 'static) -> Self {
        Self {
            sources: vec![Arc::new(source)],
            ..Self::default()
        }
    }

    /// Adds a skill.
    pub fn skill(mut self, skill: Skill) -> Self {
        self.skills.push(skill);
        self
    }

    /// A scope that a caller needs for each of these skills. Given several times, all of them are
    /// needed. Other callers do not see them in lists, and to them their URIs are unknown.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }

    /// Puts the embedded skills into a directory of their URIs, such as `shop.example`: where several
    /// servers of one client have skills of the same name.
    pub fn under(mut self, directory: &str) -> Self {
        for skill in &mut self.skills {
            skill.path = format!("{directory}/{}", skill.path);
        }
        self
    }
}

impl fmt::Debug for Skills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sources = self.sources.iter().map(|source| source.name());
        f.debug_struct("Skills")
            .field("skills", &self.skills)
            .field("sources", &sources.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// One skill: a directory of files with a `SKILL.md`.
#[derive(Clone)]
#[must_use = "give it to `Skills::skill`"]
pub struct Skill {
    /// The directory in URIs; its last name is the skill's.
    pub(crate) path: String,
    /// The header of `SKILL.md` as JSON, with every member that it has there.
    pub(crate) frontmatter: Cow<'static, str>,
    pub(crate) files: Vec<SkillFile>,
    pub(crate) scopes: Vec<String>,
}

impl Skill {
    /// A skill without files; they are to follow, `SKILL.md` among them. `path` is its directory in
    /// URIs, which ends with the skill's name. `frontmatter` is the header of `SKILL.md` as a JSON
    /// object, with every member that it has there.
    pub fn new(path: impl Into<String>, frontmatter: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            frontmatter: Cow::Owned(frontmatter.into()),
            files: Vec::new(),
            scopes: Vec::new(),
        }
    }

    fn embedded(skill: &EmbeddedSkill) -> Self {
        let file = |file: &EmbeddedFile| SkillFile {
            path: Cow::Borrowed(file.path),
            size: u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
            digest: Cow::Borrowed(file.sha256),
            is_text: std::str::from_utf8(file.bytes).is_ok(),
            bytes: Some(Bytes::from_static(file.bytes)),
        };
        Self {
            path: skill.path.to_owned(),
            frontmatter: Cow::Borrowed(skill.frontmatter),
            files: skill.files.iter().map(file).collect(),
            scopes: Vec::new(),
        }
    }

    /// Adds a file.
    pub fn file(mut self, file: SkillFile) -> Self {
        self.files.push(file);
        self
    }

    /// A scope that a caller needs for it: see [`Skills::scope`].
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }
}

impl fmt::Debug for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skill")
            .field("path", &self.path)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

/// A file of a skill: its path in the skill's directory, its size and digest.
#[derive(Clone)]
pub struct SkillFile {
    pub(crate) path: Cow<'static, str>,
    pub(crate) size: u64,
    /// SHA-256 in hexadecimal.
    pub(crate) digest: Cow<'static, str>,
    pub(crate) is_text: bool,
    /// Nothing where a source is asked for them.
    pub(crate) bytes: Option<Bytes>,
}

impl SkillFile {
    /// A file with its bytes.
    #[must_use]
    pub fn new(path: impl Into<Cow<'static, str>>, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            bytes: Some(bytes.clone()),
            ..Self::kept_elsewhere(path, &bytes)
        }
    }

    /// A file whose bytes are not kept here: its source reads them again, and they must be these.
    #[must_use]
    pub fn kept_elsewhere(path: impl Into<Cow<'static, str>>, bytes: &[u8]) -> Self {
        Self {
            path: path.into(),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            digest: Cow::Owned(sha256(bytes)),
            is_text: std::str::from_utf8(bytes).is_ok(),
            bytes: None,
        }
    }

    /// The same file at another path in its skill.
    #[must_use]
    pub fn at(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        self
    }

    /// How many bytes it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }
}

impl fmt::Debug for SkillFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SkillFile({}, {} bytes)", self.path, self.size)
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // writing to a string can't fail
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// What [`skills!`](macro@skills) makes of a directory with a `SKILL.md`.
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedSkill {
    /// Its path below the directory that was embedded.
    pub path: &'static str,
    /// The header of `SKILL.md` as JSON.
    pub frontmatter: &'static str,
    /// Its files.
    pub files: &'static [EmbeddedFile],
}

/// A file of an [`EmbeddedSkill`].
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedFile {
    /// Its path in the skill's directory.
    pub path: &'static str,
    /// SHA-256 of its bytes in hexadecimal, as it was when the server was compiled.
    pub sha256: &'static str,
    /// Its bytes.
    pub bytes: &'static [u8],
}

/// Where skills come from while a server runs.
///
/// A set that was given once stays as it is; a source gives another one when its skills changed.
/// Files are checked against the set before they are sent: one that changed meanwhile is refused.
pub trait SkillSource: MaybeSend + MaybeSync {
    /// Its name for the log, such as `skills bucket`.
    fn name(&self) -> &str;

    /// The skills as they are now, or as they were lately.
    ///
    /// # Errors
    /// When there is no set to give. The cause goes to the log.
    fn skills(&self, cx: Cx) -> BoxFuture<'static, Result<Arc<SkillSet>, ToolError>>;

    /// The bytes of a file that is [kept elsewhere](SkillFile::kept_elsewhere), by the skill's path
    /// and its own, such as `refunds/SKILL.md`.
    ///
    /// # Errors
    /// When they can't be read.
    fn read(&self, path: String, cx: Cx) -> BoxFuture<'static, Result<Bytes, ToolError>>;

    /// A file was not the one of the last set any more: the next caller needs a new set.
    fn changed(&self) {}
}
