//! What a resource's handler may return, turned into the wire's contents.

use serde::Serialize;

use crate::error::ToolError;
use crate::model::content::ResourceContents;
use crate::tool::result::Json;

/// A result that a resource may return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a resource's contents",
    label = "not resource contents",
    note = "return a `String`, `Vec<u8>`, `Json<T>`, `ResourceContents`, `Vec<ResourceContents>`, \
        or a `Result` of one of these"
)]
pub trait IntoResourceContents {
    /// Turns the value into contents of the URI that was asked for.
    ///
    /// # Errors
    /// The handler's own failure, or an internal one when the value can't be written as JSON.
    fn into_contents(
        self,
        uri: &str,
        mime_type: Option<&str>,
    ) -> Result<Vec<ResourceContents>, ToolError>;
}

impl IntoResourceContents for String {
    fn into_contents(
        self,
        uri: &str,
        mime_type: Option<&str>,
    ) -> Result<Vec<ResourceContents>, ToolError> {
        Ok(vec![ResourceContents::text(
            uri,
            mime_type.unwrap_or("text/plain"),
            self,
        )])
    }
}

impl IntoResourceContents for &'static str {
    fn into_contents(
        self,
        uri: &str,
        mime_type: Option<&str>,
    ) -> Result<Vec<ResourceContents>, ToolError> {
        self.to_owned().into_contents(uri, mime_type)
    }
}

impl IntoResourceContents for Vec<u8> {
    fn into_contents(
        self,
        uri: &str,
        mime_type: Option<&str>,
    ) -> Result<Vec<ResourceContents>, ToolError> {
        Ok(vec![ResourceContents::blob(
            uri,
            mime_type.unwrap_or("application/octet-stream"),
            self,
        )])
    }
}

impl<T: Serialize> IntoResourceContents for Json<T> {
    fn into_contents(
        self,
        uri: &str,
        mime_type: Option<&str>,
    ) -> Result<Vec<ResourceContents>, ToolError> {
        let text = serde_json::to_string_pretty(&self.0)?;
        Ok(vec![ResourceContents::text(
            uri,
            mime_type.unwrap_or("application/json"),
            text,
        )])
    }
}

impl IntoResourceContents for ResourceContents {
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<Vec<ResourceContents>, ToolError> {
        Ok(vec![self])
    }
}

impl IntoResourceContents for Vec<ResourceContents> {
    fn into_contents(self, _: &str, _: Option<&str>) -> Result<Vec<ResourceContents>, ToolError> {
        Ok(self)
    }
}

impl<T: IntoResourceContents, E: Into<ToolError>> IntoResourceContents for Result<T, E> {
    fn into_contents(
        self,
        uri: &str,
        mime_type: Option<&str>,
    ) -> Result<Vec<ResourceContents>, ToolError> {
        self.map_err(Into::into)?.into_contents(uri, mime_type)
    }
}
