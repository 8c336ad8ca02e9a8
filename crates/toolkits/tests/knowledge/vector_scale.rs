//! More vectors than are all compared: how many of the five nearest are found, how long it takes, and
//! what becomes of passages that are added, replaced and removed. Vectors are drawn by a seeded
//! generator, in clusters around a point that is not zero, as those of models are.
//!
//! `MCPFN_TEST_VECTORS` takes their number; without it there are enough for codes to be used.
//! `cargo xtask bench --part vectors` measures with 250,000 of 384 numbers, optimized.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mcpfn_core::handler::BoxFuture;
use mcpfn_ports::{
    Dialect, EmbedError, Embedder, NearestVectors, Rows, Sql, SqlError, SqlValue, VectorEntry,
    VectorError, VectorStore,
};
use mcpfn_testing::TestClock;
use mcpfn_toolkits::knowledge::{index_vectors, vector_index_mistake};
use serde_json::{Value, json};

use crate::host::Client;
use crate::store::{Store, empty, make_tables};

/// Numbers of a vector.
const LENGTH: usize = 384;

/// Passages of a cluster.
const TOGETHER: usize = 250;

/// How many vectors somebody wants to know about.
fn asked_for() -> Option<usize> {
    let many = std::env::var("MCPFN_TEST_VECTORS").ok()?;
    Some(many.parse().expect("MCPFN_TEST_VECTORS is a number"))
}

fn many() -> usize {
    asked_for().unwrap_or(9000)
}

/// Questions whose answers are known: for figures more than for a bound.
fn questions() -> usize {
    asked_for().map_or(60, |_| 200)
}

/// SplitMix64: the same numbers everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// About normal: the sum of four even ones.
    fn number(&mut self) -> f32 {
        let bits = self.next();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        (sum as f32 / 65_536.0 - 2.0) * 1.73
    }
}

fn around(centre: &[f32], by: f32, random: &mut Random) -> Vec<f32> {
    centre
        .iter()
        .map(|number| number + by * random.number())
        .collect()
}

fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

fn centre(cluster: usize) -> Vec<f32> {
    let mut random = Random(cluster as u64 + 1_000_000);
    (0..LENGTH)
        .map(|at| random.number() + (at as f32).sin())
        .collect()
}

/// The vector of a passage.
fn passage(number: usize) -> Vec<f32> {
    let mut random = Random(number as u64);
    unit(&around(&centre(number / TOGETHER), 0.8, &mut random))
}

/// A question near a passage.
fn question(number: usize, of: usize) -> Vec<f32> {
    let mut random = Random(number as u64 + 5_000_000);
    let near = number * (of / questions()) % of;
    unit(&around(&centre(near / TOGETHER), 0.8, &mut random))
}

/// Knows the questions by their number.
struct Clusters(usize);

impl Embedder for Clusters {
    fn model(&self) -> &str {
        "clusters"
    }

    fn embed<'a>(
        &'a self,
        texts: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Vec<f32>>, EmbedError>> {
        let vector = |text: &String| {
            let number = text
                .rsplit('z')
                .next()
                .and_then(|number| number.parse().ok());
            question(number.unwrap_or(0), self.0)
        };
        Box::pin(async move { Ok(texts.iter().map(vector).collect()) })
    }
}

fn blob(vector: &[f32]) -> SqlValue {
    SqlValue::Blob(vector.iter().flat_map(|x| x.to_le_bytes()).collect())
}

/// Passages with these vectors, called `p` and their number.
async fn add(database: &dyn Sql, passages: &[(usize, Vec<f32>)]) {
    let document = "INSERT INTO documents (id, source, title, characters) SELECT 'd', 'd.md', 'D', 1 \
         WHERE NOT EXISTS (SELECT 1 FROM documents)";
    database.execute(document, &[]).await.unwrap();
    for rows in passages.chunks(40) {
        let places: Vec<String> = (0..rows.len())
            .map(|at| {
                let document = "(SELECT min(number) FROM documents)";
                format!(
                    "({document}, 0, 'D', '', ?{}, 'clusters', ?{})",
                    2 * at + 1,
                    2 * at + 2
                )
            })
            .collect();
        let sql = format!(
            "INSERT INTO passages (document, starts, title, section, text, model, vector) VALUES {}",
            places.join(", ")
        );
        let values: Vec<SqlValue> = rows
            .iter()
            .flat_map(|(number, vector)| [format!("p{number}").into(), blob(vector)])
            .collect();
        database.execute(&sql, &values).await.unwrap();
    }
}

