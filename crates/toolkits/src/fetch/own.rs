//! Hosts of the operator's own network that pages may be read from. What else is private is refused
//! by the port, and not here.

use fluent_uri::Uri;

use crate::config::Config;

const VARIABLE: &str = "MCPFN_FETCH_HOSTS";

/// Each as a URL names it: `wiki.example`, or with a port that is not its scheme's own,
/// `wiki.example:8080`.
pub(crate) struct OwnHosts(Vec<String>);

impl OwnHosts {
    /// Reads the list; nothing when the variable is not set.
    pub(crate) fn read(config: &mut Config<'_>) -> Option<Self> {
        let list = config.text(VARIABLE)?;
        let mut hosts = Vec::new();
        for (number, entry) in (1..).zip(list.split(',').map(str::trim)) {
            if entry.is_empty() {
                continue;
            }
            let url = format!("x://{entry}");
            match Uri::parse(url.as_str()).ok().and_then(named) {
                // the same text: no user, no path, nothing that is read otherwise than it is
                // written
                Some(host) if host.eq_ignore_ascii_case(entry) => hosts.push(host),
                // not repeated: it may have a password in it
                _ => config.mistake(format!(
                    "{VARIABLE} has an entry, number {number}, that is no host: write hosts as \
                     `wiki.example` or `wiki.example:8080`, without user and path, with commas \
                     between them"
                )),
            }
        }
        Some(Self(hosts))
    }

    /// Whether pages of this URL's host may be read wherever it is.
    pub(crate) fn have(&self, url: Uri<&str>) -> bool {
        named(url).is_some_and(|host| self.0.contains(&host))
    }
}

/// The host and the port, if it is not the one that the scheme means anyway.
fn named(url: Uri<&str>) -> Option<String> {
    let authority = url
        .authority()
        .filter(|authority| authority.userinfo().is_none() && !authority.host().is_empty())?;
    let host = authority.host().to_ascii_lowercase();
    let scheme = url.scheme().as_str().to_ascii_lowercase();
    match (authority.port_to_u16().ok()?, scheme.as_str()) {
        (None, _) | (Some(80), "http") | (Some(443), "https") => Some(host),
        (Some(port), _) => Some(format!("{host}:{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str) -> (Option<OwnHosts>, Vec<String>) {
        let variable = |_: &str| Some(list.to_owned());
        let mut config = Config::new(&variable);
        (OwnHosts::read(&mut config), config.mistakes())
    }

    #[test]
    fn exactly_what_is_listed() {
        let (hosts, mistakes) = read("wiki.example, Docs.example:8080,[::1]:90");
        assert!(mistakes.is_empty(), "{mistakes:?}");
        let hosts = hosts.unwrap();
        let has = |url: &str| hosts.have(Uri::parse(url).unwrap());
        for url in [
            "http://wiki.example/a",
            "https://WIKI.example:443/",
            "http://docs.example:8080/x",
            "http://[::1]:90/",
        ] {
            assert!(has(url), "{url}");
        }
        for url in [
            "http://wiki.example:8080/",
            "https://wiki.example:80/",
            "http://docs.example/",
            "http://a.wiki.example/",
            "http://wiki.example.evil.example/",
            "http://wiki.example@evil.example/",
            "http://x@wiki.example/",
            "http://[::1]/",
            "http://127.0.0.1/",
        ] {
            assert!(!has(url), "{url}");
        }
    }

    #[test]
    fn what_names_no_host_is_a_mistake() {
        for list in [
            "http://wiki.example",
            "wiki.example/path",
            "a@wiki.example",
            "*.example/",
            "wiki.example:x",
            ":80",
            "a b",
            "wiki:99999",
        ] {
            let (_, mistakes) = read(list);
            assert_eq!(mistakes.len(), 1, "{list}");
            assert!(
                mistakes[0].starts_with("MCPFN_FETCH_HOSTS has an entry, number 1, that"),
                "{mistakes:?}"
            );
        }
    }
}
