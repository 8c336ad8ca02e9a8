//! `read_file`, and files as resources.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::host::Place;

#[tokio::test]
async fn a_text_with_what_is_known_of_it() {
    let place = Place::new();
    place.put("docs/plan.md", "# Plan\n");
    let read = place.client.read("docs/plan.md").await.unwrap();
    for (member, expected) in [
        ("path", json!("docs/plan.md")),
        ("media_type", json!("text/markdown")),
        ("size", json!(7)),
        ("offset", json!(0)),
        ("text", json!("# Plan\n")),
    ] {
        assert_eq!(read[member], expected, "{member}");
    }
    assert!(
        read["version"]
            .as_str()
            .is_some_and(|version| !version.is_empty()),
        "{read}"
    );
    assert!(
        read["next_offset"].is_null() && read["note"].is_null(),
        "{read}"
    );
}

#[tokio::test]
async fn parts_put_together_are_the_file() {
    let place = Place::new();
    let whole = "aé🦀z\n".repeat(9000);
    place.put("a.txt", &whole);
    for length in [1000, 4096, 7, 4] {
        let (mut text, mut offset, mut parts) = (String::new(), 0, 0);
        // of small parts only the first
        while parts < 200 {
            let read = place
                .client
                .call(
                    "read_file",
                    json!({"path": "a.txt", "offset": offset, "length": length}),
                )
                .await
                .unwrap();
            assert_eq!(read["offset"], offset);
            let part = read["text"].as_str().unwrap();
            assert!(!part.is_empty() && part.len() <= length, "{}", part.len());
            text += part;
            parts += 1;
            let Some(next) = read["next_offset"].as_u64() else {
                break;
            };
            assert!(
                read["note"]
                    .as_str()
                    .unwrap()
                    .contains(&format!("Call again with offset {next}")),
                "{read}"
            );
            offset = next;
        }
        assert!(whole.starts_with(&text) && text.len() as u64 >= offset);
        assert!(length < 1000 || text == whole, "{length}");
    }
}

#[tokio::test]
async fn at_most_64_kb_unless_more_is_asked_for() {
    let place = Place::new();
    place.put("a", "x".repeat(300_000));
    let read = async |arguments| {
        place.client.call("read_file", arguments).await.unwrap()["text"]
            .as_str()
            .unwrap()
            .len()
    };
    assert_eq!(read(json!({"path": "a"})).await, 65_536);
    assert_eq!(read(json!({"path": "a", "length": 262_144})).await, 262_144);
    for length in [0, 262_145] {
        let refused = place
            .client
            .call("read_file", json!({"path": "a", "length": length}))
            .await
            .unwrap_err();
        assert!(refused.contains("length"), "{refused}");
    }
}

#[tokio::test]
async fn parts_that_hold_nothing_say_why() {
    let place = Place::new();
    place.put("a", "aé🦀");
    let note = async |arguments| {
        place.client.call("read_file", arguments).await.unwrap()["note"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        note(json!({"path": "a", "offset": 7})).await,
        "There is nothing at byte 7: the file has 7 bytes."
    );
    assert_eq!(
        note(json!({"path": "a", "offset": 9007199254740991u64})).await,
        "There is nothing at byte 9007199254740991: the file has 7 bytes."
    );
    let short = note(json!({"path": "a", "offset": 3, "length": 2})).await;
    assert!(
        short.contains("`length` is too short for one character at byte 3"),
        "{short}"
    );
    place.put("empty", "");
    let empty = place.client.read("empty").await.unwrap();
    assert_eq!((&empty["text"], &empty["note"]), (&json!(""), &json!(null)));
}

#[tokio::test]
async fn pictures_and_other_bytes_come_as_they_are() {
    let place = Place::new();
    for (name, size, kind, media_type) in [
        ("a.png", 100, "image", "image/png"),
        ("b.bin", 100_000, "resource", "application/octet-stream"),
        ("c.txt", 10, "resource", "application/octet-stream"),
    ] {
        let bytes = vec![0xff; size];
        place.put(name, &bytes);
        let result = place
            .client
            .result("read_file", &json!({"path": name}))
            .await;
        let content = result["content"].as_array().unwrap().last().unwrap();
        assert_eq!(content["type"], kind, "{name}");
        let (said, sent) = if kind == "image" {
            (&content["mimeType"], &content["data"])
        } else {
            (
                &content["resource"]["mimeType"],
                &content["resource"]["blob"],
            )
        };
        assert_eq!(
            (said, sent),
            (&json!(media_type), &json!(BASE64_STANDARD.encode(bytes))),
            "{name}"
        );
        assert!(result["structuredContent"]["text"].is_null());
    }
}

#[tokio::test]
async fn of_larger_bytes_there_is_a_link_and_of_too_many_a_note() {
    let place = Place::new();
    place.put("a.bin", vec![0xff; 300_000]);
    let result = place
        .client
        .result("read_file", &json!({"path": "a.bin"}))
        .await;
    let link = result["content"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&link["type"], &link["uri"], &link["size"]),
        (
            &json!("resource_link"),
            &json!("file:///a.bin"),
            &json!(300_000)
        )
    );
    assert_eq!(
        place.client.resource("file:///a.bin").await.unwrap()["blob"]
            .as_str()
            .unwrap()
            .len(),
        400_000
    );

    place.put("b.bin", vec![0xff; 2_500_000]);
    let note = place.client.read("b.bin").await.unwrap()["note"].clone();
    assert!(
        note.as_str()
            .unwrap()
            .contains("2500000 bytes, and 2097152 are the most"),
        "{note}"
    );
    let refused = place.client.resource("file:///b.bin").await.unwrap_err();
    assert!(
        refused.contains("`b.bin` is too long to be sent: 2500000 bytes"),
        "{refused}"
    );
}

