//! The deployable server, built with PostgreSQL, whose bindings of databases are not as they should
//! be: it says so, with the fix, and serves nothing. `crates/xtask/src/worker/hyperdrive.rs` has the
//! bindings.

use serde_json::json;

use crate::{Host as _, Request, Worker};

#[test]
fn a_wrong_binding_of_a_database_is_named_with_its_fix() {
    for (service, words) in [
        (
            "none-bound",
            &[
                "no D1 database is bound as DB",
                "[[d1_databases]]",
                "HYPERDRIVE",
            ][..],
        ),
        (
            "another-bound",
            &[
                "HYPERDRIVE is bound to a KV namespace",
                "[[hyperdrive]]",
                "its id",
            ],
        ),
        (
            "text-bound",
            &["HYPERDRIVE is bound to text", "[[hyperdrive]]"],
        ),
        (
            "both-bound",
            &[
                "DB and HYPERDRIVE are both bound",
                "take one of them out of wrangler.toml",
            ],
        ),
        (
            "reader-bound",
            &["HYPERDRIVE_READONLY is bound and HYPERDRIVE is not"],
        ),
        (
            "no-reader",
            &[
                "the toolkit `sql` needs HYPERDRIVE_READONLY",
                "SELECT and nothing else",
            ],
        ),
        (
            "wrong-reader",
            &[
                "HYPERDRIVE_READONLY is bound to a KV namespace",
                "[[hyperdrive]]",
            ],
        ),
        (
            "no-model",
            &["VECTORS is bound and MCPFN_EMBEDDINGS_URL is not set"],
        ),
    ] {
        let answer = Worker::named(service).send(&Request::modern("tools/list", json!({})));
        let said = answer.json()["error"]["message"].to_string();
        assert_eq!(answer.status, 503, "{service}: {said}");
        for word in words {
            assert!(said.contains(word), "{service}: {word}: {said}");
        }
        assert!(!said.contains("hunter2"), "{service}: {said}");
    }
}
