//! The program `mcpfn` with the toolkit `files` on a bucket of an emulator: configured by its
//! variables alone, asked on its command line.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use super::emulator::{KEY, SECRET};
use crate::context::Context;
use crate::report::{Counts, Error, Result, While, checked};
use crate::workspace;

const BUCKET: &str = "mcpfn-program";

/// A tool, its arguments, whether it succeeds, and what the answer says.
const CALLS: [(&str, &str, bool, &str); 6] = [
    ("list_directory", "{}", true, "\"hello.md\""),
    (
        "read_file",
        r#"{"path":"hello.md"}"#,
        true,
        "kept in a bucket",
    ),
    (
        "write_file",
        r#"{"path":"new/plan.txt","content":"written through S3"}"#,
        true,
        "\"new/plan.txt\"",
    ),
    (
        "write_file",
        r#"{"path":"hello.md","content":"twice"}"#,
        false,
        "is there already",
    ),
    (
        "read_file",
        r#"{"path":"none.md"}"#,
        false,
        "There is no `none.md`",
    ),
    (
        "read_file",
        r#"{"path":"../other/hello.md"}"#,
        false,
        "is not a path here",
    ),
];

/// `folder` is where the emulator keeps its buckets.
pub(super) fn ask(
    cx: &Context,
    emulator: SocketAddr,
    folder: &Path,
    counts: &mut Counts,
) -> Result<()> {
    let program = workspace::build_program(cx, "mcpfn")?;
    let shared = folder.join(BUCKET).join("shared");
    fs::create_dir_all(&shared).while_doing(format_args!("create {}", shared.display()))?;
    fs::write(shared.join("hello.md"), "kept in a bucket")
        .while_doing("put a file into the bucket")?;
    println!("\nthe program mcpfn on s3s-fs");
    let mut check = |name: &str, good: bool, said: &str| {
        checked(
            name,
            if good { Ok(()) } else { Err(Error::new(said)) },
            counts,
        )
    };
    for (tool, arguments, succeeds, expected) in CALLS {
        let (succeeded, said) = called(&program, emulator, SECRET, tool, arguments)?;
        check(
            &format!("{tool} {arguments}"),
            succeeded == succeeds && said.contains(expected),
            &said,
        )?;
    }
    let written = fs::read_to_string(shared.join("new/plan.txt")).unwrap_or_default();
    check(
        "what was written is in the bucket",
        written == "written through S3",
        &written,
    )?;
    let kept = fs::read_to_string(shared.join("hello.md")).unwrap_or_default();
    check(
        "what was there is as it was",
        kept == "kept in a bucket",
        &kept,
    )?;
    let (succeeded, said) = called(&program, emulator, "another-secret", "list_directory", "{}")?;
    let refused = !succeeded
        && said.contains("This server may not do that")
        && !said.contains("another-secret");
    check("a wrong key is refused, and not shown", refused, &said)
}

/// Whether the call succeeded, and all that was printed.
fn called(
    program: &Path,
    emulator: SocketAddr,
    secret: &str,
    tool: &str,
    arguments: &str,
) -> Result<(bool, String)> {
    let mut command = Command::new(program);
    command.args(["call", tool, arguments]);
    command.envs([
        ("MCPFN_TOOLKITS", "files"),
        ("MCPFN_FILES_WRITABLE", "1"),
        ("AWS_REGION", "us-east-1"),
    ]);
    command.env("MCPFN_FILES_ROOT", format!("s3://{BUCKET}/shared"));
    command.env("AWS_ENDPOINT_URL_S3", format!("http://{emulator}"));
    command
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .env_remove("AWS_SESSION_TOKEN");
    let output = command.output().while_doing("start mcpfn")?;
    let said = [output.stdout, output.stderr].concat();
    Ok((
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    ))
}
