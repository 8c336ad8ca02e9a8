//! `MCPFN_AUTH`'s methods put together from their variables. How a caller is checked is
//! `mcpfn-auth`'s.

mod needed;
#[cfg_attr(not(feature = "tokens"), path = "credentials/no_tokens.rs")]
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use mcpfn_auth::{ApiKey, ApiKeys, IamScopes, MAX_KEY_AGE_MS, RejectUnknownBearer};
use mcpfn_core::Scopes;
use mcpfn_http::{AuthConfig, Authenticator};

use crate::methods::{AuthMethod, AuthMethods};
use crate::reader::EnvReader;
pub use needed::OpenKeySource;
use needed::needed;

/// The authentication methods that the operator configured.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// For `mcpfn-http`. Its authenticators are asked in this order: Access, API keys, signed
    /// tokens, introspection.
    pub auth: AuthConfig,
    /// What callers may do whom IAM recognised; `default_scopes` if there is no map.
    pub iam: Option<IamScopes>,
    /// What a credential grants that has no scopes of its own; nothing unless
    /// `MCPFN_DEFAULT_SCOPES` is set.
    pub default_scopes: Scopes,
    /// `MCPFN_PUBLIC_URL`, or what takes its place: where clients find the server.
    pub public_url: Option<String>,
}

impl Credentials {
    /// Reads what these methods need. `open` makes of `MCPFN_API_KEYS_SOURCE` where keys are
    /// listed; a host without such places does not read it. A `local` host checks which host
    /// requests name, so that it has to know its own.
    pub(crate) fn read(
        reader: &mut EnvReader<'_>,
        methods: &AuthMethods,
        open: Option<OpenKeySource>,
        local: bool,
    ) -> Self {
        let scopes = default_scopes(reader);
        let max_age = max_age(reader);
        let mut auth = AuthConfig::default();
        if methods.has(AuthMethod::CloudflareAccess) {
            let access = tokens::access(reader, &scopes, max_age);
            auth.authenticators.extend(access);
        }
        if methods.has(AuthMethod::ApiKey) {
            auth.authenticators
                .extend(api_keys(reader, &scopes, max_age, open));
        }
        let mut public_url = None;
        if methods.has(AuthMethod::OAuth) {
            // on this machine there is nothing to read it from
            let open = open.filter(|_| !local);
            public_url = tokens::oauth(reader, &scopes, max_age, open, &mut auth);
        } else if methods.has(AuthMethod::ApiKey) && local {
            public_url = reader
                .text("MCPFN_PUBLIC_URL")
                .map(|url| url.trim().to_owned());
            let url = public_url.iter();
            url.for_each(|url| reader.public_url("MCPFN_PUBLIC_URL", url));
        }
        if methods.has(AuthMethod::ApiKey) || methods.has(AuthMethod::OAuth) {
            auth.authenticators.push(Arc::new(RejectUnknownBearer));
        }
        let by_platform = [AuthMethod::Iam, AuthMethod::Authorizer];
        let iam = if by_platform.iter().any(|method| methods.has(*method)) {
            iam(reader)
        } else {
            None
        };
        Self {
            auth,
            iam,
            default_scopes: scopes,
            public_url,
        }
    }
}

fn default_scopes(reader: &mut EnvReader<'_>) -> Scopes {
    let name = "MCPFN_DEFAULT_SCOPES";
    let text = reader.text(name).unwrap_or_default();
    Scopes::written(&text).unwrap_or_else(|mistake| {
        reader.mistake(format!("{name}: {mistake}"));
        Scopes::none()
    })
}

/// How long keys are used after they were read.
fn max_age(reader: &mut EnvReader<'_>) -> Duration {
    Duration::from_secs(reader.within(
        "MCPFN_KEYS_MAX_AGE_SECONDS",
        MAX_KEY_AGE_MS / 1000,
        60..=86_400,
        "a number of seconds",
    ))
}

fn api_keys(
    reader: &mut EnvReader<'_>,
    scopes: &Scopes,
    max_age: Duration,
    open: Option<OpenKeySource>,
) -> Option<Arc<dyn Authenticator>> {
    let source = open.and_then(|open| Some((open, reader.text("MCPFN_API_KEYS_SOURCE")?)));
    let keys = match source {
        Some(_) if reader.text("MCPFN_API_KEYS").is_some() => {
            reader.mistake(
                "MCPFN_API_KEYS and MCPFN_API_KEYS_SOURCE are both set: remove one of them",
            );
            return None;
        }
        Some((open, source)) => {
            let source = open(reader, "MCPFN_API_KEYS_SOURCE", source.trim())?;
            ApiKeys::from_source(source).with_max_age(max_age)
        }
        None => ApiKeys::new(listed_keys(reader)?),
    };
    Some(Arc::new(keys.with_default_scopes(scopes.clone())))
}

fn listed_keys(reader: &mut EnvReader<'_>) -> Option<Vec<ApiKey>> {
    let text = needed(
        reader,
        "MCPFN_API_KEYS",
        AuthMethod::ApiKey,
        "name:hash, with the SHA-256 of a key",
    )?;
    let keys = ApiKey::parse(&text);
    keys.map_err(|mistakes| {
        mistakes
            .iter()
            .for_each(|mistake| reader.mistake(format!("MCPFN_API_KEYS: {mistake}")));
    })
    .ok()
}

fn iam(reader: &mut EnvReader<'_>) -> Option<IamScopes> {
    match reader.text("MCPFN_IAM_SCOPES")?.parse::<IamScopes>() {
        Ok(map) => Some(map),
        Err(mistakes) => {
            mistakes
                .iter()
                .for_each(|mistake| reader.mistake(format!("MCPFN_IAM_SCOPES: {mistake}")));
            None
        }
    }
}
