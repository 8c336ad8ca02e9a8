//! What kind of text a body is, and in which character set. Reads no markup beyond a page's own
//! declaration.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// How to read a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaKind {
    Html,
    Text,
}

/// Bytes of a page in which its own declaration of the character set is looked for, as in browsers.
const DECLARED_WITHIN: usize = 1024;

/// The kind of a body by its declared type, or by a look at it. The error is the type that is no
/// text.
pub(crate) fn kind(content_type: Option<&str>, body: &[u8]) -> Result<MediaKind, String> {
    let declared = content_type
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match declared.as_str() {
        "text/html" | "application/xhtml+xml" => Ok(MediaKind::Html),
        "" | "application/octet-stream" | "unknown/unknown" => {
            looked_at(body).ok_or_else(|| "binary data".to_owned())
        }
        "application/json"
        | "application/xml"
        | "application/javascript"
        | "application/yaml"
        | "application/x-yaml"
        | "application/toml" => Ok(MediaKind::Text),
        other
            if other.starts_with("text/")
                || other.ends_with("+json")
                || other.ends_with("+xml") && !other.starts_with("image/") =>
        {
            Ok(MediaKind::Text)
        }
        _ => Err(declared),
    }
}

fn looked_at(body: &[u8]) -> Option<MediaKind> {
    let beginning = &body[..body.len().min(DECLARED_WITHIN)];
    if beginning.contains(&0)
        || beginning.starts_with(b"%PDF")
        || beginning.starts_with(b"\x1f\x8b")
    {
        return None;
    }
    let beginning = String::from_utf8_lossy(beginning)
        .trim_start()
        .to_ascii_lowercase();
    let html = beginning.starts_with("<!doctype html") || beginning.starts_with("<html");
    Some(if html {
        MediaKind::Html
    } else {
        MediaKind::Text
    })
}

/// The text of a body: by its byte order mark, else by what its server says, else by what the page
/// says of itself, else UTF-8 if it is that, else the character set of old western pages.
pub(crate) fn text(body: &[u8], content_type: Option<&str>, kind: MediaKind) -> String {
    let by_page = || {
        (kind == MediaKind::Html)
            .then(|| declared(&body[..body.len().min(DECLARED_WITHIN)]))
            .flatten()
    };
    let by_looking = || if is_utf8(body) { UTF_8 } else { WINDOWS_1252 };
    let encoding = content_type
        .and_then(|value| charset(value.as_bytes()))
        .or_else(by_page)
        .unwrap_or_else(by_looking);
    // a byte order mark decides before everything else
    encoding.decode(body).0.into_owned()
}

/// A body may be cut in the middle of a character.
fn is_utf8(body: &[u8]) -> bool {
    std::str::from_utf8(body).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// The character set that a page names: `<meta charset=..>`, or the `content` of its `http-equiv`
/// form. One that names UTF-16 is wrong, since it could be read.
fn declared(beginning: &[u8]) -> Option<&'static Encoding> {
    let beginning = beginning.to_ascii_lowercase();
    let meta = beginning.windows(5).position(|window| window == b"<meta")?;
    let found = charset(&beginning[meta..])?;
    Some(if found.name().starts_with("UTF-16") {
        UTF_8
    } else {
        found
    })
}

/// The first known label after `charset=`.
fn charset(text: &[u8]) -> Option<&'static Encoding> {
    let text = text.to_ascii_lowercase();
    let after = text.windows(8).position(|window| window == b"charset=")? + 8;
    let label = text[after..].trim_ascii_start();
    let label = label
        .strip_prefix(b"\"")
        .or_else(|| label.strip_prefix(b"'"))
        .unwrap_or(label);
    let end = label
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"-_.:".contains(byte))
        .unwrap_or(label.len());
    Encoding::for_label(&label[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_bodies() {
        for (declared, expected) in [
            ("text/html; charset=utf-8", Some(MediaKind::Html)),
            ("Application/XHTML+xml", Some(MediaKind::Html)),
            ("text/plain", Some(MediaKind::Text)),
            ("application/json", Some(MediaKind::Text)),
            ("application/ld+json", Some(MediaKind::Text)),
            ("application/rss+xml", Some(MediaKind::Text)),
            ("image/svg+xml", None),
            ("image/png", None),
            ("application/pdf", None),
            ("application/zip", None),
            ("video/mp4", None),
        ] {
            assert_eq!(kind(Some(declared), b"x").ok(), expected, "{declared}");
        }
        assert_eq!(kind(None, b"  <!DOCTYPE HTML><p>"), Ok(MediaKind::Html));
        assert_eq!(kind(None, b"words"), Ok(MediaKind::Text));
        assert_eq!(kind(Some("application/octet-stream"), b"a\0b").ok(), None);
        assert_eq!(kind(None, b"%PDF-1.7").ok(), None);
    }

    #[test]
    fn character_sets() {
        let html = |body: &[u8], declared: Option<&str>| text(body, declared, MediaKind::Html);
        assert_eq!(html("ü".as_bytes(), None), "ü");
        assert_eq!(html(b"\xfc", None), "ü");
        assert_eq!(
            html(b"\xfc", Some("text/html; charset=\"ISO-8859-1\"")),
            "ü"
        );
        assert_eq!(
            html(b"\xcf\xf0\xe8", Some("text/html;charset=windows-1251")),
            "При"
        );
        assert_eq!(
            html(b"<meta charset='shift_jis'>\x93\x8c", None),
            "<meta charset='shift_jis'>東"
        );
        assert!(
            html(
                b"<META http-equiv=x content='text/html; charset=gbk'>\xb6\xab",
                None
            )
            .ends_with('东')
        );
        assert_eq!(
            html(b"\xef\xbb\xbfx", Some("text/html; charset=windows-1251")),
            "x"
        );
        assert_eq!(html(b"\xff\xfeh\0i\0", None), "hi");
        assert!(html("<meta charset=utf-16>ü".as_bytes(), None).ends_with('ü'));
        assert_eq!(
            html("ü".as_bytes(), Some("text/html; charset=no-such-set")),
            "ü"
        );
        assert_eq!(html(&"aü".as_bytes()[..2], None), "a\u{fffd}");
    }
}
