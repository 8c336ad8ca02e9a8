//! `write_file` and `move_file`. Neither overwrites what the caller has not read, unless it says
//! so.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use mcpfn_core::{Cx, ToolError, input, output, text, tool};
use mcpfn_ports::{BlobError, BlobPath, WriteCondition};

use super::store::{blobs, failed, path};
use super::{forms, heard};
use crate::date;
use crate::say::excerpt;

/// The most bytes that are written at once.
const MAX: usize = 1024 * 1024;

/// What to write.
#[input]
#[derive(Debug)]
pub struct WriteArguments {
    /// Where, e.g. "docs/plan.md". Directories that are missing are made.
    #[schemars(length(min = 1, max = 1024))]
    pub path: String,
    /// The whole file, at most 1 MB.
    #[schemars(length(max = 1400000))]
    pub content: String,
    /// How `content` is written down.
    #[serde(default)]
    pub encoding: Encoding,
    /// The `version` that `read_file` gave: the file is overwritten only if it still has it.
    /// Without it the file must not exist yet.
    #[schemars(length(min = 1, max = 200))]
    #[serde(default)]
    pub if_version: Option<String>,
    /// A key of your own for this one write, such as a UUID. Repeat the call with the same key if
    /// you got no answer: then the file is written once.
    #[schemars(length(min = 1, max = 255), extend("x-idempotency-key" = true))]
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// How bytes are written down.
#[input]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "with comments the schema is a list of schemas instead of one enum, at twice the \
        length"
)]
pub enum Encoding {
    #[default]
    Text,
    Base64,
}

/// Which file goes where.
#[input]
#[derive(Debug)]
pub struct Move {
    /// The file's path.
    #[schemars(length(min = 1, max = 1024))]
    pub from: String,
    /// Its new path, name included. Directories that are missing are made.
    #[schemars(length(min = 1, max = 1024))]
    pub to: String,
    /// Whether a file that is there already is replaced, and lost.
    #[serde(default)]
    pub overwrite: bool,
    /// A key of your own for this one move, such as a UUID. Repeat the call with the same key if
    /// you got no answer.
    #[schemars(length(min = 1, max = 255), extend("x-idempotency-key" = true))]
    #[serde(default)]
    pub idempotency_key: Option<String>,
}

/// A file as it is now.
#[output]
#[derive(Debug)]
pub struct WrittenFile {
    /// Its path.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Its version, for the next `write_file`.
    pub version: String,
    /// When it was written, in UTC, as ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// Write a whole file.
///
/// Use this only when the user asks to create or change a file, with a content that the user wants.
/// To change a file, read all of it first and give its `version` as `if_version`; without one only
/// new files are written. What was overwritten can't be had back here.
#[tool(
    destructive,
    open_world = false,
    scope = "files:write",
    title = "Write a file",
    timeout = "10s"
)]
pub async fn write_file(args: WriteArguments, cx: &Cx) -> Result<WrittenFile, ToolError> {
    let path = path(&args.path)?;
    let bytes = match args.encoding {
        Encoding::Text => args.content.into_bytes(),
        Encoding::Base64 => BASE64_STANDARD.decode(args.content.trim()).map_err(|_| {
            ToolError::new(
                "`content` is not Base64 (standard alphabet, padded). Correct it, or use the \
                 encoding \"text\".",
            )
        })?,
    };
    if bytes.len() > MAX {
        return Err(ToolError::new(format!(
            "`content` has {} bytes, and {MAX} are the most. Write several files.",
            bytes.len()
        )));
    }
    let condition = args
        .if_version
        .map_or(WriteCondition::Absent, WriteCondition::Version);
    let path = forms::place(&**blobs(cx)?, &path).await;
    if let WriteCondition::Version(version) = &condition {
        confirm_overwriting(&path, version, &bytes, cx).await?;
    }
    let written = blobs(cx)?.write(&path, bytes.into(), &condition).await;
    let metadata = written.map_err(|error| match (error, &condition) {
        (BlobError::Changed, WriteCondition::Version(_)) => ToolError::new(format!(
            "Nothing was written: {} is not there any more, or was changed since it had this version. Read it again, then write with \
             its new version.",
            text::quoted(path.as_str())
        )),
        (BlobError::Changed, _) => ToolError::new(format!(
            "Nothing was written: {} is there already. Read it and give its version as `if_version` to overwrite it, or choose another \
             path.",
            text::quoted(path.as_str())
        )),
        (error, _) => failed(error, &path),
    })?;
    let file = WrittenFile {
        path: path.to_string(),
        size: metadata.size,
        version: metadata.version,
        modified: metadata.modified_ms.map(date::utc),
    };
    heard::tell(&file, cx).await;
    Ok(file)
}

