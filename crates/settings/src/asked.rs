//! The scopes that OAuth clients are told of before they have them: what to ask for first, and what
//! more they could ask for. Grants nothing.

use mcpfn_core::Scopes;

use crate::reader::EnvReader;

/// `MCPFN_LIST_STEP_UP`: whether tools are listed that more scopes would open.
pub(crate) fn list_step_up(reader: &mut EnvReader<'_>) -> bool {
    reader.switch("MCPFN_LIST_STEP_UP", true)
}

/// `MCPFN_ADVERTISED_SCOPES`: what a client is told to ask for first.
pub(crate) fn advertised(reader: &mut EnvReader<'_>) -> Vec<String> {
    let name = "MCPFN_ADVERTISED_SCOPES";
    let text = reader.text(name).unwrap_or_default();
    let scopes: Vec<String> = Scopes::parse(&text).iter().map(str::to_owned).collect();
    match &scopes[..] {
        [read] if read == "read" => return Vec::new(),
        [all] if all == "all" => return vec!["*".to_owned()],
        _ => {}
    }
    // the characters of a scope in OAuth, without those that end the challenge's quotation
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    if scopes
        .iter()
        .any(|scope| scope == "*" || !scope.bytes().all(legal))
    {
        reader.mistake(format!(
            "{name} must be read, all, or scopes separated by spaces, such as crm:read crm:write"
        ));
        return Vec::new();
    }
    scopes
}
