//! What the functions of one server must have in common, where there is one beside that which answers
//! clients.

use mcpfn_settings::EnvReader;

/// Notes what `what` lacks: the table, which is where `kept` are, and the key that seals state.
pub(crate) fn check_shared(
    reader: &mut EnvReader<'_>,
    what: &str,
    (has_table, has_key): (bool, bool),
    kept: &str,
) {
    if !has_table {
        reader.mistake(format!(
            "{what} needs MCPFN_DYNAMODB_TABLE: it is where {kept}"
        ));
    }
    if !has_key {
        reader.mistake(format!(
            "{what} needs MCPFN_STATE_KEY, the same for all functions: set it to 32 random bytes in \
             Base64"
        ));
    }
}
