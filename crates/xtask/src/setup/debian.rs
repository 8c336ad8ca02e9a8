//! Debian's packages, through a private apt configuration: the library sources of one exact rustc
//! from `rust-src`, and programs (`debian_programs`). Nothing is installed, and the machine's own package lists are not
//! touched.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    process,
    report::{Error, Result, While},
};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One Debian package that holds the sources of one rustc. A new rustc needs a new line here, or
/// rustup's own target.
#[derive(Debug)]
pub(super) struct LibrarySource {
    rustc: &'static str,
    suite: &'static str,
    package: &'static str,
    sha256: &'static str,
}

const SOURCES: &[LibrarySource] = &[LibrarySource {
    rustc: "1.95.0",
    suite: "trixie-backports",
    package: "rust-src=1.95.0+dfsg1-2~bpo13+1",
    sha256: "7b76db5b880a77f9e52975d2baa6209d2f76d2c9c2789515c3088cb960e2c83b",
}];

/// The sources of this release, or why there are none here, as the second half of a sentence.
pub(super) fn library_source(release: &str) -> std::result::Result<&'static LibrarySource, String> {
    let source = SOURCES.iter().find(|source| source.rustc == release);
    let source =
        source.ok_or_else(|| format!("no sources for rustc {release} are known to xtask"))?;
    let missing = ["apt-get", "dpkg-deb", "sha256sum", "tar"]
        .into_iter()
        .find(|tool| process::find(tool).is_none());
    if let Some(tool) = missing {
        return Err(format!("this is not a Debian system (`{tool}` is missing)"));
    }
    if !Path::new(KEYRING).is_file() {
        return Err("this is not a Debian system (its archive keys are missing)".to_owned());
    }
    Ok(source)
}

/// Downloads packages from the machine's own sources, whose signatures apt checks, and unpacks them
/// into `work/root`.
pub(super) fn unpack_packages(packages: &[&str], work: &Path) -> Result<()> {
    folders(work)?;
    process::read(apt(work, None).args(["update", "-qq"]))?;
    process::read(
        apt(work, None)
            .args(["download", "-qq"])
            .args(packages)
            .current_dir(work),
    )?;
    for package in downloads(work)? {
        process::read(
            Command::new("dpkg-deb")
                .arg("-x")
                .arg(package)
                .arg(work.join("root")),
        )?;
    }
    Ok(())
}

impl LibrarySource {
    /// Downloads, checks and unpacks into `work`, and gives back the `library` folder.
    pub(super) fn unpack(&self, work: &Path) -> Result<PathBuf> {
        folders(work)?;
        let list = work.join("sources.list");
        let line = format!(
            "deb [signed-by={KEYRING}] {} {} main\n",
            mirror(work)?,
            self.suite
        );
        fs::write(&list, line).while_doing(format_args!("write {}", list.display()))?;

        process::read(apt(work, Some(&list)).args(["update", "-qq"]))?;
        process::read(
            apt(work, Some(&list))
                .args(["download", "-qq", self.package])
                .current_dir(work),
        )?;
        let package = downloaded(work)?;
        let sum = process::read(Command::new("sha256sum").arg(&package))?;
        if sum.split_whitespace().next() != Some(self.sha256) {
            return Err(Error::new(format!(
                "the package {} is not the one xtask knows (its sha256 differs)",
                self.package
            )));
        }

        self.unpack_package(&package, work)
    }

    fn unpack_package(&self, package: &Path, work: &Path) -> Result<PathBuf> {
        let mut archive = Command::new("dpkg-deb")
            .arg("--fsys-tarfile")
            .arg(package)
            .stdout(Stdio::piped())
            .spawn()
            .while_doing("start dpkg-deb")?;
        let stdout = archive
            .stdout
            .take()
            .expect("standard output was asked for as a pipe three lines above");
        let mut unpack = Command::new("tar");
        unpack
            .arg("-x")
            .arg("-C")
            .arg(work)
            .arg("--strip-components=4")
            .stdin(stdout);
        let unpacked = unpack
            .arg(format!("./usr/src/rustc-{}/library", self.rustc))
            .output()
            .while_doing("start tar")?;
        let archived = archive.wait().while_doing("wait for dpkg-deb")?;
        let library = work.join("library");
        if !archived.success() || !unpacked.status.success() || !library.is_dir() {
            let said = String::from_utf8_lossy(&unpacked.stderr);
            return Err(Error::new(format!(
                "the package {} could not be unpacked: {}",
                self.package,
                said.trim()
            )));
        }
        Ok(library)
    }
}

