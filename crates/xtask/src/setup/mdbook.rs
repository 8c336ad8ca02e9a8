//! mdBook, at one version: from PATH where it is that one, else built once.

use std::path::PathBuf;
use std::process::Command;

use super::{cache::once, cargo_install::cargo_install};
use crate::{context::Context, process, report::Result};

const VERSION: &str = "0.5.4";

pub(crate) fn mdbook(cx: &Context) -> Result<PathBuf> {
    if let Some(found) = process::find("mdbook")
        && process::read(Command::new(&found).arg("--version"))?.contains(VERSION)
    {
        return Ok(found);
    }
    let folder = once(cx, &format!("mdbook-{VERSION}"), |folder| {
        println!("building mdBook {VERSION}, once; this takes some minutes");
        let features = ["--no-default-features", "--features", "search"];
        let program = [
            &["--locked", "--version", VERSION][..],
            &features,
            &["mdbook"],
        ];
        cargo_install(cx, folder, &[&program.concat()])
    })?;
    let program = format!("mdbook{}", std::env::consts::EXE_SUFFIX);
    Ok(folder.join("bin").join(program))
}
