//! The integration tests, one binary. Each module below says what belongs in it.

/// Hosts, servers, the fixture format and its runner, time under control. No tests of the product.
mod support;

/// What must work: every file of `fixtures/wire` through every host. A new case is a new file.
mod wire;

/// What must be refused: every file of `fixtures/refuse` through every host, and what no file can say (sizes, depths, bytes).
mod refuse;

/// The local host as a process: pipes, signals, exit codes, dropped connections, the command line.
mod local;

/// The Rust SDK as a client, over HTTP and stdio, in both eras.
mod rmcp_client;
