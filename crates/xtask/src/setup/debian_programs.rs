//! Servers that Debian has as packages: unpacked into the tool cache, with the libraries that the
//! machine may lack. Nothing is installed, and no package's script runs.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{cache::once, debian};
use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
};

/// A program, wherever it is.
#[derive(Debug)]
pub(crate) struct DebianProgram {
    pub(crate) path: PathBuf,
    /// Where its libraries are, beside the system's own.
    pub(crate) libraries: Option<OsString>,
}

impl DebianProgram {
    /// A command that finds the program's libraries, and passes them on to what it starts itself.
    pub(crate) fn environment<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(libraries) = &self.libraries {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        self.environment(&mut command);
        command
    }

    pub(crate) fn description(&self) -> String {
        let said = process::read(self.command().arg("--version")).unwrap_or_default();
        format!("{} ({})", self.path.display(), said.trim())
    }
}

/// `redis-server`: that of the machine, or else of Debian's packages. Or why there is none.
pub(crate) fn redis(cx: &Context) -> std::result::Result<DebianProgram, String> {
    program(
        cx,
        &["redis-server", "valkey-server"],
        "usr/bin/redis-server",
        &[
            "redis-server",
            "redis-tools",
            "libjemalloc2",
            "liblzf1",
            "libatomic1",
        ],
    )
}

/// `nginx`: that of the machine, or else of Debian's packages. Or why there is none.
pub(crate) fn nginx(cx: &Context) -> std::result::Result<DebianProgram, String> {
    let packages = ["nginx", "libpcre2-8-0"];
    program(cx, &["nginx"], "usr/sbin/nginx", &packages)
}

/// `caddy`, likewise.
pub(crate) fn caddy(cx: &Context) -> std::result::Result<DebianProgram, String> {
    program(cx, &["caddy"], "usr/bin/caddy", &["caddy"])
}

/// The first of these programs on PATH, or else the one at `path` in Debian's packages.
fn program(
    cx: &Context,
    names: &[&str],
    path: &str,
    packages: &[&str],
) -> std::result::Result<DebianProgram, String> {
    if let Some(path) = names.iter().find_map(|name| process::find(name)) {
        return Ok(DebianProgram {
            path,
            libraries: None,
        });
    }
    let missing = |tool: &&str| process::find(tool).is_none();
    if let Some(tool) = ["apt-get", "dpkg-deb"].into_iter().find(missing) {
        return Err(format!(
            "{} is not on PATH, and this is not a Debian system (`{tool}` is missing)",
            names[0]
        ));
    }
    let folder = once(cx, &format!("debian-{}", names[0]), |folder| {
        println!("fetching {} from Debian, once", names[0]);
        debian::unpack_packages(packages, folder)?;
        if folder.join("root").join(path).exists() {
            Ok(())
        } else {
            Err(Error::new(format!("Debian's packages have no {path}")))
        }
    });
    let root = folder.map_err(|error| error.to_string())?.join("root");
    let libraries = libraries(&root).map_err(|error| error.to_string())?;
    Ok(DebianProgram {
        path: root.join(path),
        libraries: Some(libraries),
    })
}

/// `lib` and `usr/lib` of every architecture.
fn libraries(root: &Path) -> Result<OsString> {
    let mut folders = Vec::new();
    for folder in ["lib", "usr/lib"].map(|folder| root.join(folder)) {
        if !folder.is_dir() {
            continue;
        }
        let entries =
            fs::read_dir(&folder).while_doing(format_args!("list {}", folder.display()))?;
        folders.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    folders.sort();
    std::env::join_paths(folders.into_iter().filter(|folder| folder.is_dir()))
        .map_err(|_| Error::new("the tool folder's name has a `:` in it; set MCPFN_TOOLS"))
}
