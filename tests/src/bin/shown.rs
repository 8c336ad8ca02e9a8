//! The server that the page for browsers is tried with, as a process.

mcpfn::main!(mcpfn_it::shown::shown());
