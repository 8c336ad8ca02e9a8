//! Tools and resource over a few documents.

use mcpfn_toolkits::knowledge::{StoredDocument, add};
use serde_json::json;

use crate::corpus::{AGREEMENT, contract, handbook};
use crate::host::Client;
use crate::store::{empty, store};

async fn client() -> Client {
    let mut documents = handbook();
    documents.push(StoredDocument::read("acme/msa.md", AGREEMENT).unwrap());
    documents.extend((0..20).map(contract));
    Client::new(&store(&documents, None).await, None)
}

#[tokio::test]
async fn clauses_are_found_by_number_title_words_and_slips() {
    let client = client().await;
    let text = AGREEMENT.split_once("\n---\n").unwrap().1;
    for (clause, begins, ends) in [
        ("2.2", "2.2 Termination", "notice."),
        ("Section 3", "## 3. Limitation", "months."),
        ("limitation of liability", "## 3. Limitation", "months."),
        ("Termination for Cause", "2.3 Termination", "breach."),
        ("liability", "## 3. Limitation", "months."),
        ("Governing Lew", "## 4. Governing", "Ireland."),
        ("2", "## 2. Term", "breach."),
    ] {
        let found = client
            .call(
                "extract_clause",
                json!({"document_id": "acme-msa", "clause": clause}),
            )
            .await
            .unwrap();
        let words = found["text"].as_str().unwrap();
        assert!(
            words.starts_with(begins) && words.ends_with(ends),
            "{clause}: {words}"
        );
        let (start, end) = (
            found["start"].as_u64().unwrap() as usize,
            found["end"].as_u64().unwrap() as usize,
        );
        assert_eq!(
            text.chars()
                .skip(start)
                .take(end - start)
                .collect::<String>(),
            words,
            "{clause}"
        );
    }
    let found = client
        .call(
            "extract_clause",
            json!({"document_id": "acme-msa", "clause": "2.3"}),
        )
        .await
        .unwrap();
    assert_eq!(
        found["section"],
        "Services Agreement > 2 Term and Termination > 2.3 Termination for Cause"
    );
    let several = client
        .call(
            "extract_clause",
            json!({"document_id": "acme-msa", "clause": "termination"}),
        )
        .await
        .unwrap();
    assert!(
        several["note"]
            .as_str()
            .unwrap()
            .contains("Other clauses fit too"),
        "{several}"
    );
    let none = client
        .call(
            "extract_clause",
            json!({"document_id": "acme-msa", "clause": "force majeure"}),
        )
        .await
        .unwrap_err();
    assert!(
        none.contains("has no clause 'force majeure'") && none.contains("'4 Governing Law'"),
        "{none}"
    );
    let none = client
        .call(
            "extract_clause",
            json!({"document_id": "acme-nda", "clause": "1"}),
        )
        .await
        .unwrap_err();
    assert!(none.contains("Use `search_documents`"), "{none}");
}

#[tokio::test]
async fn documents_are_found_by_their_fields_and_words() {
    let client = client().await;
    for (filters, expected) in [
        (json!({"party": "acme"}), 1),
        (json!({"type": "MSA", "party": "café"}), 1),
        (
            json!({"party": "acme", "from": "2025-04-01", "to": "2025-04-01"}),
            1,
        ),
        (json!({"party": "acme", "from": "2025-04-02"}), 0),
        (json!({"text": "Ireland"}), 1),
        (json!({"text": "Ireland", "type": "nda"}), 0),
        (json!({"text": "xyzzy"}), 0),
        (json!({}), 53),
    ] {
        let found = client
            .call("search_documents", filters.clone())
            .await
            .unwrap();
        assert_eq!(found["total"], expected, "{filters}: {found}");
        assert_eq!(
            expected == 0,
            found["documents"].as_array().unwrap().is_empty()
        );
        assert!(expected == 1 || found["note"].is_string(), "{found}");
    }
    let found = client
        .call("search_documents", json!({"text": "Ireland"}))
        .await
        .unwrap();
    assert_eq!(found["documents"][0]["section"], "4 Governing Law");
    assert!(
        client
            .call("search_documents", json!({"from": "last year"}))
            .await
            .unwrap_err()
            .contains("ISO 8601")
    );
}

#[tokio::test]
async fn hostile_words_are_words() {
    let client = client().await;
    for text in [
        "' OR '1'='1",
        "\"; DROP TABLE passages; --",
        "NEAR(a b, 5) NOT x*",
        "title : leave",
        "((((",
        "key\0board",
        "%_%\\ ?1 ?999",
    ] {
        for (tool, name) in [
            ("semantic_search", "query"),
            ("search_documents", "text"),
            ("search_documents", "party"),
        ] {
            if let Err(said) = client.call(tool, json!({name: text})).await {
                assert!(said.contains("word to look for"), "{tool} {text}: {said}");
            }
        }
        assert!(
            client
                .call(
                    "extract_clause",
                    json!({"document_id": text, "clause": text})
                )
                .await
                .unwrap_err()
                .contains("no document")
        );
    }
    assert_eq!(
        client.call("search_documents", json!({})).await.unwrap()["total"],
        53
    );
}

#[tokio::test]
async fn a_document_is_a_resource_and_scopes_hold() {
    let client = client().await;
    let read = |uri: &str| json!({"uri": uri});
    let found = client
        .ask("resources/read", read("knowledge://document/acme-msa"))
        .await
        .unwrap();
    assert_eq!(
        found["contents"][0]["text"].as_str(),
        AGREEMENT.split_once("\n---\n").map(|(_, text)| text)
    );
    assert!(
        client
            .ask("resources/read", read("knowledge://document/none"))
            .await
            .is_err()
    );
    let client = client.with_scopes(&["contracts:read"]);
    assert!(
        client
            .ask("resources/read", read("knowledge://document/acme-msa"))
            .await
            .is_err()
    );
    let refused = client
        .call("semantic_search", json!({"query": "leave"}))
        .await
        .unwrap_err();
    assert!(refused.contains("knowledge:read"), "{refused}");
    assert!(
        client
            .call("search_documents", json!({"party": "acme"}))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_document_that_is_added_again_replaces_the_old_one() {
    let database = store(&handbook(), None).await;
    let other =
        StoredDocument::read("parking.md", "# parking\n\nZebras stand in the cellar.\n").unwrap();
    add(&*database.filled, &other, None).await.unwrap();
    let client = Client::new(&database, None);
    let found = client
        .call("semantic_search", json!({"query": "zebras"}))
        .await
        .unwrap();
    assert_eq!(found["passages"].as_array().unwrap().len(), 1);
    let found = client
        .call("semantic_search", json!({"query": "bicycle"}))
        .await
        .unwrap();
    assert!(
        found["note"]
            .as_str()
            .unwrap()
            .contains("No passage matches"),
        "{found}"
    );
}

#[tokio::test]
async fn a_database_without_documents_says_so() {
    let client = Client::new(&empty().await, None);
    for (tool, arguments) in [
        ("semantic_search", json!({"query": "leave"})),
        ("search_documents", json!({})),
        ("search_documents", json!({"text": "x"})),
        ("extract_clause", json!({"document_id": "x", "clause": "1"})),
    ] {
        assert!(
            client
                .call(tool, arguments)
                .await
                .unwrap_err()
                .contains("no documents on this server yet"),
            "{tool}"
        );
    }
}
