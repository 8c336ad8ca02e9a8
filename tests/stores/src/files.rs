//! The contract of the port `Blobs`: named checks of files, whatever they are kept in. A check that
//! fails panics. Each has a directory of its own, so a store may keep what earlier ones wrote.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use mcpfn_ports::WriteCondition::{Absent, Always, Version};
use mcpfn_ports::{BlobEntry, BlobError, BlobKind, BlobMetadata, BlobPath, Blobs, WriteCondition};

use super::stored_skills::served;

/// What is under test.
#[derive(Clone)]
pub struct Files {
    /// The store.
    pub store: Arc<dyn Blobs>,
    /// It has directories: one that is not there can't be listed, and no file goes through another.
    pub directories: bool,
    /// Of those who write at the same time under one condition, one wins. Emulators look first and
    /// write then.
    pub exact: bool,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files")
            .field("directories", &self.directories)
            .field("exact", &self.exact)
            .finish_non_exhaustive()
    }
}

/// A check at work.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One thing that a store must do.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// A sentence.
    pub name: &'static str,
    /// Panics where the store does not.
    pub run: fn(Files) -> Running,
}

macro_rules! listed {
    ($($name:literal => $run:ident,)*) => {
        const CHECKS: &[Check] = &[$(Check { name: $name, run: |files| Box::pin($run(Place::new(files))) },)*];
    };
}

listed! {
    "a part of a file is the part that was asked for" => parts,
    "a file may be empty" => empty,
    "every byte of a large file comes back" => large,
    "what is not there is not found" => missing,
    "what is known of a file is the same wherever it is asked" => known,
    "a file is written only if its condition holds" => conditions,
    "a version that no store gave fits no file" => foreign_versions,
    "of ten who write at a time under one condition, one wins" => racing,
    "a directory is listed in pages, each entry once" => pages,
    "a page ends between a file and a directory, too" => small_pages,
    "a list can be of the names with one beginning" => beginnings,
    "a directory has nothing of its neighbours with longer names" => neighbours,
    "a directory that is not there has no entries" => no_directory,
    "a cursor of another store is refused, or is a page" => foreign_cursors,
    "names are kept as they are" => names,
    "a plus sign in a name is no space" => plus,
    "a rename takes the file along" => renaming,
    "a rename replaces only what it is told to" => replacing,
    "a file can't be renamed to itself" => itself,
    "skills are listed with their digests, and bytes are those of the list" => skills,
}

/// All of them.
pub fn checks() -> impl Iterator<Item = Check> {
    CHECKS.iter().copied()
}

async fn skills(place: Place) {
    served(place.files.store, place.top).await;
}

/// A directory that nothing else has.
struct Place {
    files: Files,
    top: String,
}

impl Place {
    fn new(files: Files) -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("the operating system gives randomness");
        Self {
            files,
            top: format!("contract-{:016x}", u64::from_be_bytes(random)),
        }
    }

    fn path(&self, below: &str) -> BlobPath {
        let text = if below.is_empty() {
            self.top.clone()
        } else {
            format!("{}/{below}", self.top)
        };
        BlobPath::parse(&text).expect("a path")
    }

    async fn write(
        &self,
        path: &str,
        bytes: impl Into<Bytes>,
        condition: WriteCondition,
    ) -> Result<BlobMetadata, BlobError> {
        self.files
            .store
            .write(&self.path(path), bytes.into(), &condition)
            .await
    }

    async fn put(&self, path: &str, text: &'static str) -> BlobMetadata {
        self.write(path, text, Always)
            .await
            .unwrap_or_else(|error| panic!("{path} was not written: {error}"))
    }

    async fn read(&self, path: &str) -> Result<Bytes, BlobError> {
        self.files
            .store
            .read(&self.path(path), 0, 10_000_000)
            .await
            .map(|part| part.bytes)
    }

    async fn metadata(&self, path: &str) -> Result<BlobMetadata, BlobError> {
        self.files.store.metadata(&self.path(path)).await
    }

    async fn rename(&self, from: &str, to: &str, replace: bool) -> Result<BlobMetadata, BlobError> {
        self.files
            .store
            .rename(&self.path(from), &self.path(to), replace)
            .await
    }

    /// All pages of a directory, and how many entries each had.
    async fn listed(
        &self,
        directory: &str,
        start: &str,
        most: usize,
    ) -> (Vec<BlobEntry>, Vec<usize>) {
        let (mut entries, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None::<String>);
        loop {
            let page = self
                .files
                .store
                .list(&self.path(directory), start, cursor.as_deref(), most)
                .await
                .unwrap();
            assert!(
                page.entries.len() <= most && sizes.len() < 100,
                "{} entries, page {}",
                page.entries.len(),
                sizes.len()
            );
            sizes.push(page.entries.len());
            entries.extend(page.entries);
            cursor = page.cursor;
            if cursor.is_none() {
                return (entries, sizes);
            }
        }
    }

    async fn names(&self, directory: &str, start: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .listed(directory, start, 100)
            .await
            .0
            .into_iter()
            .map(|entry| entry.name)
            .collect();
        names.sort();
        names
    }
}

