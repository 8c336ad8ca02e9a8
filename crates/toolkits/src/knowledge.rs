//! A knowledge base: passages of documents by words, and by meaning where a model is configured.
//! Works on the tables that [`schema_for`] makes and [`add`] fills, in SQLite, D1 or PostgreSQL.
//! Changes nothing while it serves, unless the operator lets it add documents.
//!
//! | variable | what |
//! |---|---|
//! | `MCPFN_EMBEDDINGS_URL` | a service like OpenAI's, e.g. `https://api.openai.com/v1`; without it passages are found by words alone |
//! | `MCPFN_EMBEDDINGS_MODEL` | the model's name, the same as while documents were added |
//! | `MCPFN_KNOWLEDGE_WRITABLE` | `on` adds `ingest_documents`, which takes files of the toolkit `files` |
//! | `MCPFN_EMBEDDINGS_API_KEY` | the service's key, if it needs one |

mod codes;
pub(crate) mod hits;
mod ingest;
pub(crate) mod lexical;
mod match_query;
mod meaning;
mod narrow;
pub(crate) mod outline;
mod pgvector;
mod schema;
mod search;
mod store;
mod stored_vectors;
mod vector;
mod vector_row;
pub(crate) mod vocabulary;

use mcpfn_core::{Builder, Cx, ToolError, input, resource};
use mcpfn_ports::{Sql, SqlError, SqlValue};

use crate::config::Config;
use crate::embedding::EmbeddingEndpoint;
use crate::say::{database_failed, other_columns, quoted};

pub use ingest::{IngestFolder, IngestReport, ingest_documents};
pub use outline::MAX_PASSAGE_LENGTH;
pub use pgvector::{index_vectors, vector_index_mistake};
pub use schema::{is_present, migration_for, prepare, schema_for};
pub use search::{FoundPassage, PassageMatches, Question, semantic_search};
pub use store::{AddError, MAX_DOCUMENT_LENGTH, StoredDocument, add, add_with};

pub(crate) const WRITES: &str = "MCPFN_KNOWLEDGE_WRITABLE";

/// The longest id that is looked up, in bytes.
const MAX_ID_LENGTH: usize = 300;

/// Passages of one document: those of the shortest kind in the longest document.
const MAX_PASSAGES: usize = 20_000;

/// The most text of a document as a resource, in bytes.
const MAX_SHOWN: usize = 256 * 1024;

/// Where vectors come from, if from anywhere.
struct Meaning(Option<EmbeddingEndpoint>);

/// Adds `semantic_search` and the template `knowledge://document/{id}`, both with the scope
/// `knowledge:read`. A host's own port `Embedder` goes before `endpoint`, and its port
/// `VectorStore` before the vectors in the database.
pub fn toolkit(builder: Builder, endpoint: Option<EmbeddingEndpoint>) -> Builder {
    builder
        .state(Meaning(endpoint))
        .state(codes::Codes::default())
        .tool(semantic_search)
        .advice(
            ["semantic_search"],
            "For what the organization's documents say use `semantic_search`, and name the source.",
        )
        .resource(document)
}

/// Adds `ingest_documents` to it, with the scope `knowledge:write`: files of the port `Blobs` become
/// documents. Whoever may search can then read what is in them.
pub fn writable(builder: Builder) -> Builder {
    builder.tool(ingest_documents)
}

pub(crate) fn configured(builder: Builder, config: &mut Config<'_>) -> Builder {
    let endpoint = EmbeddingEndpoint::configured(config);
    let builder = toolkit(builder, endpoint);
    match config.switch(WRITES) {
        true => writable(builder),
        false => builder,
    }
}

/// The variables of `knowledge://document/{id}`.
#[input]
#[derive(Debug)]
pub struct DocumentUri {
    /// A document's id, as searches give it.
    pub id: String,
}

/// One document's text. Text after 256 KB is left out, and the last line says so.
#[resource(
    "knowledge://document/{id}",
    name = "document",
    title = "Document",
    mime = "text/markdown",
    scope = "knowledge:read"
)]
pub async fn document(args: DocumentUri, cx: &Cx) -> Result<String, ToolError> {
    let stored = load(&**cx.port::<dyn Sql>()?, &args.id, "semantic_search").await?;
    let mut text = stored.text;
    if text.len() > MAX_SHOWN {
        let all = text.len();
        text.truncate(text.floor_char_boundary(MAX_SHOWN));
        text.push_str(&format!(
            "\n\n(cut here: the document has {all} bytes; `semantic_search` \
            finds passages in the rest)"
        ));
    }
    Ok(text)
}

/// A failure of the database, or what to do where the tables are missing.
pub(crate) async fn failed(database: &dyn Sql, error: SqlError) -> ToolError {
    match is_present(database).await {
        Ok(false) => ToolError::new(
            "There are no documents on this server yet. Tell the user, who may ask the operator.",
        )
        .with_cause("the database has no documents: add a folder with the command `ingest`"),
        _ => database_failed(error),
    }
}

/// A document with all of its text.
pub(crate) struct Stored {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) source: String,
    pub(crate) text: String,
}

/// A document by its id. `search` is the tool that finds ids.
pub(crate) async fn load(database: &dyn Sql, id: &str, search: &str) -> Result<Stored, ToolError> {
    let id = id.trim();
    let sql = "SELECT d.id, d.title, d.source, p.text FROM documents AS d JOIN passages AS p ON p.document = d.number \
               WHERE d.id = ?1 ORDER BY p.starts";
    let rows = if id.len() > MAX_ID_LENGTH {
        Ok(Default::default())
    } else {
        database.query(sql, &[id.into()], MAX_PASSAGES).await
    };
    let rows = match rows {
        Ok(rows) => rows.rows,
        Err(error) => return Err(failed(database, error).await),
    };
    let mut stored: Option<Stored> = None;
    for row in &rows {
        let [Some(id), Some(title), Some(source), Some(text)] =
            [0, 1, 2, 3].map(|column| row.get(column).and_then(SqlValue::as_str))
        else {
            return Err(other_columns("documents"));
        };
        let new = || Stored {
            id: id.to_owned(),
            title: title.to_owned(),
            source: source.to_owned(),
            text: String::new(),
        };
        stored.get_or_insert_with(new).text.push_str(text);
    }
    stored.ok_or_else(|| {
        ToolError::not_found(format!(
            "There is no document {}. Use `{search}` to find documents and their ids.",
            quoted(id)
        ))
    })
}
