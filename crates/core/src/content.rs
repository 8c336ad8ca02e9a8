//! Content blocks, the results that hold them, and the names and icons shown beside them.

pub use crate::model::content::{
    Annotations, Content, EmbeddedResource, MediaContent, ResourceBody, ResourceContents,
    ResourceLink, Role, TextContent,
};
pub use crate::model::implementation::{Icon, Implementation};
pub use crate::model::prompt::{GetPromptResult, PromptMessage};
pub use crate::model::tool::CallToolResult;
