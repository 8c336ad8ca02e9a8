//! A secret that stands in a file of its own, as Docker and Kubernetes mount them.

use std::io::Read as _;

/// The largest file, in bytes: a key, a URL with a password, or a list of tokens.
const MAX_BYTES: u64 = 64 * 1024;

/// The text of the file without the line break at its end. The error repeats nothing of it.
pub(crate) fn read(path: &str) -> Result<String, String> {
    let cannot = |cause: &str| format!("{path} can't be read: {cause}");
    let file = std::fs::File::open(path).map_err(|error| cannot(&error.to_string()))?;
    // a pipe would wait for a writer
    if !file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(cannot("no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| cannot(&error.to_string()))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(cannot("larger than 64 KiB"));
    }
    let text = String::from_utf8(bytes).map_err(|_| cannot("no text in UTF-8"))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.trim().is_empty() {
        return Err(cannot("empty"));
    }
    Ok(secret.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_secret_is_told_without_its_contents() {
        let path = std::env::temp_dir().join(format!("mcpfn-secret-file-{}", std::process::id()));
        let shown = path.display().to_string();
        for (bytes, cause) in [
            (&b"\r\n"[..], "empty"),
            (b"hunter2\xff", "no text in UTF-8"),
            (&[b'h'; 65 * 1024], "larger than 64 KiB"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = read(&shown).unwrap_err();
            assert!(
                error.contains(cause) && !error.contains("hunter2"),
                "{error}"
            );
        }
        std::fs::write(&path, "a b\r\n").unwrap();
        assert_eq!(read(&shown).unwrap(), "a b");
        std::fs::remove_file(&path).unwrap();
        assert!(read(&shown).unwrap_err().contains(&shown));
        let folder = std::env::temp_dir().display().to_string();
        assert!(read(&folder).unwrap_err().contains("can't be read"));
    }
}
