//! `ingest_documents`: text, Markdown and HTML files of the toolkit `files` into the store of documents,
//! as the command `ingest` does with a folder. A task, because a folder has thousands of files.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::{Cx, ToolError, input, output, text, tool};
use mcpfn_ports::{BlobError, BlobKind, BlobPath, Blobs, Embedder, Sql, VectorError, VectorStore};
use serde::{Deserialize, Serialize};

use super::search::model;
use super::store::AddError;
use super::{MAX_DOCUMENT_LENGTH, Meaning, StoredDocument, add_with, index_vectors, prepare};
use crate::files::store::{blobs, failed, path};
use crate::say::write_failed;

/// Entries of a page of a directory.
const PAGE: usize = 1000;
/// The most entries of one directory, and how deep directories may nest.
const MAX_ENTRIES: usize = 50_000;
const DEEPEST: usize = 32;
/// How long the model may take for the passages of one request.
const EMBEDDING: Duration = Duration::from_secs(60);
/// How many files are read between two checkpoints.
const STEP: usize = 10;
/// The most files that a result names with the reason why they were left out.
const MAX_NAMED: usize = 50;
/// Then a task goes on in another run: shorter than the longest run of any host.
const LONG: Duration = Duration::from_secs(8 * 60);

/// Which files.
#[input]
#[derive(Debug)]
pub struct IngestFolder {
    /// The directory whose files are added, with those below it, e.g. "docs/2026", as
    /// `list_directory` gives it. All files, when left out.
    #[schemars(length(max = 1024))]
    #[serde(default)]
    pub path: String,
}

/// What became of the files.
#[output]
#[derive(Debug, Default, Deserialize)]
pub struct IngestReport {
    /// Documents that were added, or replaced.
    pub documents: u64,
    /// Passages of them, which searches find.
    pub passages: u64,
    /// How many files were left out.
    pub left_out: u64,
    /// The first of these, with the reason.
    pub reasons: Vec<String>,
}

/// What a later run goes on from.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    report: IngestReport,
    /// The last file that was read.
    last: Option<String>,
}

/// Add the text, Markdown and HTML files of a directory to the documents that `semantic_search`
/// finds passages in. A file that was added before is replaced.
///
/// Use this only when the user asks to add documents; it may take minutes.
#[tool(
    idempotent,
    destructive = true,
    open_world = false,
    scope = "knowledge:write",
    title = "Add documents",
    timeout = "30s",
    task(run = "14m", ttl = "24h", poll = "3s")
)]
pub async fn ingest_documents(args: IngestFolder, cx: &Cx) -> Result<IngestReport, ToolError> {
    // what models write for the top
    let top = match ["", ".", "/"].contains(&args.path.as_str()) {
        true => BlobPath::top(),
        false => path(args.path.trim_end_matches('/'))?,
    };
    let database = &**cx.port::<dyn Sql>()?;
    let model = embedder(cx).await?;
    let task = cx.task();
    let progress: Progress = match task.resume() {
        Some(progress) => progress,
        None => {
            prepare(database).await.map_err(write_failed)?;
            Progress::default()
        }
    };
    let mut ingest = Ingest {
        cx,
        blobs: &**blobs(cx)?,
        database,
        model: model.as_deref(),
        vectors: cx.port::<dyn VectorStore>().ok().map(|store| &**store),
        began_ms: cx.now_ms(),
        unsaved: 0,
        ids: HashMap::new(),
        progress,
    };
    ingest.directory(top).await?;
    index_vectors(database).await.map_err(write_failed)?;
    Ok(ingest.progress.report)
}

struct Ingest<'a> {
    cx: &'a Cx,
    blobs: &'a dyn Blobs,
    database: &'a dyn Sql,
    model: Option<&'a dyn Embedder>,
    /// An index beside the database, where the operator has one.
    vectors: Option<&'a dyn VectorStore>,
    began_ms: u64,
    unsaved: usize,
    /// Which file gave an id.
    ids: HashMap<String, String>,
    progress: Progress,
}

