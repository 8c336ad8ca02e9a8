//! Why a test's request has no result. A tool's own failure is a result: `ToolResult::is_error`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::answer::Question;

/// Why there is no result.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientError {
    /// The server answered with an error of the protocol.
    Rpc(ProtocolError),
    /// The server asked what the test has no answer for.
    Unanswered(Vec<Question>),
    /// The server asked again and again. Each retry carries the answers to the last questions
    /// alone, so a handler that asks twice keeps the first answer in `InputRequired::state`.
    AskedTooOften(Vec<Question>),
    /// The answer is not what the method gives: a sentence, and the answer.
    BadAnswer(String),
}

/// An error of the protocol, as the client gets it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProtocolError {
    /// JSON-RPC's or MCP's code.
    pub code: i32,
    /// One sentence that says what to change.
    pub message: String,
    /// More, for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl ClientError {
    /// The code, of an error of the protocol.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        self.rpc().map(|error| error.code)
    }

    /// The sentence, of an error of the protocol; else empty.
    #[must_use]
    pub fn message(&self) -> &str {
        self.rpc().map_or("", |error| &error.message)
    }

    /// The error of the protocol, if it is one.
    #[must_use]
    pub fn rpc(&self) -> Option<&ProtocolError> {
        match self {
            Self::Rpc(error) => Some(error),
            _ => None,
        }
    }

    /// The error of the protocol as JSON, `{"code": .., "message": ..}`; `null` for others.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self.rpc()).unwrap_or_default()
    }

    /// What was asked and not answered.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        match self {
            Self::Unanswered(questions) | Self::AskedTooOften(questions) => questions,
            Self::Rpc(_) | Self::BadAnswer(_) => &[],
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = |questions: &[Question]| {
            let keys: Vec<&str> = questions.iter().map(|asked| asked.key.as_str()).collect();
            keys.join("`, `")
        };
        match self {
            Self::Rpc(error) => write!(f, "{} ({})", error.message, error.code),
            Self::Unanswered(questions) => write!(
                f,
                "no answer was prepared for `{}`: give one with `TestClient::answer`",
                keys(questions)
            ),
            Self::AskedTooOften(questions) => write!(
                f,
                "the server keeps asking for `{}`: a retry carries the last answers alone, so keep \
                 earlier ones in `InputRequired::state`",
                keys(questions)
            ),
            Self::BadAnswer(sentence) => f.write_str(sentence),
        }
    }
}

impl std::error::Error for ClientError {}
