//! Links, pipes and odd paths: nothing outside the root is reached.

use std::process::Command;
use std::time::Duration;

use mcpfn_ports::BlobKind;
use mcpfn_ports::WriteCondition::Always;

use super::*;

#[tokio::test]
async fn links_that_stay_inside_are_followed_for_reading_only() {
    let place = Place::new();
    place.write("d/f", "inside", Always).await.unwrap();
    link("d/f", place.root("file"));
    link("d", place.root("directory"));
    link("round", place.root("round"));
    assert_eq!(place.read("file").await.unwrap(), "inside");
    assert_eq!(place.read("directory/f").await.unwrap(), "inside");
    assert_eq!(place.names(&path("directory")).await.unwrap(), ["f"]);
    assert_eq!(place.read("round").await, Err(BlobError::NotFound));
    assert_eq!(
        place.write("file", "new", Always).await,
        Err(BlobError::NotAFile)
    );
    assert_eq!(place.read("d/f").await.unwrap(), "inside");
}

#[tokio::test]
async fn links_that_lead_outside_are_refused() {
    let place = Place::new();
    place.write("mine", "mine", Always).await.unwrap();
    link("../outside", place.root("relative"));
    link(place.outside(""), place.root("absolute"));
    link("../outside/secret", place.root("file"));
    for directory in ["relative", "absolute"] {
        let (secret, new) = (format!("{directory}/secret"), format!("{directory}/new"));
        assert_eq!(place.read(&secret).await, Err(BlobError::Outside));
        assert_eq!(
            place.files.metadata(&path(&secret)).await,
            Err(BlobError::Outside)
        );
        assert_eq!(place.names(&path(directory)).await, Err(BlobError::Outside));
        for written in [&secret, &new, &format!("{directory}/a/b")] {
            assert_eq!(
                place.write(written, "x", Always).await,
                Err(BlobError::Outside),
                "{written}"
            );
            assert_eq!(
                place
                    .files
                    .rename(&path("mine"), &path(written), true)
                    .await,
                Err(BlobError::Outside),
                "{written}"
            );
        }
        assert_eq!(
            place
                .files
                .rename(&path(&secret), &path("stolen"), true)
                .await,
            Err(BlobError::Outside)
        );
    }
    assert_eq!(place.read("file").await, Err(BlobError::Outside));
    assert_eq!(
        place.write("file", "x", Always).await,
        Err(BlobError::NotAFile)
    );
    let page = place
        .files
        .list(&BlobPath::top(), "", None, 10)
        .await
        .unwrap();
    let kinds = page
        .entries
        .iter()
        .map(|entry| (entry.name.as_str(), entry.kind, entry.size))
        .collect::<Vec<_>>();
    let other = |name| (name, BlobKind::Other, 0);
    assert_eq!(
        kinds,
        [
            other("absolute"),
            other("file"),
            ("mine", BlobKind::File, 4),
            other("relative")
        ]
    );
    assert_eq!(
        std::fs::read_to_string(place.outside("secret")).unwrap(),
        "secret"
    );
    assert_eq!(std::fs::read_dir(place.outside("")).unwrap().count(), 1);
}

#[tokio::test]
async fn a_pipe_keeps_nobody_waiting() {
    let place = Place::new();
    assert!(
        Command::new("mkfifo")
            .arg(place.root("pipe"))
            .status()
            .unwrap()
            .success()
    );
    let calls = async {
        assert_eq!(place.read("pipe").await, Err(BlobError::NotAFile));
        assert_eq!(
            place.write("pipe", "x", Always).await,
            Err(BlobError::NotAFile)
        );
        assert_eq!(
            place
                .files
                .list(&BlobPath::top(), "", None, 10)
                .await
                .unwrap()
                .entries[0]
                .kind,
            BlobKind::Other
        );
    };
    if tokio::time::timeout(Duration::from_secs(10), calls)
        .await
        .is_err()
    {
        // frees the thread that waits, so that the test ends
        drop(
            std::fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(place.root("pipe")),
        );
        panic!("it waited");
    }
}

#[test]
fn paths_that_lead_elsewhere_by_their_text() {
    for text in [
        "../outside/secret",
        "a/../../x",
        "/etc/passwd",
        "%2e%2e/x",
        "a%2fb",
        "a\0b",
        "..\\x",
        "a\\b",
        "C:/x",
    ] {
        assert!(BlobPath::parse(text).is_err(), "{text:?}");
    }
}