async fn filled(vectors: &[Vec<f32>]) -> Store {
    let store = empty().await;
    make_tables(&*store.filled).await;
    let passages: Vec<(usize, Vec<f32>)> = vectors.iter().cloned().enumerate().collect();
    add(&*store.filled, &passages).await;
    store
}

/// The nearest five by the vectors themselves.
fn nearest(vectors: &[Vec<f32>], to: &[f32]) -> Vec<String> {
    let mut all: Vec<(f32, usize)> = vectors
        .iter()
        .enumerate()
        .map(|(number, vector)| (vector.iter().zip(to).map(|(a, b)| a * b).sum(), number))
        .collect();
    all.sort_by(|one, other| other.0.total_cmp(&one.0));
    all.iter()
        .take(5)
        .map(|(_, number)| format!("p{number}"))
        .collect()
}

async fn asked(client: &Client, number: usize) -> Value {
    let arguments = json!({"query": format!("zzz{number}"), "k": 5});
    client.call("semantic_search", arguments).await.unwrap()
}

fn texts(found: &Value) -> Vec<String> {
    let passages = found["passages"].as_array().unwrap().iter();
    passages
        .map(|passage| passage["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Asks all questions, and prints what was found in which time, and how long the first one took.
async fn recall(name: &str, client: &Client, vectors: &[Vec<f32>]) -> f64 {
    let started = Instant::now();
    // the clock of these tests stands: all are read for one question
    let first = asked(client, 0).await;
    assert_eq!(first["note"], Value::Null, "all were compared");
    let reading = started.elapsed().as_secs_f64();
    let (mut right, mut times) = (0, Vec::<Duration>::new());
    for number in 0..questions() {
        let started = Instant::now();
        let found = asked(client, number).await;
        times.push(started.elapsed());
        assert_eq!(found["ranked_by"], "words and meaning");
        assert_eq!(found["note"], Value::Null, "all were compared");
        let expected = nearest(vectors, &question(number, vectors.len()));
        let found = texts(&found);
        right += found.iter().filter(|text| expected.contains(text)).count();
    }
    times.sort_unstable();
    let recall = right as f64 / (5 * questions()) as f64;
    let at = |percent: usize| times[questions() * percent / 100].as_secs_f64() * 1e3;
    println!(
        "| {name} | {} | {recall:.3} | {:.1} | {:.1} | {reading:.1} |",
        vectors.len(),
        at(50),
        at(95)
    );
    recall
}

/// A database over which each page of vectors takes most of a call's time.
struct Slow(Arc<dyn Sql>, TestClock);

impl Sql for Slow {
    fn dialect(&self) -> Dialect {
        self.0.dialect()
    }

    fn query<'a>(
        &'a self,
        sql: &'a str,
        values: &'a [SqlValue],
        most: usize,
    ) -> BoxFuture<'a, Result<Rows, SqlError>> {
        if sql.contains("octet_length(vector)") {
            // of five, of which two are left for the answer
            self.1.advance(Duration::from_millis(3100));
        }
        self.0.query(sql, values, most)
    }

    fn execute<'a>(
        &'a self,
        sql: &'a str,
        values: &'a [SqlValue],
    ) -> BoxFuture<'a, Result<u64, SqlError>> {
        self.0.execute(sql, values)
    }
}

/// How many questions it takes until all vectors are read; each says so, and answers in its time.
async fn questions_of_reading(store: &Store, of: usize) -> usize {
    let client = Client::new(store, None).with_model(Arc::new(Clusters(of)));
    let slow = Slow(Arc::clone(&store.served), client.0.time().clone());
    let client = Client(client.0.with_port::<dyn Sql>(Arc::new(slow)));
    for number in 1..20 {
        let found = asked(&client, 0).await;
        assert_eq!(found["ranked_by"], "words and meaning");
        match found["note"].as_str() {
            None => return number,
            Some(note) => assert!(note.contains("a part of the passages"), "{note}"),
        }
    }
    panic!("reading comes to no end")
}

