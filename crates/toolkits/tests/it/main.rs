//! Toolkits through a server, over a real database. Not tests of the protocol (those are in the workspace's `tests`).

mod catalog; // search, products, the prompt
mod database; // tables, filters
mod hello; // the greeting, and the toolkits by name
mod schemas; // what is published about each tool
mod shop; // the demo data
mod support; // a server in memory: one call in, one answer out
mod wait; // block_on
