//! A header value with or without a Base64 sentinel.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfn_it::fuzzing::sentinel(data));
