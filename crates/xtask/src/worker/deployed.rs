//! What `wrangler deploy` would send: built by wrangler.toml's own command, checked without an account, and run by `wrangler dev`
//! over a D1 database that `wrangler d1 migrations apply` has filled. Then KV and rate limits, which the fixture server asks.

use std::{fs, path::Path};

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While},
    setup::{WORKER, WorkerTools},
    wasm::{count_line, target_folder},
};

const MIGRATION: &str = "infra/migrations/0001_shop.sql";

/// Writes the migration from the demo shop's source.
pub(super) fn write_migration(cx: &Context) -> Result<()> {
    let text = migration(cx)?;
    let file = cx.root.join(MIGRATION);
    fs::write(&file, text).while_doing(format_args!("write {}", file.display()))
}

fn migration(cx: &Context) -> Result<String> {
    process::read(cx.cargo().args(["run", "--quiet", "-p", "mcpfn-server", "--example", "shop_migration"]))
}

pub(super) fn check(cx: &Context, tools: &WorkerTools, fixture: &Path, counts: &mut Counts) -> Result<()> {
    let committed = fs::read_to_string(cx.root.join(MIGRATION)).while_doing(format_args!("read {MIGRATION}"))?;
    if committed != migration(cx)? {
        counts.failed += 1;
        return Err(Error::new(format!("{MIGRATION} is not what the demo shop is made of; run `cargo xtask worker --migrations`")));
    }
    println!("ok the migration is the demo shop");
    counts.passed += 1;

    let state = cx.target.join("worker/state");
    let out = cx.target.join("worker/deployed");
    for folder in [&state, &out] {
        if folder.exists() {
            fs::remove_dir_all(folder).while_doing(format_args!("empty {}", folder.display()))?;
        }
    }
    let wrangler = |arguments: &[&str]| {
        let mut wrangler = tools.wrangler(cx)?;
        wrangler.env("CARGO_TARGET_DIR", target_folder(cx, &tools.toolchain)?).args(arguments);
        Ok::<_, Error>(wrangler)
    };
    process::run(wrangler(&["deploy", "--dry-run", "--outdir"])?.arg(&out))?;
    println!("ok wrangler deploy --dry-run");
    counts.passed += 1;
    process::run(wrangler(&["d1", "migrations", "apply", "DB", "--local", "--persist-to"])?.arg(&state))?;
    println!("ok wrangler d1 migrations apply --local");
    counts.passed += 1;
    ask(cx, tools, "deployed.mjs", [&out, &state], counts)?;
    ask(cx, tools, "stores.mjs", [fixture, &cx.target.join("worker/stores")], counts)
}

/// A script that starts and stops `wrangler dev` with a bundle, and asks it.
fn ask(cx: &Context, tools: &WorkerTools, name: &str, folders: [&Path; 2], counts: &mut Counts) -> Result<()> {
    let mut script = tools.node.command();
    script.current_dir(cx.root.join(WORKER)).arg(name).args(folders);
    let mut here = Counts::default();
    let result = process::run_reading(&mut script, |line| count_line(line, &mut here));
    counts.passed += here.passed;
    counts.failed += here.failed;
    result?;
    if here.passed == 0 {
        return Err(Error::new(format!("tests/worker/{name} checked nothing; it must print `ok NAME` for each check")));
    }
    Ok(())
}
