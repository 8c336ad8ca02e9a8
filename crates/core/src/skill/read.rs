//! The file of a skill as a resource: found in the same set that is listed, and checked against it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::set::ServedFile;
use super::shelf::{SkillView, Stock};
use super::{SkillSource, sha256};
use crate::context::Cx;
use crate::error::ToolError;
use crate::model::content::ResourceContents;
use crate::resource::ErasedResource;
use crate::send::BoxFuture;

/// Reads files of skills.
pub(crate) struct SkillReader(pub(crate) Arc<Stock>);

impl ErasedResource for SkillReader {
    fn start(
        &self,
        _: BTreeMap<String, String>,
        uri: String,
        _: Option<String>,
        cx: Cx,
    ) -> Result<BoxFuture<'static, Result<Vec<ResourceContents>, ToolError>>, serde_json::Error>
    {
        let stock = Arc::clone(&self.0);
        Ok(Box::pin(async move {
            let views = stock.views(&cx, &cx.principal().scopes).await;
            let found = views
                .views
                .iter()
                .find_map(|view| Some((view, visible_file(view, &uri)?)));
            let Some((view, file)) = found else {
                return match views.incomplete {
                    true => Err(unavailable()),
                    // the caller reads that there is none, also of one that it may not see
                    false => Ok(Vec::new()),
                };
            };
            let bytes = bytes(file, view.source.as_deref(), cx.clone()).await?;
            Ok(vec![contents(uri, file, &bytes)])
        }))
    }
}

/// A source may have what was asked for, and can't say so now.
pub(crate) fn unavailable() -> ToolError {
    ToolError::unavailable(
        "skills are unavailable; try again later",
        "a source of skills failed",
    )
}

fn visible_file<'a>(view: &'a SkillView, uri: &str) -> Option<&'a ServedFile> {
    let file = view.set.file(uri)?;
    let mut skills = file.skills.iter();
    skills.any(|skill| view.sees(*skill)).then_some(file)
}

async fn bytes(
    file: &ServedFile,
    source: Option<&dyn SkillSource>,
    cx: Cx,
) -> Result<Bytes, ToolError> {
    if let Some(bytes) = &file.file.bytes {
        return Ok(bytes.clone());
    }
    let Some(source) = source else {
        return Err(ToolError::internal("a file of a skill has no bytes"));
    };
    let read = source.read(file.path.clone(), cx);
    let bytes = read.await?;
    if sha256(&bytes) != *file.file.digest {
        // a client compares digests: better an error than bytes that are not those of the list
        source.changed();
        return Err(ToolError::unavailable(
            "the file changed since its skill was listed: list the skills again",
            format!("{} has another digest", file.path),
        ));
    }
    Ok(bytes)
}

fn contents(uri: String, file: &ServedFile, bytes: &Bytes) -> ResourceContents {
    match std::str::from_utf8(bytes) {
        Ok(text) => ResourceContents::text(uri, file.mime_type, text),
        Err(_) => ResourceContents::blob(uri, file.mime_type, bytes),
    }
}
