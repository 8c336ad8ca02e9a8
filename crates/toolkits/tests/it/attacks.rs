//! What has been tried against databases that run other people's SQL, and how each ends here. Data
//! only; `sql` runs it.

use mcpfn_ports::Dialect;

use Ends::{Harmless, Refused};

/// How a statement ends.
#[derive(Clone, Copy)]
pub(crate) enum Ends {
    Refused,
    /// It runs, and leaves nothing behind.
    Harmless,
}

pub(crate) struct Attack {
    /// `FOLDER` stands for a folder with the file `secret.txt`; `READER` and `WRITER` for
    /// PostgreSQL's roles.
    pub(crate) sql: &'static str,
    sqlite: Ends,
    postgres: Ends,
}

impl Attack {
    /// How it ends in this database.
    pub(crate) fn ends(&self, dialect: Dialect) -> Ends {
        if dialect == Dialect::Postgres {
            self.postgres
        } else {
            self.sqlite
        }
    }

    /// Whether it is expected to be stopped by its time.
    pub(crate) fn is_slow(&self) -> bool {
        self.sql.ends_with("-- slow")
    }
}

const fn attack(sql: &'static str, sqlite: Ends, postgres: Ends) -> Attack {
    Attack {
        sql,
        sqlite,
        postgres,
    }
}

/// Refused by both, if by one only because it does not know the words.
const fn refused(sql: &'static str) -> Attack {
    attack(sql, Refused, Refused)
}

