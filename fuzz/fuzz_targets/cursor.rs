//! A cursor of a list in three pages.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfn_it::fuzzing::cursor(data));
