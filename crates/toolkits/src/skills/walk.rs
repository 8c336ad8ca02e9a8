//! A look at all files of a store of skills: their names, sizes and digests. Bounded, because the
//! store may hold anything.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use mcpfn_core::Cx;
use mcpfn_core::skill::{MAX_BYTES, SkillFile};
use mcpfn_embed::skill::{MANIFEST, path_mistake};
use mcpfn_ports::{BlobError, BlobKind, BlobPath, Blobs};

/// Entries of a page of a directory.
const PAGE: usize = 1000;
/// Files of all skills.
const MAX_FILES: usize = 4096;
/// Bytes that one look reads. What did not change since the last one is not read again.
const MAX_READ: u64 = 64 * 1024 * 1024;
/// Directories, one in another.
const MAX_DEPTH: usize = 16;
/// Bytes of one question to the store.
const PART: usize = 4 * 1024 * 1024;

/// Files of the last look by their paths.
pub(super) type Known = HashMap<String, WalkedFile>;

/// What a look found.
pub(super) struct Walked {
    pub(super) files: Vec<WalkedFile>,
    /// Sentences about what was left out.
    pub(super) left_out: Vec<String>,
}

/// A file as it was when it was read.
#[derive(Clone)]
pub(super) struct WalkedFile {
    pub(super) path: String,
    modified_ms: Option<u64>,
    file: SkillFile,
    /// The bytes of a `SKILL.md`.
    pub(super) manifest: Option<Bytes>,
}

impl WalkedFile {
    pub(super) fn known(self) -> (String, Self) {
        (self.path.clone(), self)
    }

    /// The same at its path in a skill.
    pub(super) fn at(&self, path: &str) -> SkillFile {
        self.file.clone().at(path.to_owned())
    }
}

/// Looks at everything. A name that no skill may have is left out, with what is below it.
pub(super) async fn walk(blobs: &dyn Blobs, known: &Known, cx: &Cx) -> Result<Walked, BlobError> {
    let mut walked = Walked {
        files: Vec::new(),
        left_out: Vec::new(),
    };
    let (mut directories, mut read) = (vec![BlobPath::top()], 0_u64);
    while let Some(directory) = directories.pop() {
        let mut cursor = None;
        loop {
            if cx.remaining().is_zero() {
                return Err(BlobError::Unavailable("it took too long".to_owned()));
            }
            let page = blobs.list(&directory, "", cursor.as_deref(), PAGE).await?;
            for entry in &page.entries {
                let Some(path) = taken(&directory, &entry.name, &mut walked.left_out) else {
                    continue;
                };
                match entry.kind {
                    BlobKind::Directory if path.as_str().split('/').count() < MAX_DEPTH => {
                        directories.push(path);
                    }
                    BlobKind::Directory => walked.left_out.push(format!("`{path}` is too deep")),
                    BlobKind::Other => {
                        let sentence = "is a link that leads outside, or no file";
                        walked.left_out.push(format!("`{path}` {sentence}"));
                    }
                    BlobKind::File if entry.size > MAX_BYTES => {
                        walked
                            .left_out
                            .push(format!("`{path}` is larger than a skill may be"));
                    }
                    BlobKind::File => {
                        if walked.files.len() == MAX_FILES || read > MAX_READ {
                            return Err(BlobError::TooLarge(MAX_READ));
                        }
                        let same = |file: &&WalkedFile| {
                            let unchanged =
                                file.modified_ms.is_some() && file.modified_ms == entry.modified_ms;
                            unchanged && file.file.size() == entry.size
                        };
                        let file = match known.get(path.as_str()).filter(same) {
                            Some(file) => file.clone(),
                            None => {
                                read += entry.size;
                                file(blobs, path, entry.modified_ms).await?
                            }
                        };
                        walked.files.push(file);
                    }
                }
            }
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
    }
    Ok(walked)
}

async fn file(
    blobs: &dyn Blobs,
    path: BlobPath,
    modified_ms: Option<u64>,
) -> Result<WalkedFile, BlobError> {
    let bytes = read(blobs, &path).await?;
    let (_, name) = path.split().unwrap_or((BlobPath::top(), ""));
    Ok(WalkedFile {
        file: SkillFile::kept_elsewhere("", &bytes),
        manifest: (name == MANIFEST).then_some(bytes),
        modified_ms,
        path: path.as_str().to_owned(),
    })
}

/// The path of an entry, if a skill may have it.
fn taken(directory: &BlobPath, name: &str, left_out: &mut Vec<String>) -> Option<BlobPath> {
    // what programs leave behind is worth no sentence
    if name.starts_with('.') || name.is_empty() {
        return None;
    }
    let mistake = match directory.join(name) {
        Ok(path) => match path_mistake(path.as_str()) {
            None => return Some(path),
            Some(mistake) => mistake.to_owned(),
        },
        Err(mistake) => mistake.to_string(),
    };
    left_out.push(format!("{}: {mistake}", mcpfn_core::text::quoted(name)));
    None
}

/// All bytes of a file, as many as a skill may have.
pub(super) async fn read(blobs: &dyn Blobs, path: &BlobPath) -> Result<Bytes, BlobError> {
    let first = blobs.read(path, 0, PART).await?;
    if first.metadata.size > MAX_BYTES {
        return Err(BlobError::TooLarge(MAX_BYTES));
    }
    let size = usize::try_from(first.metadata.size).unwrap_or(usize::MAX);
    if first.bytes.len() >= size {
        return Ok(first.bytes);
    }
    let mut bytes = BytesMut::from(&*first.bytes);
    while bytes.len() < size {
        let offset = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let part = blobs.read(path, offset, PART).await?;
        // written between two parts: the whole would be no file that ever was
        if part.bytes.is_empty() || part.metadata.version != first.metadata.version {
            return Err(BlobError::Changed);
        }
        bytes.extend_from_slice(&part.bytes);
    }
    Ok(bytes.freeze())
}