async fn parts(place: Place) {
    place.put("d/a", "0123456789").await;
    for (offset, length, expected) in [
        (0, 4, "0123"),
        (0, 10, "0123456789"),
        (4, 100, "456789"),
        (9, 1, "9"),
        (9, 5, "9"),
        (10, 5, ""),
        (11, 1, ""),
        (1 << 40, 5, ""),
        (u64::MAX, 5, ""),
        (3, 0, ""),
    ] {
        let part = place
            .files
            .store
            .read(&place.path("d/a"), offset, length)
            .await
            .unwrap();
        assert_eq!(
            (part.bytes.as_ref(), part.metadata.size),
            (expected.as_bytes(), 10),
            "{offset} {length}"
        );
    }
}

async fn empty(place: Place) {
    assert_eq!(place.put("a", "").await.size, 0);
    let part = place
        .files
        .store
        .read(&place.path("a"), 0, 10)
        .await
        .unwrap();
    assert_eq!((part.bytes.len(), part.metadata.size), (0, 0));
    let entries = place.listed("", "", 10).await.0;
    assert_eq!(
        (entries[0].name.as_str(), entries[0].kind, entries[0].size),
        ("a", BlobKind::File, 0)
    );
}

async fn large(place: Place) {
    let mut noise = vec![0; 1_048_576];
    getrandom::fill(&mut noise).expect("the operating system gives randomness");
    assert_eq!(
        place.write("a", noise.clone(), Absent).await.unwrap().size,
        1_048_576
    );
    assert!(place.read("a").await.unwrap() == noise);
    let part = place
        .files
        .store
        .read(&place.path("a"), 500_000, 300_000)
        .await
        .unwrap();
    assert!(part.bytes == noise[500_000..800_000]);
}

async fn missing(place: Place) {
    place.put("there", "x").await;
    assert_eq!(place.read("a").await, Err(BlobError::NotFound));
    assert_eq!(place.metadata("a").await, Err(BlobError::NotFound));
    assert_eq!(place.read("d/a").await, Err(BlobError::NotFound));
    assert_eq!(
        place.rename("a", "b", false).await,
        Err(BlobError::NotFound)
    );
    assert_eq!(
        place.rename("a", "there", true).await,
        Err(BlobError::NotFound)
    );
    assert_eq!(place.read("there").await.unwrap(), "x");
}

async fn known(place: Place) {
    let written = place.put("a", "text").await;
    let metadata = place.metadata("a").await.unwrap();
    assert_eq!((metadata.size, &metadata.version), (4, &written.version));
    assert_eq!(
        place
            .files
            .store
            .read(&place.path("a"), 1, 2)
            .await
            .unwrap()
            .metadata,
        metadata
    );
    let listed = place.listed("", "", 10).await.0;
    assert_eq!(
        (listed.len(), listed[0].kind, listed[0].size),
        (1, BlobKind::File, 4)
    );
    // headers have seconds, lists milliseconds
    let (head, list) = (
        metadata.modified_ms.unwrap(),
        listed[0].modified_ms.unwrap(),
    );
    assert!(
        head.abs_diff(list) < 1000 && head > 1_700_000_000_000,
        "{head} {list}"
    );
}

