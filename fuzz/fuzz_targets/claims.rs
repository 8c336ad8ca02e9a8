//! Claims of a token: whose it is, and what it grants.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfn_it::fuzzing::claims(data));
