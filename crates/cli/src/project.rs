//! What a project says about itself, as cargo reads it: inherited members are filled in.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::output::CliError;
use crate::tools::read;

/// A package and where cargo builds it.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) package: Package,
    pub(crate) folder: PathBuf,
    pub(crate) workspace: PathBuf,
    pub(crate) target: PathBuf,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) description: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) homepage: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) authors: Vec<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) readme: Option<PathBuf>,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Project {
    /// Of a folder with a `Cargo.toml`.
    ///
    /// # Errors
    /// When cargo does not know it.
    pub(crate) fn of(folder: &Path) -> Result<Self, CliError> {
        let shown = folder.display();
        let manifest = std::fs::canonicalize(folder.join("Cargo.toml")).map_err(|error| {
            format!("{shown} has no Cargo.toml ({error}): name the folder of a project")
        })?;
        let path = manifest.to_string_lossy();
        let asked = [
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
            "--manifest-path",
            &path,
        ];
        let metadata = read("cargo", &asked)
            .and_then(|text| serde_json::from_str::<Metadata>(&text).ok())
            .ok_or_else(|| {
                format!(
                    "cargo can't read the project in {shown}: run `cargo check`, which says why"
                )
            })?;
        let own = |package: &Package| package.manifest_path == manifest;
        let package = metadata.packages.into_iter().find(own).ok_or_else(|| {
            format!("{shown} is a workspace without a package: name the folder of the server's")
        })?;
        Ok(Self {
            package,
            folder: manifest.parent().unwrap_or(folder).to_owned(),
            workspace: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }

    /// Its program, or the one of that name.
    ///
    /// # Errors
    /// When there is none, or more than one and no name.
    pub(crate) fn binary(&self, name: Option<&str>) -> Result<String, CliError> {
        let is_program = |target: &&Target| target.kind.iter().any(|kind| kind == "bin");
        let programs = self.package.targets.iter().filter(is_program);
        let names: Vec<&str> = programs.map(|target| target.name.as_str()).collect();
        match (name, names.as_slice()) {
            (Some(name), names) if names.contains(&name) => Ok(name.to_owned()),
            (None, [one]) => Ok((*one).to_owned()),
            (_, []) => Err("the project has no program: a server has a src/main.rs".into()),
            (_, names) => {
                Err(format!("name one of its programs with --bin: {}", names.join(", ")).into())
            }
        }
    }

    /// The description, or why there is none.
    pub(crate) fn description(&self, given: Option<&str>) -> Result<String, CliError> {
        let own = self.package.description.as_deref();
        let text = given.or(own).map(str::trim).filter(|text| !text.is_empty());
        text.map(str::to_owned)
            .ok_or_else(|| "Cargo.toml has no description: add one, or give --description".into())
    }
}
