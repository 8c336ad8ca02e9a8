//! Writes a migration file for D1 to standard output, of the demo shop (`shop`) or of the tables of
//! documents (`documents`); `cargo xtask worker --migrations` keeps them.

use std::io::{Error, Write as _};

use mcpfn::port::Dialect;
use mcpfn_toolkits::{knowledge, shop};

fn main() -> std::io::Result<()> {
    let (what, statements): (_, Vec<String>) = match std::env::args().nth(1).as_deref() {
        Some("shop") => ("The demo shop", shop::statements()),
        Some("documents") => (
            "The tables that `ingest --sql` fills",
            knowledge::schema_for(Dialect::Sqlite),
        ),
        _ => return Err(Error::other("say `shop` or `documents`")),
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
