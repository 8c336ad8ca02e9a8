//! Which settings a server has to be started with over stdio so that it serves what one over HTTP
//! serves: all that are about its tools, none that are about HTTP, and no secret.

use std::path::Path;

use crate::setting::{Hosts, Setting, secret_in_file};
use crate::table::SETTINGS;

/// Settings that mean nothing to a server that its client starts, for one person, beside those of
/// listening and of authentication, which say so themselves.
pub(super) const OF_HTTP: [&str; 13] = [
    "MCPFN_AUTH",
    "MCPFN_ALLOWED_ORIGINS",
    "MCPFN_PAGE",
    "MCPFN_REGISTRY_AUTH",
    "MCPFN_SERVER_CARD",
    "MCPFN_STATE_KEY",
    "MCPFN_SUBSCRIPTIONS",
    // of several instances
    "MCPFN_REDIS_URL",
    "MCPFN_REDIS_PREFIX",
    "MCPFN_REDIS_TIMEOUT_MS",
    "MCPFN_POSTGRES_STORE_URL",
    "MCPFN_POSTGRES_STORE_SCHEMA",
    "MCPFN_POSTGRES_STORE_TIMEOUT_MS",
];

/// Variables of others by which this server finds what it serves. None is a secret.
const FOREIGN: [&str; 4] = [
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ENDPOINT_URL_S3",
    "XDG_DATA_HOME",
];

/// Whether a setting is about HTTP alone.
#[must_use]
pub fn is_of_http(setting: &Setting) -> bool {
    setting.listening || !setting.auth.is_empty() || OF_HTTP.contains(&setting.name)
}

/// The variables for a server over stdio, by name, from those of a server over HTTP. `program` are the
/// settings of the program itself. Paths become absolute, because clients start programs anywhere, and
/// secrets become placeholders.
#[must_use]
pub fn stdio_environment(
    variables: impl IntoIterator<Item = (String, String)>,
    program: &[Setting],
) -> Vec<(String, String)> {
    let here = |setting: &&Setting| setting.hosts.meets(Hosts::LOCAL) && !is_of_http(setting);
    let mut found: Vec<(String, String)> = variables
        .into_iter()
        .filter(|(_, value)| !value.trim().is_empty())
        .filter_map(|(name, value)| {
            if FOREIGN.contains(&name.as_str()) {
                let value = without_secrets_in_urls(&value);
                return Some((name, value));
            }
            if secret_in_file(&name, SETTINGS.iter().chain(program).filter(here)).is_some() {
                let path = absolute(&value).unwrap_or(value);
                return Some((name, path));
            }
            let mut settings = SETTINGS.iter().chain(program).filter(here);
            let setting = settings.find(|setting| setting.is(&name))?;
            let value = shown(setting, &name, &value);
            Some((name, value))
        })
        .collect();
    found.sort_unstable();
    found
}

/// A value that may be shown, with whole paths.
fn shown(setting: &Setting, name: &str, value: &str) -> String {
    let may_be_path = ["FILE", "DIRECTORY"]
        .iter()
        .any(|word| setting.values.contains(word));
    if may_be_path && let Some(paths) = absolute(value) {
        return paths;
    }
    if setting.secret {
        return format!("YOUR_{}", name.strip_prefix("MCPFN_").unwrap_or(name));
    }
    without_secrets_in_urls(value)
}

/// A value, or several separated by commas, without what URLs in it may have of a secret: user and
/// password, the query and the fragment.
fn without_secrets_in_urls(value: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut in_query = false;
    for part in value.split(',') {
        let Some((scheme, rest)) = part.split_once("://") else {
            // a comma may be in a query, too
            if !in_query {
                shown.push(part.to_owned());
            }
            continue;
        };
        let end = rest.find(['?', '#']);
        in_query = end.is_some();
        let mut place = rest[..end.unwrap_or(rest.len())].to_owned();
        if let Some(at) = place.rfind('@') {
            place.replace_range(..at, "YOUR_CREDENTIALS");
        }
        let query = if in_query { "?YOUR_QUERY" } else { "" };
        shown.push(format!("{scheme}://{place}{query}"));
    }
    shown.join(",")
}

/// A path, or several as `NAME=PATH,..`, that exist on this machine, from the root.
fn absolute(value: &str) -> Option<String> {
    let whole = |path: &str| {
        let path = Path::new(path.trim());
        let absolute = std::path::absolute(path).ok()?;
        path.exists().then(|| absolute.display().to_string())
    };
    if let Some(path) = whole(value) {
        return Some(path);
    }
    let parts = value.split(',').map(|part| {
        let (name, path) = part.split_once('=')?;
        Some(format!("{}={}", name.trim(), whole(path)?))
    });
    let parts: Option<Vec<String>> = parts.collect();
    Some(parts?.join(","))
}
