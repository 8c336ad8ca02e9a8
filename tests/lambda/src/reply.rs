//! The answer of a function as HTTP: buffered documents and the streaming envelope read into one
//! shape.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::environment::Parts;
use crate::runtime_api::Part;

/// Between the head of a streamed answer and its body.
const DELIMITER: [u8; 8] = [0; 8];

/// Status and headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Whether it was streamed.
    pub streamed: bool,
    /// Status and headers.
    pub head: Head,
    /// The pieces of the body, and how long after the event each arrived. A buffered body is one
    /// piece.
    pub pieces: Vec<(Duration, Bytes)>,
    /// The document of a buffered answer.
    pub document: Value,
    /// Its bytes.
    pub document_bytes: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The function reported an error.
    Function(Value),
    /// The process ended.
    Exited(String),
    /// A streamed answer broke off, with what had come of it.
    Broken(String, Bytes),
    /// What came can't be read.
    Unreadable(String),
}

impl Reply {
    /// Waits for the parts of a whole answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn collect(mut parts: Parts) -> Result<Self, Failure> {
        let mut prelude = Prelude::default();
        let mut head = None;
        let mut pieces = Vec::new();
        while let Some((at, part)) = parts.next().await {
            match part {
                Part::Whole(bytes) => return Self::buffered(at, &bytes),
                Part::Piece(bytes) => match &head {
                    Some(_) => pieces.push((at, bytes)),
                    None => {
                        if let Some((found, rest)) = prelude.push(&bytes)? {
                            head = Some(found);
                            pieces.extend((!rest.is_empty()).then_some((at, rest)));
                        }
                    }
                },
                Part::End(None) => {
                    let head = head.ok_or_else(|| {
                        Failure::Unreadable("the stream ended before its head did".to_owned())
                    })?;
                    return Ok(Self {
                        streamed: true,
                        head,
                        pieces,
                        document: Value::Null,
                        document_bytes: 0,
                    });
                }
                Part::End(Some(error)) => return Err(Failure::Broken(error, join(&pieces))),
                Part::Broken(error) => return Err(Failure::Broken(error, join(&pieces))),
                Part::Failed(error) => return Err(Failure::Function(error)),
                Part::Exited(status) => return Err(Failure::Exited(status)),
            }
        }
        Err(Failure::Unreadable("the answer has no end".to_owned()))
    }

    /// Reads the document of a buffered answer.
    pub(crate) fn buffered(at: Duration, bytes: &[u8]) -> Result<Self, Failure> {
        use base64::Engine as _;
        let document: Value = serde_json::from_slice(bytes)
            .map_err(|error| Failure::Unreadable(error.to_string()))?;
        let body = document["body"].as_str().unwrap_or_default();
        let body = if document["isBase64Encoded"] == true {
            let decoded = base64::engine::general_purpose::STANDARD.decode(body);
            decoded
                .map_err(|error| Failure::Unreadable(error.to_string()))?
                .into()
        } else {
            Bytes::copy_from_slice(body.as_bytes())
        };
        let pieces = if body.is_empty() {
            Vec::new()
        } else {
            vec![(at, body)]
        };
        Ok(Self {
            streamed: false,
            head: Head::read(&document)?,
            pieces,
            document,
            document_bytes: bytes.len(),
        })
    }

    /// The whole body.
    #[must_use]
    pub fn body(&self) -> Bytes {
        join(&self.pieces)
    }

    /// The body as JSON, or the last event of an event stream.
    #[must_use]
    pub fn json(&self) -> Value {
        let body = self.body();
        let text = String::from_utf8_lossy(&body);
        let last = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "));
        serde_json::from_str(last.unwrap_or(&text)).unwrap_or_default()
    }
}

impl Head {
    fn read(document: &Value) -> Result<Self, Failure> {
        let unreadable = || Failure::Unreadable(format!("no status and headers: {document}"));
        let status = document["statusCode"]
            .as_u64()
            .and_then(|status| u16::try_from(status).ok())
            .ok_or_else(unreadable)?;
        let mut head = Self {
            status: StatusCode::from_u16(status).map_err(|_| unreadable())?,
            headers: HeaderMap::new(),
        };
        for field in ["headers", "multiValueHeaders"] {
            for (name, value) in document[field].as_object().into_iter().flatten() {
                let values = value
                    .as_array()
                    .map_or(std::slice::from_ref(value), Vec::as_slice);
                for value in values {
                    let name = HeaderName::try_from(name).map_err(|_| unreadable())?;
                    let value = HeaderValue::from_str(value.as_str().ok_or_else(unreadable)?)
                        .map_err(|_| unreadable())?;
                    head.headers.append(name, value);
                }
            }
        }
        Ok(head)
    }
}

/// Collects the head of a streamed answer, which may come in pieces of any size.
#[derive(Debug, Default)]
pub struct Prelude(Vec<u8>);

impl Prelude {
    /// Adds a piece; gives the head once it is whole, with what followed it.
    ///
    /// # Errors
    /// When it is no head.
    pub fn push(&mut self, piece: &[u8]) -> Result<Option<(Head, Bytes)>, Failure> {
        self.0.extend_from_slice(piece);
        let Some(end) = self
            .0
            .windows(DELIMITER.len())
            .position(|window| window == DELIMITER)
        else {
            return Ok(None);
        };
        let document = serde_json::from_slice(&self.0[..end])
            .map_err(|error| Failure::Unreadable(error.to_string()))?;
        Ok(Some((
            Head::read(&document)?,
            Bytes::copy_from_slice(&self.0[end + DELIMITER.len()..]),
        )))
    }
}

fn join(pieces: &[(Duration, Bytes)]) -> Bytes {
    pieces
        .iter()
        .flat_map(|(_, piece)| piece.iter().copied())
        .collect()
}
