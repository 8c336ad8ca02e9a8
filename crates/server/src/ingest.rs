//! The command `ingest DIR`: text, Markdown and HTML files of a folder into the store of documents,
//! or with `--sql FILE` into a file of statements for it. Follows no links and watches nothing.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use mcpfn::port::{Embedder, Sql, VectorStore};
use mcpfn_native::Client;
use mcpfn_toolkits::embedding::{EmbeddingEndpoint, HttpEmbedder};
use mcpfn_toolkits::knowledge::{
    MAX_DOCUMENT_LENGTH, StoredDocument, add_with, index_vectors, prepare,
};

use crate::script::Script;
use crate::vector_file::VectorFile;
use crate::vector_index;

/// Its line in the program's help.
pub(crate) const COMMAND: (&str, &str) = (
    "ingest",
    "Read a folder's texts into the documents that the toolkit knowledge searches",
);

/// What `ingest --help` prints.
pub(crate) const USAGE: &str = "\
mcpfn ingest FOLDER [--sql FILE [--vectors FILE]]

Adds the .md, .txt, .html and .htm files of a folder to the database of documents, which
MCPFN_DATABASE names; a file that was added before is replaced.

  --sql FILE       write the statements that add them into a file instead, for Cloudflare D1
  --vectors FILE   write their vectors into another one, for Cloudflare Vectorize
  -h, --help       print this

With MCPFN_EMBEDDINGS_URL and MCPFN_EMBEDDINGS_MODEL passages also get vectors.";

/// What the command is asked to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IngestArguments {
    pub(crate) folder: PathBuf,
    pub(crate) script: Option<PathBuf>,
    pub(crate) vectors: Option<PathBuf>,
}

/// Reads what follows `ingest`; nothing when help is asked for. A folder whose name begins with a
/// dash is `./-name`.
///
/// # Errors
/// A sentence about the argument at fault.
pub(crate) fn read(arguments: &[OsString]) -> Result<Option<IngestArguments>, String> {
    let (mut folder, mut script, mut vectors) = (None, None, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        let place = match &*text {
            "-h" | "--help" | "help" if arguments.len() == 1 => return Ok(None),
            "-h" | "--help" => return Ok(None),
            option @ ("--sql" | "--vectors") => {
                let place = match option {
                    "--sql" => &mut script,
                    _ => &mut vectors,
                };
                let file = rest.next();
                let file = file.ok_or_else(|| format!("`{option}` needs a file to write"))?;
                if place.replace(PathBuf::from(file)).is_some() {
                    return Err(format!("`{option}` is there twice"));
                }
                continue;
            }
            option if option.starts_with('-') => {
                let shown = mcpfn::text::quoted(option);
                return Err(format!("there is no option {shown}"));
            }
            _ => &mut folder,
        };
        if place.replace(PathBuf::from(argument)).is_some() {
            return Err("say one folder".to_owned());
        }
    }
    let folder = folder.ok_or("say which folder")?;
    if vectors.is_some() && script.is_none() {
        return Err("`--vectors` needs `--sql`: Vectorize is asked beside D1".to_owned());
    }
    Ok(Some(IngestArguments {
        folder,
        script,
        vectors,
    }))
}

