//! The shops that the tests ask: in SQLite in memory, or on the PostgreSQL server, where each test
//! makes databases and roles of its own.

use std::sync::{Arc, OnceLock};

use mcpfn_ports::{Dialect, Sql};
use mcpfn_sql::{Postgres, Sqlite};
use mcpfn_toolkits::shop;

use crate::place::{PASSWORD, postgres, unique, url_of};
use crate::wait::wait;

/// A shop that can't be changed: what a toolkit must not need, it does not get.
pub(crate) fn reading() -> Arc<dyn Sql> {
    if postgres().is_some() {
        let shop = PostgresShop::new();
        return Arc::new(Postgres::new(&url_of(Some(&shop.reader), &shop.database)).unwrap());
    }
    Arc::new(sqlite_shop().read_only())
}

/// A new shop, open for writing; unvetted statements run with the rights of a reader.
pub(crate) fn writing() -> Arc<dyn Sql> {
    if postgres().is_some() {
        return Arc::new(PostgresShop::new().open());
    }
    Arc::new(sqlite_shop())
}

fn sqlite_shop() -> Sqlite {
    let database = Sqlite::memory().unwrap();
    wait(database.execute_all(shop::statements())).unwrap();
    database
}

/// Takes away what every role may call until it is revoked: to stop other sessions, to write to the log of
/// changes, to see the statements of the role's other sessions.
const CLOSE: &str = "DO $$ DECLARE f regprocedure; BEGIN \
    FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN \
     ('pg_terminate_backend', 'pg_cancel_backend', 'pg_logical_emit_message', 'pg_stat_get_activity', \
      'pg_stat_get_backend_activity') \
    LOOP EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f); END LOOP; END $$";

/// A shop on a server, with two roles: one reads, one writes rows and creates nothing.
pub(crate) struct PostgresShop {
    pub(crate) database: String,
    pub(crate) reader: String,
    pub(crate) writer: String,
}

impl PostgresShop {
    pub(crate) fn new() -> Self {
        static TEMPLATE: OnceLock<String> = OnceLock::new();
        let admin = Postgres::new(&postgres().expect("asked only with PostgreSQL")).unwrap();
        let run = |sql: String| wait(admin.execute(&sql, &[]));
        let template = TEMPLATE.get_or_init(|| {
            let name = unique("template");
            run(format!("CREATE DATABASE {name}")).unwrap();
            wait(
                Postgres::new(&url_of(None, &name))
                    .unwrap()
                    .execute_all(shop::statements_for(Dialect::Postgres)),
            )
            .unwrap();
            wait(
                Postgres::new(&url_of(None, &name))
                    .unwrap()
                    .execute(CLOSE, &[]),
            )
            .unwrap();
            name
        });
        let shop = Self {
            database: unique("shop"),
            reader: unique("reader"),
            writer: unique("writer"),
        };
        // a template can't be copied while somebody is connected, and a server notices a closed
        // connection a moment later
        while let Err(error) = run(format!(
            "CREATE DATABASE {} TEMPLATE {template}",
            shop.database
        )) {
            assert!(error.to_string().contains("being accessed"), "{error}");
            std::thread::yield_now();
        }
        let owner = Postgres::new(&url_of(None, &shop.database)).unwrap();
        let (reader, writer) = (&shop.reader, &shop.writer);
        wait(owner.execute_all([
            format!("CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'"),
            format!("CREATE ROLE {writer} LOGIN PASSWORD '{PASSWORD}'"),
            format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}, {writer}"),
            format!("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {writer}"),
        ]))
        .unwrap();
        shop
    }

    pub(crate) fn open(&self) -> Postgres {
        let main = Postgres::new(&url_of(Some(&self.writer), &self.database)).unwrap();
        main.with_reader(&url_of(Some(&self.reader), &self.database))
            .unwrap()
    }
}
