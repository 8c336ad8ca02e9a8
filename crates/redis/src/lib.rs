//! What the instances of a server share, in Redis or Valkey: results, rate limits, idempotent
//! writes, answers to questions, subscriptions, tasks, events. In one server, a cluster, or the master that
//! sentinels name ([`RedisServer::parse`]). No policy: which call asks, and what happens when Redis
//! is down, is the core's.
//!
//! ```
//! use mcpfn_redis::{RedisServer, RedisStores};
//!
//! let server = RedisServer::parse("redis://:hunter2@127.0.0.1:6379/0")?;
//! let stores = RedisStores::new(server); // asks nothing before its first use
//! assert!(!format!("{stores:?}").contains("hunter2"));
//! # Ok::<(), String>(())
//! ```
//!
//! # Keys
//!
//! A key is the prefix (`MCPFN_REDIS_PREFIX`, `mcpfn:` when not set), a letter, and the port's key,
//! a digest. Every key expires by itself, a minute after it stops to count: Redis only cleans up,
//! by its own clock. Times that count are in the value, in milliseconds or microseconds since 1970,
//! and are compared by who reads it.
//!
//! | key | value | commands |
//! |---|---|---|
//! | `c:` | when it expires (8 bytes), and the result | `GET`, `SET` |
//! | `r:` | when the bucket is full again, and a random name of the last update | one script |
//! | `w:`, held | hash: `h` holder, `u` end of the hold, `e` when it expires | one script to begin, one to let go; `HMGET` to look |
//! | `w:`, done | hash: `h`, `e`, `p` result | one script |
//! | `s:` | hash: `v` version, `e` when it expires, `p` value: a resource's last change, or what a session subscribed to | one script to write; `HMGET` |
//! | `l:` | an answer to a question of a call that waits | `SET NX`; `GET` until it is there |
//! | `t:` | a task as a hash: `v` version, `n` a random name of the last change, `e` when it expires, and its parts: `head`, `call`, `questions`, `checkpoint`, `outcome` | one script to create, one to change; `HMGET`; `DEL` |
//! | `e:`, `f:` | a log of events as a stream, whose entries are named by their positions; and a hash: `f` position of the last event that is gone, `l` of the last of all | one script each to append, to read, to find the end |
//! | `b:`, `i:` | who subscribed to an event: a hash with `v` version, `n` a random name of the last change, `e` when it expires, `b` body, each before an id; and the ids in order | one script each to write, to page, to remove; `HMGET` |
//! | `o:` | what one subscriber has: ids by when they expire | one script; `ZREM` |
//! | `j:`, `k:`, `x:` | a queue: keys of work by when it can be taken; its `b` body, `d` due time, `l` lease before a key; what was given up | one script each to put, to take, to end; `ZRANGE`, `LRANGE` |
//!
//! Scripts have one key each, or several with the same part in braces, so that they run on any node of a cluster, and are sent as their
//! digest (`EVALSHA`); a server that does not know one is told it, once.
//!
//! # What is guaranteed
//!
//! *Results*: one that was read is given for two seconds more without a question; so an instance may
//! give one for this long that another has replaced, and that has not expired either.
//!
//! *Rate limits* hold among all instances, exactly. A caller whose bucket is known to be empty is
//! refused without a question, because a bucket only fills with time.
//!
//! *Writes*: of all who begin a key, one is the first, and the key is free again only if that one
//! lets go of it. A hold that ends without a result is known as one until it expires. Who lost its
//! hold can't overwrite what another call does. Each call has a name of its own, so that a question
//! that is sent twice is done once.
//!
//! *Tasks*: of all who saw the same head, one changes it, and parts that change with it are seen with
//! it or not at all.
//!
//! *Events*: positions grow, whatever the clocks of instances say, and who asks from one that is gone is
//! told. Work of a queue is done by one instance at a time, and again by another one where that one
//! ended without a word.
//!
//! All of this holds as long as Redis keeps what it was told. It does not where it evicts keys
//! (`maxmemory-policy` other than `noeviction`, which is warned of), where it restarts without
//! persistence, or where a replica takes over that had not heard of the last writes.
//!
//! # When Redis is down
//!
//! Nothing is asked before the first use, and the connection is made then: one for all questions,
//! which are sent without waiting for each other. A question has a limit ([`RedisServer::timeout`]),
//! and one retry inside it where a new connection may help. After three failures for a key in a row
//! that key is not asked for during five seconds; after failures for three keys of one store in a
//! row, or at once when the password is refused, that store asks nothing for five seconds and every
//! call fails at no cost; then one call tries. The end of a write and parts of a task are sent all the same. A
//! connection
//! that was idle for a minute is not used again.
//!
//! # Clusters and sentinels
//!
//! With the feature `cluster`. Of a cluster the connection is one to each node: the crate `redis`
//! knows which has a key, follows keys that move, and mends what breaks; a question that has no
//! answer in time ends it, as it does any other. Behind sentinels it is one to the master. All
//! sentinels are asked at once whenever it is made, so that one that is gone costs nothing; a master
//! that became a replica refuses a write, and is left for the new one with the retry.

mod cache;
mod connection;
mod event_log;
mod event_queue;
mod event_subscriptions;
mod failure;
mod idempotency;
mod limiter;
mod link;
mod mailbox;
mod server;
mod stores;
mod tasks;
mod topics;
mod url;

pub use server::RedisServer;
pub use stores::RedisStores;
