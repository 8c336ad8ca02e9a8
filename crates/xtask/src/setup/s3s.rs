//! s3s-fs, which plays S3 on a folder and, unlike moto, checks signatures. A program and no
//! dependency: it is built once, and nobody who builds mcpfn compiles it.

use std::path::PathBuf;

use super::{cache::once, cargo_install::cargo_install};
use crate::{context::Context, report::Result};

/// The last release that the Rust of this repository builds.
const VERSION: &str = "0.14.1";

/// The program `s3s-fs`.
pub(crate) fn s3s(cx: &Context) -> Result<PathBuf> {
    let folder = once(cx, &format!("s3s-fs-{VERSION}"), |folder| {
        println!("building s3s-fs {VERSION}, once; this takes two minutes");
        cargo_install(
            cx,
            folder,
            &[&[
                "--locked",
                "--version",
                VERSION,
                "--features",
                "binary",
                "s3s-fs",
            ]],
        )
    })?;
    Ok(folder
        .join("bin")
        .join(format!("s3s-fs{}", std::env::consts::EXE_SUFFIX)))
}