/// The mirror this machine already uses for its own release, so that no host is named here.
fn mirror(work: &Path) -> Result<String> {
    let targets = |command: &mut Command| {
        process::read(command.args(["indextargets", "--format", "$(REPO_URI) $(RELEASE)"]))
            .unwrap_or_default()
    };
    let codename = fs::read_to_string("/etc/os-release").while_doing("read /etc/os-release")?;
    let codename = os_release(&codename, "VERSION_CODENAME").unwrap_or_default();
    let mut found = choose(&targets(&mut Command::new("apt-get")), &codename);
    if found.is_none() {
        // A fresh image has no package lists. They are fetched to our own folder: that needs no
        // rights.
        process::read(apt(work, None).args(["update", "-qq"]))?;
        found = choose(&targets(&mut apt(work, None)), &codename);
    }
    found.ok_or_else(|| Error::new("apt names no Debian mirror"))
}

fn choose(targets: &str, codename: &str) -> Option<String> {
    targets.lines().find_map(|line| match line.split_once(' ') {
        Some((mirror, release)) if release == codename && !codename.is_empty() => {
            Some(mirror.to_owned())
        }
        _ => None,
    })
}

fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim_matches('"').to_owned())
}

/// apt-get with its state in `work`; with the machine's own sources, or with exactly the given
/// list.
fn apt(work: &Path, list: Option<&Path>) -> Command {
    let mut command = Command::new("apt-get");
    let mut option = |name: &str, value: &str| {
        command.arg("-o").arg(format!("{name}={value}"));
    };
    option("Dir::State::lists", &work.join("lists").to_string_lossy());
    option("Dir::Cache", &work.join("cache").to_string_lossy());
    // As root, apt would download as a user that may not write into the tool cache.
    option("APT::Sandbox::User", "root");
    if let Some(list) = list {
        option("Dir::Etc::sourcelist", &list.to_string_lossy());
        option("Dir::Etc::sourceparts", "-");
    }
    command
}

/// What apt asks to be there.
fn folders(work: &Path) -> Result<()> {
    for folder in ["lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(work.join(folder))
            .while_doing(format_args!("create {folder} in the tool cache"))?;
    }
    Ok(())
}

fn downloaded(work: &Path) -> Result<PathBuf> {
    let first = downloads(work)?.into_iter().next();
    first.ok_or_else(|| Error::new("apt downloaded nothing"))
}

fn downloads(work: &Path) -> Result<Vec<PathBuf>> {
    let files = fs::read_dir(work).while_doing(format_args!("list {}", work.display()))?;
    let packages = files.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(packages
        .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TARGETS: &str = "\
http://mirror.example/debian/ bookworm-updates
http://mirror.example/debian/ bookworm
http://security.example/debian-security/ bookworm-security
";

    #[test]
    fn the_mirror_of_the_release_itself_is_chosen() {
        assert_eq!(
            choose(TARGETS, "bookworm").as_deref(),
            Some("http://mirror.example/debian/")
        );
        assert_eq!(choose(TARGETS, "noble"), None);
        assert_eq!(choose(TARGETS, ""), None);
        assert_eq!(choose("", "bookworm"), None);
    }

    #[test]
    fn the_codename_is_read_with_and_without_quotes() {
        let text = "NAME=\"Debian GNU/Linux\"\nVERSION_CODENAME=bookworm\nID=\"debian\"\n";
        assert_eq!(
            os_release(text, "VERSION_CODENAME").as_deref(),
            Some("bookworm")
        );
        assert_eq!(os_release(text, "ID").as_deref(), Some("debian"));
        assert_eq!(os_release(text, "VERSION"), None);
    }

    #[test]
    fn an_unknown_rustc_is_refused_with_its_number() {
        let why = library_source("1.0.0").unwrap_err();
        assert!(why.contains("1.0.0"), "{why}");
    }
}
