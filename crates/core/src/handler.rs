//! The traits behind `.handler(..)` and the macros: what can be a handler, what it may take and
//! give, and what can be registered.

pub use crate::confirm::Confirmation;
pub use crate::context::KnownTool;
pub use crate::handler_future::{HandlerFuture, Registrable};
pub use crate::handler_trait::Handler;
pub use crate::prompt::{IntoPrompt, IntoPromptResult};
pub use crate::resource::IntoResource;
pub use crate::resource::result::IntoResourceContents;
pub use crate::send::{BoxFuture, MaybeSend, MaybeSync};
pub use crate::tool::IntoTool;
pub use crate::tool::result::{IntoToolResult, Structured};
pub use crate::tool::schema::Input;
