//! The contract of `vector_cases` over every way in which passages are found by meaning: all vectors
//! compared, codes in memory, pgvector's index, and a host's own store, which the tests have in
//! memory. Asked as a client asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{
    EmbedError, Embedder, NearestVectors, Sql, SqlValue, VectorEntry, VectorError, VectorStore,
};
use mcpfn_toolkits::knowledge::{StoredDocument, add_with, index_vectors};
use serde_json::json;

use crate::host::Client;
use crate::store::{Store, empty, make_tables};
use crate::vector_cases::{What, cases};

/// Gives every text one vector, which a test changes.
struct Given {
    model: String,
    vector: Mutex<Vec<f32>>,
}

impl Embedder for Given {
    fn model(&self) -> &str {
        &self.model
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        let vector = self.vector.lock().unwrap().clone();
        Box::pin(async move { Ok(vec![vector; texts.len()]) })
    }
}

/// A store in memory that compares all it has.
#[derive(Default)]
pub(crate) struct KeptVectors(Mutex<BTreeMap<(String, String), Vec<f32>>>);

impl KeptVectors {
    /// Refuses vectors of another length than the model's.
    fn of(&self, model: &str, length: usize) -> Result<Vec<(String, Vec<f32>)>, VectorError> {
        let kept = self.0.lock().unwrap();
        let kept = kept.iter().filter(|((of, _), _)| of == model);
        let kept: Vec<_> = kept
            .map(|((_, id), vector)| (id.clone(), vector.clone()))
            .collect();
        match kept.iter().all(|(_, vector)| vector.len() == length) {
            true => Ok(kept),
            false => Err(VectorError("another length".to_owned())),
        }
    }

    fn put(&self, model: &str, entries: &[VectorEntry]) -> Result<(), VectorError> {
        for VectorEntry { id, vector } in entries {
            self.of(model, vector.len())?;
            let key = (model.to_owned(), id.clone());
            self.0.lock().unwrap().insert(key, vector.clone());
        }
        Ok(())
    }
}

impl VectorStore for KeptVectors {
    fn put<'a>(
        &'a self,
        model: &'a str,
        entries: &'a [VectorEntry],
    ) -> BoxFuture<'a, Result<(), VectorError>> {
        let put = self.put(model, entries);
        Box::pin(async { put })
    }

    fn remove<'a>(
        &'a self,
        model: &'a str,
        ids: &'a [String],
    ) -> BoxFuture<'a, Result<(), VectorError>> {
        let mut kept = self.0.lock().unwrap();
        for id in ids {
            kept.remove(&(model.to_owned(), id.clone()));
        }
        Box::pin(async { Ok(()) })
    }

    fn nearest<'a>(
        &'a self,
        model: &'a str,
        vector: &'a [f32],
        most: usize,
    ) -> BoxFuture<'a, Result<NearestVectors, VectorError>> {
        let dot =
            |one: &[f32], other: &[f32]| -> f32 { one.iter().zip(other).map(|(a, b)| a * b).sum() };
        let cosine = |other: &[f32]| dot(vector, other) / dot(other, other).sqrt();
        let nearest = self.of(model, vector.len()).map(|mut kept| {
            kept.sort_by(|one, other| cosine(&other.1).total_cmp(&cosine(&one.1)));
            NearestVectors {
                ids: kept.into_iter().take(most).map(|(id, _)| id).collect(),
                partial: false,
            }
        });
        Box::pin(async { nearest })
    }
}

/// How passages are found.
#[derive(Clone, Copy, PartialEq)]
enum By {
    AllVectors,
    Codes,
    Pgvector,
    Store,
}

/// More passages than are all compared, whose vectors point away from all others; one statement has
/// so many. Some are shorter, so that the mean is another than they all are.
const FILLING: [(usize, f32); 9] = {
    let mut filling = [(500, -0.577); 9];
    filling[8] = (100, -0.1);
    filling
};

async fn fill(database: &dyn Sql) {
    let document = "INSERT INTO documents (id, source, title, characters) VALUES \
                    ('filling', 'f.md', 'F', 1)";
    database.execute(document, &[]).await.unwrap();
    for (rows, number) in FILLING {
        let away = [number; 3].iter().flat_map(|x| x.to_le_bytes()).collect();
        let document = "(SELECT number FROM documents WHERE id = 'filling')";
        let row = format!("({document}, 0, 'F', '', 'filling', 'first', ?1)");
        let sql = format!(
            "INSERT INTO passages (document, starts, title, section, text, model, vector) VALUES {}",
            vec![row; rows].join(", ")
        );
        let vector = [SqlValue::Blob(away)];
        database.execute(&sql, &vector).await.unwrap();
    }
}

/// A server for each model, over one database.
struct Place {
    by: By,
    store: Store,
    vectors: Arc<KeptVectors>,
    served: BTreeMap<String, (Arc<Given>, Client)>,
}

