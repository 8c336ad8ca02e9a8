//! What access tokens need: an issuer's, and those of Cloudflare Access.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_auth::{CloudflareAccess, Introspection, IssuerScopes, OAuth, url_mistake};
use mcpfn_core::Scopes;
use mcpfn_core::text::{is_secret_reference, quoted};
use mcpfn_http::{AuthConfig, Authenticator, ProtectedResource};

use super::needed::{OpenKeySource, needed};
use crate::asked::{advertised, list_step_up};
use crate::methods::AuthMethod;
use crate::reader::{EnvReader, listed};

pub(super) fn access(
    reader: &mut EnvReader<'_>,
    scopes: &Scopes,
    max_age: Duration,
) -> Option<Arc<dyn Authenticator>> {
    let team = needed(
        reader,
        "MCPFN_ACCESS_TEAM",
        AuthMethod::CloudflareAccess,
        "the TEAM of TEAM.cloudflareaccess.com",
    );
    let audience = needed(
        reader,
        "MCPFN_ACCESS_AUDIENCE",
        AuthMethod::CloudflareAccess,
        "the AUD tag of the application",
    );
    let (team, audience) = (team?, audience?);
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !team.bytes().all(legal) {
        reader.mistake(
            "MCPFN_ACCESS_TEAM must be the TEAM of TEAM.cloudflareaccess.com alone: \
            lower-case letters, digits and hyphens",
        );
        return None;
    }
    let access = CloudflareAccess::new(&team, listed(&audience)).with_keys_max_age(max_age);
    Some(Arc::new(access.with_default_scopes(scopes.clone())))
}

/// Adds the authenticators of tokens, and gives the URL that tokens are issued for.
pub(super) fn oauth(
    reader: &mut EnvReader<'_>,
    scopes: &Scopes,
    max_age: Duration,
    open: Option<OpenKeySource>,
    auth: &mut AuthConfig,
) -> Option<String> {
    let issuers = needed(
        reader,
        "MCPFN_ISSUER",
        AuthMethod::OAuth,
        "the URL of the issuer, as tokens have it in iss",
    );
    let issuers = listed(&issuers.unwrap_or_default());
    for issuer in &issuers {
        url(reader, "MCPFN_ISSUER", issuer);
    }
    let (own, audiences) = resource(reader);
    let limits = issuer_scopes(reader, &issuers);
    let step_up = list_step_up(reader);
    let mut tokens = OAuth::new(issuers.iter().cloned(), audiences.iter().cloned())
        .with_default_scopes(scopes.clone())
        .with_issuer_scopes(limits.clone())
        .with_step_up(step_up);
    if let Some(keys) = reader.text("MCPFN_JWKS_URL") {
        url(reader, "MCPFN_JWKS_URL", keys.trim());
        match &issuers[..] {
            [] => {}
            [issuer] => tokens = tokens.with_keys_at(issuer, keys.trim()),
            _ => reader.mistake(
                "MCPFN_JWKS_URL has the keys of one issuer, and MCPFN_ISSUER names \
                several: unset it, or name one",
            ),
        }
    }
    let clients = reader.list("MCPFN_CLIENT_IDS");
    if !clients.is_empty() && issuers.len() > 1 {
        reader.mistake(
            "MCPFN_CLIENT_IDS has the clients of one issuer, and MCPFN_ISSUER names several: one \
             could issue tokens by the name of another's client. Unset it, or name one",
        );
    }
    let tokens = tokens.with_client_ids(clients).with_keys_max_age(max_age);
    auth.authenticators.push(Arc::new(tokens));
    if let Some(introspection) = introspection(reader, &issuers, &audiences, max_age, open) {
        let introspection = introspection
            .with_default_scopes(scopes.clone())
            .with_issuer_scopes(limits)
            .with_step_up(step_up);
        auth.authenticators.push(Arc::new(introspection));
    }
    auth.resource = Some(ProtectedResource {
        url: own.clone().unwrap_or_default(),
        authorization_servers: issuers,
        scopes: advertised(reader),
    });
    own
}

