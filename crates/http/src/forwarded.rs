//! Requests that came through a proxy: the headers by which they show, and whose request it was
//! before. Believes no header of a peer that the operator does not trust.

use core::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName};

/// Headers that proxies add, by their whole name: where a request came from, and who sent it. Sorted.
const NAMES: [&str; 32] = [
    "cdn-loop",
    "client-ip",
    "do-connecting-ip",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "incap-client-ip",
    "proxy-client-ip",
    "proxy-connection",
    "remote-addr",
    "remote-user",
    "rndr-id",
    "surrogate-capability",
    "true-client-ip",
    "via",
    "wl-proxy-client-ip",
    "x-appengine-user-ip",
    "x-bluecoat-via",
    "x-client-ip",
    "x-cloud-trace-context",
    "x-cluster-client-ip",
    "x-forward-for",
    "x-host",
    "x-iinfo",
    "x-localtunnel-agent-ips",
    "x-ms-client-principal",
    "x-nf-client-connection-ip",
    "x-nginx-proxy",
    "x-originating-ip",
    "x-scheme",
    "x-sucuri-clientip",
    "x-varnish",
];

/// Headers that proxies add, by the beginning of their name. Sorted, and none begins with another.
const PREFIXES: [&str; 32] = [
    "akamai-",
    "cf-",
    "cloudfront-",
    "fly-",
    "ngrok-",
    "ssl-client-",
    "tailscale-",
    "x-akamai-",
    "x-amz",
    "x-arr-",
    "x-auth-request-",
    "x-authentik-",
    "x-azure-",
    "x-client-cert",
    "x-consumer-",
    "x-envoy-",
    "x-forwarded",
    "x-goog-authenticated-",
    "x-goog-iap-",
    "x-haproxy-",
    "x-kong-",
    "x-original-",
    "x-proxy",
    "x-railway-",
    "x-real-",
    "x-remote-",
    "x-ssl-",
    "x-traefik-",
    "x-vercel-",
    "x-webauth-",
    "x_forwarded",
    "x_real_",
];

/// The header to which each proxy adds the address that it was called from. An operator says which:
/// proxies pass on the one that they do not write, as a client wrote it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239), of which the parameter `for` is read.
    Forwarded,
}

impl ForwardedHeader {
    fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }

    /// The address in one entry.
    fn address(self, entry: &str) -> Option<IpAddr> {
        match self {
            Self::XForwardedFor => read_address(entry.trim()),
            Self::Forwarded => parameter_for(entry),
        }
    }

    /// The entries of a header, the last one first. One that can't be read, where a quoted string has
    /// no end: a proxy's entry behind it would be a part of what the client wrote.
    fn entries(self, value: &str) -> Vec<&str> {
        let mut entries = match self {
            Self::XForwardedFor => value.split(',').collect(),
            Self::Forwarded => split_unquoted(value, ',').unwrap_or_else(|| vec![""]),
        };
        entries.reverse();
        entries
    }
}

/// The parts between separators outside of quoted strings; nothing if one of these has no end.
fn split_unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text.split(|character: char| {
        let is_separator = character == separator && !quoted;
        let is_quote = character == '"' && !escaped;
        escaped = quoted && character == '\\' && !escaped;
        quoted ^= is_quote;
        is_separator
    });
    let parts = parts.collect();
    (!quoted).then_some(parts)
}

impl FromStr for ForwardedHeader {
    type Err = ();

    /// Reads the header's name, in any case.
    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::XForwardedFor, Self::Forwarded]
            .into_iter()
            .find(|header| text.trim().eq_ignore_ascii_case(header.name()))
            .ok_or(())
    }
}

/// The address in `for=192.0.2.1;proto=https` or `for="[2001:db8::1]:4711"`. None for a name that
/// hides it, for `unknown`, and for an entry with two.
fn parameter_for(entry: &str) -> Option<IpAddr> {
    let pairs = split_unquoted(entry, ';')?;
    let mut values = pairs.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| value.trim())
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    let bare = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        // a colon or bracket needs quotes, and who writes none may still mean an address
        None => value,
    };
    read_address(bare)
}

/// A header that says that the request came through a proxy, if there is one.
pub(crate) fn by_proxy(headers: &HeaderMap) -> Option<&HeaderName> {
    headers.keys().find(|name| is_of_proxies(name.as_str()))
}

