//! The host and port of `Host` and of origins, read strictly: what is not exactly a host and a port
//! names no host. Not whether that host is this server.

/// A host, and a port if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    /// A name or an address; the brackets of an IPv6 address stay.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// `None` for anything else than a host with or without a port: user information, an empty
    /// port, a path.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        // the brackets first: the colons of an IPv6 address begin no port
        let end = match text.strip_prefix('[') {
            Some(rest) => rest.find(']')? + 2,
            None => text.find(':').unwrap_or(text.len()),
        };
        let (host, rest) = text.split_at(end);
        let port = match rest.strip_prefix(':') {
            None if rest.is_empty() => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        is_host(host).then_some(Self { host, port })
    }

    /// Whether it is a name or address by which a machine calls itself.
    pub(crate) fn is_loopback(&self) -> bool {
        LOOPBACK
            .iter()
            .any(|known| known.eq_ignore_ascii_case(self.host))
    }
}

/// The names by which a machine calls itself.
pub(crate) const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<core::net::Ipv6Addr>().is_ok()),
        // names in the wild have underscores
        None => {
            !host.is_empty()
                && host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hosts_and_ports() {
        for (text, host, port) in [
            ("localhost", "localhost", None),
            ("LOCALHOST:80", "LOCALHOST", Some(80)),
            ("127.0.0.1:8787", "127.0.0.1", Some(8787)),
            ("[::1]", "[::1]", None),
            ("[::1]:65535", "[::1]", Some(65535)),
            ("a_b.example-1.com", "a_b.example-1.com", None),
        ] {
            assert_eq!(
                Authority::read(text),
                Some(Authority { host, port }),
                "{text}"
            );
        }
        for text in [
            "",
            ":80",
            "localhost:",
            "localhost:+80",
            "localhost:65536",
            "localhost:80:80",
            "127.0.0.1:80@evil.com",
            "localhost@evil.com",
            "user:pass@localhost",
            "localhost/x",
            "localhost#x",
            "localhost?x",
            "localhost\\x",
            "localhost, evil.com",
            " localhost",
            "localhost ",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[localhost]",
            "::1",
            "%6cocalhost",
            "localhost\u{130}",
        ] {
            assert_eq!(Authority::read(text), None, "{text:?}");
        }
    }

    proptest! {
        /// What another program may take for the host is never left out.
        #[test]
        fn nothing_else_is_a_loopback_authority(text in "[a-z0-9@:./\\[\\]#?%\\\\+ ]{0,24}|(localhost|127\\.0\\.0\\.1|\\[::1\\])[:@#/?.+a-z0-9]{0,12}") {
            if Authority::read(&text).is_some_and(|authority| authority.is_loopback()) {
                let rest = LOOPBACK
                    .iter()
                    .find_map(|name| text.strip_prefix(name))
                    .expect("it begins with the name");
                let port = rest.strip_prefix(':');
                prop_assert!(
                    rest.is_empty() || port.is_some_and(|port| {
                        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
                    }),
                    "{}", text
                );
            }
        }
    }
}