#[tokio::test]
async fn the_nearest_of_many_are_found() {
    let vectors: Vec<Vec<f32>> = (0..many()).map(passage).collect();
    let store = filled(&vectors).await;
    if asked_for().is_none() {
        // a page each; over PostgreSQL a page has fewer
        let pages = match store.filled.dialect() {
            Dialect::Postgres => 7,
            _ => 2,
        };
        assert_eq!(questions_of_reading(&store, vectors.len()).await, pages);
    }
    let client = Client::new(&store, None).with_model(Arc::new(Clusters(vectors.len())));
    let database = match store.filled.dialect() {
        Dialect::Postgres => "PostgreSQL",
        _ => "SQLite",
    };
    let name = format!("{database}, codes in memory");
    let recall = recall(&name, &client, &vectors).await;
    assert!(recall >= 0.95, "{recall}");
}

#[tokio::test]
async fn what_is_added_replaced_or_removed_is_noticed() {
    let vectors: Vec<Vec<f32>> = (0..6000).map(passage).collect();
    let store = filled(&vectors).await;
    let database = &*store.filled;
    let client = Client::new(&store, None).with_model(Arc::new(Clusters(vectors.len())));
    let before = texts(&asked(&client, 7).await);
    let of_seven = question(7, vectors.len());
    // added: behind those that were read
    add(database, &[(90_000, of_seven.clone())]).await;
    assert_eq!(texts(&asked(&client, 7).await)[0], "p90000");
    // replaced: another one in the last place, under the same number where the engine gives it again
    let gone = "DELETE FROM passages WHERE text = 'p90000'";
    database.execute(gone, &[]).await.unwrap();
    add(database, &[(90_001, question(8, vectors.len()))]).await;
    assert_eq!(texts(&asked(&client, 7).await), before);
    assert_eq!(texts(&asked(&client, 8).await)[0], "p90001");
    // removed: one in the middle
    let gone = format!("DELETE FROM passages WHERE text = '{}'", before[0]);
    database.execute(&gone, &[]).await.unwrap();
    let after = texts(&asked(&client, 7).await);
    assert!(
        !after.contains(&before[0]) && after.contains(&before[1]),
        "{after:?}"
    );
}

/// SQLite gives numbers again whose passages were the last: those of a document come back with other
/// vectors, and its last one with the same.
#[tokio::test]
async fn numbers_that_are_given_again_are_noticed() {
    let vectors: Vec<Vec<f32>> = (0..5000).map(passage).collect();
    let store = filled(&vectors).await;
    let database = &*store.filled;
    let client = Client::new(&store, None).with_model(Arc::new(Clusters(vectors.len())));
    let other = question(3, vectors.len());
    add(database, &[(90_000, other.clone()), (90_001, other)]).await;
    assert_eq!(texts(&asked(&client, 3).await)[0], "p90000");
    let gone = "DELETE FROM passages WHERE text IN ('p90000', 'p90001')";
    database.execute(gone, &[]).await.unwrap();
    let of_seven = question(7, vectors.len());
    let last = question(3, vectors.len());
    add(database, &[(90_002, of_seven), (90_003, last)]).await;
    assert_eq!(texts(&asked(&client, 7).await)[0], "p90002");
    assert_eq!(texts(&asked(&client, 3).await)[0], "p90003");
}

/// A host's own store, which knows these ids, or is down.
struct Own(Option<Vec<String>>);

impl VectorStore for Own {
    fn put<'a>(
        &'a self,
        _: &'a str,
        _: &'a [VectorEntry],
    ) -> BoxFuture<'a, Result<(), VectorError>> {
        unreachable!("a search puts nothing")
    }

    fn remove<'a>(&'a self, _: &'a str, _: &'a [String]) -> BoxFuture<'a, Result<(), VectorError>> {
        unreachable!("a search removes nothing")
    }

    fn nearest<'a>(
        &'a self,
        model: &'a str,
        vector: &'a [f32],
        _: usize,
    ) -> BoxFuture<'a, Result<NearestVectors, VectorError>> {
        assert_eq!((model, vector.len()), ("clusters", LENGTH));
        let found = self.0.clone().map(|ids| NearestVectors {
            ids,
            partial: false,
        });
        Box::pin(async move { found.ok_or_else(|| VectorError("the index is gone".to_owned())) })
    }
}

