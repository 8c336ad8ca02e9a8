//! What a host calls: a message becomes a [`Call`], the server's answer an [`Execution`].

pub use crate::builder::{ToolChange, ToolSetting};
pub use crate::call::{Call, Envelope, Era, Params, RequestMeta, unsupported};
pub use crate::dispatch::tasks::run::TaskRun;
pub use crate::event::job::{EventJobRun, EventsPumped, due_too_late};
pub use crate::line::{Batch, Connection, Letter, Received};
pub use crate::model::capabilities::{Capability, ClientCapabilities};
pub use crate::model::list_kind::ListKind;
pub use crate::model::meta::TraceContext;
pub use crate::model::subscription::{Listening, Subscriptions};
pub use crate::post::{Delivery, LETTER_BYTES};
pub use crate::running::{ErrorInfo, Execution, Frame, RpcResponse, Running};
pub use crate::session::Session;
pub use crate::subscriptions::Updates;
