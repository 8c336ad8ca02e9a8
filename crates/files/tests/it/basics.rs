//! Reading, listing, writing and renaming without interference.

use std::os::unix::fs::PermissionsExt as _;

use mcpfn_ports::WriteCondition::{Absent, Always, Version};

use super::*;

#[tokio::test]
async fn parts_of_a_file() {
    let place = Place::new();
    std::fs::write(place.root("a"), "0123456789").unwrap();
    for (offset, length, expected) in [
        (0, 4, "0123"),
        (4, 100, "456789"),
        (9, 1, "9"),
        (10, 5, ""),
        (u64::MAX, 5, ""),
        (3, 0, ""),
    ] {
        let part = place.files.read(&path("a"), offset, length).await.unwrap();
        assert_eq!(
            (part.bytes.as_ref(), part.metadata.size),
            (expected.as_bytes(), 10),
            "{offset} {length}"
        );
    }
}

#[tokio::test]
async fn a_part_of_a_file_of_a_terabyte() {
    let place = Place::new();
    std::fs::File::create(place.root("a"))
        .unwrap()
        .set_len(1 << 40)
        .unwrap();
    let part = place.files.read(&path("a"), 1 << 39, 1000).await.unwrap();
    assert_eq!((part.bytes.len(), part.metadata.size), (1000, 1 << 40));
}

