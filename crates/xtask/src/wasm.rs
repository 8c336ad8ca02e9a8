//! The step `wasm`: core, http and auth need nothing from a host. They are built for
//! wasm32-unknown-unknown, a small module made of the first two is shown to import nothing, and it
//! answers calls under Node. What it answers is checked over there, in tests/wasm/run.mjs.

mod imports;

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
};

use crate::{
    context::Context,
    process,
    report::{Counts, Error, Result, While, count_line, flush},
    setup::{self, TARGET, Toolchain},
};

const PACKAGES: [&str; 7] = [
    "mcpfn-embed",
    "mcpfn-schema",
    "mcpfn-core",
    "mcpfn-ports",
    "mcpfn-http",
    "mcpfn-auth",
    CHECK,
];
const CHECK: &str = "mcpfn-wasm-check";

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let toolchain = setup::wasm_toolchain(cx)?;
    let target = target_folder(cx, &toolchain)?;

    let mut cargo = toolchain.cargo(cx)?;
    cargo
        .env("CARGO_TARGET_DIR", &target)
        .args(["build", "--release", "--target", TARGET]);
    // all in one command: they have the same features then, and share what they depend on
    for package in PACKAGES {
        cargo.args(["-p", package]);
    }
    process::run(&mut cargo)?;

    let module = target
        .join(TARGET)
        .join("release")
        .join(format!("{}.wasm", CHECK.replace('-', "_")));
    let bytes = fs::read(&module).while_doing(format_args!(
        "read {} ({CHECK} must be a cdylib)",
        module.display()
    ))?;
    check_imports(&bytes, counts)?;
    println!("size: {} bytes, {}", bytes.len(), gzip_size(&bytes));
    flush();

    let node = setup::node(cx)?;
    let mut check = node.command();
    check
        .current_dir(&cx.root)
        .arg("tests/wasm/run.mjs")
        .arg(&module);
    let mut here = Counts::default();
    let result = process::run_reading(&mut check, |line| count_line(line, &mut here));
    counts.passed += here.passed;
    counts.failed += here.failed;
    result?;
    if here.passed == 0 {
        return Err(Error::new(
            "tests/wasm/run.mjs checked nothing; it must print `ok NAME` for each check",
        ));
    }
    Ok(())
}

fn check_imports(module: &[u8], counts: &mut Counts) -> Result<()> {
    let imports = imports::read(module)
        .map_err(|why| Error::new(format!("the module could not be read: {why}")))?;
    if imports.is_empty() {
        println!("ok the module imports nothing");
        counts.passed += 1;
        return Ok(());
    }
    counts.failed += 1;
    Err(Error::new(format!(
        "core and http must need nothing from a host, but their module imports:\n  {}\n\
         Find the dependency that brings it with `cargo tree -p {CHECK} --target {TARGET}`.",
        imports.join("\n  ")
    )))
}

/// A target folder of its own, so that native builds keep theirs. Both kinds of a standard library
/// share it: what runs on this machine, such as macros, is the same for them, and what is for wasm
/// has the flags of its kind in its file names. Cargo does not notice that the standard library of a
/// toolchain was replaced and then fails with "can't find crate", so the folder is emptied when that
/// happened.
pub(crate) fn target_folder(cx: &Context, toolchain: &Toolchain) -> Result<PathBuf> {
    let folder = cx.target.join("wasm");
    let stamp = folder.join(if toolchain.unwinds() {
        ".toolchain"
    } else {
        ".toolchain-abort"
    });
    let now = toolchain.identity();
    let before = fs::read_to_string(&stamp).ok();
    if before.as_deref() == Some(&now) {
        return Ok(folder);
    }
    if before.is_some() {
        fs::remove_dir_all(&folder).while_doing(format_args!("empty {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
    fs::write(&stamp, now).while_doing(format_args!("write {}", stamp.display()))?;
    Ok(folder)
}

/// Asks gzip rather than linking a compressor: this number is for reading, and gzip is where shells
/// are.
fn gzip_size(bytes: &[u8]) -> String {
    match gzip(bytes) {
        Some(size) => format!("{size} bytes after gzip -9"),
        None => "size after gzip unknown (install gzip to see it)".to_owned(),
    }
}

pub(crate) fn gzip(bytes: &[u8]) -> Option<usize> {
    let mut child = Command::new("gzip")
        .arg("-9")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut stdin = child.stdin.take()?;
    // Written from another thread: with both pipes full, each side would wait for the other.
    thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(bytes));
        let output = child.wait_with_output().ok()?;
        output.status.success().then_some(output.stdout.len())
    })
}