#[rustfmt::skip]
pub(crate) const ATTACKS: &[Attack] = &[
    // plain writes
    refused("INSERT INTO activities SELECT * FROM activities"),
    refused("INSERT INTO handbook VALUES (99, 'x', 'y') RETURNING position"),
    refused("UPDATE stock_levels SET quantity = 0"),
    refused("UPDATE handbook SET body = 'x' RETURNING body"),
    refused("DELETE FROM activities"),
    refused("DELETE FROM activities RETURNING id"),
    refused("REPLACE INTO handbook VALUES (1, 'x', 'y')"),
    refused("MERGE INTO handbook AS h USING (SELECT 1 AS p) AS s ON h.position = s.p WHEN MATCHED \
        THEN DELETE"),
    refused("TRUNCATE activities"),
    refused("SELECT * INTO stolen FROM customers"),
    refused("CREATE TABLE stolen AS SELECT * FROM customers"),
    refused("CREATE TEMP TABLE stolen AS SELECT 1 AS a"),
    refused("CREATE VIEW seen AS SELECT 1 AS a"),
    refused("CREATE TRIGGER t AFTER INSERT ON handbook BEGIN DELETE FROM activities; END"),
    refused("CREATE INDEX i ON activities (note)"),
    refused("ALTER TABLE activities ADD COLUMN x TEXT"),
    refused("DROP TABLE activities"),
    refused("DROP TABLE IF EXISTS activities CASCADE"),
    // writes inside of reads
    refused("WITH gone AS (DELETE FROM activities RETURNING *) SELECT * FROM gone"),
    refused("WITH new AS (INSERT INTO handbook VALUES (98, 'x', 'y') RETURNING *) SELECT count(*) \
        FROM new"),
    refused("WITH new AS (UPDATE handbook SET body = '' RETURNING *) SELECT 1"),
    refused("WITH x AS (SELECT 1) DELETE FROM activities"),
    refused("WITH x AS (SELECT 1) INSERT INTO handbook SELECT 97, 'x', 'y' FROM x"),
    refused("EXPLAIN DELETE FROM activities"),
    refused("EXPLAIN ANALYZE DELETE FROM activities"),
    refused("EXPLAIN (ANALYZE, COSTS off) INSERT INTO handbook VALUES (96, 'x', 'y')"),
    refused("SELECT * FROM activities FOR UPDATE"),
    refused("SELECT * FROM activities FOR SHARE"),
    // several statements
    refused("SELECT 1; DELETE FROM activities"),
    refused("SELECT 1; SELECT 2"),
    refused("SELECT 1;\n--\nDROP TABLE activities; --"),
    refused("SELECT 1 /* one */; /* two */ DELETE FROM activities"),
    refused("SELECT ';'; DELETE FROM activities; SELECT ';'"),
    refused("; DELETE FROM activities"),
    refused("COMMIT; DELETE FROM activities"),
    refused("ROLLBACK; DELETE FROM activities"),
    refused("BEGIN; DELETE FROM activities; COMMIT"),
    refused("SELECT 1\0; DELETE FROM activities"),
    attack("SELECT ';' AS a -- ; DELETE FROM activities", Harmless, Harmless),
    attack("SELECT '/*' AS a; -- */", Harmless, Harmless),
    // SQLite takes the end of the text for the end of the comment
    attack("SELECT 1; /* not closed", Harmless, Refused),
    refused(""),
    refused("-- nothing"),
    refused("/* nothing */ ;"),
    refused("'"),
    refused("SELECT ?1"),
    refused("SELECT $1 FROM nothing"),
    // transactions, sessions, roles
    refused("BEGIN"),
    refused("COMMIT"),
    refused("ROLLBACK"),
    refused("SAVEPOINT s"),
    refused("START TRANSACTION READ WRITE"),
    refused("SET TRANSACTION READ WRITE"),
    refused("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE"),
    refused("SET default_transaction_read_only = off"),
    refused("SET statement_timeout = 0"),
    refused("RESET ALL"),
    refused("DISCARD ALL"),
    refused("SET ROLE postgres"),
    refused("SET ROLE WRITER"),
    refused("SET SESSION AUTHORIZATION postgres"),
    refused("SELECT set_config('transaction_read_only', 'off', true)"),
    refused("SELECT set_config('role', 'postgres', false)"),
    refused("SELECT set_config('session_authorization', 'WRITER', false)"),
    attack("SELECT set_config('statement_timeout', '0', false)", Refused, Harmless),
    attack("SELECT set_config('default_transaction_read_only', 'off', false)", Refused, Harmless),
    attack("SELECT set_config('search_path', 'elsewhere', false)", Refused, Harmless),
    refused("PREPARE p AS DELETE FROM activities"),
    refused("EXECUTE p"),
    refused("PREPARE TRANSACTION 'x'"),
    refused("DECLARE c CURSOR WITH HOLD FOR SELECT 1"),
    refused("LISTEN x"),
    refused("NOTIFY x, 'y'"),
    attack("SELECT pg_notify('x', 'y')", Refused, Harmless),
    refused("LOCK TABLE activities IN ACCESS EXCLUSIVE MODE"),
    attack("SELECT pg_advisory_lock(1)", Refused, Harmless),
    attack("SELECT pg_advisory_lock(n) FROM generate_series(1, 50) AS n", Refused, Harmless),
    refused("ALTER ROLE READER SUPERUSER"),
    refused("ALTER ROLE READER SET statement_timeout = 0"),
    refused("GRANT ALL ON ALL TABLES IN SCHEMA public TO READER"),
    refused("CREATE ROLE evil SUPERUSER"),
    refused("ALTER SYSTEM SET log_statement = 'all'"),
    refused("DO $$ BEGIN DELETE FROM activities; END $$"),
    refused("CALL sneak()"),
    refused("SELECT sneak()"),
    refused("SELECT * FROM products WHERE sneak() = 1"),
    refused("SELECT nextval('ticket')"),
    refused("SELECT setval('ticket', 99)"),
    refused("SELECT lo_create(4711)"),
    refused("SELECT lo_from_bytea(0, 'x')"),
    refused("SELECT lo_unlink(4711)"),
    refused("SELECT query_to_xml('DELETE FROM activities', true, true, '')"),
    refused("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    refused("CREATE EXTENSION dblink"),
    // files, programs, other servers
    refused("ATTACH DATABASE 'FOLDER/attached.db' AS other"),
    refused("ATTACH DATABASE ':memory:' AS other"),
    refused("DETACH DATABASE main"),
    refused("VACUUM"),
    refused("VACUUM INTO 'FOLDER/copy.db'"),
    refused("SELECT load_extension('FOLDER/evil')"),
    refused("SELECT readfile('FOLDER/secret.txt')"),
    refused("SELECT writefile('FOLDER/written.txt', 'x')"),
    refused("SELECT edit('x')"),
    refused("SELECT * FROM fsdir('FOLDER')"),
    refused("SELECT fts3_tokenizer('simple', x'4141414141414141')"),
    refused("CREATE VIRTUAL TABLE v USING fts5 (text)"),
    refused("CREATE VIRTUAL TABLE temp.v USING csv (filename = 'FOLDER/secret.txt')"),
    refused("INSERT INTO product_search (product_search) VALUES ('delete-all')"),
    refused("COPY activities TO 'FOLDER/copied.csv'"),
    refused("COPY activities TO PROGRAM 'touch FOLDER/ran'"),
    refused("COPY activities FROM PROGRAM 'id'"),
    refused("COPY handbook FROM '/etc/passwd'"),
    refused("COPY (SELECT 1) TO STDOUT"),
    refused("COPY handbook FROM STDIN"),
    refused("SELECT pg_read_file('/etc/passwd')"),
    refused("SELECT pg_read_binary_file('postgresql.conf')"),
    refused("SELECT * FROM pg_ls_dir('/')"),
    refused("SELECT * FROM pg_stat_file('postgresql.conf')"),
    refused("SELECT lo_import('/etc/passwd')"),
    refused("SELECT lo_export(1, 'FOLDER/exported')"),
    refused("SELECT * FROM dblink('host=127.0.0.1 dbname=postgres', 'SELECT 1') AS t (a int)"),
    refused("SELECT dblink_connect('host=169.254.169.254')"),
    refused("SELECT * FROM pg_hba_file_rules"),
    refused("SELECT current_setting('config_file')"),
    refused("SELECT rolname, rolpassword FROM pg_authid"),
    refused("SELECT usename, passwd FROM pg_shadow"),
    refused("LOAD 'FOLDER/evil.so'"),
    // the server itself
    refused("PRAGMA query_only = 0"),
    refused("PRAGMA writable_schema = 1"),
    refused("PRAGMA journal_mode = delete"),
    refused("PRAGMA schema_version = 1"),
    refused("PRAGMA user_version = 7"),
    refused("PRAGMA temp_store_directory = 'FOLDER'"),
    refused("PRAGMA wal_checkpoint(TRUNCATE)"),
    refused("PRAGMA optimize"),
    refused("SELECT * FROM pragma_wal_checkpoint"),
    refused("SELECT * FROM pragma_database_list"),
    refused("REINDEX"),
    refused("ANALYZE"),
    refused("CLUSTER"),
    refused("CHECKPOINT"),
    refused("SELECT pg_reload_conf()"),
    refused("SELECT pg_rotate_logfile()"),
    refused("SELECT pg_switch_wal()"),
    refused("SELECT pg_create_restore_point('x')"),
    refused("SELECT pg_terminate_backend(pg_backend_pid())"),
    attack("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND \
        usename <> current_user AND usesysid IS NULL", Refused, Refused),
    refused("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'"),
    // the statements of other callers of the same role, with their values
    refused("SELECT query FROM pg_stat_activity"),
    refused("SELECT pg_stat_get_backend_activity(1)"),
    // bytes in the server's log of changes that a rollback does not take back
    refused("SELECT pg_logical_emit_message(false, 'x', repeat('y', 1000))"),
    attack("SELECT txid_current()", Refused, Harmless),
    // time and memory
    refused("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM \
        n -- slow"),
    refused("SELECT count(*) FROM products AS a, products AS b, products AS c, products AS d -- \
        slow"),
    refused("SELECT pg_sleep(60) -- slow"),
    refused("SELECT count(instr(zeroblob(120000), zeroblob(60000 + a.number % 2) || x'01')) FROM \
        products AS a, products AS b -- slow"),
    refused("SELECT count(*) FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b \
        -- slow"),
    attack("SELECT generate_series(1, 1000000000)", Refused, Harmless),
    attack("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) \
        SELECT i FROM n", Harmless, Harmless),
    refused("SELECT repeat('x', 100000000)"),
    refused("SELECT zeroblob(1000000000)"),
    refused("SELECT hex(zeroblob(10000000))"),
    refused("SELECT printf('%.*c', 100000000, 'x')"),
    refused("SELECT randomblob(16000000)"),
    refused("SELECT replace(hex(zeroblob(60000)), '0', 'xxxxxxxxxxxxxxxx')"),
    refused("SELECT string_agg(description, '') FROM products"),
    refused("SELECT group_concat(description, '') FROM products"),
    refused("SELECT array_agg(p) FROM products AS p"),
    attack("SELECT * FROM customers AS a, customers AS b", Harmless, Harmless),
    // reads that are answered, because they show no more than the tables
    attack("SELECT name FROM sqlite_master", Harmless, Refused),
    attack("SELECT relname FROM pg_class", Refused, Harmless),
    attack("SELECT name FROM pragma_table_info('orders')", Harmless, Refused),
    attack("EXPLAIN SELECT * FROM products", Harmless, Harmless),
    attack("VALUES (1), (2)", Harmless, Harmless),
    attack("SELECT usename, passwd FROM pg_user", Refused, Harmless),
];
