//! How often the document that answers a question is among the first five. The vectors are no real
//! model's, so only the search by words has a bound to hold; the others show that rankings are put
//! together.

use mcpfn_native::Client as Http;
use mcpfn_toolkits::Secret;
use mcpfn_toolkits::embedding::{EmbeddingEndpoint, HttpEmbedder};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use crate::corpus::{HANDBOOK, handbook};
use crate::host::{Client, KEY, model};
use crate::store::store;

async fn recall(client: &Client, ranked_by: &str) -> usize {
    let mut found = 0;
    for (name, _, question) in HANDBOOK {
        let answer = client
            .call("semantic_search", json!({"query": question}))
            .await
            .unwrap();
        let passages = answer["passages"].as_array().unwrap();
        assert!(passages.len() <= 5);
        assert!(
            passages.is_empty() || answer["ranked_by"] == ranked_by,
            "{answer}"
        );
        let hit = passages
            .iter()
            .any(|passage| passage["document_id"] == name);
        if !hit {
            println!("missed by {ranked_by}: {question}");
        }
        found += usize::from(hit);
    }
    println!("recall@5 by {ranked_by}: {found} of {}", HANDBOOK.len());
    found
}

#[tokio::test]
async fn questions_find_their_answers_by_words() {
    let client = Client::new(&store(&handbook(), None).await, None);
    assert!(recall(&client, "words").await >= 29);
}

#[tokio::test]
async fn questions_find_their_answers_by_words_and_pieces_of_words() {
    let url = model().await;
    let endpoint = EmbeddingEndpoint::new(&url, "pieces", Some(Secret::new(KEY).unwrap()));
    let embedder = HttpEmbedder::new(endpoint, Arc::new(Http::new()), Duration::from_secs(5));
    let database = store(&handbook(), Some(&embedder)).await;
    assert!(recall(&Client::new(&database, Some(&url)), "words and meaning").await >= 29);
    // a word that is in no document is still like one that is
    let slip = json!({"query": "bicyclez"});
    let by_words = Client::new(&database, None)
        .call("semantic_search", slip.clone())
        .await
        .unwrap();
    assert_eq!(by_words["passages"][0]["document_id"], "parking");
    let note = by_words["note"].as_str().unwrap();
    assert!(note.contains("'bicycles' in place of 'bicyclez'"), "{note}");
    let both = Client::new(&database, Some(&url))
        .call("semantic_search", slip)
        .await
        .unwrap();
    assert_eq!(both["passages"][0]["document_id"], "parking");
    // the service is gone: words are left, and the answer says so
    let cut_off = Client::new(&database, Some("http://127.0.0.1:1/v1"));
    let alone = cut_off
        .call("semantic_search", json!({"query": "bicycles"}))
        .await
        .unwrap();
    assert_eq!(
        (&alone["passages"][0]["document_id"], &alone["ranked_by"]),
        (&json!("parking"), &json!("words"))
    );
    assert_eq!(
        alone["note"],
        "Found by words alone, not by meaning. The embedding service can't be reached. Try again \
         in a few minutes."
    );
    // the private cause is in the log, and only there
    let [logged] = cut_off.logged().try_into().unwrap();
    assert!(
        logged.starts_with("embeddings: service_unreachable: ") && logged.len() > 60,
        "{logged}"
    );
    assert!(!alone.to_string().contains("unavailable"), "{alone}");
    // the service is there, but the documents were added without it
    let without = Client::new(&store(&handbook(), None).await, Some(&url));
    let alone = without
        .call("semantic_search", json!({"query": "bicycles"}))
        .await
        .unwrap();
    assert_eq!(alone["ranked_by"], "words");
    assert!(
        alone["note"].as_str().unwrap().contains("by their words"),
        "{alone}"
    );
    assert_eq!(
        without.logged(),
        [
            "embeddings: no passage has a vector of the model 'pieces' with 256 numbers, as its service \
             gives them: add the documents again with it"
        ]
    );
}

#[tokio::test]
async fn a_service_that_refuses_says_no_key() {
    use mcpfn_ports::Embedder as _;
    let url = model().await;
    for (key, url) in [("sk-wrong", url.clone()), (KEY, format!("{url}/other"))] {
        let endpoint = EmbeddingEndpoint::new(url, "pieces", Some(Secret::new(key).unwrap()));
        let embedder = HttpEmbedder::new(endpoint, Arc::new(Http::new()), Duration::from_secs(5));
        let error = embedder.embed(&["x".to_owned()]).await.unwrap_err();
        assert!(error.to_string().contains("status 40"), "{error}");
        assert!(!format!("{embedder:?}").contains(key));
    }
}