#[tokio::test]
async fn pages_in_the_order_of_names() {
    let place = Place::new();
    for number in (0..25).rev() {
        std::fs::write(place.root(&format!("{number:02}")), "x").unwrap();
    }
    std::fs::write(place.root(".mcpfn-being-written"), "x").unwrap();
    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let page = place
            .files
            .list(&BlobPath::top(), "", cursor.as_deref(), 10)
            .await
            .unwrap();
        sizes.push(page.entries.len());
        seen.extend(page.entries.into_iter().map(|entry| entry.name));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(
        seen,
        (0..25)
            .map(|number| format!("{number:02}"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn conditions_of_a_write() {
    let place = Place::new();
    let first = place.write("a/b/c", "one", Absent).await.unwrap();
    assert_eq!(place.files.metadata(&path("a/b/c")).await.unwrap(), first);
    assert_eq!(
        place.write("a/b/c", "two", Absent).await,
        Err(BlobError::Changed)
    );
    let second = place
        .write("a/b/c", "two", Version(first.version.clone()))
        .await
        .unwrap();
    assert_ne!(first.version, second.version);
    assert_eq!(
        place.write("a/b/c", "six", Version(first.version)).await,
        Err(BlobError::Changed)
    );
    assert_eq!(place.read("a/b/c").await.unwrap(), "two");
    place.write("a/b/c", "four", Always).await.unwrap();
    assert_eq!(place.read("a/b/c").await.unwrap(), "four");
    assert_eq!(
        std::fs::read_dir(place.root("a/b")).unwrap().count(),
        1,
        "something is left over"
    );
}

#[tokio::test]
async fn a_refused_write_makes_no_directories() {
    let place = Place::new();
    assert_eq!(
        place.write("a/b/c", "x", Version("1".to_owned())).await,
        Err(BlobError::Changed)
    );
    assert!(!place.root("a").exists());
}

#[tokio::test]
async fn renaming_with_and_without_replacing() {
    let place = Place::new();
    place.write("a", "one", Always).await.unwrap();
    place.write("b", "two", Always).await.unwrap();
    assert_eq!(
        place.files.rename(&path("a"), &path("b"), false).await,
        Err(BlobError::Changed)
    );
    assert_eq!(
        (
            place.read("a").await.unwrap(),
            place.read("b").await.unwrap()
        ),
        ("one".into(), "two".into())
    );
    place
        .files
        .rename(&path("a"), &path("b"), true)
        .await
        .unwrap();
    assert_eq!(
        (place.read("a").await, place.read("b").await),
        (Err(BlobError::NotFound), Ok("one".into()))
    );
    place
        .files
        .rename(&path("b"), &path("new/c"), false)
        .await
        .unwrap();
    assert_eq!(
        (place.read("b").await, place.read("new/c").await),
        (Err(BlobError::NotFound), Ok("one".into()))
    );
    assert_eq!(
        place
            .files
            .rename(&path("none"), &path("other/x"), true)
            .await,
        Err(BlobError::NotFound)
    );
    assert!(!place.root("other").exists());
    assert_eq!(
        place
            .files
            .rename(&path("new/c"), &path("new/c"), true)
            .await,
        Err(BlobError::Changed)
    );
    assert_eq!(place.read("new/c").await.unwrap(), "one");
}

#[tokio::test]
async fn a_directory_is_no_file_and_a_file_no_directory() {
    let place = Place::new();
    place.write("d/f", "x", Always).await.unwrap();
    assert_eq!(place.read("d").await, Err(BlobError::NotAFile));
    assert_eq!(
        place.write("d", "x", Always).await,
        Err(BlobError::NotAFile)
    );
    assert_eq!(
        place.files.rename(&path("d"), &path("e"), true).await,
        Err(BlobError::NotAFile)
    );
    assert_eq!(
        place.files.rename(&path("d/f"), &path("d"), true).await,
        Err(BlobError::NotAFile)
    );
    assert_eq!(
        place.names(&path("d/f")).await,
        Err(BlobError::NotADirectory)
    );
    assert_eq!(place.read("d/f/x").await, Err(BlobError::NotADirectory));
    assert_eq!(
        place.write("d/f/x", "x", Always).await,
        Err(BlobError::NotADirectory)
    );
    assert_eq!(place.read("none").await, Err(BlobError::NotFound));
    assert_eq!(place.names(&path("none")).await, Err(BlobError::NotFound));
}

/// Root may do everything in its own directories, so there it is the kernel's that refuse.
#[tokio::test]
async fn what_the_system_does_not_allow() {
    let place = Place::new();
    place.write("d/f", "x", Always).await.unwrap();
    std::fs::set_permissions(place.root("d"), std::fs::Permissions::from_mode(0o500)).unwrap();
    let everything = std::fs::write(place.root("d/probe"), "").is_ok();
    let refused = if everything {
        let files = Directory::open("/sys").unwrap();
        files
            .write(&path("mcpfn-test"), Bytes::new(), &Always)
            .await
    } else {
        place.write("d/g", "x", Always).await
    };
    std::fs::set_permissions(place.root("d"), std::fs::Permissions::from_mode(0o700)).unwrap();
    let Err(BlobError::Refused(cause)) = refused else {
        panic!("{refused:?}")
    };
    assert!(!cause.contains('/'), "{cause}");
}

#[tokio::test]
async fn several_roots_are_directories_at_the_top() {
    let place = Place::new();
    for root in ["docs", "dock", "notes"] {
        std::fs::create_dir(place.root(root)).unwrap();
    }
    let files = Directory::open_named(
        ["dock", "docs", "notes"].map(|root| (root.to_owned(), place.root(root))),
    )
    .unwrap();
    files
        .write(&path("docs/a"), Bytes::from_static(b"x"), &Absent)
        .await
        .unwrap();
    let names = async |directory: &BlobPath, start, cursor| {
        let page = files.list(directory, start, cursor, 10).await.unwrap();
        page.entries
            .into_iter()
            .map(|entry| entry.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&BlobPath::top(), "", None).await,
        ["dock", "docs", "notes"]
    );
    assert_eq!(names(&BlobPath::top(), "doc", None).await, ["dock", "docs"]);
    assert_eq!(names(&BlobPath::top(), "", Some("docs")).await, ["notes"]);
    assert_eq!(names(&path("docs"), "", None).await, ["a"]);
    assert_eq!(
        files
            .rename(&path("docs/a"), &path("notes/b"), false)
            .await
            .unwrap()
            .size,
        1
    );
    assert_eq!(
        files.metadata(&path("other/a")).await,
        Err(BlobError::NotFound)
    );
    assert_eq!(
        files.write(&path("docs"), Bytes::new(), &Always).await,
        Err(BlobError::NotAFile)
    );
}
