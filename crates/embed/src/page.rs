//! Pages of MCP Apps: origins, and (feature `pages`) what an HTML document loads. Not a browser: it
//! finds what stands in plain sight, so that an author hears of it before a host's policy blocks it.

#[cfg(feature = "pages")]
mod check;

#[cfg(feature = "pages")]
pub use check::check;

/// Bytes of a page.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The origins that a page may use, by what for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Scripts may ask these.
    pub connect: Vec<String>,
    /// Scripts, styles, pictures, fonts and media may come from these.
    pub resources: Vec<String>,
    /// Frames in the page may show these.
    pub frames: Vec<String>,
    /// `<base>` may name these.
    pub base: Vec<String>,
}

/// What is wrong with an origin in such a list, as the end of a sentence. It becomes a part of a
/// header of the host, so it has no character that ends one.
#[must_use]
pub fn origin_mistake(origin: &str, wildcard: bool) -> Option<&'static str> {
    const ADVICE: &str = "an origin is a scheme and a host, such as `https://api.shop.example`";
    let schemes = ["https://", "wss://", "http://", "ws://"];
    let found = schemes.iter().find(|scheme| origin.starts_with(**scheme));
    let Some(scheme) = found else {
        return Some(ADVICE);
    };
    let rest = &origin[scheme.len()..];
    let host = match rest.split_once(':') {
        Some((host, port)) if port.parse::<u16>().is_ok() => host,
        Some(_) => return Some(ADVICE),
        None => rest,
    };
    let (name, is_wildcard) = match host.strip_prefix("*.") {
        Some(name) => (name, true),
        None => (host, false),
    };
    let legal = |label: &str| {
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(inside)
    };
    if !name.split('.').all(legal) || (is_wildcard && !name.contains('.')) {
        return Some(ADVICE);
    }
    if is_wildcard && !wildcard {
        return Some("`*` stands for hosts of resources only: name each host");
    }
    let in_the_clear = matches!(*scheme, "http://" | "ws://");
    if in_the_clear && !["localhost", "127.0.0.1"].contains(&name) {
        return Some("it is not encrypted: write https:// or wss://");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for origin in [
            "https://a.example",
            "https://a.example:8443",
            "wss://a.example",
            "http://localhost:3000",
            "ws://127.0.0.1:1",
        ] {
            assert_eq!(origin_mistake(origin, false), None, "{origin}");
        }
        for origin in [
            "",
            "*",
            "a.example",
            "https://",
            "https://a.example/",
            "https://a.example/x",
            "https://a.example;script-src *",
            "https://a.example 'unsafe-eval'",
            "https://a.example,https://b.example",
            "https://user@a.example",
            "https://a.example:",
            "https://a.example:99999",
            "https://A.example",
            "https://a..example",
            "https://*.example",
            "https://*",
            "https://a.*.example",
            "data:",
            "https:",
            "http://a.example",
            "javascript://a",
            "'self'",
            "https://a.example\n",
        ] {
            assert!(origin_mistake(origin, true).is_some(), "{origin}");
        }
        assert_eq!(origin_mistake("https://*.a.example", true), None);
        assert!(origin_mistake("https://*.a.example", false).is_some());
    }
}
