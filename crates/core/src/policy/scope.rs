//! Scopes: whether the caller may call this at all. What scopes are, and which covers which, is
//! `crate::scope`.

use crate::dispatch::active_call::Target;
use crate::jsonrpc::Error;
use crate::principal::Principal;
use crate::server::Server;

/// Refuses a caller that lacks a scope, and names all that it needs: a client asks for them in one
/// go.
pub(crate) fn admit(server: &Server, place: Target, principal: &Principal) -> Result<(), Error> {
    let needs = place.scopes(server);
    if principal.scopes.contains_all(needs) {
        return Ok(());
    }
    let word = if needs.len() == 1 { "scope" } else { "scopes" };
    Err(Error::forbidden(
        format!(
            "`{}` needs the {word} {}",
            place.name(server),
            needs.join(" and ")
        ),
        needs,
    ))
}
