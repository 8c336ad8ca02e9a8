//! The host that a request for the operator's documents names: metrics and probes at an address of their
//! own ask without credentials, by whatever name their network has for a process.

use http::{StatusCode, Uri};

use super::{Refusal, names};
use crate::authority::Authority;
use crate::config::Config;
use crate::fields::Field;
use crate::refusals::Reason;

/// What a request for the operator's documents may name where those are for everybody who reaches
/// them: what no page of the web can have its browser take for its own name, and this server's names.
pub(crate) fn host_of_probes(
    config: &Config,
    uri: &Uri,
    named: Field<'_>,
    allowed: &[String],
) -> Result<(), Refusal> {
    let own = config.hosts.iter().flatten().chain(allowed);
    let own: Vec<&String> = own.collect();
    let known = |authority: Authority<'_>| {
        let host = authority.host;
        let is_address = host.starts_with('[') || host.parse::<core::net::Ipv4Addr>().is_ok();
        // names without a dot are of one's own network
        is_address
            || !host.contains('.')
            || own
                .iter()
                .any(|known| *known == "*" || known.eq_ignore_ascii_case(host))
    };
    if names(uri, named, known) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::Host,
        StatusCode::FORBIDDEN,
        "the header `host` names neither an address nor this server; set MCPFN_ALLOWED_HOSTS to this \
         name",
    ))
}
