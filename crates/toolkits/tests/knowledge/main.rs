//! Documents: found by words, found by meaning, taken apart into clauses, and many of them. Over
//! SQLite here, over PostgreSQL in `postgres`; asked as a client asks.

mod answers; // how often the right document is among five
mod causes; // a service of embeddings that fails, and why
mod corpus; // questions with known answers, and documents by the thousand
mod documents; // tools, resource, refusals
#[path = "../it/handed_over.rs"]
mod handed_over; // an instance that ends in the middle of a task
mod host; // a server in memory, and a model on loopback
mod ingest; // files that become documents
mod languages; // how often the right document is among five, by language
#[path = "../it/place.rs"]
mod place; // which server, and names there
mod questions; // of several languages
mod scale; // 50,000 documents
mod store; // a database of documents
mod upgrade; // databases of older versions
mod vector_cases; // the contract of stores of vectors
mod vector_contract; // each way that meaning is compared
mod vector_scale; // more vectors than are all compared
mod vectors; // what stands in for a model
