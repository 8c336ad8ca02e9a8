//! `bundle`: a file that desktop clients install with one click (MCPB): the program, and a manifest that
//! says how to start it and what to ask a person for.

mod manifest;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::arguments::BundleArguments;
use crate::output::{CliError, CliResult, remark, say};
use crate::project::Project;
use crate::tools::run as start;
use manifest::{BundledProgram, Platform, manifest};

pub(crate) fn run(arguments: &BundleArguments) -> CliResult {
    let project = Project::of(&arguments.folder)?;
    let programs = programs(&project, arguments)?;
    let manifest = manifest(&project, arguments, &programs)?;
    let text = serde_json::to_string_pretty(&manifest).map_err(|error| error.to_string())?;
    let path = arguments.output.clone().unwrap_or_else(|| named(&project));
    let bytes = packed(&text, &programs)?;
    fs::write(&path, &bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    say(format_args!(
        "{}\nsha256 {}",
        path.display(),
        sha256(&bytes)
    ));
    remark(
        "\nDesktop clients install it by a double click. To publish it: put it into a release on GitHub, and \
         `cargo mcpfn publish --bundle FILE --bundle-url URL`",
    );
    Ok(ExitCode::SUCCESS)
}

/// The SHA-256 of a bundle, as the registry and `sha256sum` write it.
pub(crate) fn sha256(bundle: &[u8]) -> String {
    let digest = Sha256::digest(bundle);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn named(project: &Project) -> PathBuf {
    format!("{}-{}.mcpb", project.package.name, project.package.version).into()
}

/// The programs that were named, or the one that is built now.
fn programs(
    project: &Project,
    arguments: &BundleArguments,
) -> Result<Vec<BundledProgram>, CliError> {
    if arguments.binary.is_empty() {
        let name = project.binary(arguments.bin.as_deref())?;
        let manifest = project.folder.join("Cargo.toml");
        let built = ["build", "--release", "--bin", &name, "--manifest-path"];
        let more = [manifest.to_string_lossy().into_owned()];
        start("cargo", &built, &more)?;
        let platform = Platform::here()?;
        let file = platform.file(&name);
        let path = project.target.join("release").join(&file);
        return Ok(vec![BundledProgram::read(platform, &name, &path)?]);
    }
    let mut programs: Vec<BundledProgram> = Vec::new();
    for given in &arguments.binary {
        let (platform, path) = match given.split_once('=') {
            Some((platform, path)) => (Platform::named(platform)?, path),
            None => (Platform::here()?, given.as_str()),
        };
        if programs.iter().any(|other| other.platform == platform) {
            let platform = platform.name();
            return Err(format!(
                "--binary: two programs for {platform}: a manifest does not tell processors apart, so \
                 make a bundle for each, or one program for both"
            )
            .into());
        }
        let name = &project.package.name;
        programs.push(BundledProgram::read(platform, name, Path::new(path))?);
    }
    Ok(programs)
}

/// The archive. The same files give the same bytes.
fn packed(manifest: &str, programs: &[BundledProgram]) -> Result<Vec<u8>, CliError> {
    let told = |error: &dyn std::fmt::Display| format!("the bundle can't be written: {error}");
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    let executable = options.unix_permissions(0o755);
    let mut files = vec![(
        "manifest.json".to_owned(),
        manifest.as_bytes(),
        options.unix_permissions(0o644),
    )];
    for program in programs {
        files.push((program.place.clone(), &program.bytes, executable));
    }
    for (name, bytes, options) in files {
        archive
            .start_file(name, options)
            .map_err(|error| told(&error))?;
        archive.write_all(bytes).map_err(|error| told(&error))?;
    }
    let written = archive.finish().map_err(|error| told(&error))?;
    Ok(written.into_inner())
}
