//! Writes the demo shop as a migration file for D1 to standard output; `cargo xtask worker --migrations` keeps it.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "-- The demo shop. Written by `cargo xtask worker --migrations`, not by hand.")?;
    for statement in mcpfn_toolkits::shop::statements() {
        writeln!(out, "{statement};")?;
    }
    Ok(())
}
