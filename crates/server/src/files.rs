//! Which files and skills are served: those of the directories, or of the bucket, that the operator
//! names. None is served unless it is named.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::Arc;

use mcpfn::port::{BlobPath, Blobs};
use mcpfn_files::{Directory, S3};
use mcpfn_native::Client;

use crate::shown::{may_have_password, shown};

const ROOT: &str = "MCPFN_FILES_ROOT";
const SKILLS_ROOT: &str = "MCPFN_SKILLS_ROOT";

/// Opens the directories, or the bucket. Of a bucket nothing is asked before a call needs it.
pub(crate) fn open(variable: impl Fn(&str) -> Option<OsString>) -> Result<Arc<dyn Blobs>, String> {
    let named = variable(ROOT).ok_or_else(|| {
        format!(
            "the toolkit `files` needs {ROOT}: a directory, several as \
            NAME=DIRECTORY,NAME=DIRECTORY, or s3://BUCKET"
        )
    })?;
    open_named(ROOT, &named, variable)
}

/// Opens the place of the operator's own skills, if one is named.
pub(crate) fn open_skills(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<Arc<dyn Blobs>>, String> {
    let named = variable(SKILLS_ROOT);
    let open = |named: OsString| open_named(SKILLS_ROOT, &named, variable);
    named.map(open).transpose()
}

/// Opens what a setting names: a directory, several, or a bucket.
pub(crate) fn open_named(
    setting: &'static str,
    named: &OsStr,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Arc<dyn Blobs>, String> {
    if let Some(url) = named.to_str().filter(|named| named.starts_with("s3:")) {
        let s3 = S3::open(setting, url, variable, Arc::new(Client::new()));
        return Ok(Arc::new(s3.map_err(|error| error.to_string())?));
    }
    let roots = named.to_str().map(|text| roots(setting, text));
    let roots = roots.transpose()?.flatten();
    let opened = match &roots {
        None => {
            check(setting, Path::new(named))?;
            Directory::open(named)
        }
        Some(roots) => {
            roots
                .iter()
                .try_for_each(|(_, path)| check(setting, Path::new(path)))?;
            Directory::open_named(roots.iter().map(|(name, path)| (name.clone(), path)))
        }
    };
    let opened = opened.map_err(|error| {
        format!("{setting}: a directory can't be opened ({error}); check its permissions")
    })?;
    Ok(Arc::new(opened))
}

/// Names and directories, where the first has a name; else the text is the path of one.
fn roots(setting: &str, text: &str) -> Result<Option<Vec<(String, String)>>, String> {
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !text.split_once('=').is_some_and(|(name, _)| is_name(name)) {
        return Ok(None);
    }
    let mut roots: Vec<(String, String)> = Vec::new();
    for part in text.split(',') {
        let (name, path) = part
            .trim()
            .split_once('=')
            .filter(|(name, path)| is_name(name) && !path.is_empty())
            .ok_or_else(|| {
                format!(
                    "{setting}: each directory needs a name of letters, digits, `-` and `_`, such as \
                docs=/srv/docs,notes=/srv/notes"
                )
            })?;
        BlobPath::parse(name)
            .map_err(|why| format!("{setting}: `{name}` is not a directory name: {why}"))?;
        if roots
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            return Err(format!(
                "{setting}: the name `{name}` stands twice; give each directory its own"
            ));
        }
        roots.push((name.to_owned(), path.to_owned()));
    }
    roots.sort();
    Ok(Some(roots))
}

fn check(setting: &str, path: &Path) -> Result<(), String> {
    let words = shown(path);
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(format!("{setting}: {words} is not a directory; name one")),
        Err(_) if may_have_password(path) => Err(format!(
            "{setting}: {words} can't be found; name a directory that exists, several as \
             NAME=DIRECTORY,NAME=DIRECTORY, or s3://BUCKET/PREFIX without a password"
        )),
        Err(error) => Err(format!(
            "{setting}: {words} can't be found ({error}); name a directory that exists"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(root: Option<&str>) -> Result<(), String> {
        open(|name| root.filter(|_| name == ROOT).map(OsString::from)).map(drop)
    }

    #[test]
    fn a_bucket_is_named_as_one_and_needs_whole_credentials() {
        let in_account = |url: &str| {
            open(|name| match name {
                ROOT => Some(url.into()),
                "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => {
                    Some("hunter2".into())
                }
                _ => None,
            })
        };
        assert!(in_account("s3://files/shared").is_ok());
        for url in ["s3:", "s3://Files", "s3://files/../x"] {
            let error = in_account(url).map(drop).unwrap_err();
            assert!(
                error.contains("MCPFN_FILES_ROOT") && !error.contains("hunter2"),
                "{error}"
            );
        }
        // found at the first use, where every program of AWS looks
        assert_eq!(opened(Some("s3://files")), Ok(()));
        for half in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            let error = open(|name| match name {
                ROOT => Some("s3://files".into()),
                _ => (name == half).then(|| "hunter2".into()),
            })
            .map(drop)
            .unwrap_err();
            assert!(
                error.contains(&format!("{half} is set, but"))
                    && error.contains("MCPFN_FILES_ROOT can't be used so")
                    && !error.contains("hunter2"),
                "{error}"
            );
        }
    }

    #[test]
    fn mistakes_are_sentences() {
        let folder = std::env::temp_dir();
        let folder = folder.to_str().unwrap();
        let file = std::env::current_exe().unwrap();
        let file = file.to_str().unwrap();
        assert_eq!(opened(Some(folder)), Ok(()));
        assert_eq!(opened(Some(&format!("a={folder},b-2={folder}"))), Ok(()));
        for (root, part) in [
            (None, "needs MCPFN_FILES_ROOT: a directory"),
            (Some("/no/such/folder"), "/no/such/folder can't be found"),
            (Some("a=/no/such/folder"), "/no/such/folder can't be found"),
            (Some(file), "is not a directory; name one"),
            (
                Some(&format!("a={folder},{folder}")),
                "each directory needs a name",
            ),
            (
                Some(&format!("a={folder},A={folder}")),
                "the name `A` stands twice",
            ),
            (
                Some(&format!("con={folder}")),
                "`con` is not a directory name",
            ),
        ] {
            let error = opened(root).unwrap_err();
            assert!(
                error.contains("MCPFN_FILES_ROOT") && error.contains(part),
                "{error}"
            );
        }
    }
}
