//! Which database a Worker serves: PostgreSQL behind the binding `HYPERDRIVE`, or else D1.

use std::sync::Arc;

use mcpfn::port::Sql;
#[cfg(feature = "hyperdrive")]
use mcpfn::worker::StreamedPostgres;
use mcpfn::worker::Variables;

/// The binding of a D1 database.
const D1: &str = "DB";
/// The binding of PostgreSQL.
const HYPERDRIVE: &str = "HYPERDRIVE";
/// That of the same database as a role that can only read, for statements that a model wrote.
const READONLY: &str = "HYPERDRIVE_READONLY";

/// Opens what is bound. `unvetted` says whether statements that a model wrote will be run.
pub(crate) fn open(variables: &Variables, unvetted: bool) -> Result<Arc<dyn Sql>, String> {
    if let Some(postgres) = postgres(variables, unvetted)? {
        return Ok(postgres);
    }
    let more = match cfg!(feature = "hyperdrive") {
        true => format!(", or PostgreSQL as {HYPERDRIVE} to [[hyperdrive]]"),
        false => String::new(),
    };
    let database = variables.d1(D1);
    Ok(Arc::new(database.map_err(|mistake| mistake + &more)?))
}

#[cfg(feature = "hyperdrive")]
fn postgres(variables: &Variables, unvetted: bool) -> Result<Option<Arc<dyn Sql>>, String> {
    let reader = variables.hyperdrive(READONLY)?;
    let Some(main) = variables.hyperdrive(HYPERDRIVE)? else {
        return match reader {
            None => Ok(None),
            Some(_) => Err(format!(
                "{READONLY} is bound and {HYPERDRIVE} is not: bind the database's own configuration \
                 as that, too"
            )),
        };
    };
    if variables.d1(D1).is_ok() {
        return Err(format!(
            "{D1} and {HYPERDRIVE} are both bound, and a server has one database: take one of them \
             out of wrangler.toml"
        ));
    }
    let database = StreamedPostgres::new(main);
    let database = match reader {
        Some(reader) => database.with_reader(reader),
        None if unvetted => {
            return Err(format!(
                "the toolkit `sql` needs {READONLY}: a Hyperdrive configuration of a role of its own \
                 that has CONNECT, USAGE and SELECT and nothing else"
            ));
        }
        None => database,
    };
    let functions = variables.text("MCPFN_DATABASE_FUNCTIONS");
    let database = database.accept_functions(&functions.unwrap_or_default());
    Ok(Some(Arc::new(database)))
}

#[cfg(not(feature = "hyperdrive"))]
fn postgres(variables: &Variables, _unvetted: bool) -> Result<Option<Arc<dyn Sql>>, String> {
    for binding in [HYPERDRIVE, READONLY] {
        variables.no_hyperdrive(binding)?;
    }
    Ok(None)
}
