//! Which URLs an issuer may have, and a server that tokens are issued for.

use http::Uri;

/// Why a URL can't be an issuer's, as what follows its name in a sentence: keys and tokens travel
/// by https only, except on this machine.
#[must_use]
pub fn url_mistake(url: &str) -> Option<&'static str> {
    let Ok(uri) = url.parse::<Uri>() else {
        return Some("is not a URL");
    };
    let Some(authority) = uri.authority() else {
        return Some("is not an absolute URL");
    };
    let loopback = matches!(authority.host(), "localhost" | "127.0.0.1" | "[::1]");
    match uri.scheme_str() {
        // also not elsewhere: in the name of a caller, the issuer is what stands behind the last
        // one
        _ if url.contains('@') => Some("must not have credentials, or any other @, in it"),
        _ if url.contains('#') => Some("must not have a fragment"),
        _ if !is_host(authority.host()) => {
            Some("must have the name or the address of a host, without a wildcard")
        }
        _ if !authority.as_str().ends_with(authority.host()) && authority.port_u16().is_none() => {
            Some("must have a port from 0 to 65535, or none")
        }
        Some("https") => None,
        Some("http") if loopback => None,
        _ => Some("must begin with https://"),
    }
}

/// Whether a client can look this up: a name in ASCII, or an address.
fn is_host(host: &str) -> bool {
    let of_names = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => host
            .strip_suffix('.')
            .unwrap_or(host)
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(of_names)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_issuers() {
        for url in [
            "https://issuer.example",
            "https://issuer.example/tenant/",
            "http://127.0.0.1:9/x",
            "http://[::1]:9",
            "http://localhost",
            "https://issuer.example:8443/tenant",
            "https://[2001:db8::1]:8443/tenant",
        ] {
            assert_eq!(url_mistake(url), None, "{url}");
        }
        for url in [
            "",
            "issuer.example",
            "/x",
            "http://issuer.example",
            "ftp://127.0.0.1",
            "https://a@b/",
            "https://a/#b",
            "http://127.0.0.1.evil.example/",
            "https://*.example",
            "https://.example",
            "https://a..example",
            "https://a.example:",
            "https://a.example:99999",
            "https://[::g]/",
            "https://[]/",
            "https://a.example:x/",
            "https://a,b/",
        ] {
            assert!(url_mistake(url).is_some(), "{url}");
        }
    }
}
