//! Credentials of identity from variables, with every mistake reported. Which of them a host has, it
//! says itself.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use mcpfn_core::Scopes;
use mcpfn_host::EnvReader;
use mcpfn_http::{AuthConfig, Authenticator, ProtectedResource};

use crate::access::CloudflareAccess;
use crate::api_key::{ApiKey, ApiKeys, KeySource};
use crate::bearer::RejectUnknownBearer;
use crate::iam::IamScopes;
use crate::introspection::Introspection;
use crate::kept;
use crate::methods::{AuthMethod, AuthMethods};
use crate::oauth::OAuth;
use crate::remote;

/// Help text for the variables, as a command line prints it.
pub const ENVIRONMENT: &str = "\
Who may call, with MCPFN_AUTH=oauth:
  MCPFN_ISSUER           issuers whose access tokens are taken, comma-separated; as in the tokens' iss
  MCPFN_PUBLIC_URL       URL of the MCP endpoint as clients use it; tokens are issued for it [the first URL of MCPFN_AUDIENCE]
  MCPFN_AUDIENCE         what tokens have in aud if that is not the URL, comma-separated [MCPFN_PUBLIC_URL]
  MCPFN_JWKS_URL         where the keys of the issuer are [found through the issuer]
  MCPFN_INTROSPECTION_URL, MCPFN_INTROSPECTION_CLIENT_ID, MCPFN_INTROSPECTION_CLIENT_SECRET
                         whom to ask about tokens that are not signed, and as whom [nobody]
With MCPFN_AUTH=api-key:
  MCPFN_API_KEYS         name:hash or name:hash:scope scope, semicolons or lines between them; hash is the key's SHA-256
  MCPFN_API_KEYS_SOURCE  where such a list is instead, read again while the server runs: file:PATH; on Lambda ssm:NAME or
                         secretsmanager:NAME
With MCPFN_AUTH=oauth, access, or keys from a source:
  MCPFN_KEYS_MAX_AGE_SECONDS  how long keys of issuers and lists of API keys are used at most after they were read,
                         from 60 to 86400; then callers get 503 until they can be read [900]
With MCPFN_AUTH=access:
  MCPFN_ACCESS_TEAM      the TEAM of TEAM.cloudflareaccess.com
  MCPFN_ACCESS_AUDIENCE  AUD tags of applications, comma-separated
With MCPFN_AUTH=iam or authorizer:
  MCPFN_IAM_SCOPES       ARN=scope scope, semicolons or lines between them; * in an ARN stands for anything but : and /
                         [every caller has MCPFN_DEFAULT_SCOPES]
With any:
  MCPFN_DEFAULT_SCOPES   scopes of a credential that has none of its own, separated by spaces; * is every scope [none]";

/// How callers prove who they are, as the operator decided.
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
}

impl Credentials {
    /// Reads what these methods need, on a host where keys come from variables alone.
    pub fn read<F: Fn(&str) -> Option<OsString>>(
        reader: &mut EnvReader<F>,
        methods: &AuthMethods,
    ) -> Self {
        Self::read_with(reader, methods, |reader, _| {
            reader.mistake(
                "MCPFN_API_KEYS_SOURCE is set, but this host has no store of secrets: \
                unset it, and set MCPFN_API_KEYS",
            );
            None
        })
    }

    /// Reads what these methods need. `open` makes of `MCPFN_API_KEYS_SOURCE` where keys are
    /// listed, or reports why it can't.
    pub fn read_with<F, O>(reader: &mut EnvReader<F>, methods: &AuthMethods, open: O) -> Self
    where
        F: Fn(&str) -> Option<OsString>,
        O: FnOnce(&mut EnvReader<F>, &str) -> Option<Arc<dyn KeySource>>,
    {
        refuse_unused(reader, methods);
        let scopes = reader
            .text("MCPFN_DEFAULT_SCOPES")
            .map_or_else(Scopes::none, |scopes| Scopes::parse(&scopes));
        let max_age = max_age(reader);
        let mut auth = AuthConfig::default();
        if methods.has(AuthMethod::CloudflareAccess) {
            auth.authenticators.extend(access(reader, &scopes, max_age));
        }
        if methods.has(AuthMethod::ApiKey) {
            auth.authenticators
                .extend(api_keys(reader, &scopes, max_age, open));
        }
        if methods.has(AuthMethod::OAuth) {
            oauth(reader, &scopes, max_age, &mut auth);
        }
        if methods.has(AuthMethod::ApiKey) || methods.has(AuthMethod::OAuth) {
            auth.authenticators.push(Arc::new(RejectUnknownBearer));
        }
        let iam = iam(reader);
        Self {
            auth,
            iam,
            default_scopes: scopes,
        }
    }
}

