//! `write_file` and `move_file`: conditions, bounds, repeats.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::host::Place;

async fn write(
    place: &Place,
    path: &str,
    content: &str,
    version: impl Into<Value>,
) -> Result<Value, String> {
    let version: Value = version.into();
    place
        .client
        .call(
            "write_file",
            json!({"path": path, "content": content, "if_version": version}),
        )
        .await
}

async fn rename(place: &Place, from: &str, to: &str, overwrite: bool) -> Result<Value, String> {
    place
        .client
        .call(
            "move_file",
            json!({"from": from, "to": to, "overwrite": overwrite}),
        )
        .await
}

#[tokio::test]
async fn only_what_was_read_is_overwritten() {
    let place = Place::new();
    let first = write(&place, "new/a.txt", "one", Value::Null)
        .await
        .unwrap();
    assert_eq!(
        (&first["path"], &first["size"]),
        (&json!("new/a.txt"), &json!(3))
    );
    let refused = write(&place, "new/a.txt", "two", Value::Null)
        .await
        .unwrap_err();
    assert!(
        refused.starts_with(
            "Nothing was written: `new/a.txt` is there already. Read it and give its version"
        ),
        "{refused}"
    );

    let read = place.client.read("new/a.txt").await.unwrap();
    assert_eq!(read["version"], first["version"]);
    let second = write(&place, "new/a.txt", "two", read["version"].clone())
        .await
        .unwrap();
    assert_ne!(second["version"], first["version"]);
    let refused = write(&place, "new/a.txt", "three", read["version"].clone())
        .await
        .unwrap_err();
    assert!(
        refused.contains("was changed since it had this version. Read it again"),
        "{refused}"
    );
    assert_eq!(place.text("new/a.txt").as_deref(), Some("two"));

    let refused = write(&place, "none", "x", first["version"].clone())
        .await
        .unwrap_err();
    assert!(
        refused.starts_with("Nothing was written: `none` is not there any more"),
        "{refused}"
    );
    assert_eq!(place.text("none"), None);
}

#[tokio::test]
async fn a_change_by_somebody_else_is_noticed() {
    let place = Place::new();
    place.put("a", "one");
    let version = place.client.read("a").await.unwrap()["version"].clone();
    place.put("a", "theirs");
    assert!(write(&place, "a", "mine", version).await.is_err());
    assert_eq!(place.text("a").as_deref(), Some("theirs"));
}

