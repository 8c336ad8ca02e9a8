//! Writes a file of SQL for D1 to standard output: migrations of the shop's tables (`shop`) and of
//! those of documents (`words`), and demo data for the former (`demo`). Those before are as they were applied. `cargo xtask worker
//! --migrations` keeps them.

use std::io::{Error, Write as _};

use mcpfn::port::Dialect;
use mcpfn_toolkits::{knowledge, shop};

fn main() -> std::io::Result<()> {
    let (what, statements): (_, Vec<String>) = match std::env::args().nth(1).as_deref() {
        Some("shop") => (
            "The tables of catalog, crm and inventory, without a row",
            shop::tables(),
        ),
        Some("demo") => ("Demo data: a quarter of the shop", shop::sample()),
        Some("words") => (
            "Documents in every script: texts that are not ASCII are found so once `ingest --sql` has added them again",
            knowledge::migration_for(Dialect::Sqlite),
        ),
        _ => return Err(Error::other("say `shop`, `words` or `demo`")),
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "-- {what}. Written by `cargo xtask worker --migrations`, not by hand."
    )?;
    for statement in statements {
        writeln!(out, "{statement};")?;
    }
    Ok(())
}
