//! The port to a store of vectors that finds the nearest by itself, and its failures. Not a client:
//! hosts implement it elsewhere.

use std::fmt;

use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

/// Vectors of passages in a store of their own, such as an index of approximate neighbours. A host
/// that has none gives none: toolkits then compare the vectors that the database has.
///
/// ```
/// use mcpfn_core::handler::BoxFuture;
/// use mcpfn_ports::{NearestPassages, VectorError, VectorStore};
///
/// /// Three passages on a line: a store for tests.
/// struct Line;
///
/// impl VectorStore for Line {
///     fn nearest<'a>(
///         &'a self,
///         _: &'a str,
///         vector: &'a [f32],
///         most: usize,
///     ) -> BoxFuture<'a, Result<NearestPassages, VectorError>> {
///         let mut known = [(1, 0.1), (2, 0.5), (3, 0.9)];
///         known.sort_by(|one: &(i64, f32), other| {
///             (one.1 - vector[0]).abs().total_cmp(&(other.1 - vector[0]).abs())
///         });
///         let passages = known.iter().take(most).map(|(passage, _)| *passage).collect();
///         Box::pin(async { Ok(NearestPassages { passages, partial: false }) })
///     }
/// }
///
/// let nearest = mcpfn_testing::block_on(Line.nearest("m", &[0.8], 2)).unwrap();
/// assert_eq!(nearest.passages, [3, 2]);
/// ```
pub trait VectorStore: MaybeSend + MaybeSync {
    /// The passages whose vectors of this model are nearest by the cosine, at most so many.
    ///
    /// # Errors
    /// See [`VectorError`]; passages are then found by what the database has.
    fn nearest<'a>(
        &'a self,
        model: &'a str,
        vector: &'a [f32],
        most: usize,
    ) -> BoxFuture<'a, Result<NearestPassages, VectorError>>;
}

/// What a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NearestPassages {
    /// Numbers of passages as the database has them, the nearest first.
    pub passages: Vec<i64>,
    /// Whether nearer ones may have been left out.
    pub partial: bool,
}

/// Why a store did not answer: for the log, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VectorError(pub String);

impl fmt::Display for VectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for VectorError {}
