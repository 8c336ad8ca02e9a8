//! Names of projects: what cargo, CloudFormation and Workers all take.

use std::path::Path;

use crate::output::CliError;

/// The longest name of a Worker.
const MAX: usize = 63;

/// Packages that a project depends on or cargo keeps for itself, and words of Rust.
const TAKEN: &[&str] = &[
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mcpfn",
    "mcpfn-sql",
    "mcpfn-toolkits",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "serde-json",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
];

/// The name that a folder gives its project.
pub(crate) fn of(folder: &Path) -> Result<String, CliError> {
    let name = folder.file_name().and_then(|name| name.to_str());
    let name = name.ok_or("the project has no name: give the folder to make, such as `weather`")?;
    check(name)?;
    Ok(name.to_owned())
}

fn check(name: &str) -> Result<(), CliError> {
    let first = name.starts_with(|first: char| first.is_ascii_lowercase());
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let last = !name.ends_with('-') && !name.contains("--");
    if name.len() > MAX {
        return Err(format!(
            "a name has at most {MAX} characters, and this one {}",
            name.len()
        )
        .into());
    }
    if !(first && last && name.bytes().all(legal)) {
        let advice = proposal(name).map_or_else(String::new, |name| format!(" (try `{name}`)"));
        return Err(format!(
            "`{}` can't be the name of a project: use lower-case letters, digits and single `-`, \
             with a letter first{advice}",
            name.escape_debug()
        )
        .into());
    }
    if TAKEN.contains(&name) {
        return Err(format!(
            "`{name}` is taken by Rust, cargo or mcpfn itself: choose another name, such as \
             `{name}-server`"
        )
        .into());
    }
    Ok(())
}

/// The nearest name that is one.
fn proposal(name: &str) -> Option<String> {
    let mut near = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_lowercase() || character.is_ascii_digit() && !near.is_empty() {
            near.push(character);
        } else if !near.is_empty() && !near.ends_with('-') {
            near.push('-');
        }
    }
    let near = near.trim_end_matches('-');
    check(near).ok().map(|()| near.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_every_host_takes() {
        for good in ["weather", "my-tools2", "a", &"a".repeat(63)] {
            assert_eq!(of(Path::new(good)), Ok(good.to_owned()));
        }
        assert_eq!(of(Path::new("work/weather")), Ok("weather".to_owned()));
    }

    #[test]
    fn others_are_refused_with_a_name_that_would_do() {
        let refused = [
            ("My Tools", "try `my-tools`"),
            ("my_tools", "try `my-tools`"),
            ("2fast", "try `fast`"),
            ("a--b", "try `a-b`"),
            ("-a", "try `a`"),
            ("übung", "try `bung`"),
            ("$(id)", "try `id`"),
            ("a\"\nb", "try `a-b`"),
            ("test", "`test-server`"),
            ("mcpfn", "`mcpfn-server`"),
            ("fn", "`fn-server`"),
        ];
        for (name, advice) in refused {
            let error = of(Path::new(name)).unwrap_err();
            assert!(
                error.0.contains(advice) && !error.0.contains('\n'),
                "{error}"
            );
        }
        assert!(of(Path::new("..")).unwrap_err().0.contains("no name"));
        let long = of(Path::new(&"a".repeat(64))).unwrap_err();
        assert!(long.0.contains("at most 63"), "{long}");
    }
}
