//! Options of the commands that give a server to others.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub(crate) struct BundleArguments {
    /// The folder of the project
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Which program, where the project has several
    #[arg(long, value_name = "NAME", conflicts_with = "binary")]
    pub(crate) bin: Option<String>,
    /// A program that is built already; PLATFORM is darwin, win32 or linux [default: built now, for
    /// this machine]
    #[arg(long, value_name = "[PLATFORM=]FILE")]
    pub(crate) binary: Vec<String>,
    /// A variable that people are asked for, beside those of .env.example; with a value it has a
    /// default, and without one it must be given
    #[arg(long, value_name = "NAME[=DEFAULT]")]
    pub(crate) ask: Vec<String>,
    /// Who made it [default: the first of authors in Cargo.toml]
    #[arg(long, value_name = "NAME <ADDRESS>")]
    pub(crate) author: Option<String>,
    /// The name that people see
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// What it is for [default: that of Cargo.toml]
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// The file to write [default: NAME-VERSION.mcpb]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArguments {
    /// The folder of the project
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Print the entry, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The name in the registry, such as com.example/weather, or com.example alone [default: that of
    /// the repository's owner on GitHub]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The name that people see
    #[arg(long)]
    pub(crate) title: Option<String>,
    /// What it is for, in at most 100 characters [default: that of Cargo.toml]
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// A page about it [default: homepage in Cargo.toml]
    #[arg(long, value_name = "URL")]
    pub(crate) website: Option<String>,
    /// The endpoint [default: MCPFN_PUBLIC_URL in wrangler.toml]
    #[arg(long)]
    pub(crate) url: Vec<String>,
    /// A header with a key that callers must bring [default: X-API-Key where wrangler.toml has
    /// MCPFN_AUTH = "api-key"]
    #[arg(long, value_name = "NAME[=WHAT]")]
    pub(crate) key_header: Vec<String>,
    /// Where a bundle can be downloaded: a file of a release on GitHub or GitLab
    #[arg(long, value_name = "URL", requires = "bundle")]
    pub(crate) bundle_url: Option<String>,
    /// That bundle, for its hash
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
    /// An image with a tag, such as ghcr.io/owner/weather:1.0.0
    #[arg(long, value_name = "IMAGE")]
    pub(crate) oci: Option<String>,
    /// The crate of this project on crates.io
    #[arg(long = "crate")]
    pub(crate) krate: bool,
}