/// `MCPFN_ISSUER_SCOPES`: what each issuer may grant. Needed with several, because the operator of
/// one could otherwise grant what is another's.
fn issuer_scopes(reader: &mut EnvReader<'_>, issuers: &[String]) -> IssuerScopes {
    let name = "MCPFN_ISSUER_SCOPES";
    let Some(text) = reader.text(name) else {
        if issuers.len() > 1 {
            reader.mistake(format!(
                "{name} is not set, and MCPFN_ISSUER names several: set it to what each of them may \
                 grant, such as https://a.example=crm catalog:read;https://b.example=*"
            ));
        }
        return IssuerScopes::default();
    };
    let limits: IssuerScopes = match text.parse() {
        Ok(limits) => limits,
        Err(mistakes) => {
            let mistakes: Vec<String> = mistakes;
            mistakes
                .iter()
                .for_each(|mistake| reader.mistake(format!("{name}: {mistake}")));
            return IssuerScopes::default();
        }
    };
    // not repeated where it may have a password in it
    let shown = |issuer: &String| match url_mistake(issuer) {
        None => quoted(issuer).to_string(),
        Some(_) => "an issuer".to_owned(),
    };
    for issuer in issuers.iter().filter(|issuer| !limits.names(issuer)) {
        reader.mistake(format!(
            "{name} does not say what {} may grant: add ISSUER=SCOPE SCOPE",
            shown(issuer)
        ));
    }
    for stranger in limits.issuers().filter(|issuer| !issuers.contains(*issuer)) {
        reader.mistake(format!(
            "{name} has {}, which is not in MCPFN_ISSUER: write issuers as they stand there",
            shown(stranger)
        ));
    }
    limits
}

/// The URL of this server, and what tokens for it have in `aud`.
fn resource(reader: &mut EnvReader<'_>) -> (Option<String>, Vec<String>) {
    let audiences = reader.list("MCPFN_AUDIENCE");
    let own = match audiences
        .iter()
        .find(|audience| url_mistake(audience).is_none())
    {
        Some(audience) if reader.text("MCPFN_PUBLIC_URL").is_none() => Some(audience.clone()),
        _ => needed(
            reader,
            "MCPFN_PUBLIC_URL",
            AuthMethod::OAuth,
            "the URL of the MCP endpoint, such as https://mcp.example.com/mcp",
        ),
    };
    if let Some(own) = &own {
        reader.public_url("MCPFN_PUBLIC_URL", own);
    }
    let audiences = if audiences.is_empty() {
        own.clone().into_iter().collect()
    } else {
        audiences
    };
    (own, audiences)
}

fn introspection(
    reader: &mut EnvReader<'_>,
    issuers: &[String],
    audiences: &[String],
    max_age: Duration,
    open: Option<OpenKeySource>,
) -> Option<Introspection> {
    let names = [
        "MCPFN_INTROSPECTION_URL",
        "MCPFN_INTROSPECTION_CLIENT_ID",
        "MCPFN_INTROSPECTION_CLIENT_SECRET",
    ];
    match names.map(|name| reader.text(name)) {
        [Some(at), Some(id), Some(secret)] => {
            url(reader, names[0], at.trim());
            let (issuers, audiences) = (issuers.to_vec(), audiences.to_vec());
            let (id, secret) = (id.trim(), secret.trim());
            let asked = Introspection::new(at.trim(), id, secret, issuers, audiences);
            match open.filter(|_| is_secret_reference(secret)) {
                Some(open) => {
                    let source = open(reader, names[2], secret)?;
                    Some(asked.with_secret_source(source, max_age))
                }
                None => Some(asked),
            }
        }
        [None, None, None] => None,
        _ => {
            reader.mistake(format!(
                "{}, {} and {} belong together: set all of them, or none",
                names[0], names[1], names[2]
            ));
            None
        }
    }
}

fn url(reader: &mut EnvReader<'_>, name: &str, url: &str) {
    if let Some(mistake) = url_mistake(url) {
        // not repeated: it may have a password in it
        reader.mistake(format!(
            "{name} {mistake}; write a URL such as https://host/path"
        ));
    }
}