/// Runs the command and says what it did. With a script, statements are written there and no
/// database is opened.
pub(crate) fn command(
    asked: &IngestArguments,
    variable: impl Fn(&str) -> Option<OsString>,
) -> ExitCode {
    match run(asked, variable) {
        Ok(done) => {
            println!("{} documents, {} passages", done.documents, done.passages);
            done.left_out
                .iter()
                .for_each(|sentence| println!("left out: {sentence}"));
            if let Some(script) = &asked.script {
                println!(
                    "put them on D1 with `wrangler d1 migrations apply DB --remote`, which makes \
                     the tables, and then"
                );
                println!(
                    "`wrangler d1 execute DB --remote --file {}`",
                    script.display()
                );
            }
            if let Some(vectors) = &asked.vectors {
                println!(
                    "and their vectors in an index of theirs with `wrangler vectorize upsert INDEX \
                     --file {}`",
                    vectors.display()
                );
            }
            println!("serve them with MCPFN_TOOLKITS=knowledge,contracts");
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn run(
    asked: &IngestArguments,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Ingested, String> {
    let text = |name: &str| {
        variable(name)
            .filter(|value| !value.is_empty())
            .map(|value| value.to_string_lossy().into_owned())
    };
    let endpoint = EmbeddingEndpoint::read(&text).map_err(|mistakes| mistakes.join("; "))?;
    if asked.vectors.is_some() && endpoint.is_none() {
        return Err("`--vectors` needs MCPFN_EMBEDDINGS_URL and MCPFN_EMBEDDINGS_MODEL".to_owned());
    }
    let model =
        endpoint.map(|endpoint| HttpEmbedder::new(endpoint, Arc::new(Client::new()), EMBEDDING));
    let model = model.as_ref().map(|model| model as &dyn Embedder);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    if let Some(file) = &asked.script {
        return runtime.block_on(write(asked, file, model));
    }
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let database = crate::database::open_to_fill(variable)?;
    let indexed = vector_index::is_required(variable)?;
    runtime.block_on(async {
        let done = ingest(&asked.folder, &*database, model).await?;
        if indexed {
            vector_index::check(&*database).await?;
        }
        Ok(done)
    })
}

/// Writes the files that are asked for. What is half done must not be taken for the whole.
async fn write(
    asked: &IngestArguments,
    file: &Path,
    model: Option<&dyn Embedder>,
) -> Result<Ingested, String> {
    let part = |file: &Path| file.with_added_extension("part");
    let failed = |file: &Path| {
        let file = file.display().to_string();
        move |error: std::io::Error| format!("{file} can't be written: {error}")
    };
    let script = Script::create(&part(file)).map_err(failed(file))?;
    let vectors = match &asked.vectors {
        Some(file) => Some(VectorFile::create(&part(file)).map_err(failed(file))?),
        None => None,
    };
    let store = vectors.as_ref().map(|vectors| vectors as &dyn VectorStore);
    let done = fill(&asked.folder, &script, model, store).await?;
    script.finish().map_err(failed(file))?;
    if let (Some(vectors), Some(file)) = (vectors, &asked.vectors) {
        vectors.finish().map_err(failed(file))?;
        std::fs::rename(part(file), file).map_err(failed(file))?;
    }
    std::fs::rename(part(file), file).map_err(failed(file))?;
    Ok(done)
}

/// How long the model may take for the passages of one request.
const EMBEDDING: Duration = Duration::from_secs(60);

/// The most files of one run.
const MAX_FILES: usize = 200_000;

/// How deep folders may nest.
const DEEPEST: usize = 32;

/// What one run did.
#[derive(Debug, Default)]
pub(crate) struct Ingested {
    pub(crate) documents: usize,
    pub(crate) passages: usize,
    /// Files that were left out: a sentence each.
    pub(crate) left_out: Vec<String>,
}

/// Makes the tables where they are missing or of an older version, then does what [`fill`] does.
///
/// # Errors
/// As [`fill`], or the tables can't be made.
pub(crate) async fn ingest(
    folder: &Path,
    database: &dyn Sql,
    model: Option<&dyn Embedder>,
) -> Result<Ingested, String> {
    // a role that may only write rows can fill tables that another role made
    prepare(database)
        .await
        .map_err(|error| format!("the tables of documents can't be made: {error}"))?;
    let done = fill(folder, database, model, None).await?;
    let indexed = index_vectors(database).await;
    indexed.map_err(|error| format!("the index of vectors can't be made: {error}"))?;
    Ok(done)
}

/// Adds every `.md`, `.txt`, `.html` and `.htm` file below `folder`. A file that was added before
/// is replaced; a document whose file is gone stays. With a model, passages get vectors.
///
/// # Errors
/// A sentence: the folder can't be read, two files would get one id, or the database or the model
/// failed.
async fn fill(
    folder: &Path,
    database: &dyn Sql,
    model: Option<&dyn Embedder>,
    store: Option<&dyn VectorStore>,
) -> Result<Ingested, String> {
    let mut files = Vec::new();
    list(folder, 0, &mut files)?;
    files.sort();
    let mut done = Ingested::default();
    let mut ids = std::collections::HashMap::new();
    for file in files {
        let source = file
            .strip_prefix(folder)
            .unwrap_or(&file)
            .to_string_lossy()
            .replace('\\', "/");
        let document =
            match content(&file).and_then(|content| StoredDocument::read(&source, &content)) {
                Ok(document) => document,
                Err(reason) => {
                    done.left_out.push(format!("{source}: {reason}"));
                    continue;
                }
            };
        if let Some(first) = ids.insert(document.id.clone(), source.clone()) {
            return Err(format!(
                "{first} and {source} would both have the id {}; rename one of them",
                document.id
            ));
        }
        done.passages += add_with(database, &document, model, store)
            .await
            .map_err(|error| format!("{source} can't be added: {error}"))?;
        done.documents += 1;
    }
    Ok(done)
}

fn content(file: &Path) -> Result<String, String> {
    let size = std::fs::metadata(file)
        .map_err(|error| format!("it can't be read: {error}"))?
        .len();
    if size > MAX_DOCUMENT_LENGTH as u64 {
        return Err(format!(
            "it has more than {MAX_DOCUMENT_LENGTH} bytes; split it"
        ));
    }
    let bytes = std::fs::read(file).map_err(|error| format!("it can't be read: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8; convert it".to_owned())
}

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{} can't be read: {error}", folder.display());
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // of the entry itself: a link could lead anywhere
        let kind = entry.file_type().map_err(failed)?;
        let path = entry.path();
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        if kind.is_dir() && depth < DEEPEST {
            list(&path, depth + 1, files)?;
        } else if kind.is_file()
            && ending.is_some_and(|ending| ["md", "txt", "html", "htm"].contains(&ending.as_str()))
        {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(format!(
                "{} has more than {MAX_FILES} files; add its folders one by one",
                folder.display()
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_files() {
        let folder = std::env::temp_dir().join(format!("mcpfn-ingest-test-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("a/b")).unwrap();
        let write =
            |name: &str, content: &[u8]| std::fs::write(folder.join(name), content).unwrap();
        write("a/b/one.md", b"---\ntitle: One\n---\n# One\n\nZebras.\n");
        write("two.html", b"<h1>Two</h1><p>Lions.");
        write("image.png", b"\x89PNG");
        write("latin.txt", b"caf\xe9");
        write("empty.txt", b" ");
        let database = mcpfn_sql::Sqlite::memory().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for _ in 0..2 {
            let done = runtime.block_on(ingest(&folder, &database, None)).unwrap();
            assert_eq!((done.documents, done.passages), (2, 2));
            assert_eq!(
                done.left_out,
                [
                    "empty.txt: it has no text",
                    "latin.txt: it is not text in UTF-8; convert it"
                ]
            );
        }
        let rows = runtime
            .block_on(database.query("SELECT id, title FROM documents ORDER BY id", &[], 9))
            .unwrap();
        assert_eq!(
            rows.rows,
            [
                ["a-b-one".into(), "One".into()],
                ["two".into(), "two".into()]
            ]
        );
        let rows = runtime
            .block_on(database.query(PASSAGES, &[], 9))
            .unwrap()
            .rows;
        let statements = statements(&folder, None);
        let database = mcpfn_sql::Sqlite::memory().unwrap();
        runtime.block_on(prepare(&database)).unwrap();
        for _ in 0..2 {
            statements.iter().for_each(|statement| {
                assert!(
                    runtime.block_on(database.execute(statement, &[])).is_ok(),
                    "{statement}"
                );
            });
            assert_eq!(
                runtime
                    .block_on(database.query(PASSAGES, &[], 9))
                    .unwrap()
                    .rows,
                rows
            );
        }
        write("two.md", b"Tigers.");
        assert!(
            runtime
                .block_on(ingest(&folder, &database, None))
                .unwrap_err()
                .contains("the id two")
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn options_are_no_folders() {
        let read =
            |arguments: &[&str]| read(&arguments.iter().map(OsString::from).collect::<Vec<_>>());
        let asked = |folder: &str, script: Option<&str>| {
            Ok(Some(IngestArguments {
                folder: folder.into(),
                script: script.map(PathBuf::from),
                vectors: None,
            }))
        };
        let both = read(&["docs", "--vectors", "v", "--sql", "s"]);
        assert_eq!(both.unwrap().unwrap().vectors, Some("v".into()));
        assert_eq!(read(&["docs"]), asked("docs", None));
        assert_eq!(read(&["./-docs"]), asked("./-docs", None));
        assert_eq!(
            read(&["docs", "--sql", "a.sql"]),
            asked("docs", Some("a.sql"))
        );
        assert_eq!(
            read(&["--sql", "a.sql", "docs"]),
            asked("docs", Some("a.sql"))
        );
        for help in [&["--help"][..], &["-h"], &["help"], &["docs", "--help"]] {
            assert_eq!(read(help), Ok(None));
        }
        for (wrong, word) in [
            (&[][..], "folder"),
            (&["--sql"], "needs a file"),
            (&["docs", "--sql"], "needs a file"),
            (&["--sqlite", "docs"], "--sqlite"),
            (&["a", "b"], "one folder"),
            (&["docs", "--sql", "a", "--sql", "b"], "twice"),
            (&["docs", "--vectors", "a"], "needs `--sql`"),
        ] {
            assert!(read(wrong).unwrap_err().contains(word), "{wrong:?}");
        }
    }

    const PASSAGES: &str = "SELECT d.id, d.source, d.characters, p.starts, p.title, p.section, p.text, p.model, p.vector \
                            FROM passages AS p JOIN documents AS d ON d.number = p.document ORDER BY d.id, p.starts";

    /// What `--sql` writes; no text here has a line that ends with a semicolon.
    fn statements(folder: &Path, model: Option<&dyn Embedder>) -> Vec<String> {
        let file = folder.join("script.sql");
        let script = Script::create(&file).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime
            .block_on(fill(folder, &script, model, None))
            .unwrap();
        script.finish().unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        text.split_terminator(";\n").map(str::to_owned).collect()
    }

    /// A model with vectors of so many numbers.
    struct Long(usize);

    impl Embedder for Long {
        fn model(&self) -> &str {
            "long"
        }

        fn embed<'a>(
            &'a self,
            texts: &'a [String],
        ) -> mcpfn::handler::BoxFuture<'a, Result<Vec<Vec<f32>>, mcpfn::port::EmbedError>> {
            Box::pin(async move { Ok(vec![vec![0.5; self.0]; texts.len()]) })
        }
    }

    #[test]
    fn vectors_are_written_beside_statements() {
        let folder =
            std::env::temp_dir().join(format!("mcpfn-vectors-test-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("texts")).unwrap();
        std::fs::write(folder.join("texts/leave.md"), "# Leave\n\nTwenty days.\n").unwrap();
        let asked = IngestArguments {
            folder: folder.join("texts"),
            script: Some(folder.join("a.sql")),
            vectors: Some(folder.join("a.ndjson")),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let write = |numbers: usize| {
            let (script, model) = (folder.join("a.sql"), Long(numbers));
            runtime.block_on(write(&asked, &script, Some(&model)))
        };
        // longer than an index takes: nothing is left that looks whole
        let error = write(3072).unwrap_err();
        assert!(error.contains("1536 numbers"), "{error}");
        assert!(!folder.join("a.sql").exists() && !folder.join("a.ndjson").exists());
        assert_eq!(write(3).unwrap().passages, 1);
        let lines = std::fs::read_to_string(folder.join("a.ndjson")).unwrap();
        let line: serde_json::Value = serde_json::from_str(&lines).unwrap();
        let names = mcpfn::port::VectorNames::of("long");
        assert_eq!(names.id(line["id"].as_str().unwrap()), Some("leave:0"));
        assert_eq!(line["namespace"], "long");
        assert_eq!(line["values"].as_array().unwrap().len(), 3);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn no_statement_is_longer_than_d1_takes() {
        let folder = std::env::temp_dir().join(format!("mcpfn-script-test-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("quotes.txt"), "\u{1f980}' it's ".repeat(20_000)).unwrap();
        for (model, least) in [(None, 20_000), (Some(&Long(3072) as &dyn Embedder), 50_000)] {
            let statements = statements(&folder, model);
            let longest = statements.iter().map(String::len).max().unwrap();
            assert!((least..100_000).contains(&longest), "{longest}");
            let database = mcpfn_sql::Sqlite::memory().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap();
            runtime.block_on(prepare(&database)).unwrap();
            statements.iter().for_each(|statement| {
                assert!(runtime.block_on(database.execute(statement, &[])).is_ok());
            });
            let vectors = "SELECT count(*), sum(coalesce(length(vector), 0) = ?1) FROM passages";
            let length = if model.is_some() { 3072 * 4 } else { 0 };
            let rows = runtime
                .block_on(database.query(vectors, &[length.into()], 1))
                .unwrap()
                .rows;
            assert!(
                rows[0][0].as_i64() > Some(100) && rows[0][0] == rows[0][1],
                "{rows:?}"
            );
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
