//! The fixture server as a process, over HTTP or stdio.

mcpfn::main!(mcpfn_it::everything());