/// A variable that protects nothing is one that its operator believes to protect something.
fn refuse_unused<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
    methods: &AuthMethods,
) {
    for (used_by, names) in [
        (
            &[AuthMethod::OAuth][..],
            &[
                "MCPFN_ISSUER",
                "MCPFN_AUDIENCE",
                "MCPFN_JWKS_URL",
                "MCPFN_INTROSPECTION_URL",
                "MCPFN_INTROSPECTION_CLIENT_ID",
                "MCPFN_INTROSPECTION_CLIENT_SECRET",
            ][..],
        ),
        (
            &[AuthMethod::ApiKey],
            &["MCPFN_API_KEYS", "MCPFN_API_KEYS_SOURCE"],
        ),
        (
            &[AuthMethod::CloudflareAccess],
            &["MCPFN_ACCESS_TEAM", "MCPFN_ACCESS_AUDIENCE"],
        ),
        (
            &[AuthMethod::Iam, AuthMethod::Authorizer],
            &["MCPFN_IAM_SCOPES"],
        ),
        (
            &[
                AuthMethod::OAuth,
                AuthMethod::ApiKey,
                AuthMethod::CloudflareAccess,
                AuthMethod::Iam,
                AuthMethod::Authorizer,
            ],
            &["MCPFN_DEFAULT_SCOPES"],
        ),
        (
            &[
                AuthMethod::OAuth,
                AuthMethod::ApiKey,
                AuthMethod::CloudflareAccess,
            ],
            &["MCPFN_KEYS_MAX_AGE_SECONDS"],
        ),
    ] {
        for name in names {
            if !used_by.iter().any(|method| methods.has(*method)) && reader.text(name).is_some() {
                let word = used_by[0].as_str();
                reader.mistake(format!(
                    "{name} is set, but MCPFN_AUTH does not have {word}: add it \
                    there, or unset {name}"
                ));
            }
        }
    }
}

/// How long keys are used after they were read.
fn max_age<F: Fn(&str) -> Option<OsString>>(reader: &mut EnvReader<F>) -> Duration {
    let (name, what) = (
        "MCPFN_KEYS_MAX_AGE_SECONDS",
        "a number of seconds from 60 to 86400",
    );
    let seconds = reader.parsed(name, kept::MAX_AGE / 1000, what);
    if !(60..=86_400).contains(&seconds) {
        reader.mistake(format!("{name} must be {what}"));
    }
    Duration::from_secs(seconds)
}

fn needed<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
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

fn listed(text: &str) -> Vec<String> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn access<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
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

fn api_keys<F, O>(
    reader: &mut EnvReader<F>,
    scopes: &Scopes,
    max_age: Duration,
    open: O,
) -> Option<Arc<dyn Authenticator>>
where
    F: Fn(&str) -> Option<OsString>,
    O: FnOnce(&mut EnvReader<F>, &str) -> Option<Arc<dyn KeySource>>,
{
    let keys = match reader.text("MCPFN_API_KEYS_SOURCE") {
        Some(_) if reader.text("MCPFN_API_KEYS").is_some() => {
            reader.mistake(
                "MCPFN_API_KEYS and MCPFN_API_KEYS_SOURCE are both set: unset the one \
                that is not to count",
            );
            return None;
        }
        Some(source) => ApiKeys::from_source(open(reader, source.trim())?).with_max_age(max_age),
        None => ApiKeys::new(listed_keys(reader)?),
    };
    Some(Arc::new(keys.with_default_scopes(scopes.clone())))
}

fn listed_keys<F: Fn(&str) -> Option<OsString>>(reader: &mut EnvReader<F>) -> Option<Vec<ApiKey>> {
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

fn oauth<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
    scopes: &Scopes,
    max_age: Duration,
    auth: &mut AuthConfig,
) {
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
    let audiences = listed(&reader.text("MCPFN_AUDIENCE").unwrap_or_default());
    let own = match audiences
        .iter()
        .find(|audience| remote::mistake(audience).is_none())
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
        url(reader, "MCPFN_PUBLIC_URL", own);
    }
    let own = own.unwrap_or_default();
    let audiences = if audiences.is_empty() {
        vec![own.clone()]
    } else {
        audiences
    };

    let mut tokens = OAuth::new(issuers.iter().cloned(), audiences.iter().cloned())
        .with_default_scopes(scopes.clone());
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
    let tokens = tokens.with_keys_max_age(max_age);
    auth.authenticators.push(Arc::new(tokens));
    if let Some(introspection) = introspection(reader, &issuers, &audiences) {
        auth.authenticators
            .push(Arc::new(introspection.with_default_scopes(scopes.clone())));
    }
    auth.resource = Some(ProtectedResource {
        url: own,
        authorization_servers: issuers,
        scopes: Vec::new(),
    });
}

fn introspection<F: Fn(&str) -> Option<OsString>>(
    reader: &mut EnvReader<F>,
    issuers: &[String],
    audiences: &[String],
) -> Option<Introspection> {
    let names = [
        "MCPFN_INTROSPECTION_URL",
        "MCPFN_INTROSPECTION_CLIENT_ID",
        "MCPFN_INTROSPECTION_CLIENT_SECRET",
    ];
    match names.map(|name| reader.text(name)) {
        [Some(at), Some(id), Some(secret)] => {
            url(reader, names[0], at.trim());
            Some(Introspection::new(
                at.trim(),
                id.trim(),
                secret.trim(),
                issuers.to_vec(),
                audiences.to_vec(),
            ))
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

fn iam<F: Fn(&str) -> Option<OsString>>(reader: &mut EnvReader<F>) -> Option<IamScopes> {
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

fn url<F: Fn(&str) -> Option<OsString>>(reader: &mut EnvReader<F>, name: &str, url: &str) {
    if let Some(mistake) = remote::mistake(url) {
        // not repeated: it may have a password in it
        reader.mistake(format!(
            "{name} {mistake}; write a URL such as https://host/path"
        ));
    }
}
