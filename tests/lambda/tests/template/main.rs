//! `template.yaml`, deployed on this machine with every combination of parameters that a person may
//! choose: who then reaches the function, whom the server serves, what is refused before. With
//! `MCPFN_TEST_TEMPLATE` it is another file: what the serverless transform makes of the template.

mod callers; // who may invoke what
mod events; // the function that sends them, and its queues
mod files; // what the role may do in a bucket
mod iam; // what the role may do, as a reviewer reads it
mod releases; // versions, and what makes a new one
mod rules; // what is refused before anything is made
mod settings;
mod tasks; // the function that runs them // what reaches the program, and what is kept how

use std::path::{Path, PathBuf};

use mcpfn_lambda_emulator::template::Template;

/// The folder of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn template() -> Template {
    let path = std::env::var_os("MCPFN_TEST_TEMPLATE");
    let path = path.map_or_else(|| root().join("template.yaml"), PathBuf::from);
    Template::read(&path).unwrap()
}

/// Every combination of one value of each axis.
fn combinations<'a>(axes: &[(&'a str, &[&'a str])]) -> Vec<Vec<(&'a str, &'a str)>> {
    axes.iter().fold(vec![Vec::new()], |made, (name, values)| {
        let longer = made.iter().flat_map(|so_far: &Vec<_>| {
            values
                .iter()
                .map(move |value| so_far.iter().copied().chain([(*name, *value)]).collect())
        });
        longer.collect()
    })
}
