//! Whether a URL may be asked at all: scheme, credentials, the form of its host. Resolves nothing.

use std::borrow::Cow;
use std::net::IpAddr;

use http::Uri;
use idna::AsciiDenyList;
use mcpfn_core::port::HttpError;

/// The URL in the one form that everything below uses, so that two parsers never disagree about its
/// host. The second value is the host's address if it is written as one.
pub(crate) fn target(url: &str) -> Result<(Uri, Option<IpAddr>), HttpError> {
    let bad = |why: &str| Err(HttpError::BadUrl(why.to_owned()));
    let url = url.split('#').next().unwrap_or_default();
    let Some(url) = with_ascii_host(url) else {
        return bad("its host is not a name in any alphabet");
    };
    let Ok(uri) = url.parse::<Uri>() else {
        return bad("it is not a URL of printable ASCII");
    };
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return bad("only http and https can be asked");
    }
    let Some(authority) = uri.authority() else {
        return bad("it has no host");
    };
    if authority.as_str().contains('@') {
        return bad("it has credentials before its host; send them in a header");
    }
    let host = authority.host();
    let port = authority.as_str().strip_prefix(host).unwrap_or_default();
    if !port.is_empty() && authority.port_u16().is_none_or(|port| port == 0) {
        return bad("its port is not 1 to 65535");
    }
    if let Some(v6) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return match v6.parse() {
            Ok(address) => Ok((uri, Some(IpAddr::V6(address)))),
            Err(_) => bad("its host is not an IPv6 address"),
        };
    }
    if let Ok(address) = host.parse() {
        return Ok((uri, Some(IpAddr::V4(address))));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if name.is_empty() || name.len() > 253 || !name.bytes().all(legal) {
        return bad("its host is not a name of letters, digits, hyphens and dots");
    }
    // Resolvers read `127.1`, `0x7f000001` and `2130706433` as addresses. No name ends in a number,
    // so this loses none.
    let last = name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let hex = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if hex || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return bad(
            "its host is an address in a form that is not taken; write four numbers with dots",
        );
    }
    Ok((uri, None))
}

/// A URL whose host is written in ASCII: `bücher.example` and `b%C3%BCcher.example` are
/// `xn--bcher-kva.example`, as in the URL standard. Every check comes after this, so that a host
/// that becomes an address is checked as one.
fn with_ascii_host(url: &str) -> Option<Cow<'_, str>> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Some(url.into());
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.is_ascii() && !authority.contains('%') {
        return Some(url.into());
    }
    // credentials and literal addresses are refused as they are
    if authority.contains(['@', '[', ']']) {
        return Some(url.into());
    }
    let (host, port) = authority.split_at(authority.rfind(':').unwrap_or(authority.len()));
    let decoded = percent_decoded(host.as_bytes())?;
    let host = idna::domain_to_ascii_cow(&decoded, AsciiDenyList::URL).ok()?;
    Some(format!("{scheme}://{host}{port}{path}").into())
}

/// The bytes of a text with `%XX` in it; nothing where a `%` begins no byte.
fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, later)) = rest.split_first() {
        rest = later;
        if *first != b'%' {
            decoded.push(*first);
            continue;
        }
        let (digits, later) = later.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        rest = later;
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_can_be_asked() {
        for url in [
            "http://example.com",
            "https://a-b.example.com:8443/x?y=1#z",
            "https://host_name/",
            "http://xn--bcher-kva.example./",
        ] {
            assert!(matches!(target(url), Ok((_, None))), "{url}");
        }
        for url in [
            "http://127.0.0.1:80/",
            "http://[::1]:8080/",
            "https://[fd00:ec2::254]/",
            "HTTP://10.0.0.1",
        ] {
            assert!(matches!(target(url), Ok((_, Some(_)))), "{url}");
        }
        assert_eq!(target("http://a/b#c").unwrap().0.path(), "/b");
    }

    #[test]
    fn hosts_in_other_alphabets() {
        for (url, host) in [
            ("http://bücher.example/x", "xn--bcher-kva.example"),
            ("http://B%C3%9CCHER.example:8080/x", "xn--bcher-kva.example"),
            ("https://例え.テスト?x", "xn--r8jz45g.xn--zckzah"),
            ("https://пример。example/", "xn--e1afmkfd.example"),
            ("https://straße.example", "xn--strae-oqa.example"),
            ("https://ｅｘａｍｐｌｅ.com/", "example.com"),
        ] {
            let (uri, address) = target(url).unwrap();
            assert_eq!((uri.host(), address), (Some(host), None), "{url}");
        }
        assert_eq!(
            target("http://bücher.example:81/ä?b=%20")
                .map(|(uri, _)| uri.port_u16())
                .ok(),
            target("http://x:81/ä?b=%20")
                .map(|(uri, _)| uri.port_u16())
                .ok(),
        );
        // what becomes an address is one, and is checked as one
        for url in [
            "http://%31%32%37.0.0.1/",
            "http://１２７.０.０.１/",
            "http://①②⑦.0.0.1/",
        ] {
            let (_, address) = target(url).unwrap();
            assert_eq!(address, Some("127.0.0.1".parse().unwrap()), "{url}");
        }
    }

    #[test]
    fn urls_that_can_not() {
        let urls = [
            "",
            "/",
            "example.com",
            "//example.com/",
            "ftp://example.com/",
            "file:///etc/passwd",
            "gopher://a/",
            "http://",
            "http:///x",
            "http://user@example.com/",
            "http://user:secret@example.com/",
            "http://:@example.com/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.1/",
            "http://127.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://017700000001/",
            "http://1.2.3.4.5/",
            "http://0x/",
            "http://[::1/",
            "http://[fe80::1%25eth0]/",
            "http://[::1]:0/",
            "http://a:0/",
            "http://a:99999/",
            "http://a:b/",
            "http://a%00b/",
            "http://a%2fb/",
            "http://a%40b/",
            "http://a%3a80/",
            "http://a%/",
            "http://%31%32%37.1/",
            "http://１２７.1/",
            "http://ü@example.com/",
            "http://a\u{202e}b.example/",
            "http://xn--ü.example/",
            "http://a b/",
            "http://./",
            "http://example.com\r\nx: y/",
            "http://[1.2.3.4]/",
        ];
        for url in urls {
            assert!(
                matches!(target(url), Err(HttpError::BadUrl(_))),
                "{url}: {:?}",
                target(url)
            );
        }
        let secret = target("http://user:hunter2@example.com/")
            .unwrap_err()
            .to_string();
        assert!(!secret.contains("hunter2"), "{secret}");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_gets_an_answer(text in "\\PC{0,60}", host in "[0-9a-zA-Z.:@%_x\\[\\]-]{0,30}") {
            for url in [text, format!("http://{host}/")] {
                let Ok((uri, address)) = target(&url) else { continue };
                // what is no address must not be one for a resolver that is less strict
                let host = uri.host().unwrap_or_default().trim_end_matches('.').to_owned();
                let last = host.rsplit('.').next().unwrap_or_default();
                proptest::prop_assert!(address.is_some() || last.bytes().any(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')), "{url}");
            }
        }
    }
}
