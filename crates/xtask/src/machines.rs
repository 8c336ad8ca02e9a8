//! The step `machines`: the proxies of `infra` in front of the local host, what the image would run, and
//! the manifests against the schemas of Kubernetes. The tests are `tests/machines` and
//! `crates/server/tests/machines.rs`.

use std::{fs, process::Command};

use crate::{
    cargo_steps,
    context::Context,
    process,
    report::{Counts, Error, Result, While},
    setup, workspace,
};

/// What its schemas have no kind for: kustomize's own file, and those of the Prometheus operator and
/// of Knative.
const OF_OTHERS: [&str; 3] = ["kustomization", "servicemonitor", "prometheusrule"];

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    manifests(cx, counts)?;
    let proxies = setup::nginx(cx).and_then(|nginx| Ok((nginx, setup::caddy(cx)?)));
    let (nginx, caddy) = match proxies {
        Ok(proxies) => proxies,
        Err(why) => {
            println!("proxies SKIPPED: {why}");
            return Ok(());
        }
    };
    // the proxies', and the ready server's: both have a test target of this name
    let mut tests = workspace::test(cx, "machines");
    nginx.environment(&mut tests);
    tests.env("MCPFN_TEST_NGINX", &nginx.path);
    tests.env("MCPFN_TEST_CADDY", &caddy.path);
    cargo_steps::tests(&mut tests, counts)
}

/// Each manifest has the members that Kubernetes knows, and no other.
fn manifests(cx: &Context, counts: &mut Counts) -> Result<()> {
    let folder = cx.root.join("infra/kubernetes");
    let python = setup::kubernetes_schemas(cx)?;
    let files = fs::read_dir(&folder).while_doing(format_args!("list {}", folder.display()))?;
    let mut checked = 0;
    for entry in files {
        let path = entry.while_doing("list the manifests")?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let is_manifest = path
            .extension()
            .is_some_and(|extension| extension == "yaml");
        if !is_manifest || OF_OTHERS.contains(&&*name) {
            continue;
        }
        let mut check: Command = python.module("kubernetes_validate")?;
        process::read(check.args(["--strict", "--quiet"]).arg(&path))?;
        counts.passed += 1;
        checked += 1;
    }
    if checked < 5 {
        return Err(Error::new(format!(
            "{} has only {checked} manifests: they have moved",
            folder.display()
        )));
    }
    println!("{checked} manifests fit the schemas of Kubernetes");
    Ok(())
}
