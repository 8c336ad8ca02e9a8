//! `skills!("directory")`: reads a directory while the server is compiled, judges it by the rules of
//! `mcpfn-embed`, and writes what the core serves. The one macro that reads files.

use std::fs;
use std::path::{Path, PathBuf};

use mcpfn_embed::frontmatter;
use mcpfn_embed::skill::{FoundSkill, MAX_BYTES, directories, files_mistakes, path_mistake};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use sha2::{Digest as _, Sha256};
use syn::LitStr;

/// Files of one directory with skills: far beyond what anyone embeds, and the end of a walk through
/// a wrong directory.
const MAX_WALK: usize = 10_000;
/// What an operating system leaves behind. Everything else that is hidden is a mistake.
const LEFT_BEHIND: &[&str] = &[".DS_Store", "Thumbs.db", "desktop.ini"];

/// Expands `skills!`.
pub(crate) fn embed(tokens: TokenStream) -> TokenStream {
    let literal: LitStr = match syn::parse2(tokens) {
        Ok(literal) => literal,
        Err(error) => {
            let advice = "give the directory of the skills, such as `skills!(\"skills\")`";
            return syn::Error::new(error.span(), advice).to_compile_error();
        }
    };
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    match expand(&package.join(literal.value())) {
        Ok(skills) => skills,
        Err(mistakes) => refused(&literal.value(), &mistakes, literal.span()),
    }
}