#[tokio::test]
async fn a_store_of_the_hosts_own_goes_first() {
    let vectors: Vec<Vec<f32>> = (0..20).map(passage).collect();
    let store = filled(&vectors).await;
    // all of one document: only where they start tells them apart
    let starts = "UPDATE passages SET starts = CAST(substr(text, 2) AS INTEGER)";
    store.filled.execute(starts, &[]).await.unwrap();
    let client = |own: Option<&[&str]>| {
        let ids = own.map(|ids| ids.iter().map(|id| (*id).to_owned()).collect());
        let client = Client::new(&store, None).with_model(Arc::new(Clusters(vectors.len())));
        Client(client.0.with_port::<dyn VectorStore>(Arc::new(Own(ids))))
    };
    // in its order, without those that are gone since or never were a passage's
    let known = client(Some(&["d:19", "d:77", "gone:0", "nonsense", "d:4"]));
    assert_eq!(texts(&asked(&known, 3).await), ["p19", "p4"]);
    assert_eq!(known.logged(), Vec::<String>::new());
    for (own, logged) in [
        (None, "vectors: the index is gone"),
        (
            Some(&[][..]),
            "vectors: the store has no vector of the model 'clusters'",
        ),
        (
            Some(&["gone:0"]),
            "vectors: no vector of the store is of a passage in this database",
        ),
    ] {
        let without = client(own);
        let found = texts(&asked(&without, 3).await);
        assert_eq!(found.len(), 5, "the database's vectors answer");
        assert_eq!(without.logged(), [logged]);
    }
}

/// With pgvector, which the step `postgres` has on a second server.
#[tokio::test]
async fn an_index_of_the_database_finds_the_nearest() {
    let wanted = std::env::var("MCPFN_TEST_PGVECTOR").is_ok();
    let vectors: Vec<Vec<f32>> = (0..many()).map(passage).collect();
    let store = filled(&vectors).await;
    let database = &*store.filled;
    if !wanted {
        assert_eq!(index_vectors(database).await.unwrap(), 0, "no extension");
        let mistake = vector_index_mistake(database).await.unwrap().unwrap();
        let said = match database.dialect() {
            Dialect::Postgres => "run `CREATE EXTENSION vector`",
            _ => "not PostgreSQL",
        };
        assert!(mistake.contains(said), "{mistake}");
        return;
    }
    let extension = "CREATE EXTENSION vector";
    database.execute(extension, &[]).await.unwrap();
    let mistake = vector_index_mistake(database).await.unwrap().unwrap();
    assert!(mistake.contains("run `ingest` again"), "{mistake}");
    let started = Instant::now();
    assert_eq!(index_vectors(database).await.unwrap(), vectors.len());
    println!("indexed in {:.0} s", started.elapsed().as_secs_f64());
    assert_eq!(index_vectors(database).await.unwrap(), 0, "all are there");
    assert_eq!(vector_index_mistake(database).await.unwrap(), None);
    let client = Client::new(&store, None).with_model(Arc::new(Clusters(vectors.len())));
    let recall = recall("PostgreSQL, pgvector", &client, &vectors).await;
    assert!(recall >= 0.9, "{recall}");
    // what the index does not have yet is found
    let of_seven = question(7, vectors.len());
    add(database, &[(90_000, of_seven.clone())]).await;
    let found = texts(&asked(&client, 7).await);
    assert_eq!(found[0], "p90000");
    // it is the index that is asked: what is elsewhere there is not found
    let moved = format!(
        "UPDATE passages SET embedding = (SELECT embedding FROM passages WHERE text = 'p5000') \
         WHERE text = '{}'",
        found[1]
    );
    database.execute(&moved, &[]).await.unwrap();
    assert!(!texts(&asked(&client, 7).await).contains(&found[1]));
    // those that are too long for it have a sentence
    add(database, &[(90_001, vec![0.01; 2001])]).await;
    assert_eq!(
        index_vectors(database).await.unwrap(),
        1,
        "the other new one"
    );
    let mistake = vector_index_mistake(database).await.unwrap().unwrap();
    assert!(mistake.contains("of 2001 numbers"), "{mistake}");
}
