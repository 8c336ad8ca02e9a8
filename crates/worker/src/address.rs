//! Whether the host of a URL is a name of the public internet, as far as the text says.

/// No address in any form that `fetch` understands (`127.1` and `0x7f000001` are some), and no name
/// of this machine.
pub(crate) fn is_name(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let last = host.rsplit('.').next().unwrap_or_default();
    let plain = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    // a last label that begins with a digit makes the whole an address, and no top-level domain
    // does
    plain
        && last.starts_with(|first: char| first.is_ascii_alphabetic())
        && !last.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_addresses() {
        for name in [
            "example.com",
            "api.example.com.",
            "xn--bcher-kva.example",
            "a_b.example",
        ] {
            assert!(is_name(name), "{name}");
        }
        for other in [
            "",
            ".",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "127.0.0.0x1",
            "[::1]",
            "localhost",
            "a.LocalHost.",
            "%31.example",
            "1.2.3.4.",
        ] {
            assert!(!is_name(other), "{other}");
        }
    }
}
