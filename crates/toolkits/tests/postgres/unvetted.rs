//! SQL that a model wrote, on PostgreSQL: every attack, and which roles are refused.

use std::sync::Arc;
use std::time::Duration;

use mcpfn_ports::{ReadLimits, Sql, SqlValue};
use mcpfn_sql::Postgres;
use serde_json::json;

use crate::attacks::ATTACKS;
use crate::databases::PostgresShop;
use crate::place;
use crate::sql::{ask, run};
use crate::support::Client;
use crate::wait::wait;

#[test]
fn attacks_change_nothing_in_postgres() {
    attack(|shop| Arc::new(shop.open().accept_functions("public.sneak")));
}

/// What every attack leaves, on a shop that is opened so that the function `public.sneak` is accepted.
pub(crate) fn attack(open: impl Fn(&PostgresShop) -> Arc<dyn Sql>) {
    let shop = PostgresShop::new();
    let owner: Arc<dyn Sql> =
        Arc::new(Postgres::new(&place::url_of(None, &shop.database)).unwrap());
    for sql in [
        // what an operator may have left open to everybody
        "CREATE SEQUENCE ticket".to_owned(),
        format!("GRANT USAGE, SELECT ON SEQUENCE ticket TO {}", shop.reader),
        "CREATE FUNCTION sneak() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'DELETE FROM \
         activities; SELECT 1::bigint'"
            .to_owned(),
    ] {
        wait(owner.execute(&sql, &[])).unwrap();
    }
    let client = Client::new(open(&shop));
    let marks = || {
        let sql = "SELECT (SELECT count(*) FROM activities), (SELECT sum(quantity) FROM stock_levels), (SELECT count(*) FROM pg_class), \
                   (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_prepared_xacts), \
                   (SELECT last_value FROM ticket), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'), \
                   (SELECT string_agg(rolname || rolsuper || coalesce(rolconfig::text, ''), ',' ORDER BY 1) FROM pg_roles WHERE rolname LIKE ?1)";
        wait(owner.query(sql, &[SqlValue::from(format!("%{}%", shop.reader))], 1))
            .unwrap()
            .rows
    };
    let before = marks();
    for attack in ATTACKS {
        let sql = attack
            .sql
            .replace("FOLDER", "/tmp")
            .replace("READER", &shop.reader)
            .replace("WRITER", &shop.writer);
        run(&client, attack, &sql, "postgres");
        assert_eq!(marks(), before, "{sql}");
        // and the next caller finds a connection as if it were new
        let state = "SELECT current_user, current_setting('transaction_read_only'), current_setting('statement_timeout'), \
                     (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_listening_channels()), \
                     current_setting('search_path')";
        let state = ask(&client, state).unwrap_or_else(|refused| panic!("after {sql}: {refused}"));
        assert_eq!(
            state["rows"],
            json!([[shop.reader, "on", "3s", 0, 0, "\"$user\", public"]]),
            "after {sql}"
        );
    }
}