/// Asks the user before a file is lost. One that is gone or changed is not asked about: it is
/// refused when it is written.
async fn confirm_overwriting(
    path: &BlobPath,
    version: &str,
    bytes: &[u8],
    cx: &Cx,
) -> Result<(), ToolError> {
    let Some(confirmation) = cx.confirmation()? else {
        return Ok(());
    };
    let there = blobs(cx)?.metadata(path).await;
    let Some(there) = there.ok().filter(|there| there.version == version) else {
        return Ok(());
    };
    let begins = match std::str::from_utf8(bytes) {
        Ok(text) if !text.trim().is_empty() => format!(", which begin with {}", excerpt(text)),
        _ => String::new(),
    };
    confirmation.ask(&format!(
        "Overwrite the file {}? It has {} bytes, which are lost, and gets {}{begins}.",
        excerpt(path.as_str()),
        there.size,
        bytes.len(),
    ))
}

/// Move or rename a file.
///
/// Use this only when the user asks to move or rename a file. A file at the new path is kept and
/// the move refused, unless `overwrite` is true: say that only when the user wants the other file
/// lost.
#[tool(
    destructive,
    open_world = false,
    scope = "files:write",
    title = "Move a file",
    timeout = "10s"
)]
pub async fn move_file(args: Move, cx: &Cx) -> Result<WrittenFile, ToolError> {
    let (from, to) = (path(&args.from)?, path(&args.to)?);
    if from == to {
        return Err(ToolError::new(
            "`from` and `to` are the same path. Say where the file goes.",
        ));
    }
    let blobs = &**blobs(cx)?;
    let target = forms::place(blobs, &to).await;
    // a file that is renamed to another form of its own name has that name, and no other
    let to = if forms::are_same(&from, &to) {
        to
    } else {
        target
    };
    confirm_moving(&from, &to, args.overwrite, cx).await?;
    let (target, overwrite) = (&to, args.overwrite);
    let moved = forms::with(&from, |from| async move {
        blobs.rename(&from, target, overwrite).await
    })
    .await;
    let metadata = match moved {
        Ok((_, metadata)) => metadata,
        Err(error) => return Err(not_moved(error, &from, &to, args.overwrite, cx).await?),
    };
    let file = WrittenFile {
        path: to.to_string(),
        size: metadata.size,
        version: metadata.version,
        modified: metadata.modified_ms.map(date::utc),
    };
    heard::tell(&file, cx).await;
    Ok(file)
}

/// Asks the user before a file goes elsewhere. A move that can't be made is not asked about.
async fn confirm_moving(
    from: &BlobPath,
    to: &BlobPath,
    overwrite: bool,
    cx: &Cx,
) -> Result<(), ToolError> {
    let Some(confirmation) = cx.confirmation()? else {
        return Ok(());
    };
    let blobs = &**blobs(cx)?;
    let look = |path| async move { blobs.metadata(&path).await };
    if forms::with(from, look).await.is_err() {
        return Ok(());
    }
    let lost = match blobs.metadata(to).await {
        // another form of its own name is no other file
        Ok(_) if forms::are_same(from, to) => String::new(),
        Ok(_) if !overwrite => return Ok(()),
        Ok(there) => format!(" The file there, of {} bytes, is lost.", there.size),
        Err(_) => String::new(),
    };
    let (here, there) = (excerpt(from.as_str()), excerpt(to.as_str()));
    confirmation.ask(&format!("Move the file {here} to {there}?{lost}"))
}

/// Why a file was not moved, as the model reads it.
async fn not_moved(
    error: BlobError,
    from: &BlobPath,
    to: &BlobPath,
    overwrite: bool,
    cx: &Cx,
) -> Result<ToolError, ToolError> {
    let (here, there) = (text::quoted(from.as_str()), text::quoted(to.as_str()));
    Ok(match error {
        BlobError::Changed if overwrite => ToolError::new(format!(
            "Nothing was moved: {here} was changed meanwhile, or is the \
                same file as {there}. Look at both again."
        )),
        BlobError::Changed => ToolError::new(format!(
            "Nothing was moved: {there} is there already. Choose another \
                path, or ask the user about `overwrite`."
        )),
        BlobError::Copied(cause) => ToolError::new(format!(
            "{there} has the file now, but {here} could not be taken away and has it too. Tell the \
             user, who may delete it."
        ))
        .with_cause(cause),
        BlobError::Refused(cause) => ToolError::new(format!(
            "This server may not move {here} to {there}. Tell the user, who \
                may ask the operator."
        ))
        .with_cause(cause),
        BlobError::Link => failed(error, from),
        // a store does not say which of the two paths it means
        error => failed(
            error,
            if blobs(cx)?.metadata(from).await.is_ok() {
                to
            } else {
                from
            },
        ),
    })
}
