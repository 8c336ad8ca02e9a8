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
    report::{Counts, Error, Result, While, flush},
    setup::{self, TARGET, Toolchain},
};

const PURE: [&str; 4] = ["mcpfn-schema", "mcpfn-core", "mcpfn-http", "mcpfn-auth"];
const CHECK: &str = "mcpfn-wasm-check";

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let toolchain = setup::wasm_toolchain(cx)?;
    let target = target_folder(cx, &toolchain)?;

    let build = |packages: &[&str]| -> Result<()> {
        let mut cargo = toolchain.cargo(cx)?;
        cargo
            .env("CARGO_TARGET_DIR", &target)
            .args(["build", "--release", "--target", TARGET]);
        for package in packages {
            cargo.args(["-p", package]);
        }
        process::run(&mut cargo)
    };
    build(&PURE)?;
    build(&[CHECK])?;

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

/// Our own check scripts print `ok NAME` or `not ok NAME: why` for every check.
pub(crate) fn count_line(line: &str, counts: &mut Counts) {
    if line.starts_with("ok ") {
        counts.passed += 1;
    } else if line.starts_with("not ok ") {
        counts.failed += 1;
    }
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

/// Target folders of their own, one for each thing that a panic may do, so that native builds keep
/// theirs. Cargo does not notice that the standard library of a toolchain was replaced and then
/// fails with "can't find crate", so the folder is emptied when that happened.
pub(crate) fn target_folder(cx: &Context, toolchain: &Toolchain) -> Result<PathBuf> {
    let folder = cx.target.join(if toolchain.unwinds() {
        "wasm"
    } else {
        "wasm-abort"
    });
    let stamp = folder.join(".toolchain");
    let now = toolchain.identity();
    if fs::read_to_string(&stamp).ok().as_deref() != Some(&now) {
        if folder.exists() {
            fs::remove_dir_all(&folder).while_doing(format_args!("empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).while_doing(format_args!("create {}", folder.display()))?;
        fs::write(&stamp, now).while_doing(format_args!("write {}", stamp.display()))?;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_state_a_check_are_counted() {
        let mut counts = Counts::default();
        for line in [
            "ok one",
            "not ok two: why",
            "okay",
            "  ok indented",
            "ok three",
        ] {
            count_line(line, &mut counts);
        }
        assert_eq!(
            counts,
            Counts {
                passed: 2,
                failed: 1
            }
        );
    }
}
