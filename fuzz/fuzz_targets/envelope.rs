//! A JSON-RPC message of any transport, and the call it stands for.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfn_it::fuzzing::envelope(data));
