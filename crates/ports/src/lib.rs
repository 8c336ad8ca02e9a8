//! Ports to what tools ask beside the protocol: a SQL database ([`Sql`]), a store of files
//! ([`Blobs`]), a model that turns text into vectors ([`Embedder`]), a store that
//! finds the nearest of them ([`VectorStore`]), a store of keys
//! ([`SecretStore`], for a [`Secret`]); and to what happens on a platform and is no call
//! ([`PlatformEvents`]). Traits and the values that cross them; no driver.
//!
//! They are a crate of their own because the protocol core never calls them: a change to a port is
//! not a change to the protocol, and a server that asks no database does not compile one's types.
//! Drivers are in `mcpfn-sql`, `mcpfn-files` and `mcpfn-worker`; a driver of your own implements the
//! trait.
//!
//! A host hands a driver over with `Platform::with_port`, a handler asks for it by its trait:
//!
//! ```
//! use mcpfn_core::{Cx, ToolError};
//! use mcpfn_ports::{Sql, SqlValue};
//!
//! async fn price(sku: &str, cx: &Cx) -> Result<Option<i64>, ToolError> {
//!     let database = cx.port::<dyn Sql>()?;
//!     let parameters = [SqlValue::Text(sku.to_owned())];
//!     let rows = database.query("SELECT price FROM products WHERE sku = ?1", &parameters, 1).await?;
//!     Ok(rows.rows.first().and_then(|row| match row.as_slice() {
//!         [SqlValue::Integer(price)] => Some(*price),
//!         _ => None,
//!     }))
//! }
//! ```

mod blob_path;
mod blobs;
mod embedder;
mod platform_events;
mod secret;
mod secrets;
mod sql;
mod vector_names;
mod vector_store;

pub use blob_path::{BadPath, BlobPath};
pub use blobs::{
    BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPage, BlobPart, Blobs, WriteCondition,
};
pub use embedder::{EmbedError, Embedder};
pub use platform_events::PlatformEvents;
pub use secret::{NoSecret, Secret};
pub use secrets::SecretStore;
pub use sql::{Dialect, ReadLimits, Rows, Sql, SqlError, SqlValue};
pub use vector_names::VectorNames;
pub use vector_store::{NearestVectors, VectorEntry, VectorError, VectorStore};
