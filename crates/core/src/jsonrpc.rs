//! The JSON-RPC 2.0 message: reading messages without copying them, writing responses. Knows no
//! method of MCP.

mod answered;
mod error;
mod member;
mod message;
mod raw;
mod read;
mod surrogate;
mod unreadable;
mod values;
mod write;

pub use answered::answered;
pub use error::{Error, ErrorCode};
pub(crate) use member::{MAX_TOKEN_BYTES, Object, is_token, present, string};
pub use message::{ClientAnswer, Id, Incoming, Malformed, Message, Notification, Request};
pub use read::{read, read_message};
pub(crate) use surrogate::refused;
pub(crate) use unreadable::culprit;
pub use values::MAX_VALUES;
pub(crate) use write::to_json;
pub use write::{write_error, write_notification, write_request, write_result};
