//! Where things are: the repository, the tool cache, cargo's target folder. Nothing is created
//! here.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::report::{Error, Result, While};

#[derive(Debug)]
pub(crate) struct Context {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Tools fetched by `setup`, shared by every checkout of this user.
    pub(crate) tools: PathBuf,
    /// The target folder this program was itself built into, wherever the user's configuration put
    /// it.
    pub(crate) target: PathBuf,
}

impl Context {
    pub(crate) fn find() -> Result<Self> {
        let this = env::current_exe().while_doing("find this program's own path")?;
        let target = this.ancestors().nth(2).map(Path::to_path_buf);
        Ok(Self {
            root: root()?,
            tools: tools()?,
            target: target.ok_or_else(|| {
                Error::new("start xtask as `cargo xtask`, not from another folder")
            })?,
        })
    }

    /// The cargo that started us, in the repository.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        command
    }

    pub(crate) fn rustc(&self) -> Command {
        let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        command.current_dir(&self.root);
        command
    }
}

fn root() -> Result<PathBuf> {
    // Cargo sets this to crates/xtask for `cargo run`, so the repository is two folders up.
    let crate_folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    crate_folder
        .and_then(|folder| folder.ancestors().nth(2).map(Path::to_path_buf))
        .ok_or_else(|| {
            Error::new("start xtask with `cargo xtask` from anywhere inside the repository")
        })
}

fn tools() -> Result<PathBuf> {
    let from = |name| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let folder = from("MCPFN_TOOLS")
        .or_else(|| from("XDG_CACHE_HOME").map(|cache| cache.join("mcpfn-tools")))
        .or_else(|| from("HOME").map(|home| home.join(".cache/mcpfn-tools")))
        .ok_or_else(|| {
            Error::new(
                "no folder for tools is known; set MCPFN_TOOLS to one that can be written to",
            )
        })?;
    std::path::absolute(&folder).while_doing(format_args!("make {} absolute", folder.display()))
}
