//! An event of AWS Lambda: who calls, and what it may do.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| mcpfn_it::fuzzing::trigger(data));
