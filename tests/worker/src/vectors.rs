//! A store of vectors, as tools: what the port says, one tool a function.

use std::collections::BTreeMap;

use mcpfn::port::{NearestVectors, VectorEntry, VectorError, VectorStore};
use mcpfn::prelude::*;

pub(crate) fn server() -> Builder {
    Server::builder("vectors", "1.0.0")
        .tool(put)
        .tool(remove)
        .tool(nearest)
}

#[input]
struct Put {
    model: String,
    entries: BTreeMap<String, Vec<f32>>,
}

/// Puts vectors by their ids.
#[tool]
async fn put(args: Put, cx: &Cx) -> Result<&'static str, ToolError> {
    let entries = args.entries.into_iter();
    let entries: Vec<_> = entries
        .map(|(id, vector)| VectorEntry { id, vector })
        .collect();
    let store = cx.port::<dyn VectorStore>()?;
    let put = store.put(&args.model, &entries).await;
    put.map(|()| "put").map_err(|error| said(&error))
}

#[input]
struct Remove {
    model: String,
    ids: Vec<String>,
}

/// Takes vectors away.
#[tool]
async fn remove(args: Remove, cx: &Cx) -> Result<&'static str, ToolError> {
    let store = cx.port::<dyn VectorStore>()?;
    let removed = store.remove(&args.model, &args.ids).await;
    removed.map(|()| "removed").map_err(|error| said(&error))
}

#[input]
struct Nearest {
    model: String,
    vector: Vec<f32>,
    most: usize,
}

/// The ids of the nearest, a JSON list, after `partial` where others may have been left out.
#[tool]
async fn nearest(args: Nearest, cx: &Cx) -> Result<String, ToolError> {
    let store = cx.port::<dyn VectorStore>()?;
    let found = store.nearest(&args.model, &args.vector, args.most).await;
    let NearestVectors { ids, partial } = found.map_err(|error| said(&error))?;
    let partial = if partial { "partial " } else { "" };
    Ok(format!("{partial}{}", serde_json::json!(ids)))
}

/// Elsewhere a store's words are for the log only.
fn said(error: &VectorError) -> ToolError {
    ToolError::new(format!("refused: {error}"))
}
