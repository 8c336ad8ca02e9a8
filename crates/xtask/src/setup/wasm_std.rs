//! The standard library for wasm32-unknown-unknown. rustup's own is used when it is there. Where
//! rustup's download host is out of reach, Debian's package of the library sources is built once
//! into a private copy of the toolchain; the user's own toolchain is never written to.

use std::{
    env::consts::EXE_SUFFIX,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{cache::once, debian};
use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const RUSTFLAGS: &str = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS";

/// What a panic does. A library built to unwind can't be linked into a program built to abort, so
/// each has a library of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Panics {
    Unwind,
    /// As with rustup's library.
    Abort,
}

impl Panics {
    fn flag(self) -> &'static str {
        match self {
            Self::Unwind => "-Cpanic=unwind",
            Self::Abort => "-Cpanic=abort",
        }
    }
}

#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The toolchain that runs us has the target. Its library aborts.
    Own,
    /// A copy of it, in this folder, with a library built here.
    Private(PathBuf, Panics),
}

impl Toolchain {
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Own => "the one of this toolchain".to_owned(),
            Self::Private(folder, _) => folder.display().to_string(),
        }
    }

    /// Changes whenever the standard library does.
    pub(crate) fn identity(&self) -> String {
        match self {
            Self::Own => "own".to_owned(),
            Self::Private(folder, _) => {
                let built = fs::metadata(folder.join("lib/rustlib").join(TARGET).join("lib"));
                format!(
                    "{} {:?}",
                    folder.display(),
                    built.and_then(|built| built.modified()).ok()
                )
            }
        }
    }

    /// A cargo that can build for the target.
    pub(crate) fn cargo(&self, cx: &Context) -> Result<Command> {
        let Self::Private(folder, panics) = self else {
            return Ok(cx.cargo());
        };
        let mut cargo = private_cargo(folder)?;
        cargo.current_dir(&cx.root).env(RUSTFLAGS, panics.flag());
        Ok(cargo)
    }

    /// Makes a tool that starts `cargo` from PATH start one that can build for the target, and
    /// gives the folder that PATH must begin with for that.
    pub(super) fn settle(&self, command: &mut Command) -> Option<PathBuf> {
        let Self::Private(folder, panics) = self else {
            return None;
        };
        settle(folder, command);
        command.env(RUSTFLAGS, panics.flag());
        Some(folder.join("bin"))
    }

    /// Whether a panic can be caught in what is built.
    pub(crate) fn unwinds(&self) -> bool {
        matches!(self, Self::Private(_, Panics::Unwind))
    }
}

/// rustup's, or else one that unwinds.
pub(crate) fn wasm_toolchain(cx: &Context) -> Result<Toolchain> {
    wasm_toolchain_that(cx, Panics::Unwind)
}

/// rustup's, or else one whose library does this.
pub(crate) fn wasm_toolchain_that(cx: &Context, panics: Panics) -> Result<Toolchain> {
    let folder = process::read(
        cx.rustc()
            .args(["--print", "target-libdir", "--target", TARGET]),
    )?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(Toolchain::Own);
    }
    let rustc = Rustc::ask(cx)?;
    let suffix = if panics == Panics::Abort {
        "-abort"
    } else {
        ""
    };
    let name = format!(
        "rust-{}-{}-{TARGET}{suffix}",
        rustc.release,
        rustc.commit.get(..9).unwrap_or("unknown")
    );
    if cx.tools.join(&name).is_dir() {
        return Ok(Toolchain::Private(cx.tools.join(name), panics));
    }
    let advice = |why: &str| {
        Error::new(format!(
            "run `rustup target add {TARGET}`; it can't be built here, because {why}"
        ))
    };
    let source = debian::library_source(&rustc.release).map_err(|why| advice(&why))?;
    if !rustc
        .sysroot
        .join("lib/rustlib")
        .join(&rustc.host)
        .join("bin")
        .join(format!("rust-lld{EXE_SUFFIX}"))
        .is_file()
    {
        return Err(advice(
            "this rustc was not installed by rustup and has no linker for the target",
        ));
    }
    let folder = once(cx, &name, |folder| {
        println!("building the standard library for {TARGET}, once; this takes a minute or two");
        let work = folder.join("work");
        let library = source
            .unpack(&work)
            .map_err(|error| advice(&error.to_string()))?;
        copy_toolchain(&rustc.sysroot, folder)?;
        build(folder, &library, &work.join("target"), &rustc, panics)?;
        fs::remove_dir_all(&work).while_doing(format_args!("remove {}", work.display()))
    })?;
    Ok(Toolchain::Private(folder, panics))
}

