//! The port to a model that turns texts into vectors, and its failures. Not a client: toolkits and
//! hosts implement it elsewhere.

use std::fmt;

use mcpfn_core::ServiceFault;
use mcpfn_core::handler::{BoxFuture, MaybeSend, MaybeSync};

/// A model whose vectors are close where the meaning of texts is.
///
/// ```
/// use mcpfn_core::handler::BoxFuture;
/// use mcpfn_ports::{EmbedError, Embedder};
///
/// /// Knows of a text how long it is and how many words it has: a model for tests.
/// struct Lengths;
///
/// impl Embedder for Lengths {
///     fn model(&self) -> &str {
///         "lengths"
///     }
///
///     fn embed<'a>(
///         &'a self,
///         texts: &'a [String],
///     ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
///         let vector = |text: &String| vec![text.len() as f32, text.split(' ').count() as f32];
///         let vectors = texts.iter().map(vector).collect();
///         Box::pin(async { Ok(vectors) })
///     }
/// }
///
/// let texts = ["tea".to_owned(), "green tea".to_owned()];
/// let vectors = mcpfn_testing::block_on(Lengths.embed(&texts)).unwrap();
/// assert_eq!(vectors, [[3.0, 1.0], [9.0, 2.0]]);
/// ```
pub trait Embedder: MaybeSend + MaybeSync {
    /// The model's name. Vectors of different models can't be compared.
    fn model(&self) -> &str;

    /// One vector a text, in their order and all of one length. Callers give at most 64 texts of at
    /// most 2,000 characters.
    ///
    /// # Errors
    /// See [`EmbedError`].
    fn embed<'a>(&'a self, texts: &'a [String])
    -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>>;
}

/// Why there are no vectors.
///
/// ```
/// use mcpfn_core::ServiceFault;
/// use mcpfn_ports::EmbedError;
///
/// let error = EmbedError::new(ServiceFault::Credentials, "status 401");
/// assert_eq!(error.to_string(), "service_credentials: status 401");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmbedError {
    /// What was wrong with the model's service.
    pub fault: ServiceFault,
    /// For the log.
    pub cause: String,
}

impl EmbedError {
    /// A fault with its cause for the log, without secrets.
    pub fn new(fault: ServiceFault, cause: impl Into<String>) -> Self {
        Self {
            fault,
            cause: cause.into(),
        }
    }
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault.as_str(), self.cause)
    }
}

impl std::error::Error for EmbedError {}