async fn conditions(place: Place) {
    let fifth = "05".to_owned();
    assert_eq!(
        place.write("a", "no", Version(fifth)).await,
        Err(BlobError::Changed),
        "nothing is there"
    );
    assert_eq!(place.metadata("a").await, Err(BlobError::NotFound));
    let first = place.write("a", "one", Absent).await.unwrap();
    assert_eq!(
        place.write("a", "two", Absent).await,
        Err(BlobError::Changed)
    );
    let second = place
        .write("a", "three", Version(first.version.clone()))
        .await
        .unwrap();
    assert_ne!(first.version, second.version);
    assert_eq!(
        place.write("a", "six", Version(first.version)).await,
        Err(BlobError::Changed)
    );
    assert_eq!(place.read("a").await.unwrap(), "three");
    place.put("a", "four").await;
    assert_eq!(place.read("a").await.unwrap(), "four");
}

async fn foreign_versions(place: Place) {
    place.put("a", "one").await;
    let version = place.metadata("a").await.unwrap().version;
    for foreign in [
        "*",
        "",
        "\"",
        &format!("x\", \"{version}"),
        &format!("W/\"{version}\""),
        "ü",
        "a\r\nif-match: *",
    ] {
        assert_eq!(
            place.write("a", "two", Version(foreign.to_owned())).await,
            Err(BlobError::Changed),
            "{foreign:?}"
        );
    }
    assert_eq!(place.read("a").await.unwrap(), "one");
}

async fn racing(place: Place) {
    let place = Arc::new(place);
    let race = async |condition: WriteCondition| {
        let writes: Vec<_> = (0..10)
            .map(|number| {
                let (place, condition) = (Arc::clone(&place), condition.clone());
                // the same bytes twice may have the same version
                tokio::spawn(async move {
                    place
                        .write("a", format!("{condition:?} {number}"), condition)
                        .await
                })
            })
            .collect();
        let mut won = 0;
        for write in writes {
            match write.await.unwrap() {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error, BlobError::Changed),
            }
        }
        assert!(
            if place.files.exact {
                won == 1
            } else {
                won >= 1
            },
            "{won} of ten won"
        );
    };
    race(Absent).await;
    race(Version(place.metadata("a").await.unwrap().version)).await;
}

async fn pages(place: Place) {
    let expected: BTreeSet<String> = (0..25).map(|number| format!("{number:02}")).collect();
    for name in expected.iter().rev() {
        place.put(&format!("d/{name}"), "x").await;
    }
    let (entries, sizes) = place.listed("d", "", 10).await;
    assert_eq!(sizes, [10, 10, 5]);
    let seen: Vec<String> = entries.into_iter().map(|entry| entry.name).collect();
    assert_eq!(
        seen,
        expected.into_iter().collect::<Vec<_>>(),
        "in their order"
    );
}

async fn small_pages(place: Place) {
    for file in ["a", "b/x", "b/y", "c", "d/e/f", "g"] {
        place.put(file, "x").await;
    }
    for most in 1..=6 {
        let (entries, _) = place.listed("", "", most).await;
        let seen: BTreeSet<_> = entries
            .iter()
            .map(|entry| (entry.name.as_str(), entry.kind == BlobKind::Directory))
            .collect();
        assert_eq!(entries.len(), 5, "{most} a page: {entries:?}");
        assert_eq!(
            seen,
            [
                ("a", false),
                ("b", true),
                ("c", false),
                ("d", true),
                ("g", false)
            ]
            .into(),
            "{most} a page"
        );
    }
    assert_eq!(place.names("d", "").await, ["e"]);
}

async fn beginnings(place: Place) {
    for file in ["plan.md", "plans/x", "other", "pla", "Plan.md", "plan-b"] {
        place.put(file, "x").await;
    }
    assert_eq!(
        place.names("", "plan").await,
        ["plan-b", "plan.md", "plans"]
    );
    assert_eq!(place.names("", "plan.md").await, ["plan.md"]);
    assert_eq!(place.names("", "x").await, [""; 0]);
    assert_eq!(
        place.names("", "plans/").await,
        [""; 0],
        "names have no `/`"
    );
    assert_eq!(place.listed("", "plan", 1).await.0.len(), 3);
}

async fn neighbours(place: Place) {
    for file in ["a/x", "ab/y", "a-b/z"] {
        place.put(file, "x").await;
    }
    assert_eq!(place.names("a", "").await, ["x"]);
}

