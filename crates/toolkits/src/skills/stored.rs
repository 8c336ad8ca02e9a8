//! Skills that lie in a directory or a bucket: read when they are first asked for, and again when
//! what is known of them is old.
//!
//! Each instance of a server has read them by itself. So one may still list what another one does
//! not have any more; a client that reads a file then learns that it changed, and lists again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use mcpfn_core::handler::BoxFuture;
use mcpfn_core::skill::{Skill, SkillSet, SkillSource, Skills};
use mcpfn_core::{Cx, ToolError};
use mcpfn_embed::frontmatter;
use mcpfn_embed::skill::{FoundSkill, directories};
use mcpfn_ports::{BlobError, BlobPath, Blobs};

use super::walk::{self, Known, WalkedFile};

/// How long a set is given without a look at what is there now.
const FRESH_MS: u64 = 60_000;
/// How long nothing is asked after a look that failed.
const AGAIN_MS: u64 = 5_000;
/// The most sentences about left out files that one look writes into the log.
const MOST_SENTENCES: usize = 20;
/// How long a look may take that others wait for, or that is left behind by its caller.
const LOOK: Duration = Duration::from_secs(30);

/// The skills of a directory or a bucket: each directory in it that has a `SKILL.md`. `name` is what
/// the log calls it.
///
/// They are read when a caller first asks, and looked at again after a minute. What breaks a rule of
/// skills is left out, and the log says why. A file whose bytes are not those of the list is not
/// sent.
///
/// ```
/// use std::sync::Arc;
/// use mcpfn_core::Server;
/// use mcpfn_files::Directory;
///
/// let directory = Directory::open(std::env::temp_dir())?;
/// let skills = mcpfn_toolkits::skills::stored("skills", Arc::new(directory)).scope("team:read");
/// let server = Server::builder("team", "1.0.0").skills(skills).build();
/// assert!(server.is_ok());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn stored(name: impl Into<String>, blobs: Arc<dyn Blobs>) -> Skills {
    Skills::from_source(StoredSource(Arc::new(StoredSkills {
        name: name.into(),
        blobs,
        state: Mutex::default(),
    })))
}

struct StoredSource(Arc<StoredSkills>);

struct StoredSkills {
    name: String,
    blobs: Arc<dyn Blobs>,
    state: Mutex<LookState>,
}

#[derive(Default)]
struct LookState {
    set: Option<Arc<SkillSet>>,
    /// Files of the last look, so that the next one reads only what changed.
    known: Arc<Known>,
    /// Nothing is looked at before.
    next_ms: u64,
}

impl SkillSource for StoredSource {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn skills(&self, cx: Cx) -> BoxFuture<'static, Result<Arc<SkillSet>, ToolError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.skills(&cx).await })
    }

    fn read(&self, path: String, _: Cx) -> BoxFuture<'static, Result<Bytes, ToolError>> {
        let shared = Arc::clone(&self.0);
        Box::pin(async move {
            let path = BlobPath::parse(&path)
                .map_err(|why| ToolError::internal(format!("the skill file {path}: {why}")))?;
            match walk::read(&*shared.blobs, &path).await {
                Ok(bytes) => Ok(bytes),
                // it was listed: gone since then
                Err(BlobError::NotFound) => {
                    shared.changed();
                    Err(changed(&path))
                }
                Err(error) => Err(ToolError::unavailable(
                    "the file of the skill can't be read now; try again later",
                    error,
                )),
            }
        })
    }

    fn changed(&self) {
        self.0.changed();
    }
}

fn changed(path: &BlobPath) -> ToolError {
    ToolError::unavailable(
        "the file changed since its skill was listed: list the skills again",
        format!("{path} is gone"),
    )
}

impl StoredSkills {
    fn state(&self) -> MutexGuard<'_, LookState> {
        // nothing is left half changed: each change is one assignment
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next one who asks looks again, and trusts no digest that is known.
    fn changed(&self) {
        *self.state() = LookState::default();
    }

    async fn skills(&self, cx: &Cx) -> Result<Arc<SkillSet>, ToolError> {
        let (known, old) = {
            let mut state = self.state();
            match &state.set {
                Some(set) if cx.now_ms() < state.next_ms => return Ok(Arc::clone(set)),
                None if cx.now_ms() < state.next_ms => {
                    return Err(ToolError::internal("it failed a moment ago"));
                }
                _ => {}
            }
            let old = state.set.clone();
            if old.is_some() {
                // others have the old set meanwhile
                state.next_ms = cx.now_ms() + AGAIN_MS;
            }
            (Arc::clone(&state.known), old)
        };
        let look = cx.detached(LOOK);
        match walk::walk(&*self.blobs, &known, &look).await {
            Ok(files) => Ok(self.keep(files, cx)),
            Err(error) => {
                self.state().next_ms = cx.now_ms() + AGAIN_MS;
                let old = old.ok_or_else(|| ToolError::internal(error.to_string()))?;
                // what was right a minute ago is better than nothing: each file is checked anyway
                cx.report_degraded(&self.name, &error.to_string());
                Ok(old)
            }
        }
    }

    fn keep(&self, walked: walk::Walked, cx: &Cx) -> Arc<SkillSet> {
        let (set, mut mistakes) = set_of(&walked.files);
        mistakes.splice(0..0, walked.left_out);
        let more = mistakes.len().saturating_sub(MOST_SENTENCES);
        mistakes.truncate(MOST_SENTENCES);
        if more > 0 {
            mistakes.push(format!("and {more} more"));
        }
        for mistake in &mistakes {
            cx.report_degraded(&self.name, mistake);
        }
        let set = Arc::new(set);
        *self.state() = LookState {
            set: Some(Arc::clone(&set)),
            known: Arc::new(walked.files.into_iter().map(WalkedFile::known).collect()),
            next_ms: cx.now_ms() + FRESH_MS,
        };
        set
    }
}

/// The skills among files, and what is wrong with the others.
fn set_of(files: &[WalkedFile]) -> (SkillSet, Vec<String>) {
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let found = directories(&paths);
    let mut mistakes = Vec::new();
    let skills: Vec<Skill> = found
        .skills
        .iter()
        .filter_map(|skill| skill_of(skill, files, &mut mistakes))
        .collect();
    let (set, wrong) = SkillSet::new(skills);
    mistakes.extend(wrong);
    (set, mistakes)
}

fn skill_of(
    found: &FoundSkill<'_>,
    files: &[WalkedFile],
    mistakes: &mut Vec<String>,
) -> Option<Skill> {
    if found.path.is_empty() {
        mistakes.push("SKILL.md at the top: give each skill a directory of its own".to_owned());
        return None;
    }
    let mut files = found.files.iter().filter_map(|path| {
        let inside = path.strip_prefix(found.path)?.strip_prefix('/')?;
        let file = files.iter().find(|file| file.path == *path)?;
        Some((inside, file))
    });
    let (_, manifest) = files.next()?;
    let header = match frontmatter::read(manifest.manifest.as_deref()?) {
        Ok(header) => header,
        Err(wrong) => {
            let path = found.path;
            mistakes.extend(wrong.iter().map(|one| format!("skill `{path}`: {one}")));
            return None;
        }
    };
    let skill = Skill::new(found.path, header.json).file(manifest.at("SKILL.md"));
    Some(files.fold(skill, |skill, (inside, file)| skill.file(file.at(inside))))
}