#[tokio::test]
async fn of_two_who_read_the_same_one_writes() {
    let place = Place::new();
    place.put("a", "one");
    let version = place.client.read("a").await.unwrap()["version"].clone();
    let (one, other) = tokio::join!(
        write(&place, "a", "first", version.clone()),
        write(&place, "a", "second", version)
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(
        place.text("a").as_deref(),
        Some(if one.is_ok() { "first" } else { "second" })
    );
}

#[tokio::test]
async fn bytes_are_written_in_base64() {
    let place = Place::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let arguments =
        json!({"path": "a.bin", "content": BASE64_STANDARD.encode(&bytes), "encoding": "base64"});
    assert_eq!(
        place.client.call("write_file", arguments).await.unwrap()["size"],
        256
    );
    assert_eq!(std::fs::read(place.path("a.bin")).unwrap(), bytes);
    let refused = place
        .client
        .call(
            "write_file",
            json!({"path": "b.bin", "content": "a b!", "encoding": "base64"}),
        )
        .await
        .unwrap_err();
    assert!(refused.starts_with("`content` is not Base64"), "{refused}");
    assert_eq!(place.text("b.bin"), None);
}

#[tokio::test]
async fn a_megabyte_is_the_most() {
    let place = Place::new();
    assert!(
        write(&place, "a", &"x".repeat(1_048_576), Value::Null)
            .await
            .is_ok()
    );
    let refused = write(&place, "b", &"x".repeat(1_048_577), Value::Null)
        .await
        .unwrap_err();
    assert!(
        refused.contains("1048577 bytes, and 1048576 are the most"),
        "{refused}"
    );
    let long = place
        .client
        .call(
            "write_file",
            json!({"path": "b", "content": "x".repeat(1_400_001)}),
        )
        .await
        .unwrap_err();
    assert!(long.contains("content"), "{}", &long[..200]);
    assert_eq!(place.text("b"), None);
}

#[tokio::test]
async fn a_repeat_with_the_same_key_writes_once() {
    let place = Place::new();
    let arguments = json!({"path": "a", "content": "one", "idempotency_key": "write-1"});
    let first = place
        .client
        .call("write_file", arguments.clone())
        .await
        .unwrap();
    assert_eq!(
        place.client.call("write_file", arguments).await.unwrap(),
        first,
        "without the key it would be there already"
    );
    let arguments = json!({"from": "a", "to": "b", "idempotency_key": "move-1"});
    let moved = place
        .client
        .call("move_file", arguments.clone())
        .await
        .unwrap();
    assert_eq!(
        place.client.call("move_file", arguments).await.unwrap(),
        moved,
        "without the key there would be no `a`"
    );
    assert_eq!(
        (place.text("a"), place.text("b").as_deref()),
        (None, Some("one"))
    );
}

#[tokio::test]
async fn a_move_takes_the_file_along() {
    let place = Place::new();
    place.put("a", "one");
    let moved = rename(&place, "a", "new/b", false).await.unwrap();
    assert_eq!(
        (&moved["path"], &moved["size"]),
        (&json!("new/b"), &json!(3))
    );
    assert_eq!(
        (place.text("a"), place.text("new/b").as_deref()),
        (None, Some("one"))
    );
    assert!(
        write(&place, "new/b", "two", moved["version"].clone())
            .await
            .is_ok(),
        "its version can be written with"
    );
}

#[tokio::test]
async fn a_move_overwrites_only_when_told_to() {
    let place = Place::new();
    place.put("a", "one");
    place.put("b", "two");
    let refused = rename(&place, "a", "b", false).await.unwrap_err();
    assert!(
        refused.starts_with("Nothing was moved: `b` is there already"),
        "{refused}"
    );
    assert_eq!(
        (place.text("a").as_deref(), place.text("b").as_deref()),
        (Some("one"), Some("two"))
    );
    rename(&place, "a", "b", true).await.unwrap();
    assert_eq!(
        (place.text("a"), place.text("b").as_deref()),
        (None, Some("one"))
    );
    let same = rename(&place, "b", "b", true).await.unwrap_err();
    assert!(
        same.starts_with("`from` and `to` are the same path"),
        "{same}"
    );
    assert_eq!(place.text("b").as_deref(), Some("one"));
}

#[tokio::test]
async fn a_move_names_the_path_that_is_at_fault() {
    let place = Place::new();
    place.put("a", "one");
    place.put("file", "x");
    place.put("folder/x", "x");
    for (from, to, said) in [
        ("none", "b", "There is no `none`."),
        ("none", "file/b", "There is no `none`."),
        ("folder", "b", "`folder` is not a file"),
        (
            "file/x",
            "b",
            "`file/x` is not a directory, or goes through a file",
        ),
        (
            "a",
            "file/b",
            "`file/b` is not a directory, or goes through a file",
        ),
        ("a", "folder", "`folder` is not a file"),
        ("../a", "b", "`../a` is not a path here"),
        ("a", "../b", "`../b` is not a path here"),
    ] {
        for overwrite in [false, true] {
            let refused = rename(&place, from, to, overwrite).await.unwrap_err();
            assert!(refused.starts_with(said), "{from} {to}: {refused}");
        }
    }
    assert_eq!(place.text("a").as_deref(), Some("one"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_leads_outside_is_refused_by_its_name() {
    let place = Place::new();
    place.put("a", "one");
    std::os::unix::fs::symlink("/tmp", place.path("up")).unwrap();
    assert!(
        write(&place, "up/x", "x", Value::Null)
            .await
            .unwrap_err()
            .starts_with("`up/x` leads outside the files of this server")
    );
    assert!(
        rename(&place, "a", "up/x", false)
            .await
            .unwrap_err()
            .starts_with("`up/x` leads outside")
    );
    assert!(
        rename(&place, "up/x", "b", false)
            .await
            .unwrap_err()
            .starts_with("`up/x` leads outside")
    );
    assert!(
        place
            .client
            .read("up/x")
            .await
            .unwrap_err()
            .starts_with("`up/x` leads outside")
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_is_not_moved_and_the_sentence_names_it() {
    let place = Place::new();
    place.put("real.txt", "one");
    place.put("other.txt", "two");
    std::os::unix::fs::symlink("real.txt", place.path("link.txt")).unwrap();
    std::os::unix::fs::symlink("gone.txt", place.path("broken.txt")).unwrap();
    for (from, to) in [
        ("link.txt", "new.txt"),
        ("link.txt", "other.txt"),
        ("broken.txt", "new.txt"),
    ] {
        for overwrite in [false, true] {
            let refused = rename(&place, from, to, overwrite).await.unwrap_err();
            assert!(
                refused.starts_with(&format!("`{from}` is a link, and links are not moved")),
                "{refused}"
            );
        }
    }
    // where the link stands in the way, it is the path at fault
    let refused = rename(&place, "other.txt", "link.txt", true).await;
    let refused = refused.unwrap_err();
    assert!(refused.starts_with("`link.txt` is not a file"), "{refused}");
    assert_eq!(place.text("real.txt").as_deref(), Some("one"));
}

#[tokio::test]
async fn names_are_found_in_both_forms_of_unicode() {
    let (nfc, nfd) = ("Bücher/Café….md", "Bu\u{308}cher/Cafe\u{301}….md");
    let mixed = "Bücher/Cafe\u{301}….md";
    for (stored, asked) in [
        (nfc, nfd),
        (nfd, nfc),
        (nfc, mixed),
        (nfd, mixed),
        (mixed, nfc),
    ] {
        let place = Place::new();
        place.put(stored, "one");
        let read = place.client.read(asked).await.unwrap();
        assert_eq!(
            (&read["text"], &read["path"]),
            (&json!("one"), &json!(stored))
        );
        let directory = asked.split('/').next().unwrap();
        let listed = place
            .client
            .call("list_directory", json!({"path": directory}))
            .await;
        assert_eq!(listed.unwrap()["entries"][0]["path"], stored);
        let uri = format!("file:///{asked}");
        assert_eq!(place.client.resource(&uri).await.unwrap()["text"], "one");
        // not a second file of the same name
        let refused = write(&place, asked, "two", Value::Null).await.unwrap_err();
        assert!(refused.contains("is there already"), "{refused}");
        let version = read["version"].clone();
        let written = write(&place, asked, "two", version).await.unwrap();
        assert_eq!(written["path"], stored);
        assert_eq!(place.text(stored).as_deref(), Some("two"));
        // nor a second directory
        let beside = format!("{directory}/x.md");
        write(&place, &beside, "three", Value::Null).await.unwrap();
        assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 1);
        rename(&place, asked, "moved.md", false).await.unwrap();
        assert_eq!(place.text("moved.md").as_deref(), Some("two"));
    }
    // a name can be given its other form
    let place = Place::new();
    place.put("é.md", "one");
    let moved = rename(&place, "é.md", "e\u{301}.md", false).await.unwrap();
    assert_eq!(moved["path"], "e\u{301}.md");
    assert_eq!(place.text("e\u{301}.md").as_deref(), Some("one"));
}