impl Place {
    async fn new(by: By) -> Self {
        let store = empty().await;
        make_tables(&*store.filled).await;
        if by == By::Pgvector {
            let extension = "CREATE EXTENSION vector";
            store.filled.execute(extension, &[]).await.unwrap();
        }
        if matches!(by, By::Codes | By::Pgvector) {
            fill(&*store.filled).await;
        }
        let vectors = Arc::new(KeptVectors::default());
        let served = ["first", "second"].map(|model| {
            let given = Arc::new(Given {
                model: model.to_owned(),
                vector: Mutex::default(),
            });
            let mut client = Client::new(&store, None).with_model(given.clone());
            if by == By::Store {
                client = Client(client.0.with_port::<dyn VectorStore>(vectors.clone()));
            }
            (model.to_owned(), (given, client))
        });
        Self {
            by,
            store,
            vectors,
            served: served.into(),
        }
    }

    async fn put(&self, model: &str, entries: &[(String, Vec<f32>)]) -> bool {
        let (given, _) = &self.served[model];
        let store = (self.by == By::Store).then_some(&*self.vectors as &dyn VectorStore);
        for (id, vector) in entries {
            given.vector.lock().unwrap().clone_from(vector);
            let document = StoredDocument {
                id: format!("{model}-{id}"),
                source: "s.md".to_owned(),
                title: "T".to_owned(),
                kind: None,
                party: None,
                date: None,
                text: "Words.".to_owned(),
            };
            let put = add_with(&*self.store.filled, &document, Some(&**given), store);
            if put.await.is_err() {
                return false;
            }
        }
        index_vectors(&*self.store.filled).await.unwrap();
        true
    }

    async fn remove(&self, model: &str, id: &str) {
        let id = format!("{model}-{id}");
        let (passages, document) = (
            "DELETE FROM passages WHERE document IN (SELECT number FROM documents WHERE id = ?1)",
            "DELETE FROM documents WHERE id = ?1",
        );
        for sql in [passages, document] {
            let by_id = [SqlValue::from(id.as_str())];
            self.store.filled.execute(sql, &by_id).await.unwrap();
        }
        let ids = [format!("{id}:0")];
        self.vectors.remove(model, &ids).await.unwrap();
    }

    async fn nearest(&self, model: &str, vector: &[f32], most: usize) -> Option<Vec<String>> {
        let (given, client) = &self.served[model];
        *given.vector.lock().unwrap() = vector.to_vec();
        let arguments = json!({"query": "zzz", "k": most});
        let found = client.call("semantic_search", arguments).await.unwrap();
        let begin = format!("{model}-");
        let ids: Vec<String> = found["passages"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|passage| passage["document_id"].as_str()?.strip_prefix(&begin))
            .map(str::to_owned)
            .collect();
        // by words alone, none of which is there; the log says why
        let refused = found["ranked_by"] == "words" && self.is_filled(model).await;
        (!refused || !ids.is_empty()).then_some(ids)
    }

    async fn is_filled(&self, model: &str) -> bool {
        let sql = "SELECT 1 FROM passages WHERE model = ?1 LIMIT 1";
        let rows = self.store.filled.query(sql, &[model.into()], 1).await;
        !rows.unwrap().rows.is_empty()
    }
}

async fn holds(by: By) {
    let place = Place::new(by).await;
    let mut checked = 0;
    for case in cases() {
        let mut put: Vec<(String, String)> = Vec::new();
        for step in &case.steps {
            let model = &step.model;
            match &step.what {
                What::Put(entries, may_be_refused) => {
                    let taken = place.put(model, entries).await;
                    assert!(taken || *may_be_refused, "{}", case.name);
                    put.extend(entries.iter().map(|(id, _)| (model.clone(), id.clone())));
                }
                What::Remove(ids) => {
                    for id in ids {
                        place.remove(model, id).await;
                    }
                }
                What::Nearest(vector, most, expected) => {
                    let found = place.nearest(model, vector, *most).await;
                    expected.check(found, &case.name);
                    checked += 1;
                }
            }
        }
        for (model, id) in put {
            place.remove(&model, &id).await;
        }
    }
    assert!(checked > 20, "{checked}");
}

#[tokio::test]
async fn all_vectors_compared_hold_the_contract() {
    holds(By::AllVectors).await;
}

#[tokio::test]
async fn codes_in_memory_hold_the_contract() {
    holds(By::Codes).await;
}

#[tokio::test]
async fn a_store_of_the_hosts_own_holds_the_contract() {
    holds(By::Store).await;
}

/// With pgvector, which the step `postgres` has on a second server.
#[tokio::test]
async fn an_index_of_pgvector_holds_the_contract() {
    if std::env::var("MCPFN_TEST_PGVECTOR").is_ok() {
        holds(By::Pgvector).await;
    }
}
