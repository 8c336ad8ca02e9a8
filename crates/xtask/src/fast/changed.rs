//! Which packages of the workspace differ from `main`, in commits or not yet in one. Only files that
//! the compiler reads count.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
};

/// What a branch may have begun at, the first that exists.
const BASES: [&str; 2] = ["main", "origin/main"];

/// Their names, in order.
pub(super) fn packages(cx: &Context) -> Result<BTreeSet<String>> {
    let members = members(&process::read(cx.cargo().args([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ]))?)?;
    // git names files from the top of the repository, and cargo by whole paths without links
    let root = cx
        .root
        .canonicalize()
        .while_doing("find the repository's own path")?;
    let files = files(cx)?;
    Ok(files
        .iter()
        .filter(|file| is_read_by_the_compiler(file))
        .filter_map(|file| owner(&members, &root.join(file)))
        .map(str::to_owned)
        .collect())
}

struct Member {
    name: String,
    folder: PathBuf,
}

fn members(metadata: &str) -> Result<Vec<Member>> {
    let unreadable = || Error::new("`cargo metadata` does not name the packages as expected");
    let metadata: Value = serde_json::from_str(metadata).map_err(|_| unreadable())?;
    let packages = metadata["packages"].as_array().ok_or_else(unreadable)?;
    packages
        .iter()
        .map(|package| {
            let manifest = Path::new(package["manifest_path"].as_str()?);
            Some(Member {
                name: package["name"].as_str()?.to_owned(),
                folder: manifest.parent()?.to_path_buf(),
            })
        })
        .collect::<Option<_>>()
        .ok_or_else(unreadable)
}

/// Every file that differs from where this branch began, and every new one, by its path in the
/// repository.
fn files(cx: &Context) -> Result<Vec<String>> {
    let git = |arguments: &[&str]| {
        process::read(Command::new("git").current_dir(&cx.root).args(arguments))
    };
    let base = BASES
        .iter()
        .find_map(|base| git(&["merge-base", "HEAD", base]).ok());
    let base = base.as_deref().map_or("HEAD", str::trim);
    // -z: names stand as they are, without quotes
    let changed = git(&["diff", "-z", "--name-only", base])?;
    let new = git(&["ls-files", "-z", "--others", "--exclude-standard"])?;
    let names = changed.split('\0').chain(new.split('\0'));
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

fn is_read_by_the_compiler(file: &str) -> bool {
    let file = Path::new(file);
    file.extension().is_some_and(|extension| extension == "rs") || file.ends_with("Cargo.toml")
}

/// The package with the innermost folder around the file.
fn owner<'a>(members: &'a [Member], file: &Path) -> Option<&'a str> {
    members
        .iter()
        .filter(|member| file.starts_with(&member.folder))
        .max_by_key(|member| member.folder.components().count())
        .map(|member| member.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = r#"{"packages": [
        {"name": "mcpfn-it", "manifest_path": "/r/tests/Cargo.toml"},
        {"name": "mcpfn-auth-tests", "manifest_path": "/r/tests/auth/Cargo.toml"},
        {"name": "mcpfn-core", "manifest_path": "/r/crates/core/Cargo.toml"}]}"#;

    #[test]
    fn a_file_belongs_to_the_innermost_package() {
        let members = members(METADATA).unwrap();
        let owner = |file: &str| owner(&members, Path::new(file));
        assert_eq!(owner("/r/tests/it/main.rs"), Some("mcpfn-it"));
        assert_eq!(owner("/r/tests/auth/src/lib.rs"), Some("mcpfn-auth-tests"));
        assert_eq!(owner("/r/crates/core/src/lib.rs"), Some("mcpfn-core"));
        assert_eq!(owner("/r/crates/core-not/src/lib.rs"), None);
        assert_eq!(owner("/r/Cargo.toml"), None);
    }

    #[test]
    fn what_cargo_does_not_say_is_an_error() {
        assert!(members("{}").is_err());
        assert!(members(r#"{"packages": [{"name": "x"}]}"#).is_err());
    }

    #[test]
    fn only_sources_and_manifests_count() {
        assert!(is_read_by_the_compiler("crates/core/src/lib.rs"));
        assert!(is_read_by_the_compiler("crates/core/Cargo.toml"));
        assert!(!is_read_by_the_compiler("tests/fixtures/wire/ping.json"));
        assert!(!is_read_by_the_compiler("README.md"));
    }
}
