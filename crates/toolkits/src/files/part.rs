//! Bytes of a file as text, where they are text. Knows no store.

use mcpfn_ports::BlobPath;

/// The text in a part of a file, and at which of its bytes it begins and ends: characters that the
/// cut divides are left out. Nothing when the bytes are no UTF-8 text. `whole` says that the part
/// ends where the file does, `from_start` that it begins there.
pub(super) fn text(bytes: &[u8], from_start: bool, whole: bool) -> Option<(&str, usize, usize)> {
    // 10xxxxxx goes on with a character, and a character has at most three such bytes
    let divided = if from_start {
        0
    } else {
        bytes
            .iter()
            .take(3)
            .take_while(|byte| **byte & 0xc0 == 0x80)
            .count()
    };
    let rest = &bytes[divided..];
    let text = match std::str::from_utf8(rest) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && !whole => {
            std::str::from_utf8(&rest[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    (!text.contains('\0')).then_some((text, divided, divided + text.len()))
}

/// The media type that a name suggests, as far as the bytes agree.
pub(super) fn media_type(path: &BlobPath, is_text: bool) -> &'static str {
    let guessed = mime_guess::from_path(path.as_str()).first_raw();
    let textual = |kind: &&str| {
        kind.starts_with("text/") || kind.starts_with("application/") || *kind == "image/svg+xml"
    };
    match guessed {
        // `.ts` is taken for video
        guessed if is_text => guessed.filter(textual).unwrap_or("text/plain"),
        Some(guessed) if !guessed.starts_with("text/") => guessed,
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_not_divided() {
        let bytes = "aé🦀z".as_bytes();
        for start in 0..=bytes.len() {
            for end in start..=bytes.len() {
                let (text, from, to) =
                    text(&bytes[start..end], start == 0, end == bytes.len()).unwrap();
                assert_eq!(text.as_bytes(), &bytes[start + from..start + to]);
                assert!("aé🦀z".contains(text));
            }
        }
        assert_eq!(text(b"\x80abc", true, true), None);
        assert_eq!(text(b"abc\xf0\x9f", true, true), None);
        assert_eq!(text(b"a\0b", true, true), None);
        assert_eq!(text(b"a\xffb", true, false), None);
        assert_eq!(text(b"\x80\x80\x80\x80", false, false), None);
    }

    #[test]
    fn names_suggest_and_bytes_decide() {
        let kind = |name: &str, is_text| media_type(&BlobPath::parse(name).unwrap(), is_text);
        assert_eq!(kind("a.md", true), "text/markdown");
        assert_eq!(kind("a.json", true), "application/json");
        assert_eq!(kind("a.ts", true), "text/plain");
        assert_eq!(kind("a.svg", true), "image/svg+xml");
        assert_eq!(kind("Makefile", true), "text/plain");
        assert_eq!(kind("a.PNG", false), "image/png");
        assert_eq!(kind("a.txt", false), "application/octet-stream");
        assert_eq!(kind("a", false), "application/octet-stream");
    }
}