#[test]
fn roles_that_can_do_more_than_read_are_refused() {
    let shop = PostgresShop::new();
    let owner = Postgres::new(&place::url_of(None, &shop.database)).unwrap();
    let admin = |sql: &str| wait(owner.execute(sql, &[])).unwrap();
    let reader = &shop.reader;
    let verdict = || {
        let database = Postgres::new(&place::url_of(Some(reader), &shop.database)).unwrap();
        let checked = wait(database.check_reader()).map_err(|error| error.to_string());
        let client = Client::new(Arc::new(database));
        assert_eq!(
            ask(&client, "SELECT 1").is_ok(),
            checked.is_ok(),
            "what is refused at the start is refused later too: {checked:?}"
        );
        checked
    };
    assert_eq!(verdict(), Ok(()));
    for (give, take, expected) in [
        (
            format!("ALTER ROLE {reader} SUPERUSER"),
            format!("ALTER ROLE {reader} NOSUPERUSER"),
            "is a superuser",
        ),
        (
            format!("ALTER ROLE {reader} CREATEROLE"),
            format!("ALTER ROLE {reader} NOCREATEROLE"),
            "has the attribute CREATEROLE",
        ),
        (
            format!("GRANT pg_read_server_files TO {reader}"),
            format!("REVOKE pg_read_server_files FROM {reader}"),
            "a member of `pg_read_server_files`",
        ),
        (
            format!("GRANT pg_write_all_data TO {reader}"),
            format!("REVOKE pg_write_all_data FROM {reader}"),
            "a member of `pg_write_all_data`",
        ),
        (
            format!("GRANT UPDATE (note) ON activities TO {reader}"),
            format!("REVOKE UPDATE (note) ON activities FROM {reader}"),
            "may change `activities`",
        ),
        (
            format!("GRANT TRUNCATE ON sales TO {reader}"),
            format!("REVOKE TRUNCATE ON sales FROM {reader}"),
            "may change `sales`",
        ),
        (
            "GRANT CREATE ON SCHEMA public TO PUBLIC".to_owned(),
            "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
            "in the schema `public`",
        ),
        (
            format!("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {reader}"),
            format!("REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM {reader}"),
            "may call `pg_catalog.pg_read_file` (REVOKE EXECUTE ON FUNCTION pg_catalog.pg_read_file(text) FROM PUBLIC",
        ),
        (
            format!("GRANT {} TO {reader}", shop.writer),
            format!("REVOKE {} FROM {reader}", shop.writer),
            "takes that away)",
        ),
        (
            format!("ALTER SCHEMA public OWNER TO {reader}"),
            "ALTER SCHEMA public OWNER TO pg_database_owner".to_owned(),
            "owns the schema public (REASSIGN OWNED BY",
        ),
        (
            "CREATE PROCEDURE \"Log it\"(n int) LANGUAGE sql AS 'SELECT 1'".to_owned(),
            "DROP PROCEDURE \"Log it\"".to_owned(),
            "REVOKE EXECUTE ON PROCEDURE public.\"Log it\"(IN n integer) FROM PUBLIC",
        ),
        (
            "CREATE FUNCTION quiet() RETURNS int STABLE SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'"
                .to_owned(),
            "DROP FUNCTION quiet".to_owned(),
            "may call `public.quiet`",
        ),
        (
            "GRANT EXECUTE ON FUNCTION pg_stat_get_activity(integer) TO PUBLIC".to_owned(),
            "REVOKE EXECUTE ON FUNCTION pg_stat_get_activity(integer) FROM PUBLIC".to_owned(),
            "may call `pg_catalog.pg_stat_get_activity`",
        ),
        (
            "CREATE EXTENSION dblink".to_owned(),
            "DROP EXTENSION dblink".to_owned(),
            "may call `public.dblink` (REVOKE EXECUTE ON FUNCTION public.dblink(text",
        ),
    ] {
        admin(&give);
        let refused = verdict().unwrap_err();
        assert!(
            refused.contains(expected) && refused.contains("SELECT and nothing else"),
            "{give}: {refused}"
        );
        admin(&take);
        assert_eq!(verdict(), Ok(()), "{take}");
    }
}

/// The clock is advanced, nobody waits; the connection is the same one all the time.
#[test]
fn what_a_role_was_granted_meanwhile_is_found_after_five_minutes() {
    let shop = PostgresShop::new();
    let owner = Postgres::new(&place::url_of(None, &shop.database)).unwrap();
    let database = shop.open();
    let limits = ReadLimits {
        rows: 1,
        bytes: 1000,
        time: Duration::from_secs(3),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let read = || database.read("SELECT 1", limits);
        assert!(read().await.is_ok());
        let grant = format!("GRANT UPDATE (note) ON activities TO {}", shop.reader);
        owner.execute(&grant, &[]).await.unwrap();
        assert!(read().await.is_ok(), "within five minutes");
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(5 * 60)).await;
        tokio::time::resume();
        let refused = read().await.unwrap_err().to_string();
        assert!(refused.contains("may change `activities`"), "{refused}");
    });
}
