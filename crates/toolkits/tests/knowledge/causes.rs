//! Every cause of a service of embeddings that gives no vectors: the search goes on by words and says
//! why, the log has a word of its own for each, and neither has the service's text or its key.

use std::collections::BTreeSet;
use std::sync::Arc;

use mcpfn_core::{
    ServiceFault,
    handler::BoxFuture,
    port::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use serde_json::json;

use crate::corpus::handbook;
use crate::host::{Client, KEY};
use crate::store::store;

/// A service that always answers this.
struct Scripted(Result<HttpResponse, HttpError>);

impl HttpClient for Scripted {
    fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let answer = self.0.clone();
        Box::pin(async { answer })
    }
}

fn status(status: u16, body: &str) -> Result<HttpResponse, HttpError> {
    Ok(HttpResponse {
        status,
        body: body.to_owned().into(),
        ..HttpResponse::default()
    })
}

#[tokio::test]
async fn a_service_without_vectors_is_told_from_any_other() {
    let leak = format!("at db.rs with {KEY}");
    let long = status(200, "[[[[").map(|answer| HttpResponse {
        truncated: true,
        ..answer
    });
    let mut logged = BTreeSet::new();
    let store = store(&handbook(), None).await;
    for (answer, fault, said) in [
        (
            status(401, &leak),
            ServiceFault::Credentials,
            "rejected this server's credentials. Tell the user",
        ),
        (
            status(429, ""),
            ServiceFault::RateLimited,
            "takes no more requests for now.",
        ),
        (
            Err(HttpError::TimedOut),
            ServiceFault::TimedOut,
            "did not answer in time.",
        ),
        (
            Err(HttpError::Unreachable("refused".to_owned())),
            ServiceFault::Unreachable,
            "can't be reached.",
        ),
        (
            Err(HttpError::Interrupted("reset".to_owned())),
            ServiceFault::Interrupted,
            "ended the connection before its answer was complete.",
        ),
        (
            status(503, &leak),
            ServiceFault::Failing,
            "answered that it failed.",
        ),
        (
            status(404, &leak),
            ServiceFault::Refused,
            "does not take this server's request.",
        ),
        (
            status(200, "<html>"),
            ServiceFault::Malformed,
            "gave an answer that can't be read.",
        ),
        (
            status(200, r#"{"data": []}"#),
            ServiceFault::Empty,
            "gave an empty answer.",
        ),
        (
            status(200, ""),
            ServiceFault::Empty,
            "gave an empty answer.",
        ),
        (
            long,
            ServiceFault::TooLong,
            "gave an answer that is too long to be read.",
        ),
    ] {
        let Client(client) = Client::with(&store, Some(["http://127.0.0.1:9/v1", "pieces", KEY]));
        let client = Client(client.with_port::<dyn HttpClient>(Arc::new(Scripted(answer))));
        let found = client
            .call("semantic_search", json!({"query": "bicycles"}))
            .await
            .unwrap();
        let note = found["note"].as_str().unwrap();
        let expected =
            format!("Found by words alone, not by meaning. The embedding service {said}");
        assert!(note.starts_with(&expected), "{note}");
        assert!(
            !note.contains("db.rs") && !note.contains("refused"),
            "{note}"
        );
        let [cause] = client.logged().try_into().unwrap();
        assert!(
            cause.starts_with(&format!("embeddings: {}: ", fault.as_str())),
            "{cause}"
        );
        logged.insert(fault.as_str());
    }
    assert_eq!(logged, ServiceFault::ALL.map(ServiceFault::as_str).into());
}
