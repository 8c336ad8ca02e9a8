//! cargo-mutants, at one version: its list of mutants is what a score is a share of.

use std::path::PathBuf;

use super::{cache::once, cargo_install::cargo_install};
use crate::{context::Context, report::Result};

const VERSION: &str = "27.1.0";

pub(crate) fn cargo_mutants(cx: &Context) -> Result<PathBuf> {
    let folder = once(cx, &format!("cargo-mutants-{VERSION}"), |folder| {
        println!("building cargo-mutants {VERSION}, once; this takes a minute or two");
        cargo_install(
            cx,
            folder,
            &[&["--locked", "--version", VERSION, "cargo-mutants"]],
        )
    })?;
    let program = format!("cargo-mutants{}", std::env::consts::EXE_SUFFIX);
    Ok(folder.join("bin").join(program))
}
