//! Whether a role is fit for unvetted statements: a read-only transaction keeps it from changing
//! rows, and nothing but its rights keeps it from files, programs and other servers. Changes no
//! role.

use mcpfn_ports::{Rows, SqlValue};

/// Gives one row a reason why not, and a detail.
pub(super) const QUESTIONS: &str = "
SELECT 'superuser', r.rolname::text FROM pg_roles AS r WHERE r.rolsuper AND pg_has_role(current_user, r.oid, 'MEMBER')
UNION ALL
SELECT 'member', r.rolname::text FROM pg_roles AS r
 WHERE r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend',
                     'pg_write_all_data', 'pg_maintain', 'pg_checkpoint', 'pg_create_subscription')
   AND pg_has_role(current_user, r.oid, 'MEMBER')
UNION ALL
SELECT 'attribute', a.name FROM pg_roles AS r
 CROSS JOIN LATERAL (VALUES ('CREATEROLE', r.rolcreaterole), ('CREATEDB', r.rolcreatedb), ('REPLICATION', r.rolreplication)) AS a (name, has)
 WHERE r.rolname = current_user AND a.has
UNION ALL
(SELECT 'write', c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
   AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
 ORDER BY 2 LIMIT 1)
UNION ALL
(SELECT 'create', n.nspname::text FROM pg_namespace AS n
 WHERE n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'CREATE') ORDER BY 2 LIMIT 1)
UNION ALL
SELECT 'create in', current_database()::text WHERE has_database_privilege(current_database(), 'CREATE')
UNION ALL
(SELECT 'function', p.proname::text FROM pg_proc AS p
 WHERE p.proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'lo_import', 'lo_export', 'pg_file_write',
                     'pg_reload_conf', 'pg_rotate_logfile', 'pg_switch_wal', 'pg_create_restore_point', 'pg_promote', 'dblink', 'dblink_exec',
                     'dblink_connect', 'dblink_send_query')
   AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 2 LIMIT 1)";

/// What is wrong with the role, as a sentence that says what to do; nothing when it is fit.
pub(super) fn verdict(rows: &Rows) -> Option<String> {
    let reason = rows.rows.iter().find_map(|row| match row.as_slice() {
        [kind, detail] => reason(kind.as_str()?, detail),
        _ => None,
    })?;
    Some(format!(
        "the database role is not fit for statements that a model writes: it {reason}; give a role of its own that has CONNECT, USAGE and \
         SELECT and nothing else"
    ))
}

fn reason(kind: &str, detail: &SqlValue) -> Option<String> {
    let detail = detail.as_str()?;
    Some(match kind {
        "superuser" => format!("is a superuser, by itself or as a member of `{detail}`"),
        "member" => format!("is a member of `{detail}`"),
        "attribute" => format!("has the attribute {detail}"),
        "write" => format!("may change `{detail}`"),
        "create" => format!(
            "may create things in the schema `{detail}` (REVOKE CREATE ON SCHEMA {detail} FROM \
             PUBLIC takes that away)"
        ),
        "create in" => format!("may create schemas in the database `{detail}`"),
        _ => {
            format!("may call `{detail}`, which reaches files, the server itself or other servers")
        }
    })
}
