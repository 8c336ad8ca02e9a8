//! The step `embeddings`: how often passages are found with a real model, which a Python program
//! serves on loopback. The questions and the bounds are the toolkits' test `recall`; the step
//! `postgres` asks it again.

use crate::{
    cargo_steps,
    context::Context,
    fixture::Fixture,
    report::{Counts, Result},
    setup, workspace,
};

pub(crate) fn run(cx: &Context, counts: &mut Counts) -> Result<()> {
    recall(cx, None, counts)
}

/// Over SQLite, or over a PostgreSQL server.
pub(crate) fn recall(cx: &Context, postgres: Option<&str>, counts: &mut Counts) -> Result<()> {
    let mut tests = workspace::test(cx, "recall");
    tests.args(["--", "--nocapture"]);
    if let Some(url) = postgres {
        tests.env("MCPFN_TEST_POSTGRES", url);
    }
    let python = setup::embedding_model(cx)?;
    let mut model =
        Fixture::start_command(&mut python.script(&cx.root.join("tests/embeddings/serve.py")))?;
    let result = cargo_steps::tests(tests.env("MCPFN_TEST_EMBEDDINGS_URL", &model.url), counts);
    model.still_runs()?;
    result
}
