//! The zones of Cloudflare that this Worker itself is served in: what it fetches there may pass by
//! the protection in front of them. Known from the names under which it is asked; not a list of
//! public suffixes.

use std::cell::RefCell;

/// More names than a Worker has routes in practice; the rest are not kept.
const MAX: usize = 16;

/// The zones in which this isolate was asked for something.
#[derive(Debug, Default)]
pub(crate) struct OwnZones(RefCell<Vec<String>>);

impl OwnZones {
    /// Remembers the zone of a host under which this Worker was asked. Cloudflare routes by this
    /// name, so no client can choose it.
    pub(crate) fn note(&self, host: &str) {
        if self.has(host) {
            return;
        }
        let mut zones = self.0.borrow_mut();
        if let Some(zone) = zone(host)
            && zones.len() < MAX
        {
            zones.push(zone.to_ascii_lowercase());
        }
    }

    /// Whether a host is in one of them.
    pub(crate) fn has(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.0.borrow().iter().any(|zone| is_in(host, zone))
    }
}

fn is_in(host: &str, zone: &str) -> bool {
    let Some(rest) = host.len().checked_sub(zone.len()) else {
        return false;
    };
    host.is_char_boundary(rest)
        && host[rest..].eq_ignore_ascii_case(zone)
        && (rest == 0 || host[..rest].ends_with('.'))
}

/// The last two labels, or three where the second last is one that registries and Cloudflare give
/// names below: rather too much of a zone than too little.
fn zone(host: &str) -> Option<&str> {
    let host = host.trim_end_matches('.');
    if !crate::address::is_name(host) {
        return None;
    }
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    let (last, second) = (dots.next()?, dots.next());
    let label = &host[second.map_or(0, |second| second + 1)..last];
    let shared = ["workers", "pages"].contains(&label) && host[last + 1..].eq("dev")
        || host.len() - last == 3
            && [
                "ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org",
            ]
            .contains(&label);
    let start = match (shared, second) {
        (true, Some(_)) => dots.next(),
        _ => second,
    };
    Some(&host[start.map_or(0, |start| start + 1)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_what_is_registered() {
        for (host, expected) in [
            ("mcp.example.com", Some("example.com")),
            ("a.b.c.example.com.", Some("example.com")),
            ("example.com", Some("example.com")),
            ("mcp.example.co.uk", Some("example.co.uk")),
            ("mcpfn.someone.workers.dev", Some("someone.workers.dev")),
            ("one.two.someone.workers.dev", Some("someone.workers.dev")),
            ("tools.example.dev", Some("example.dev")),
            ("localhost", None),
            ("127.0.0.1", None),
            ("intranet", None),
        ] {
            assert_eq!(zone(host), expected, "{host}");
        }
    }

    #[test]
    fn every_name_of_a_zone_is_in_it_and_no_other() {
        let own = OwnZones::default();
        assert!(!own.has("example.com"));
        own.note("mcp.Example.com");
        own.note("localhost");
        for host in [
            "example.com",
            "intranet.example.COM",
            "a.b.example.com.",
            "mcp.example.com",
        ] {
            assert!(own.has(host), "{host}");
        }
        for host in [
            "example.org",
            "notexample.com",
            "com",
            "",
            "example.com.org",
            "éexample.com",
        ] {
            assert!(!own.has(host), "{host}");
        }
    }

    #[test]
    fn names_without_end_are_not_kept() {
        let own = OwnZones::default();
        (0..1000).for_each(|number| own.note(&format!("n{number}.example")));
        assert_eq!(own.0.borrow().len(), MAX);
    }
}
