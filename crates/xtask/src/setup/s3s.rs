//! s3s-fs, which plays S3 on a folder and, unlike moto, checks signatures. A program and no
//! dependency: it is built once, and nobody who builds mcpfn compiles it.

use std::{fs, path::PathBuf};

use super::once;
use crate::{
    context::Context,
    process,
    report::{Result, While},
};

/// The last release that the Rust of this repository builds.
const VERSION: &str = "0.14.1";

/// The program `s3s-fs`.
pub(crate) fn s3s(cx: &Context) -> Result<PathBuf> {
    let folder = once(cx, &format!("s3s-fs-{VERSION}"), |folder| {
        println!("building s3s-fs {VERSION}, once; this takes two minutes");
        let build = folder.join("build");
        let mut install = cx.cargo();
        // unoptimised, which builds in half the time and is fast enough
        install
            .args(["install", "--locked", "--debug", "--quiet", "--root"])
            .arg(folder)
            .arg("--target-dir")
            .arg(&build);
        install.args(["--version", VERSION, "--features", "binary", "s3s-fs"]);
        process::run(&mut install)?;
        fs::remove_dir_all(&build).while_doing("remove the build folder of s3s-fs")
    })?;
    Ok(folder
        .join("bin")
        .join(format!("s3s-fs{}", std::env::consts::EXE_SUFFIX)))
}