#[tokio::test]
async fn files_are_resources() {
    let place = Place::new();
    place.put("docs/the plan é.md", "# Plan");
    let read = place
        .client
        .resource("file:///docs/the%20plan%20%C3%A9.md")
        .await
        .unwrap();
    assert_eq!(
        (&read["text"], &read["mimeType"]),
        (&json!("# Plan"), &json!("text/markdown"))
    );
    assert!(
        place
            .client
            .resource("file:///docs/none")
            .await
            .unwrap_err()
            .contains("There is no `docs/none`")
    );
    for uri in [
        "file:///../x",
        "file:///%2e%2e/x",
        "file:///docs%2f..%2f..%2fx",
        "file:////etc/passwd",
    ] {
        let refused = place.client.resource(uri).await.unwrap_err();
        assert!(
            refused.contains("is not a path here") || refused.contains("There is no"),
            "{uri}: {refused}"
        );
    }
}

/// Whatever is wrong with a URI is told as such, with the reason.
#[tokio::test]
async fn a_uri_that_is_wrong_is_no_fault_of_the_server() {
    let place = Place::new();
    place.put("docs/a.md", "# A");
    for uri in [
        "file:///../x",
        "file:///%2e%2e/x",
        "file:///docs/%2e%2e/%2e%2e/x",
        "file:///a%00b",
        "file:///docs/a.md?x=1",
        "file:///docs/a.md#x",
        "file:///docs",
        "file:///",
        "file:///docs%2fb.md",
        "file:///a%0ab",
        "file:///a%5cb",
        "file:///docs/a.md/b",
        "file:///.",
        "file:////etc/passwd",
        "file:///%ff",
        "file:///C:%5cx",
        &format!("file:///{}", "x".repeat(5000)),
        "file://host/a",
        "files:///a",
    ] {
        let error = place
            .client
            .ask("resources/read", json!({"uri": uri}))
            .await
            .unwrap_err();
        assert_eq!(error["code"], -32602, "{uri}: {error}");
        let shown: String = uri.chars().take(2048).collect();
        assert_eq!(error["data"]["uri"], shown.as_str(), "{uri}: {error}");
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|said| said.len() > 10),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_long_text_is_cut_with_its_last_line_saying_so() {
    let place = Place::new();
    place.put("a.txt", "0123456789abcde\n".repeat(200_000));
    let read = place.client.resource("file:///a.txt").await.unwrap();
    let text = read["text"].as_str().unwrap();
    assert!(
        text.ends_with(
            "(cut here: the file has 3200000 bytes; `read_file` with offset 2097152 goes on)"
        ),
        "{}",
        &text[2_097_100..]
    );
    let rest = place
        .client
        .call(
            "read_file",
            json!({"path": "a.txt", "offset": 2_097_152, "length": 16}),
        )
        .await
        .unwrap();
    assert_eq!(rest["text"], "0123456789abcde\n");
}
