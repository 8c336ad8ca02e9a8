//! Documents: found by words, found by meaning, taken apart into clauses, and many of them. Over SQLite, asked as a client asks.

mod answers; // how often the right document is among five
mod corpus; // questions with known answers, and documents by the thousand
mod documents; // tools, resource, refusals
mod host; // a server in memory, and a model on loopback
mod scale; // 50,000 documents
