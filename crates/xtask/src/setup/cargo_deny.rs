//! cargo-deny, at the one version whose configuration format `deny.toml` is written for.

use std::path::PathBuf;

use super::{cache::once, cargo_install::cargo_install};
use crate::{context::Context, process, report::Result};

const VERSION: &str = "0.20.2";

pub(crate) fn cargo_deny(cx: &Context) -> Result<PathBuf> {
    let program = format!("cargo-deny{}", std::env::consts::EXE_SUFFIX);
    if let Some(installed) = process::find(&program) {
        let mut ask = std::process::Command::new(&installed);
        if process::read(ask.arg("--version"))
            .is_ok_and(|answer| answer.trim() == format!("cargo-deny {VERSION}"))
        {
            return Ok(installed);
        }
    }
    let folder = once(cx, &format!("cargo-deny-{VERSION}"), |folder| {
        println!("building cargo-deny {VERSION}, once; this takes a minute or two");
        cargo_install(
            cx,
            folder,
            &[&["--locked", "--version", VERSION, "cargo-deny"]],
        )
    })?;
    Ok(folder.join("bin").join(program))
}