async fn no_directory(place: Place) {
    let listed = place
        .files
        .store
        .list(&place.path("none"), "", None, 10)
        .await;
    if place.files.directories {
        assert_eq!(listed, Err(BlobError::NotFound));
    } else {
        assert_eq!(
            listed.map(|page| (page.entries, page.cursor)),
            Ok((Vec::new(), None))
        );
    }
}

async fn foreign_cursors(place: Place) {
    place.put("a", "x").await;
    for cursor in ["x", "../..", "ü \" &", &"y".repeat(2000)] {
        match place
            .files
            .store
            .list(&place.path(""), "", Some(cursor), 10)
            .await
        {
            Ok(page) => assert!(page.entries.len() <= 1 && page.cursor.is_none(), "{page:?}"),
            Err(error) => assert_eq!(error, BlobError::BadCursor, "{cursor}"),
        }
    }
}

async fn names(place: Place) {
    let names = [
        "Übersicht 2026 (2).pdf",
        "a=b&c#d",
        "100%",
        "a%b",
        "it's, @$!",
        "🦀.rs",
        "メモ.txt",
        "-rf",
        ".env",
        "a~b;c",
        "two  spaces",
        "[x]{y}^",
    ];
    for name in names {
        let (here, there) = (format!("日本/{name}"), format!("moved/{name}"));
        let written = place.write(&here, name.to_owned(), Absent).await;
        assert_eq!(
            written.map(|metadata| metadata.size),
            Ok(name.len() as u64),
            "{name}"
        );
        assert_eq!(place.read(&here).await.as_deref(), Ok(name.as_bytes()));
        place
            .rename(&here, &there, false)
            .await
            .unwrap_or_else(|error| panic!("{name} was not renamed: {error}"));
        assert_eq!(place.read(&there).await.as_deref(), Ok(name.as_bytes()));
    }
    let mut expected = names;
    expected.sort_unstable();
    assert_eq!(place.names("moved", "").await, expected);
    assert_eq!(place.names("moved", "a=b").await, ["a=b&c#d"]);
    assert_eq!(
        place.names("", "").await.last().map(String::as_str),
        Some(if place.files.directories {
            "日本"
        } else {
            "moved"
        })
    );
}

async fn plus(place: Place) {
    place.put("a+b/c+d", "x").await;
    place.put("a b/c d", "y").await;
    assert_eq!(place.names("", "").await, ["a b", "a+b"]);
    assert_eq!(place.names("", "a+").await, ["a+b"]);
    assert_eq!(
        (place.names("a+b", "").await, place.names("a b", "").await),
        (vec!["c+d".to_owned()], vec!["c d".to_owned()])
    );
    place.rename("a+b/c+d", "e+f", false).await.unwrap();
    assert_eq!(
        (
            place.read("e+f").await.unwrap(),
            place.read("a b/c d").await.unwrap()
        ),
        ("x".into(), "y".into())
    );
}

async fn renaming(place: Place) {
    place.put("a", "one").await;
    let moved = place.rename("a", "new/b", false).await.unwrap();
    assert_eq!(
        (moved.size, &moved.version),
        (3, &place.metadata("new/b").await.unwrap().version)
    );
    assert_eq!(
        (place.read("a").await, place.read("new/b").await),
        (Err(BlobError::NotFound), Ok("one".into()))
    );
    // and can be written with what the rename said
    place
        .write("new/b", "two", Version(moved.version))
        .await
        .unwrap();
}

async fn replacing(place: Place) {
    place.put("a", "one").await;
    place.put("b", "two").await;
    assert_eq!(place.rename("a", "b", false).await, Err(BlobError::Changed));
    assert_eq!(
        (
            place.read("a").await.unwrap(),
            place.read("b").await.unwrap()
        ),
        ("one".into(), "two".into())
    );
    place.rename("a", "b", true).await.unwrap();
    assert_eq!(
        (place.read("a").await, place.read("b").await),
        (Err(BlobError::NotFound), Ok("one".into()))
    );
}

async fn itself(place: Place) {
    place.put("a", "one").await;
    for replace in [false, true] {
        assert_eq!(
            place.rename("a", "a", replace).await,
            Err(BlobError::Changed)
        );
    }
    assert_eq!(place.read("a").await.unwrap(), "one");
}
