//! Names in the two forms of Unicode: macOS writes `é` as two characters (NFD), others as one (NFC),
//! and models change one into the other while they copy a path. What is not there under a path is
//! looked for under its other forms; nothing new is renamed.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use mcpfn_ports::{BlobError, BlobPath, Blobs};

/// The most other forms of one path that are looked for.
const MOST: usize = 8;

/// The same path in other forms, each of its names for itself; none for most paths.
fn others(path: &BlobPath) -> Vec<BlobPath> {
    if path.as_str().is_ascii() {
        return Vec::new();
    }
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    let nfd = DecomposingNormalizerBorrowed::new_nfd();
    let mut forms = vec![String::new()];
    for name in path.as_str().split('/') {
        let mut names = vec![name.to_owned()];
        for other in [nfc.normalize(name), nfd.normalize(name)] {
            if !names.iter().any(|name| *name == other) {
                names.push(other.into_owned());
            }
        }
        // the form of the first names tells that of the next: all at once would be many
        forms.truncate(MOST);
        let joined = |form: &String, name: &String| match form.as_str() {
            "" => name.clone(),
            form => format!("{form}/{name}"),
        };
        forms = names
            .iter()
            .flat_map(|name| forms.iter().map(move |form| joined(form, name)))
            .collect();
    }
    let mut paths: Vec<BlobPath> = Vec::new();
    for form in forms {
        match BlobPath::parse(&form) {
            Ok(other) if other != *path && !paths.contains(&other) => paths.push(other),
            _ => {}
        }
    }
    paths.truncate(MOST);
    paths
}

/// Does something with a path, and where nothing is there, with what is there under another form of
/// it. Also gives the path that it was done with.
pub(super) async fn with<T, F>(
    path: &BlobPath,
    run: impl Fn(BlobPath) -> F,
) -> Result<(BlobPath, T), BlobError>
where
    F: Future<Output = Result<T, BlobError>>,
{
    let first = run(path.clone()).await;
    if !matches!(first, Err(BlobError::NotFound)) {
        return first.map(|done| (path.clone(), done));
    }
    for other in others(path) {
        match run(other.clone()).await {
            Err(BlobError::NotFound) => {}
            done => return done.map(|done| (other, done)),
        }
    }
    Err(BlobError::NotFound)
}

/// Where a new file of this path goes: the path, in the form of what is there already; below a
/// directory that is there in another form, there.
pub(super) async fn place(blobs: &dyn Blobs, path: &BlobPath) -> BlobPath {
    let exists = async |path: &BlobPath| match blobs.metadata(path).await {
        Ok(_) | Err(BlobError::NotAFile) => true,
        Err(_) => false,
    };
    let all = others(path);
    if all.is_empty() || exists(path).await {
        return path.clone();
    }
    for other in &all {
        if exists(other).await {
            return other.clone();
        }
    }
    let Some((directory, name)) = path.split() else {
        return path.clone();
    };
    if directory.is_top() || exists(&directory).await {
        return path.clone();
    }
    for other in others(&directory) {
        if exists(&other).await {
            return other.join(name).unwrap_or_else(|_| path.clone());
        }
    }
    path.clone()
}

/// Whether two paths are forms of one.
pub(super) fn are_same(one: &BlobPath, other: &BlobPath) -> bool {
    let nfc = ComposingNormalizerBorrowed::new_nfc();
    nfc.normalize(one.as_str()) == nfc.normalize(other.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_few_other_forms() {
        let path = |text: &str| BlobPath::parse(text).unwrap();
        assert_eq!(others(&path("a/b.md")), []);
        assert_eq!(others(&path("日本/x")), []);
        assert_eq!(others(&path("é")), [path("e\u{301}")]);
        assert_eq!(others(&path("e\u{301}/a")), [path("é/a")]);
        assert_eq!(others(&path("é/é")).len(), 3);
        assert!(others(&path(&["é"; 40].join("/"))).len() <= MOST);
        // of one size of form a sign that is the same is not another name
        assert_eq!(others(&path("Å")), [path("A\u{30a}")]);
    }
}
