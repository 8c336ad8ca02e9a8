//! `book`: the guide in `docs` as a book of mdBook, in `target/book/html`. That its links and its code
//! are right is checked by the tests of the repository, without mdBook.

use std::{fs, path::Path, process::Command};

use crate::{
    context::Context,
    process,
    report::{Counts, Result, While, checked},
    setup,
};

/// Where files are that the book has not: all but those of `docs`.
const REPOSITORY: &str = "https://github.com/mcpfn/mcpfn/blob/main";

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    let program = setup::mdbook(cx)?;
    let book = cx.root.join("target/book");
    let source = book.join("docs");
    if source.is_dir() {
        fs::remove_dir_all(&source).while_doing("remove the copy of the last run")?;
    }
    copy(&cx.root.join("docs"), &source, "docs")?;
    let settings = fs::read_to_string(cx.root.join("book.toml")).while_doing("read book.toml")?;
    let settings = settings.replace("\"target/book/html\"", "\"html\"");
    fs::write(book.join("book.toml"), settings).while_doing("write book.toml")?;
    let built = process::run(Command::new(program).arg("build").arg(&book));
    checked("the guide is a book", built, counts)?;
    println!("the book is {}", book.join("html/index.html").display());
    Ok(())
}

/// Copies a folder of documents, with links that lead out of `docs` to the repository. `place` is the
/// folder as the repository names it.
fn copy(from: &Path, to: &Path, place: &str) -> Result<()> {
    let doing = || format!("copy {}", from.display());
    fs::create_dir_all(to).while_doing(doing())?;
    for entry in fs::read_dir(from).while_doing(doing())? {
        let entry = entry.while_doing(doing())?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            copy(&from, &to, &format!("{place}/{name}"))?;
        } else if name.ends_with(".md") {
            let text = fs::read_to_string(&from).while_doing(doing())?;
            fs::write(&to, with_links_out(&text, place)).while_doing(doing())?;
        }
    }
    Ok(())
}

/// The text of a document in the folder `place`, with links to files outside of `docs` to the
/// repository's.
fn with_links_out(text: &str, place: &str) -> String {
    let mut parts = text.split("](");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("](");
        let (mut path, mut folder) = (part, Some(place));
        while let (Some(rest), Some(inner)) = (path.strip_prefix("../"), folder) {
            path = rest;
            folder = inner.rsplit_once('/').map(|(outer, _)| outer);
        }
        // above `docs` there is no folder left
        if folder.is_none() {
            out.push_str(REPOSITORY);
            out.push('/');
            out.push_str(path);
        } else {
            out.push_str(part);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_out_of_the_book_lead_to_the_repository() {
        for (place, link, expected) in [
            ("docs", "cli.md#new", "cli.md#new"),
            ("docs", "guide/errors.md", "guide/errors.md"),
            (
                "docs",
                "../infra/README.md#costs",
                "https://github.com/mcpfn/mcpfn/blob/main/infra/README.md#costs",
            ),
            ("docs/guide", "../cli.md", "../cli.md"),
            (
                "docs/guide",
                "../../CHANGELOG.md",
                "https://github.com/mcpfn/mcpfn/blob/main/CHANGELOG.md",
            ),
            (
                "docs",
                "https://example.com/../a",
                "https://example.com/../a",
            ),
        ] {
            let text = format!("see [a]({link}) and [b](b.md)");
            let expected = format!("see [a]({expected}) and [b](b.md)");
            assert_eq!(with_links_out(&text, place), expected);
        }
    }
}