/// Both lists are sorted: a dozen comparisons for each header of each request.
fn is_of_proxies(name: &str) -> bool {
    let before = PREFIXES.partition_point(|prefix| *prefix <= name);
    NAMES.binary_search(&name).is_ok() || before > 0 && name.starts_with(PREFIXES[before - 1])
}

/// The proxies whose word about the client is believed, and the header in which they say it.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use mcpfn_http::TrustedProxies;
///
/// let proxies: TrustedProxies = "127.0.0.1, 10.0.0.0/8".parse()?;
/// let mut headers = HeaderMap::new();
/// headers.append("x-forwarded-for", HeaderValue::from_static("8.8.8.8, 203.0.113.7, 10.1.2.3"));
/// // the first is what the client wrote; the last is a proxy of ours
/// let client = proxies.client([127, 0, 0, 1].into(), &headers);
/// assert_eq!(client, Some([203, 0, 113, 7].into()));
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
}

/// An address, of which the leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    fn contains(self, other: IpAddr) -> bool {
        let same = |one: u128, other: u128, width: u32| {
            let rest = width - u32::from(self.bits);
            (one ^ other).checked_shr(rest).unwrap_or(0) == 0
        };
        match (self.address, other) {
            (IpAddr::V4(one), IpAddr::V4(other)) => {
                same(one.to_bits().into(), other.to_bits().into(), 32)
            }
            (IpAddr::V6(one), IpAddr::V6(other)) => same(one.to_bits(), other.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(drop)?;
        // as peers are compared: an IPv4 address is one, however it is written
        let address = match bits {
            None => address.to_canonical(),
            Some(_) => address,
        };
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.bytes().all(|byte| byte.is_ascii_digit()) => {
                bits.parse().map_err(drop)?
            }
            Some(_) => return Err(()),
            None => width,
        };
        // who trusts everybody lets each client choose its address
        if bits > width || bits == 0 {
            return Err(());
        }
        Ok(Self { address, bits })
    }
}

impl FromStr for TrustedProxies {
    type Err = String;

    /// Reads addresses and networks such as `10.0.0.0/8`, separated by commas.
    ///
    /// # Errors
    /// The first entry that is neither, in a sentence.
    fn from_str(text: &str) -> Result<Self, String> {
        text.split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                entry.parse().map_err(|()| {
                    format!(
                        "{} is neither an address nor a network such as 10.0.0.0/8, or trusts every \
                         address",
                        mcpfn_core::text::quoted(entry)
                    )
                })
            })
            .collect::<Result<_, _>>()
            .map(|networks| Self {
                networks,
                header: ForwardedHeader::default(),
            })
    }
}

impl TrustedProxies {
    /// The same proxies, which say in this header where a request came from.
    #[must_use]
    pub fn reading(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether requests of this address may be another client's.
    #[must_use]
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    /// Where a request came from that `peer` sent: `peer` itself, unless it is a proxy that is
    /// trusted; then the last address of its header that is not. `None` for the request of
    /// a proxy on this machine that is not trusted: nothing that can be relied on tells its clients
    /// apart, and they must not be limited as one.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
        let peer = peer.to_canonical();
        if by_proxy(headers).is_none() {
            return Some(peer);
        }
        if !self.trusts(peer) {
            return (!peer.is_loopback()).then_some(peer);
        }
        let mut nearest = peer;
        for value in headers.get_all(self.header.name()).iter().rev() {
            for entry in self.header.entries(value.to_str().unwrap_or_default()) {
                // what is before an unreadable entry was not added by a proxy of ours
                let Some(address) = self.header.address(entry) else {
                    return Some(nearest);
                };
                nearest = address;
                if !self.trusts(address) {
                    return Some(address);
                }
            }
        }
        Some(nearest)
    }
}

