//! `list_directory`, and completion of paths.

use serde_json::{Value, json};

use crate::host::Place;

/// The paths of a page.
fn paths(page: &Value) -> Vec<String> {
    page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect()
}

async fn list(place: &Place, path: &str) -> Result<Value, String> {
    place
        .client
        .call("list_directory", json!({"path": path}))
        .await
}

#[tokio::test]
async fn entries_say_what_they_are() {
    let place = Place::new();
    place.put("docs/plan.md", "# Plan");
    place.put("docs/2026/x", "");
    let page = list(&place, "docs").await.unwrap();
    assert_eq!(paths(&page), ["docs/2026", "docs/plan.md"]);
    let [folder, file] = &page["entries"].as_array().unwrap()[..] else {
        panic!("{page}")
    };
    assert_eq!(
        (&folder["kind"], &folder["size"]),
        (&json!("directory"), &Value::Null)
    );
    assert_eq!((&file["kind"], &file["size"]), (&json!("file"), &json!(6)));
    let modified = file["modified"].as_str().unwrap();
    assert!(
        modified.starts_with("20") && modified.ends_with('Z') && modified.contains('T'),
        "{modified}"
    );
}

#[tokio::test]
async fn the_top_has_several_spellings() {
    let place = Place::new();
    place.put("a", "");
    assert_eq!(
        paths(
            &place
                .client
                .call("list_directory", json!({}))
                .await
                .unwrap()
        ),
        ["a"]
    );
    for spelling in ["", ".", "/"] {
        assert_eq!(
            paths(&list(&place, spelling).await.unwrap()),
            ["a"],
            "{spelling:?}"
        );
    }
    place.put("d/b", "");
    assert_eq!(paths(&list(&place, "d/").await.unwrap()), ["d/b"]);
}

#[tokio::test]
async fn long_directories_come_in_pages() {
    let place = Place::new();
    for number in 0..450 {
        place.put(&format!("{number:03}"), "x");
    }
    let (mut seen, mut sizes, mut cursor) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let page = place
            .client
            .call("list_directory", json!({"cursor": cursor}))
            .await
            .unwrap();
        let more = paths(&page);
        sizes.push(more.len());
        seen.extend(more);
        cursor = page["next_cursor"].clone();
        let note = page["note"].as_str().unwrap_or_default();
        assert_eq!(
            cursor.is_string(),
            note.contains("call again with `next_cursor`"),
            "{note}"
        );
        if !cursor.is_string() {
            break;
        }
    }
    assert_eq!(sizes, [200, 200, 50]);
    assert_eq!(
        seen,
        (0..450)
            .map(|number| format!("{number:03}"))
            .collect::<Vec<_>>()
    );
    let after = place
        .client
        .call("list_directory", json!({"cursor": "zzz"}))
        .await
        .unwrap();
    assert_eq!(after["note"], "There are no more entries.");
}

#[tokio::test]
async fn an_empty_directory_says_so() {
    let place = Place::new();
    assert_eq!(
        list(&place, "").await.unwrap()["note"],
        "The directory is empty."
    );
}

#[cfg(unix)]
#[tokio::test]
async fn what_can_not_be_read_is_counted_and_not_shown() {
    let place = Place::new();
    place.put("a", "");
    place.put("what?.txt", "");
    std::os::unix::fs::symlink("/etc", place.path("etc")).unwrap();
    let page = list(&place, "").await.unwrap();
    assert_eq!(paths(&page), ["a"]);
    let note = page["note"].as_str().unwrap();
    assert!(
        note.starts_with("2 more can't be read here") && !page.to_string().contains("etc"),
        "{page}"
    );
}

#[tokio::test]
async fn a_directory_that_is_none() {
    let place = Place::new();
    place.put("file", "");
    assert!(
        list(&place, "none")
            .await
            .unwrap_err()
            .starts_with("There is no `none`.")
    );
    assert!(
        list(&place, "file")
            .await
            .unwrap_err()
            .starts_with("`file` is not a directory")
    );
    assert!(
        list(&place, "file/x")
            .await
            .unwrap_err()
            .starts_with("`file/x` is not a directory, or goes through a file")
    );
    assert!(
        list(&place, "../x")
            .await
            .unwrap_err()
            .contains("is not a path here")
    );
}

async fn complete(place: &Place, typed: &str) -> Vec<String> {
    let params = json!({
        "ref": {"type": "ref/resource", "uri": "file:///{+path}"},
        "argument": {"name": "path", "value": typed},
    });
    let result = place
        .client
        .ask("completion/complete", params)
        .await
        .unwrap();
    serde_json::from_value(result["completion"]["values"].clone()).unwrap()
}

#[tokio::test]
async fn paths_are_completed() {
    let place = Place::new();
    for name in ["docs/plan.md", "docs/plans/x", "docs/other", "dock"] {
        place.put(name, "");
    }
    assert_eq!(complete(&place, "do").await, ["dock", "docs/"]);
    assert_eq!(
        complete(&place, "docs/").await,
        ["docs/other", "docs/plan.md", "docs/plans/"]
    );
    assert_eq!(
        complete(&place, "docs/plan").await,
        ["docs/plan.md", "docs/plans/"]
    );
    for nothing in ["x", "none/a", "../", "docs/plan.md/"] {
        assert_eq!(complete(&place, nothing).await, [""; 0], "{nothing}");
    }
}

#[tokio::test]
async fn what_comes_after_a_thousand_others_is_completed_too() {
    let place = Place::new();
    for number in 0..1100 {
        place.put(&format!("a{number:04}"), "");
    }
    place.put("plan.md", "");
    assert_eq!(complete(&place, "pl").await, ["plan.md"]);
    assert_eq!(complete(&place, "a109").await.len(), 10);
}
