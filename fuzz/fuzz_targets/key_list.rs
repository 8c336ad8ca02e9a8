//! A list of API keys as an operator writes it.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfn_it::fuzzing::key_list(data));
