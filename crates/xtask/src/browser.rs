//! The step `browser`: the page for browsers, and the pages that hosts show with results, in headless
//! Chromium. What people do there is checked in tests/browser; screenshots go to `target/page`.

use std::path::Path;

use crate::{
    clients::script,
    context::Context,
    process,
    report::{Counts, Error, Result},
    setup::{self, BROWSER, Node},
    workspace,
};

/// What is asked of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Options {
    Tests,
    /// Make what is served of the page anew from its sources.
    Write,
}

impl Options {
    pub(crate) fn parse(arguments: &[String]) -> Result<Self> {
        match arguments {
            [] => Ok(Self::Tests),
            [one] if one == "--write" => Ok(Self::Write),
            _ => Err(Error::new(
                "`browser` takes `--write` or nothing; see `cargo xtask help`",
            )),
        }
    }
}

pub(crate) fn start(cx: &Context, options: Options, counts: &mut Counts) -> Result<()> {
    match options {
        Options::Tests => run(cx, counts),
        Options::Write => {
            let node = packages(cx)?;
            let folder = cx.root.join(BROWSER);
            let mut command = node.command();
            command.current_dir(folder).args(["small.mjs", "--write"]);
            process::run(&mut command)
        }
    }
}

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let node = packages(cx)?;
    let folder = cx.root.join(BROWSER);
    script::run(
        "small.mjs",
        node.command().current_dir(&folder).arg("small.mjs"),
        counts,
    )?;
    let chromium = setup::chromium(cx, &node)?;
    workspace::build(cx, &["shown", "everything", "mcpfn"])?;
    let program = workspace::program(cx, "shown");
    let programs = program.parent().unwrap_or(Path::new("."));
    let screenshots = cx.target.join("page");
    let ran = ["page.mjs", "apps.mjs"].map(|tests| {
        let mut command = node.command();
        command
            .current_dir(&folder)
            .arg(tests)
            .args([programs, &screenshots])
            .env("MCPFN_TEST_CHROMIUM", &chromium);
        script::run(tests, &mut command, counts)
    });
    println!("screenshots: {}", screenshots.display());
    ran.into_iter().collect()
}

fn packages(cx: &Context) -> Result<Node> {
    let node = setup::node(cx)?;
    setup::node_packages(cx, &node, BROWSER)?;
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused() {
        let parse = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Options::parse(&words)
        };
        assert_eq!(parse(&[]).unwrap(), Options::Tests);
        assert_eq!(parse(&["--write"]).unwrap(), Options::Write);
        assert!(parse(&["--wriet"]).is_err() && parse(&["--write", "x"]).is_err());
    }
}
