//! cargo-lambda and the official runtime interface emulator, out of the Python packages that the
//! step `sam` installs.

use std::{env::consts::ARCH, path::PathBuf};

use super::python::sam_tools;
use crate::{
    context::Context,
    process,
    report::{Error, Result},
};

/// Prints where scripts and the SAM command line's own files are.
const WHERE: &str = "import pathlib, samcli, \
    sysconfig\nprint(sysconfig.get_path('scripts'))\nprint(pathlib.Path(samcli.__file__).parent)";

#[derive(Debug)]
pub(crate) struct LambdaTools {
    pub(crate) cargo_lambda: PathBuf,
    /// A program for Linux.
    pub(crate) emulator: PathBuf,
}

pub(crate) fn lambda_tools(cx: &Context) -> Result<LambdaTools> {
    let said = process::read(&mut sam_tools(cx)?.program(WHERE))?;
    let mut lines = said.lines().map(PathBuf::from);
    let (Some(scripts), Some(sam)) = (lines.next(), lines.next()) else {
        return Err(Error::new(format!(
            "Python does not say where its packages are, but: {said}"
        )));
    };
    let architecture = if ARCH == "aarch64" { "arm64" } else { ARCH };
    let tools = LambdaTools {
        cargo_lambda: scripts.join(format!("cargo-lambda{}", std::env::consts::EXE_SUFFIX)),
        emulator: sam
            .join("local/rapid")
            .join(format!("aws-lambda-rie-{architecture}")),
    };
    for tool in [&tools.cargo_lambda, &tools.emulator] {
        if !tool.is_file() {
            return Err(Error::new(format!(
                "{} is not there; remove the folder of the SAM command line from the tool cache",
                tool.display()
            )));
        }
    }
    Ok(tools)
}
