//! The compile tests: what the macros accept (`pass/`, also run) and what they say otherwise
//! (`fail/`). README.md beside this file says how to change them. Not a test of the running server.

#[test]
fn compile() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/pass/*.rs");
    cases.compile_fail("tests/fail/*.rs");
}