/// Every mistake in one error, and something of the right type in the macro's place.
fn refused(directory: &str, mistakes: &[String], span: Span) -> TokenStream {
    let mut message = format!("the skills in `{directory}` can't be embedded:");
    for mistake in mistakes {
        message.push_str("\n  - ");
        message.push_str(mistake);
    }
    let error = syn::Error::new(span, message).to_compile_error();
    quote!({ #error ::mcpfn::skill::Skills::new() })
}

/// A file that was read.
struct SourceFile {
    /// From the top, with `/` between names.
    path: String,
    place: PathBuf,
    bytes: Vec<u8>,
}

fn expand(top: &Path) -> Result<TokenStream, Vec<String>> {
    let mut walk = DirectoryWalk::default();
    walk.directory(top, "");
    let (files, mut mistakes) = (walk.files, walk.mistakes);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let found = directories(&paths);
    let stray = found.stray.iter();
    mistakes.extend(stray.map(|file| {
        format!("`{file}` is in no skill: move it out, or into a directory with a SKILL.md")
    }));
    if found.skills.is_empty() {
        mistakes.push("there is no directory with a SKILL.md".to_owned());
    }
    let skills: Vec<TokenStream> = found
        .skills
        .iter()
        .filter_map(|skill| embedded(skill, &files, top, &mut mistakes))
        .collect();
    if mistakes.is_empty() {
        Ok(quote!(::mcpfn::skill::Skills::embedded(&[#(#skills),*])))
    } else {
        Err(mistakes)
    }
}

/// One skill as a value, with its mistakes under its path.
fn embedded(
    skill: &FoundSkill<'_>,
    files: &[SourceFile],
    top: &Path,
    mistakes: &mut Vec<String>,
) -> Option<TokenStream> {
    // the directory that was named may be a skill itself
    let path = match skill.path {
        "" => top.file_name()?.to_str()?,
        path => path,
    };
    let inside = |file: &str| {
        let file = file.strip_prefix(skill.path).unwrap_or(file);
        file.strip_prefix('/').unwrap_or(file).to_owned()
    };
    let files: Vec<(String, &SourceFile)> = skill
        .files
        .iter()
        .filter_map(|path| files.iter().find(|file| file.path == *path))
        .map(|file| (inside(&file.path), file))
        .collect();
    let sizes = files.iter().map(|(path, file)| {
        (
            path.as_str(),
            u64::try_from(file.bytes.len()).unwrap_or(u64::MAX),
        )
    });
    let mut found = files_mistakes(sizes);
    let header = match frontmatter::read(&files.first()?.1.bytes) {
        Ok(header) => Some(header),
        Err(wrong) => {
            found.extend(wrong);
            None
        }
    };
    if let Some(header) = &header
        && path.rsplit('/').next() != Some(&header.name)
    {
        found.push(format!(
            "its name in SKILL.md is `{}`, and its directory must have the same: rename one of them",
            header.name
        ));
    }
    mistakes.extend(
        found
            .iter()
            .map(|mistake| format!("skill `{path}`: {mistake}")),
    );
    let frontmatter = header?.json;
    let files = files.iter().map(|(path, file)| file.embedded(path));
    Some(quote!(::mcpfn::skill::EmbeddedSkill {
        path: #path,
        frontmatter: #frontmatter,
        files: &[#(#files),*],
    }))
}

impl SourceFile {
    /// The file at its path in a skill.
    fn embedded(&self, path: &str) -> TokenStream {
        let digest = Sha256::digest(&self.bytes);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        // the compiler reads it again, and so knows that the crate depends on it
        let place = self.place.to_string_lossy();
        quote!(::mcpfn::skill::EmbeddedFile {
            path: #path,
            sha256: #digest,
            bytes: ::core::include_bytes!(#place),
        })
    }
}

/// Reads a tree of files. Links are not followed: what they lead to may be anything.
#[derive(Default)]
struct DirectoryWalk {
    files: Vec<SourceFile>,
    bytes: u64,
    mistakes: Vec<String>,
}

impl DirectoryWalk {
    fn directory(&mut self, place: &Path, path: &str) {
        let entries = match fs::read_dir(place).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
            Ok(entries) => entries,
            Err(error) => {
                self.mistakes
                    .push(format!("`{}` can't be read: {error}", place.display()));
                return;
            }
        };
        let mut entries = entries;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if LEFT_BEHIND.contains(&&*name) {
                continue;
            }
            let path = match path {
                "" => name.into_owned(),
                path => format!("{path}/{name}"),
            };
            self.entry(&entry, path);
        }
    }

    fn entry(&mut self, entry: &fs::DirEntry, path: String) {
        if self.files.len() >= MAX_WALK || self.bytes > 4 * MAX_BYTES {
            if !self.mistakes.iter().any(|mistake| mistake == TOO_MUCH) {
                self.mistakes.push(TOO_MUCH.to_owned());
            }
            return;
        }
        if let Some(mistake) = path_mistake(&path) {
            self.mistakes.push(format!("{path:?}: {mistake}"));
            return;
        }
        let place = entry.path();
        // of the entry itself, not of what it leads to
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => self.directory(&place, &path),
            Ok(kind) if kind.is_file() => match fs::read(&place) {
                Ok(bytes) => {
                    self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                    self.files.push(SourceFile { path, place, bytes });
                }
                Err(error) => self
                    .mistakes
                    .push(format!("`{path}` can't be read: {error}")),
            },
            Ok(_) => self.mistakes.push(format!(
                "`{path}` is a link or no file: put the file itself there"
            )),
            Err(error) => self
                .mistakes
                .push(format!("`{path}` can't be read: {error}")),
        }
    }
}

const TOO_MUCH: &str =
    "it has more files than skills can have: name the directory of the skills alone";

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "---\nname: a\ndescription: What it is for.\n---\n";

    /// A directory of its own for each test, empty at first.
    fn directory(test: &str) -> PathBuf {
        let name = format!("mcpfn-macros-{test}-{}", std::process::id());
        let place = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&place);
        fs::create_dir_all(&place).unwrap();
        place
    }

    fn write(top: &Path, path: &str, text: &str) {
        let place = top.join(path);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::write(place, text).unwrap();
    }

    #[test]
    fn files_are_embedded_with_their_digests() {
        let top = directory("files");
        write(&top, "a/SKILL.md", HEADER);
        write(&top, "a/scripts/x.py", "");
        write(&top, "a/.DS_Store", "x");
        let code = expand(&top).unwrap().to_string();
        assert!(code.contains("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        assert!(code.contains("\"scripts/x.py\"") && !code.contains("DS_Store"));
        // the directory itself
        let code = expand(&top.join("a")).unwrap().to_string();
        assert!(code.contains("path : \"a\""), "{code}");
        fs::remove_dir_all(top).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn every_mistake_is_said_at_once() {
        let top = directory("mistakes");
        write(&top, "notes.txt", "");
        write(&top, "b/SKILL.md", HEADER);
        write(&top, "b/X.md", "");
        write(&top, "b/x.md", "");
        write(&top, "c/SKILL.md", "# no header");
        let mistakes = expand(&top).unwrap_err();
        for part in [
            "`notes.txt` is in no skill",
            "name in SKILL.md is `a`",
            "ignore case",
            "skill `c`: it must begin",
        ] {
            assert!(
                mistakes.iter().any(|mistake| mistake.contains(part)),
                "{part}: {mistakes:?}"
            );
        }
        for name in [
            "a%2fb",
            "a b",
            ".env",
            "a\u{200d}b",
            "con.txt",
            "a\\b",
            "a\nb",
        ] {
            write(&top, &format!("b/{name}"), "");
        }
        std::os::unix::fs::symlink("/etc/passwd", top.join("b/passwd")).unwrap();
        std::os::unix::fs::symlink("..", top.join("b/up")).unwrap();
        let mistakes = expand(&top).unwrap_err();
        assert_eq!(mistakes.len(), 9, "{mistakes:?}");
        assert!(
            mistakes
                .iter()
                .filter(|mistake| mistake.contains("is a link"))
                .count()
                == 2
        );
        fs::remove_dir_all(&top).unwrap();
        assert!(expand(&top).unwrap_err()[0].contains("can't be read"));
    }

    #[test]
    fn what_is_no_text_is_refused_where_it_stands() {
        assert!(embed(quote!(skills)).to_string().contains("skills!"));
        let code = embed(quote!("no/such/directory")).to_string();
        assert!(
            code.contains("compile_error") && code.contains("Skills :: new"),
            "{code}"
        );
    }
}