impl Ingest<'_> {
    /// Walks a directory in the order of names, so that a later run knows what is behind it.
    async fn directory(&mut self, top: BlobPath) -> Result<(), ToolError> {
        // what is still to do, the next one last
        let mut waiting = self.entries(&top, 0).await?;
        while let Some((path, kind, depth)) = waiting.pop() {
            if kind == BlobKind::Directory {
                waiting.extend(self.entries(&path, depth).await?);
            } else if self.is_done(path.as_str()) {
                // listed once more for its id alone, which no later file may take
                let id = StoredDocument::id_of(path.as_str());
                let first = self.ids.entry(id);
                first.or_insert_with(|| path.as_str().to_owned());
            } else {
                self.file(&path).await?;
                self.step(path.as_str()).await?;
            }
        }
        self.save().await
    }

    /// What is in a directory, the first one last.
    async fn entries(
        &self,
        directory: &BlobPath,
        depth: usize,
    ) -> Result<Vec<(BlobPath, BlobKind, usize)>, ToolError> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let page = self
                .blobs
                .list(directory, "", cursor.as_deref(), PAGE)
                .await;
            let page = page.map_err(|error| failed(error, directory))?;
            found.extend(page.entries.into_iter().filter_map(|entry| {
                let wanted = match entry.kind {
                    BlobKind::Directory => depth < DEEPEST,
                    BlobKind::File => is_text(&entry.name),
                    BlobKind::Other => false,
                };
                let path = directory.join(&entry.name).ok().filter(|_| wanted)?;
                Some((path, entry.kind, depth + 1))
            }));
            if found.len() > MAX_ENTRIES {
                return Err(ToolError::new(format!(
                    "A directory has more than {MAX_ENTRIES} files. Name one below it, or let \
                     the operator add them with the command `ingest`."
                )));
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        found.sort_by(|one, other| other.0.as_str().cmp(one.0.as_str()));
        Ok(found)
    }

    /// Whether a file was read in an earlier run.
    fn is_done(&self, file: &str) -> bool {
        let last = self.progress.last.as_deref();
        last.is_some_and(|last| parts(file).le(parts(last)))
    }

    async fn file(&mut self, path: &BlobPath) -> Result<(), ToolError> {
        let document = match self.document(path).await {
            Ok(Ok(document)) => document,
            Ok(Err(reason)) => {
                self.leave_out(path, &reason);
                return Ok(());
            }
            Err(error) => return Err(failed(error, path)),
        };
        let source = path.as_str().to_owned();
        if let Some(first) = self.ids.insert(document.id.clone(), source) {
            let id = &document.id;
            let reason = format!("it would have the id {id}, as {first} has; rename one of them");
            self.ids.insert(id.clone(), first);
            self.leave_out(path, &reason);
            return Ok(());
        }
        match add_with(self.database, &document, self.model, self.vectors).await {
            Ok(passages) => {
                self.progress.report.documents += 1;
                self.progress.report.passages += passages as u64;
                Ok(())
            }
            Err(AddError::Database(error)) => Err(write_failed(error)),
            Err(AddError::Model(cause)) => Err(no_vectors(&cause)),
            Err(AddError::Vectors(error)) => Err(no_index(&error)),
        }
    }

    /// A file as a document, or a reason to leave it out.
    async fn document(&self, path: &BlobPath) -> Result<Result<StoredDocument, String>, BlobError> {
        let part = match self.blobs.read(path, 0, MAX_DOCUMENT_LENGTH + 1).await {
            Ok(part) => part,
            // taken away since it was listed, or a link
            Err(BlobError::NotFound | BlobError::Outside | BlobError::NotAFile) => {
                return Ok(Err("it is not there, or no file".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let Ok(content) = std::str::from_utf8(&part.bytes) else {
            return Ok(Err("it is not text in UTF-8; convert it".to_owned()));
        };
        Ok(StoredDocument::read(path.as_str(), content))
    }

    fn leave_out(&mut self, path: &BlobPath, reason: &str) {
        let report = &mut self.progress.report;
        report.left_out += 1;
        if report.reasons.len() < MAX_NAMED {
            let path = text::quoted(path.as_str());
            report.reasons.push(format!("{path}: {reason}"));
        }
    }

    /// After a file: says where the work is, and from time to time keeps it.
    async fn step(&mut self, path: &str) -> Result<(), ToolError> {
        self.progress.last = Some(path.to_owned());
        self.unsaved += 1;
        let report = &self.progress.report;
        let task = self.cx.task();
        task.status(format!(
            "{} documents, {} left out",
            report.documents, report.left_out
        ));
        if self.unsaved < STEP {
            return Ok(());
        }
        self.save().await?;
        let long = u64::try_from(LONG.as_millis()).unwrap_or(u64::MAX);
        match task.is_task() && self.cx.now_ms().saturating_sub(self.began_ms) > long {
            true => Err(task.later(Duration::ZERO)),
            false => Ok(()),
        }
    }

    async fn save(&mut self) -> Result<(), ToolError> {
        self.unsaved = 0;
        self.cx.task().checkpoint(&self.progress).await
    }
}

/// What makes vectors, where the operator has configured it: documents without them would not be
/// found by their meaning, and nobody would notice.
async fn embedder(cx: &Cx) -> Result<Option<Arc<dyn Embedder>>, ToolError> {
    let found = model(cx, EMBEDDING).await?;
    let configured = matches!(cx.state(), Ok(Meaning(Some(_))));
    match found.is_none() && configured {
        true => Err(no_vectors("the key of the service can't be read")),
        false => Ok(found),
    }
}

fn no_vectors(cause: &str) -> ToolError {
    ToolError::unavailable(
        "The service of embeddings can't be used just now, and documents are not added without \
         it. Try again in a few minutes: what was added stays.",
        cause,
    )
}

fn no_index(error: &VectorError) -> ToolError {
    ToolError::unavailable(
        "The index of vectors can't be written to just now. Try again in a few minutes: what was \
         added stays.",
        error,
    )
}

/// A path by its names: a directory's files come together, whatever their names begin with.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
}

fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| {
        ["md", "txt", "html", "htm"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}
