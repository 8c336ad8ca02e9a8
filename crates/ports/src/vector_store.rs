//! The port to a store of vectors that finds the nearest by itself, and its failures. Not a client:
//! hosts implement it elsewhere.

use std::fmt;

use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

/// Vectors of passages in a store of their own, such as an index of approximate neighbours. A host
/// that has none gives none: toolkits then compare the vectors that the database has.
///
/// Vectors of one model are a collection: what is put, removed and found of one is nothing to
/// another. All of a collection have the same length.
///
/// ```
/// use std::collections::BTreeMap;
/// use std::sync::Mutex;
///
/// use mcpfn_core::handler::BoxFuture;
/// use mcpfn_ports::{NearestVectors, VectorEntry, VectorError, VectorStore};
///
/// /// Vectors of one number, of one model: a store for tests.
/// #[derive(Default)]
/// struct Line(Mutex<BTreeMap<String, f32>>);
///
/// type Answer<'a, T> = BoxFuture<'a, Result<T, VectorError>>;
///
/// impl VectorStore for Line {
///     fn put<'a>(&'a self, _: &'a str, entries: &'a [VectorEntry]) -> Answer<'a, ()> {
///         let new = entries.iter().map(|entry| (entry.id.clone(), entry.vector[0]));
///         self.0.lock().unwrap().extend(new);
///         Box::pin(async { Ok(()) })
///     }
///
///     fn remove<'a>(&'a self, _: &'a str, ids: &'a [String]) -> Answer<'a, ()> {
///         self.0.lock().unwrap().retain(|id, _| !ids.contains(id));
///         Box::pin(async { Ok(()) })
///     }
///
///     fn nearest<'a>(
///         &'a self,
///         _: &'a str,
///         vector: &'a [f32],
///         most: usize,
///     ) -> Answer<'a, NearestVectors> {
///         let mut known: Vec<(String, f32)> = self.0.lock().unwrap().clone().into_iter().collect();
///         let far = |number: f32| (number - vector[0]).abs();
///         known.sort_by(|one, other| far(one.1).total_cmp(&far(other.1)));
///         let ids = known.into_iter().take(most).map(|(id, _)| id).collect();
///         Box::pin(async { Ok(NearestVectors { ids, partial: false }) })
///     }
/// }
///
/// # mcpfn_testing::block_on(async {
/// let store = Line::default();
/// let entries = [("one", 0.1), ("two", 0.5), ("three", 0.9)];
/// let entries = entries.map(|(id, number)| VectorEntry::new(id, vec![number]));
/// store.put("m", &entries).await?;
/// store.remove("m", &["one".to_owned()]).await?;
/// assert_eq!(store.nearest("m", &[0.2], 1).await?.ids, ["two"]);
/// # Ok::<(), VectorError>(())
/// # }).unwrap();
/// ```
pub trait VectorStore: MaybeSend + MaybeSync {
    /// Puts vectors of a model, each in the place of what has its id. Where a store takes a few at
    /// once it divides them itself; it may take some seconds until they are found.
    ///
    /// # Errors
    /// See [`VectorError`]. Some of them may be there then; the same again repairs that.
    fn put<'a>(
        &'a self,
        model: &'a str,
        entries: &'a [VectorEntry],
    ) -> BoxFuture<'a, Result<(), VectorError>>;

    /// Takes vectors of a model away. An id that is not there is no error.
    ///
    /// # Errors
    /// See [`VectorError`].
    fn remove<'a>(
        &'a self,
        model: &'a str,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<(), VectorError>>;

    /// The vectors of this model that are nearest by the cosine, at most so many; none where there
    /// are none of the model. Callers ask for at most 100.
    ///
    /// # Errors
    /// See [`VectorError`], also for a vector of another length than the model's; passages are then
    /// found by what the database has.
    fn nearest<'a>(
        &'a self,
        model: &'a str,
        vector: &'a [f32],
        most: usize,
    ) -> BoxFuture<'a, Result<NearestVectors, VectorError>>;
}

/// A vector with its id.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorEntry {
    /// Text of any script and length, such as `leave-policy:1200`.
    pub id: String,
    /// Numbers that are finite.
    pub vector: Vec<f32>,
}

impl VectorEntry {
    /// An id and its vector.
    pub fn new(id: impl Into<String>, vector: Vec<f32>) -> Self {
        Self {
            id: id.into(),
            vector,
        }
    }
}

/// What a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NearestVectors {
    /// Ids, the nearest first.
    pub ids: Vec<String>,
    /// Whether nearer ones may have been left out for another reason than that the store finds
    /// approximately.
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
