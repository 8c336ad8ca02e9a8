//! What every store behind the core's ports must do, whatever it is made of, and a proxy that plays
//! a DynamoDB that is down. The checks of the contract know no store; `bin/stores` asks them of
//! DynamoDB, `bin/shared-stores` of Redis and PostgreSQL, `tests/memory.rs` of memory. The checks of files are asked of S3 there, and of a
//! directory in `tests/directory.rs`.

pub mod bucket;
pub mod contract;
pub mod cost;
pub mod event_cost;
pub mod event_rate;
pub mod events;
pub mod fake;
pub mod faulty;
pub mod files;
pub mod mailbox;
pub mod objects;
pub mod on_postgres;
pub mod on_redis;
pub mod on_redis_cluster;
pub mod on_redis_sentinel;
pub mod outage;
pub mod pipe;
pub mod proxy;
pub mod redis_cluster;
pub mod redis_program;
pub mod report;
pub mod service;
pub mod service_outage;
pub mod simulation;
pub mod stored_skills;
pub mod table;
pub mod task_cost;
pub mod task_objects;
pub mod tasks;
pub mod topics;
pub mod without_queue;
pub mod world;