struct Rustc {
    release: String,
    commit: String,
    host: String,
    sysroot: PathBuf,
}

impl Rustc {
    fn ask(cx: &Context) -> Result<Self> {
        let said = process::read(cx.rustc().arg("-vV"))?;
        let value = |key: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim().to_owned()).ok_or_else(|| {
                Error::new(format!(
                    "`rustc -vV` does not say `{key}`; use a rustc installed by rustup"
                ))
            })
        };
        Ok(Self {
            release: value("release:")?,
            commit: value("commit-hash:")?,
            host: value("host:")?,
            sysroot: PathBuf::from(process::read(cx.rustc().args(["--print", "sysroot"]))?.trim()),
        })
    }
}

/// Hard links where the file system allows, a copy where not. Symbolic links would not do: rustc
/// looks for its libraries beside the real path of its own program.
fn copy_toolchain(from: &Path, to: &Path) -> Result<()> {
    for part in ["bin", "lib", "libexec"] {
        let source = from.join(part);
        if source.is_dir() {
            copy_folder(&source, &to.join(part))
                .while_doing(format_args!("copy the toolchain's {part} folder"))?;
        }
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        // metadata() follows symbolic links, of which a toolchain may have a few.
        if fs::metadata(&source)?.is_dir() {
            copy_folder(&source, &copy)?;
        } else if fs::hard_link(&source, &copy).is_err() {
            fs::copy(&source, &copy)?;
        }
    }
    Ok(())
}

/// The same build that fills rustup's package of the target, except for the panic strategy.
fn build(
    toolchain: &Path,
    library: &Path,
    target: &Path,
    rustc: &Rustc,
    panics: Panics,
) -> Result<()> {
    // The folder is temporary and private: panic messages must not carry it into what users build.
    let remap = format!(
        "--remap-path-prefix={}=/rustc/{}/library",
        library.display(),
        rustc.commit
    );
    let flags = [
        "-Zforce-unstable-if-unmarked",
        "-Cembed-bitcode=yes",
        &remap,
    ];
    let mut cargo = private_cargo(toolchain)?;
    cargo
        .current_dir(library)
        // Building the standard library of a stable compiler takes the features only the compiler's
        // authors may use.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", target)
        // Flags are split at this character, not at spaces, which the path may have.
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--target",
            TARGET,
            "-p",
            "sysroot",
        ])
        .args([
            "--no-default-features",
            "--features",
            "panic-unwind,backtrace",
        ])
        .args([
            "-Zprofile-rustflags",
            "--config",
            &format!("profile.release.rustflags=['{}']", panics.flag()),
        ]);
    process::run(&mut cargo)?;
    copy_library(&target.join(TARGET).join("release/deps"), toolchain)
}

/// Puts what was built where the compiler of this toolchain looks for it.
fn copy_library(built: &Path, toolchain: &Path) -> Result<()> {
    let home = toolchain.join("lib/rustlib").join(TARGET).join("lib");
    fs::create_dir_all(&home).while_doing("create the folder of the standard library")?;
    for entry in fs::read_dir(built).while_doing("list the standard library that was built")? {
        let file = entry
            .while_doing("list the standard library that was built")?
            .path();
        let Some(name) = file.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // libsysroot only ties the others together for the build; rustup does not ship it either.
        if name.ends_with(".rlib") && !name.starts_with("libsysroot") {
            fs::copy(&file, home.join(name)).while_doing(format_args!("copy {name}"))?;
        }
    }
    Ok(())
}

fn private_cargo(toolchain: &Path) -> Result<Command> {
    let bin = toolchain.join("bin");
    let mut cargo = Command::new(bin.join(format!("cargo{EXE_SUFFIX}")));
    cargo
        .env("PATH", process::path_with(bin.as_os_str())?)
        .stdin(Stdio::null());
    settle(toolchain, &mut cargo);
    Ok(cargo)
}

fn settle(toolchain: &Path, command: &mut Command) {
    command
        .env(
            "RUSTC",
            toolchain.join("bin").join(format!("rustc{EXE_SUFFIX}")),
        )
        // What the user, or the cargo that started us, set for another toolchain. The library path
        // is the one that would be noticed last: rustc takes the folder its driver was loaded from
        // for its own.
        .env_remove("LD_LIBRARY_PATH")
        .env_remove("DYLD_FALLBACK_LIBRARY_PATH")
        .env("RUSTUP_TOOLCHAIN", toolchain)
        .env_remove("CARGO")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER");
}
