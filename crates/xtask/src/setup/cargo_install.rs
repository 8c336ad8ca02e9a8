//! Programs of crates.io, compiled into a folder of the tool cache. Which ones, and at which version,
//! is known by the files beside this one.

use std::{fs, path::Path};

use crate::{
    context::Context,
    process,
    report::{Result, While},
};

/// Compiles into `<folder>/bin`, without optimisation and without debug information: what these
/// programs do takes a second or two, and the most expensive part of them is to build them.
pub(super) fn cargo_install(cx: &Context, folder: &Path, programs: &[&[&str]]) -> Result<()> {
    let build = folder.join("build");
    for program in programs {
        let mut install = cx.cargo();
        install
            .args(["install", "--debug", "--quiet", "--root"])
            .arg(folder)
            .arg("--target-dir")
            .arg(&build)
            .args(*program)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0");
        process::run(&mut install)?;
    }
    fs::remove_dir_all(&build).while_doing(format_args!("remove {}", build.display()))
}
