//! The toolkits by name, for servers that choose them in their configuration. Reads no configuration.

use std::error::Error;
use std::fmt;

use mcpfn_core::{Builder, text};

use crate::{catalog, database, hello};

type Toolkit = fn(Builder) -> Builder;

const TOOLKITS: [(&str, Toolkit); 3] = [("hello", hello::toolkit), ("catalog", catalog::toolkit), ("database", database::toolkit)];

/// The name of every toolkit.
pub fn names() -> impl Iterator<Item = &'static str> {
    TOOLKITS.into_iter().map(|(name, _)| name)
}

/// Adds the toolkits that a comma-separated list names, such as `hello,catalog`. Spaces and repetitions do no harm; an
/// empty list adds nothing.
///
/// # Errors
/// A name that is not among [`names`].
pub fn register(builder: Builder, list: &str) -> Result<Builder, UnknownToolkit> {
    let wanted: Vec<&str> = list.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names().any(|known| known == **name)) {
        return Err(UnknownToolkit { name: (*unknown).to_owned() });
    }
    let chosen = TOOLKITS.into_iter().filter(|(name, _)| wanted.contains(name));
    Ok(chosen.fold(builder, |builder, (_, toolkit)| toolkit(builder)))
}

/// A toolkit that does not exist was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownToolkit {
    name: String,
}

impl fmt::Display for UnknownToolkit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no toolkit {}; known are", text::quoted(&self.name))?;
        for (position, name) in names().enumerate() {
            write!(f, "{} `{name}`", if position == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Error for UnknownToolkit {}
