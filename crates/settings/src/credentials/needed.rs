//! What a method can't do without, and how a host opens the place of a secret.

use std::sync::Arc;

use mcpfn_auth::KeySource;

use crate::methods::AuthMethod;
use crate::reader::EnvReader;

/// Makes of a variable's value, such as that of `MCPFN_API_KEYS_SOURCE`, where the host reads a
/// secret, or reports why it can't. Takes the variable's name, then its value.
pub type OpenKeySource = fn(&mut EnvReader<'_>, &'static str, &str) -> Option<Arc<dyn KeySource>>;

/// The variable of this name, which a method needs: what it is, if it is not set.
pub(super) fn needed(
    reader: &mut EnvReader<'_>,
    name: &str,
    method: AuthMethod,
    what: &str,
) -> Option<String> {
    let text = reader.text(name).filter(|text| {
        text.chars()
            .any(|letter| letter != ',' && !letter.is_whitespace())
    });
    if text.is_none() {
        reader.mistake(format!(
            "{name} is not set, and MCPFN_AUTH={} needs it: set it to {what}",
            method.as_str()
        ));
    }
    text.map(|text| text.trim().to_owned())
}