/// An address as proxies write it: some add a port.
fn read_address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|both| both.ip()))
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxy_of_ours() {
        let proxies: TrustedProxies = "127.0.0.1, 10.0.0.0/8,fd00::/8".parse().unwrap();
        let client = |peer: &str, lines: &[(&'static str, &'static str)]| {
            let client = proxies.client(peer.parse().unwrap(), &headers(lines));
            client.map(|address| address.to_string())
        };
        let name = "x-forwarded-for";
        for (peer, values, expected) in [
            ("127.0.0.1", &["203.0.113.7"][..], "203.0.113.7"),
            ("::ffff:127.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", &["8.8.8.8, 203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", &["8.8.8.8", "203.0.113.7"], "203.0.113.7"),
            ("127.0.0.1", &["203.0.113.7, 10.1.2.3"], "203.0.113.7"),
            (
                "127.0.0.1",
                &["203.0.113.7", "10.1.2.3, fd00::1"],
                "203.0.113.7",
            ),
            ("127.0.0.1", &["203.0.113.7:4711"], "203.0.113.7"),
            ("127.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("127.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("127.0.0.1", &["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            ("127.0.0.1", &["203.0.113.7, unknown"], "127.0.0.1"),
            ("127.0.0.1", &["203.0.113.7, unknown, 10.1.2.3"], "10.1.2.3"),
            ("127.0.0.1", &[""], "127.0.0.1"),
            ("203.0.113.9", &["8.8.8.8"], "203.0.113.9"),
            ("2001:db8::9", &["8.8.8.8"], "2001:db8::9"),
        ] {
            let lines: Vec<(&str, &str)> = values.iter().map(|value| (name, *value)).collect();
            assert_eq!(
                client(peer, &lines).as_deref(),
                Some(expected),
                "{values:?}"
            );
        }
        assert_eq!(client("127.0.0.1", &[]).as_deref(), Some("127.0.0.1"));
        assert_eq!(
            client("::1", &[(name, "8.8.8.8")]),
            None,
            "not trusted, and on this machine"
        );
        assert_eq!(client("127.0.0.2", &[("via", "1.1 front")]), None);
    }

    #[test]
    fn the_client_is_read_from_the_header_that_the_operator_names() {
        let proxies: TrustedProxies = "127.0.0.1,10.0.0.0/8".parse().unwrap();
        let proxies = proxies.reading("Forwarded".parse().unwrap());
        let client = |lines: &[(&'static str, &'static str)]| {
            let client = proxies.client([127, 0, 0, 1].into(), &headers(lines));
            client.map(|address| address.to_string())
        };
        for (value, expected) in [
            ("for=203.0.113.7", "203.0.113.7"),
            (
                "For=\"203.0.113.7:4711\";proto=https;by=10.0.0.1",
                "203.0.113.7",
            ),
            ("proto=https; for=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=8.8.8.8, for=203.0.113.7, for=10.1.2.3", "203.0.113.7"),
            (
                "for=8.8.8.8;host=\"a,for=9.9.9.9\", for=203.0.113.7",
                "203.0.113.7",
            ),
            ("for=203.0.113.7;host=\"a, for=9.9.9.9\"", "203.0.113.7"),
            ("for=203.0.113.7;host=\"a\\\", for=9.9.9.9\"", "203.0.113.7"),
            // a string that a client did not end would hold what the proxy added
            ("for=8.8.8.8;by=\"x, for=203.0.113.7", "127.0.0.1"),
            ("for=8.8.8.8;host=\"a\\, for=203.0.113.7", "127.0.0.1"),
            ("for=203.0.113.7;host=\"a;for=9.9.9.9\"", "203.0.113.7"),
            ("for=203.0.113.7, for=unknown", "127.0.0.1"),
            ("for=203.0.113.7, for=_hidden, for=10.1.2.3", "10.1.2.3"),
            ("for=203.0.113.7;for=9.9.9.9", "127.0.0.1"),
            ("for=\"203.0.113.7", "127.0.0.1"),
            ("203.0.113.7", "127.0.0.1"),
            ("", "127.0.0.1"),
        ] {
            let lines = [("forwarded", value), ("x-forwarded-for", "9.9.9.9")];
            assert_eq!(client(&lines).as_deref(), Some(expected), "{value}");
        }
        // as a client may have written it, through a proxy that writes the other one
        let other: TrustedProxies = "127.0.0.1".parse().unwrap();
        let lines = [
            ("forwarded", "for=9.9.9.9"),
            ("x-forwarded-for", "203.0.113.7"),
        ];
        let found = other.client([127, 0, 0, 1].into(), &headers(&lines));
        assert_eq!(
            found.map(|address| address.to_string()).as_deref(),
            Some("203.0.113.7")
        );
        assert!("x-real-ip".parse::<ForwardedHeader>().is_err());
    }

    #[test]
    fn networks_are_read_or_refused() {
        let trusts = |text: &str, address: &str| {
            let proxies: TrustedProxies = text.parse().unwrap();
            proxies.trusts(address.parse().unwrap())
        };
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("192.0.2.1/32", "::ffff:192.0.2.1", "::192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.0"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ] {
            assert!(trusts(text, inside), "{text} {inside}");
            assert!(!trusts(text, outside), "{text} {outside}");
        }
        assert!(!trusts("", "127.0.0.1"));
        for wrong in [
            "localhost",
            "10.0.0.0/33",
            "0.0.0.0/0",
            "::/0",
            "::/129",
            "10/8",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "*",
        ] {
            let mistake = wrong.parse::<TrustedProxies>().unwrap_err();
            assert!(mistake.contains("10.0.0.0/8"), "{mistake}");
        }
    }

    #[test]
    fn every_name_and_every_beginning_is_found() {
        assert!(NAMES.is_sorted() && PREFIXES.is_sorted());
        for pair in PREFIXES.windows(2) {
            assert!(!pair[1].starts_with(pair[0]), "{pair:?}");
        }
        for prefix in PREFIXES {
            for name in [
                prefix.to_owned(),
                format!("{prefix}a"),
                format!("{prefix}~z"),
            ] {
                assert!(is_of_proxies(&name), "{name}");
            }
            assert!(!is_of_proxies(&prefix[..prefix.len() - 1]), "{prefix}");
        }
        assert!(NAMES.iter().all(|name| is_of_proxies(name)));
        assert!(!is_of_proxies("") && !is_of_proxies("~"));
    }

    /// What programs on this machine send by themselves makes nobody a stranger.
    #[test]
    fn headers_of_clients_are_no_sign() {
        for name in [
            "accept",
            "accept-language",
            "authorization",
            "content-type",
            "cookie",
            "host",
            "last-event-id",
            "mcp-method",
            "mcp-param-x",
            "mcp-protocol-version",
            "origin",
            "referer",
            "sec-fetch-site",
            "traceparent",
            "user-agent",
            "x-api-key",
            "x-request-id",
            "x-requested-with",
        ] {
            assert_eq!(by_proxy(&headers(&[(name, "a")])), None, "{name}");
        }
    }

    #[test]
    fn headers_of_proxies_are_known() {
        for name in [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded",
            "X-ForwardedFor",
            "Via",
            "X-Real-IP",
            "CF-Ray",
            "CF-Connecting-IP",
            "True-Client-IP",
            "X-Client-IP",
            "X-Original-URL",
            "X-Amzn-Trace-Id",
            "X-Amz-Cf-Id",
            "X-Envoy-External-Address",
            "X-Forward-For",
            "X_Forwarded_For",
            "Client-IP",
            "Remote-User",
            "Tailscale-User-Login",
            "X-Azure-SocketIP",
            "CloudFront-Viewer-Address",
            "Forwarded-For",
            "X_Forwarded_Host",
            "X-Real-Port",
            "X-Remote-Addr",
            "X-Originating-IP",
            "X-Auth-Request-User",
            "X-authentik-username",
            "X-WebAuth-User",
            "X-Goog-IAP-JWT-Assertion",
            "X-Goog-Authenticated-User-Email",
            "X-MS-Client-Principal",
            "X-SSL-Client-Verify",
            "SSL-Client-Cert",
            "X-Client-Cert",
            "X-Consumer-ID",
            "X-Kong-Request-Id",
            "X-NF-Client-Connection-IP",
            "X-Cloud-Trace-Context",
            "Akamai-Origin-Hop",
            "Incap-Client-IP",
            "X-Sucuri-ClientIP",
            "X-ProxyUser-IP",
            "Fly-Region",
            "ngrok-auth-user-email",
        ] {
            let mut headers = headers(&[("accept", "*/*"), ("host", "localhost")]);
            assert_eq!(by_proxy(&headers), None);
            let name = HeaderName::try_from(name).unwrap();
            headers.insert(&name, HeaderValue::from_static(""));
            assert_eq!(by_proxy(&headers), Some(&name));
        }
    }
}
