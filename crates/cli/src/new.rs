//! `new`: a project of somebody's own, out of the templates beside this crate's source. All files are
//! rendered before the first one is written, and nothing is overwritten.

mod files;
mod name;
mod render;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::arguments::{DeployHost, NewArguments};
use crate::output::{CliError, CliResult, say};
pub(crate) use files::WORKER_BUILD;
use files::{Choice, CrateSource, rendered};

pub(crate) fn run(arguments: &NewArguments) -> CliResult {
    let folder = &arguments.name;
    let name = name::of(folder)?;
    let source = match &arguments.path {
        Some(checkout) => CrateSource::Checkout(checkout_at(checkout)?),
        None => CrateSource::Release,
    };
    let mut on = arguments.on.clone();
    on.dedup();
    let choice = Choice {
        name,
        template: arguments.template,
        on,
        source,
        alone: in_workspace(folder),
    };
    write(folder, &rendered(&choice))?;
    say(next_steps(folder, &choice));
    Ok(ExitCode::SUCCESS)
}

/// Whether cargo would take the project for a member of a workspace around it, and refuse it.
fn in_workspace(folder: &Path) -> bool {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.ancestors().skip(1).any(|above| {
        let manifest = fs::read_to_string(above.join("Cargo.toml"));
        manifest.is_ok_and(|text| {
            text.lines()
                .any(|line| line.trim_start().starts_with("[workspace"))
        })
    })
}

/// The absolute path of a checkout of mcpfn.
fn checkout_at(path: &Path) -> Result<PathBuf, CliError> {
    let shown = path.display();
    let checkout = fs::canonicalize(path).map_err(|error| {
        format!("--path {shown} can't be read ({error}): name a checkout of mcpfn")
    })?;
    if !checkout.join("crates/mcpfn/Cargo.toml").is_file() {
        return Err(format!(
            "--path {shown} is no checkout of mcpfn: it has no crates/mcpfn/Cargo.toml"
        )
        .into());
    }
    Ok(checkout)
}

/// Writes all files into a new folder, or into one that has nothing in it.
fn write(folder: &Path, files: &[(&'static str, String)]) -> Result<(), CliError> {
    let shown = folder.display();
    let failed = |what: &str, error: std::io::Error| format!("{shown}: {what} ({error})");
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(format!(
                    "{shown} has files in it, and nothing is overwritten: choose another name, or \
                     empty the folder"
                )
                .into());
            }
        }
        Err(_) if folder.exists() => {
            return Err(format!("{shown} is no folder: choose another name").into());
        }
        Err(_) => fs::create_dir_all(folder).map_err(|error| failed("can't be made", error))?,
    }
    for (path, text) in files {
        let file = folder.join(path);
        let parent = file.parent().unwrap_or(folder);
        fs::create_dir_all(parent)
            .and_then(|()| fs::File::create_new(&file))
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed(&format!("{path} can't be written"), error))?;
    }
    Ok(())
}

fn next_steps(folder: &Path, choice: &Choice) -> String {
    let shown = folder.display();
    let mut text = format!(
        "Made {shown} from the template {}. What to do next:\n\n    cd {shown}\n    cargo test\n    \
         cargo mcpfn dev",
        choice.template.name()
    );
    for host in &choice.on {
        // an image is deployed by its platform
        let verb = match host {
            DeployHost::Lambda | DeployHost::Workers => "deploy",
            DeployHost::Container => "build",
        };
        text.push_str(&format!("\n    cargo mcpfn {verb} {}", host.name()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mcpfn-new-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn nothing_is_overwritten() {
        let folder = empty("kept");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("README.md"), "mine").unwrap();
        let refused = write(&folder, &[("README.md", "other".to_owned())]).unwrap_err();
        assert!(refused.0.contains("nothing is overwritten"), "{refused}");
        assert_eq!(
            fs::read_to_string(folder.join("README.md")).unwrap(),
            "mine"
        );
        let file = folder.join("README.md");
        assert!(write(&file, &[]).unwrap_err().0.contains("is no folder"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn an_empty_folder_is_taken() {
        let folder = empty("taken");
        fs::create_dir_all(&folder).unwrap();
        write(&folder, &[("src/a.rs", "x".to_owned())]).unwrap();
        assert_eq!(fs::read_to_string(folder.join("src/a.rs")).unwrap(), "x");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_workspace_around_it_is_noticed() {
        let folder = empty("workspace");
        assert!(!in_workspace(&folder.join("a")));
        fs::create_dir_all(folder.join("b")).unwrap();
        fs::write(folder.join("Cargo.toml"), "[package]\nname = \"x\"\n").unwrap();
        assert!(!in_workspace(&folder.join("b/c")));
        fs::write(folder.join("Cargo.toml"), "[workspace]\n").unwrap();
        assert!(in_workspace(&folder.join("b/c")));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_path_that_is_no_checkout_is_named() {
        let error = checkout_at(&std::env::temp_dir()).unwrap_err();
        assert!(error.0.contains("is no checkout of mcpfn"), "{error}");
    }
}
