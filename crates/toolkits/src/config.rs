//! Settings of toolkits, read from whatever variables a host has; mistakes are collected as
//! sentences. Knows no environment.

use std::net::{Ipv4Addr, Ipv6Addr};

use mcpfn_core::text;
use mcpfn_ports::Secret;

/// Reads variables and remembers every mistake in them.
pub(crate) struct Config<'a> {
    variable: &'a dyn Fn(&str) -> Option<String>,
    mistakes: Vec<String>,
}

impl<'a> Config<'a> {
    /// Reads through `variable`, which gives a variable's text if it is set.
    pub(crate) fn new(variable: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            variable,
            mistakes: Vec::new(),
        }
    }

    /// A variable's text without the spaces around it; nothing when it is not set or empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        (self.variable)(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    }

    /// A switch: on, true, 1 or yes; off, false, 0, no or not set.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        let Some(text) = self.text(name) else {
            return false;
        };
        text::switch(&text).unwrap_or_else(|| {
            self.mistake(format!("{name} must be on or off"));
            false
        })
    }

    /// The same for what is on unless it is switched off.
    #[cfg(feature = "skills")]
    pub(crate) fn switched_on(&mut self, name: &str) -> bool {
        self.text(name).is_none() || self.switch(name)
    }

    /// A key, if the variable is set.
    pub(crate) fn secret(&mut self, name: &str) -> Option<Secret> {
        let key = Secret::new(self.text(name)?);
        key.map_err(|error| self.mistake(format!("{name} {error}")))
            .ok()
    }

    /// A key that a toolkit can't do without. `source` says where to get one.
    pub(crate) fn required_secret(
        &mut self,
        name: &str,
        toolkit: &str,
        source: &str,
    ) -> Option<Secret> {
        if self.text(name).is_none() {
            self.mistake(format!(
                "the toolkit `{toolkit}` needs {name}: {source}, or take \
                `{toolkit}` out of the list"
            ));
        }
        self.secret(name)
    }

    /// Where a service is: the variable, or the service's own address. Without a slash at its end.
    pub(crate) fn base_url(&mut self, name: &str, default: &str) -> String {
        let Some(url) = self.text(name) else {
            return default.to_owned();
        };
        if !is_address(&url, b"?#@\\") {
            // not repeated: it may contain a key
            self.mistake(format!(
                "{name} is not an address such as {default}: no credentials, no `?`, no `#`"
            ));
        }
        url.trim_end_matches('/').to_owned()
    }

    /// Where a service is that gets the credential of the variable `key`, if that is set: as
    /// [`base_url`](Self::base_url), and nothing that others can listen to.
    pub(crate) fn url_for(&mut self, name: &str, default: &str, key: &str) -> String {
        let url = self.base_url(name, default);
        if is_address(&url, b"?#@\\") {
            self.check_way(name, &url, key);
        }
        url
    }

    /// Reports an address where the credential of the variable `key` would be sent in the clear.
    /// `place` is where the address is written.
    pub(crate) fn check_way(&mut self, place: &str, url: &str, key: &str) {
        if self.text(key).is_some() && !keeps_secrets(url) {
            self.mistake(format!(
                "{place} begins with http://, and everybody on the way could read {key}, which is \
                 sent there: write https://, or an address of this machine such as \
                 http://127.0.0.1:8080"
            ));
        }
    }

    /// Adds a mistake: one sentence without a full stop, which says what to change and repeats no
    /// secret.
    pub(crate) fn mistake(&mut self, sentence: impl Into<String>) {
        self.mistakes.push(sentence.into());
    }

    /// Every mistake so far.
    pub(crate) fn mistakes(self) -> Vec<String> {
        self.mistakes
    }
}

/// Whether a text is an `http` or `https` URL without these characters.
pub(crate) fn is_address(url: &str, without: &[u8]) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && rest
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && !without.contains(&byte))
    })
}

/// Whether what is sent to an [address](is_address) is read by nobody on the way: it is `https`, or
/// does not leave this machine.
pub(crate) fn keeps_secrets(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://") else {
        return url.starts_with("https://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(inner) => inner
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback()),
        None => {
            host.eq_ignore_ascii_case("localhost")
                || host
                    .parse::<Ipv4Addr>()
                    .is_ok_and(|address| address.is_loopback())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_collected_and_name_their_variable() {
        let variables = |name: &str| match name {
            "A_KEY" => Some("hunter2 hunter2".to_owned()),
            "A_URL" => Some("https://hunter2@example.com".to_owned()),
            "EMPTY" => Some("  ".to_owned()),
            _ => None,
        };
        let mut config = Config::new(&variables);
        assert_eq!(config.secret("A_KEY"), None);
        assert_eq!(config.secret("EMPTY"), None);
        assert_eq!(
            config.required_secret("B_KEY", "b", "get one at https://example.com/keys"),
            None
        );
        config.base_url("A_URL", "https://example.com");
        assert_eq!(
            config.base_url("B_URL", "https://example.com/v1"),
            "https://example.com/v1"
        );
        let mistakes = config.mistakes();
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(
            mistakes[0].starts_with("A_KEY is not a key"),
            "{mistakes:?}"
        );
        assert!(
            mistakes[1].contains("`b` needs B_KEY: get one at https://example.com/keys"),
            "{mistakes:?}"
        );
        assert!(
            mistakes[2].starts_with("A_URL is not an address such as https://example.com"),
            "{mistakes:?}"
        );
        assert!(!mistakes.concat().contains("hunter2"));
    }

    #[test]
    fn addresses_of_services() {
        let read = |url: &str| {
            let variables = |_: &str| Some(url.to_owned());
            let mut config = Config::new(&variables);
            let url = config.base_url("X", "https://example.com");
            (url, config.mistakes().len())
        };
        assert_eq!(
            read("https://ghe.example.com/api/v3/"),
            ("https://ghe.example.com/api/v3".to_owned(), 0)
        );
        assert_eq!(
            read(" http://127.0.0.1:8080 "),
            ("http://127.0.0.1:8080".to_owned(), 0)
        );
        for url in [
            "ftp://a",
            "example.com",
            "https://",
            "https:///x",
            "https://a/?key=1",
            "https://a b",
            "https://a#b",
            "https://u:p@a",
        ] {
            assert_eq!(read(url).1, 1, "{url}");
        }
    }
}
