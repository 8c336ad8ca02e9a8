//! `new`: a project of somebody's own, out of the templates beside this crate's source. All files are
//! rendered before the first one is written, and nothing is overwritten.

mod files;
mod name;
mod render;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::arguments::{Host, New};
use crate::output::{Failure, Outcome, say};
use files::{Choice, Source, rendered};

pub(crate) fn run(arguments: &New) -> Outcome {
    let folder = &arguments.name;
    let name = name::of(folder)?;
    let source = match &arguments.path {
        Some(checkout) => Source::Checkout(checkout_at(checkout)?),
        None => Source::Release,
    };
    let mut on = arguments.on.clone();
    on.dedup();
    let choice = Choice {
        name,
        template: arguments.template,
        on,
        source,
    };
    write(folder, &rendered(&choice))?;
    say(next_steps(folder, &choice));
    Ok(ExitCode::SUCCESS)
}

/// The absolute path of a checkout of mcpfn.
fn checkout_at(path: &Path) -> Result<PathBuf, Failure> {
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
fn write(folder: &Path, files: &[(&'static str, String)]) -> Result<(), Failure> {
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
        let (Host::Lambda | Host::Workers) = host;
        text.push_str(&format!("\n    cargo mcpfn deploy {}", host.name()));
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
    fn a_path_that_is_no_checkout_is_named() {
        let error = checkout_at(&std::env::temp_dir()).unwrap_err();
        assert!(error.0.contains("is no checkout of mcpfn"), "{error}");
    }
}
