//! What two variables say about several upstreams at once: their tokens, their scopes. For where
//! the names of variables are fixed before the names of upstreams are known, as in a stack.

use mcpfn_core::text::is_secret_reference;

use mcpfn_ports::Secret;

use crate::config::Config;

/// The variable of the upstreams themselves.
const UPSTREAMS: &str = "MCPFN_UPSTREAMS";
pub(super) const TOKENS: &str = "MCPFN_UPSTREAM_TOKENS";
pub(super) const SCOPES: &str = "MCPFN_UPSTREAM_SCOPES";

/// Both variables.
#[derive(Default)]
pub(super) struct ByName {
    tokens: Tokens,
    scopes: Vec<(String, String)>,
}

#[derive(Default)]
enum Tokens {
    #[default]
    None,
    /// Name and token, each.
    Here(Vec<(String, String)>),
    /// Where a JSON object with a member for each upstream is.
    Stored(String),
}

impl ByName {
    pub(super) fn read(config: &mut Config<'_>) -> Self {
        let tokens = match config.text(TOKENS) {
            None => Tokens::None,
            Some(place) if is_secret_reference(&place) => {
                if place.contains('#') {
                    config.mistake(format!(
                        "{TOKENS} has a part after #: the members of the object are the names of \
                         the upstreams, so leave it out"
                    ));
                }
                Tokens::Stored(place)
            }
            Some(list) => Tokens::Here(pairs(TOKENS, &list, config)),
        };
        let scopes = config.text(SCOPES).unwrap_or_default();
        Self {
            tokens,
            scopes: pairs(SCOPES, &scopes, config),
        }
    }

    /// The token of an upstream, or where it is.
    pub(super) fn token(&self, name: &str, config: &mut Config<'_>) -> Option<Secret> {
        let token = match &self.tokens {
            Tokens::None => return None,
            Tokens::Here(list) => value(list, name)?.to_owned(),
            Tokens::Stored(place) => format!("{place}#{name}"),
        };
        let token = Secret::new(token);
        token
            .map_err(|error| config.mistake(format!("{TOKENS}: what `{name}` has {error}")))
            .ok()
    }

    pub(super) fn scope(&self, name: &str) -> Option<&str> {
        value(&self.scopes, name)
    }

    /// Reports what is about no upstream, without its value.
    pub(super) fn refuse_strangers(&self, known: &[&str], config: &mut Config<'_>) {
        let tokens = match &self.tokens {
            Tokens::Here(list) => &list[..],
            _ => &[],
        };
        for (variable, list) in [(TOKENS, tokens), (SCOPES, &self.scopes[..])] {
            for (name, _) in list {
                if !known.contains(&name.as_str()) {
                    config.mistake(format!(
                        "{variable} names `{name}`, which is not in {UPSTREAMS}: add it there, or remove it"
                    ));
                }
            }
        }
    }
}

/// Whether a text can be the name of an upstream.
pub(super) fn is_name(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.len() <= 32
        && text.bytes().all(legal)
}

fn value<'a>(list: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = list.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// `NAME=VALUE,NAME=VALUE`. What is none may be a part of a secret, and is not repeated.
fn pairs(variable: &str, list: &str, config: &mut Config<'_>) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let entries = list.split(',').map(str::trim);
    for entry in entries.filter(|entry| !entry.is_empty()) {
        let pair = entry.split_once('=');
        match pair.map(|(name, value)| (name.trim(), value.trim())) {
            Some((name, value)) if is_name(name) && !value.is_empty() => {
                if pairs.iter().any(|(known, _)| known == name) {
                    config.mistake(format!("{variable} names `{name}` twice"));
                }
                pairs.push((name.to_owned(), value.to_owned()));
            }
            _ => config.mistake(format!(
                "{variable} has an entry that is not NAME=VALUE: write them as in {UPSTREAMS}, separated \
                 by commas"
            )),
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::super::configured;
    use super::*;
    use mcpfn_core::Server as Core;

    /// The mistakes of these variables.
    fn mistakes(variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut config = Config::new(&variable);
        drop(configured(Core::builder("x", "1"), &mut config));
        config.mistakes()
    }

    const SERVERS: (&str, &str) = (
        "MCPFN_UPSTREAMS",
        "crm=https://crm.example/mcp,files=https://files.example/mcp",
    );

    #[test]
    fn lists_are_for_upstreams_that_there_are() {
        for (name, list, said) in [
            (TOKENS, "crm=hunter2", None),
            (TOKENS, "crm=hunter2, files=hunter3", None),
            (TOKENS, "ssm:/mcpfn/tokens", None),
            (TOKENS, "crm=ssm:/mcpfn/crm#token", None),
            (SCOPES, "crm=crm:use", None),
            (TOKENS, "ssm:/mcpfn/tokens#crm", Some("leave it out")),
            (TOKENS, "hunter2", Some("not NAME=VALUE")),
            (TOKENS, "crm=", Some("not NAME=VALUE")),
            (TOKENS, "CRM=hunter2", Some("not NAME=VALUE")),
            (TOKENS, "crm=hunter2 x", Some("is not a key")),
            (TOKENS, "crm=hunter2,crm=hunter3", Some("`crm` twice")),
            (TOKENS, "cmr=hunter2", Some("`cmr`, which is not in")),
            (SCOPES, "cmr=x", Some("`cmr`, which is not in")),
        ] {
            let found = mistakes(&[SERVERS, (name, list)]);
            match said {
                None => assert_eq!(found, [""; 0], "{list}"),
                Some(said) => {
                    assert_eq!(found.len(), 1, "{list}: {found:?}");
                    assert!(found[0].contains(said), "{list}: {found:?}");
                    assert!(!found[0].contains("hunter"), "{list}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn one_thing_is_said_in_one_place() {
        for (own, value, list, entry) in [
            ("MCPFN_UPSTREAM_CRM_TOKEN", "a", TOKENS, "crm=b"),
            ("MCPFN_UPSTREAM_CRM_TOKEN", "a", TOKENS, "ssm:/tokens"),
            ("MCPFN_UPSTREAM_CRM_SCOPE", "a", SCOPES, "crm=b"),
        ] {
            let found = mistakes(&[SERVERS, (own, value), (list, entry)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found[0].contains(own) && found[0].contains(list),
                "{found:?}"
            );
        }
    }

    #[test]
    fn no_listed_token_leaves_in_the_clear() {
        let open = ("MCPFN_UPSTREAMS", "crm=http://crm.example/mcp");
        for list in ["crm=hunter2", "ssm:/tokens"] {
            let found = mistakes(&[open, (TOKENS, list)]);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(TOKENS) && found[0].contains("https://"));
        }
        assert_eq!(mistakes(&[open, (SCOPES, "crm=a")]), [""; 0]);
    }
}
