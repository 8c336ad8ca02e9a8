//! A key or token that a tool uses: the text, or where the host keeps it. Not a store: those are
//! behind [`SecretStore`].

use std::borrow::Cow;
use std::fmt;

use mcpfn_core::{Cx, ToolError, text};

use crate::SecretStore;

/// A key or a token, or where the host keeps it. It is never printed, and has only characters that
/// a header can carry.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Place);

#[derive(Clone, PartialEq, Eq)]
enum Place {
    /// This is it.
    Here(String),
    /// The host's [`SecretStore`] has it, under this reference.
    Stored(String),
}

impl Secret {
    /// Takes a key, without the spaces around it; or a reference to one, `ssm:NAME` or
    /// `secretsmanager:NAME`.
    ///
    /// # Errors
    /// When it is empty or has spaces, line ends or characters beyond ASCII inside, as no key has.
    pub fn new(key: impl Into<String>) -> Result<Self, NoSecret> {
        let key: String = key.into();
        let trimmed = key.trim();
        let legal = !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_graphic());
        if !legal {
            return Err(NoSecret);
        }
        let stored = text::is_secret_reference(trimmed);
        let place = if stored { Place::Stored } else { Place::Here };
        Ok(Self(place(trimmed.to_owned())))
    }

    /// The key as it is now, from the host's store if that is where it is. Hosts may keep what they
    /// read for some minutes; ask again for each call.
    ///
    /// ```
    /// use mcpfn_core::{Cx, ToolError};
    /// use mcpfn_ports::Secret;
    ///
    /// async fn header(key: &Secret, cx: &Cx) -> Result<String, ToolError> {
    ///     Ok(format!("Bearer {}", key.read(cx).await?))
    /// }
    /// # let key = Secret::new("abc").unwrap();
    /// # let cx = mcpfn_testing::TestCx::new().build();
    /// # let header = mcpfn_testing::block_on(header(&key, &cx)).unwrap();
    /// # assert_eq!(header, "Bearer abc");
    /// ```
    ///
    /// # Errors
    /// An internal error, because the caller can do nothing about it. Its cause goes to the log and
    /// has no secret in it.
    pub async fn read(&self, cx: &Cx) -> Result<Cow<'_, str>, ToolError> {
        Ok(match self.ready(cx).await? {
            Some(Self(Place::Here(key) | Place::Stored(key))) => Cow::Owned(key),
            None => Cow::Borrowed(self.expose()),
        })
    }

    /// The key itself, to be sent to the service that gave it and nowhere else. Of one that is kept
    /// elsewhere there is none before it is [ready](Self::ready).
    #[must_use]
    pub fn expose(&self) -> &str {
        match &self.0 {
            Place::Here(key) => key,
            Place::Stored(_) => "",
        }
    }

    /// The key as it is now, if it has to be read first; nothing if it is here already.
    ///
    /// # Errors
    /// An internal error, because the caller can do nothing about it.
    pub async fn ready(&self, cx: &Cx) -> Result<Option<Self>, ToolError> {
        let Place::Stored(reference) = &self.0 else {
            return Ok(None);
        };
        let store = cx.port::<dyn SecretStore>()?;
        let read = store.read(reference).await.map_err(ToolError::internal)?;
        let key = Self::new(read)
            .map_err(|error| ToolError::internal(format!("the secret `{reference}` {error}")))?;
        match key.0 {
            Place::Here(_) => Ok(Some(key)),
            Place::Stored(_) => Err(ToolError::internal(format!(
                "the secret `{reference}` is a reference to another one; put the key itself there"
            ))),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The text can't be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSecret;

impl fmt::Display for NoSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "is not a key: it is empty, or has spaces, line ends or other characters that no key \
             has; paste the key alone",
        )
    }
}

impl std::error::Error for NoSecret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let key = Secret::new(" k-hunter2\n").unwrap();
        assert_eq!(key.expose(), "k-hunter2");
        assert_eq!(format!("{key:?}"), "Secret");
        for other in ["", "  ", "two words", "line\r\nx-more: 1", "schlüssel"] {
            assert_eq!(Secret::new(other), Err(NoSecret), "{other}");
        }
    }
}
