//! Scopes: whether the caller may call this at all. What scopes are, and which covers which, is
//! `crate::scope`.

use crate::jsonrpc::Error;
use crate::principal::Principal;
use crate::server::target::Target;

/// Refuses a caller that lacks a scope, and names all that it needs: a client asks for them in one
/// go.
pub(crate) fn admit(target: &Target, principal: &Principal) -> Result<(), Error> {
    let needs = target.scopes();
    if principal.scopes.contains_all(needs) {
        return Ok(());
    }
    let word = if needs.len() == 1 { "scope" } else { "scopes" };
    Err(Error::forbidden(
        format!(
            "`{}` needs the {word} {}",
            target.name(),
            needs.join(" and ")
        ),
        needs,
    ))
}
