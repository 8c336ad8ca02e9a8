//! Whether a role is fit for unvetted statements: a read-only transaction keeps it from changing
//! rows, and nothing but its rights keeps it from files, programs and other servers. Changes no
//! role.

use mcpfn_ports::{Rows, SqlValue};

/// Gives one row a reason why not, a detail, and what the advice needs. The parameter lists the
/// functions that the operator accepts, as `schema.name`. Outside of `pg_catalog` no function is
/// known by its name: one that is volatile, runs with its owner's rights or is in an untrusted
/// language may do anything; triggers can't be called. Those of `pg_catalog` stop other sessions,
/// write to the log of changes without changing a row, show the statements of the role's other
/// sessions, or reach files.
pub(crate) const QUESTIONS: &str = "
SELECT 'superuser', r.rolname::text, '' FROM pg_roles AS r WHERE r.rolsuper AND pg_has_role(current_user, r.oid, 'MEMBER')
UNION ALL
SELECT 'member', format('%I', g.rolname), format('%I', u.rolname) FROM pg_auth_members AS m
 JOIN pg_roles AS g ON g.oid = m.roleid JOIN pg_roles AS u ON u.oid = m.member WHERE u.rolname = current_user
UNION ALL
(SELECT 'owner', pg_describe_object(d.classid, d.objid, d.objsubid), format('%I', current_user) FROM pg_shdepend AS d
 JOIN pg_roles AS r ON r.oid = d.refobjid
 WHERE d.deptype = 'o' AND d.refclassid = 'pg_authid'::regclass AND r.rolname = current_user
   AND d.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 2 LIMIT 1)
UNION ALL
SELECT 'attribute', a.name, format('%I', r.rolname) FROM pg_roles AS r
 CROSS JOIN LATERAL (VALUES ('CREATEROLE', r.rolcreaterole), ('CREATEDB', r.rolcreatedb), ('REPLICATION', r.rolreplication)) AS a (name, has)
 WHERE r.rolname = current_user AND a.has
UNION ALL
(SELECT 'write', c.oid::regclass::text, '' FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
   AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE') OR has_any_column_privilege(c.oid, 'INSERT, UPDATE'))
 ORDER BY 2 LIMIT 1)
UNION ALL
(SELECT 'create', n.nspname::text, '' FROM pg_namespace AS n
 WHERE n.nspname NOT LIKE 'pg\\_%' AND has_schema_privilege(n.oid, 'CREATE') ORDER BY 2 LIMIT 1)
UNION ALL
SELECT 'create in', current_database()::text, '' WHERE has_database_privilege(current_database(), 'CREATE')
UNION ALL
(SELECT 'function', format('%I.%I', n.nspname, p.proname),
   format('REVOKE EXECUTE ON %s %I.%I(%s) FROM PUBLIC, %I', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
          n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), current_user)
 FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace JOIN pg_language AS l ON l.oid = p.prolang
 WHERE CASE WHEN n.nspname = 'pg_catalog'
       THEN p.proname IN ('pg_terminate_backend', 'pg_cancel_backend', 'pg_logical_emit_message', 'pg_stat_get_activity',
                          'pg_stat_get_backend_activity', 'pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file',
                          'lo_import', 'lo_export', 'pg_reload_conf', 'pg_rotate_logfile', 'pg_switch_wal',
                          'pg_create_restore_point', 'pg_promote')
       ELSE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND (p.provolatile = 'v' OR p.prosecdef OR (l.lanispl AND NOT l.lanpltrusted)) END
   AND format('%s.%s', n.nspname, p.proname) <> ALL (string_to_array($1, ','))
   AND has_schema_privilege(n.oid, 'USAGE') AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 2, 3 LIMIT 1)";

/// What is wrong with the role, as a sentence that says what to do; nothing when it is fit.
pub(crate) fn verdict(rows: &Rows) -> Option<String> {
    let reason = rows.rows.iter().find_map(|row| match row.as_slice() {
        [kind, detail, more] => reason(kind.as_str()?, detail, more.as_str()?),
        _ => None,
    })?;
    Some(format!(
        "the database role is not fit for statements that a model writes: it {reason}; give a role of its own that has CONNECT, USAGE and \
         SELECT and nothing else"
    ))
}

fn reason(kind: &str, detail: &SqlValue, more: &str) -> Option<String> {
    let detail = detail.as_str()?;
    Some(match kind {
        "superuser" => format!("is a superuser, by itself or as a member of `{detail}`"),
        "member" => {
            format!("is a member of `{detail}` (REVOKE {detail} FROM {more} takes that away)")
        }
        "owner" => format!(
            "owns the {detail} (REASSIGN OWNED BY {more} TO CURRENT_USER gives it to another role)"
        ),
        "attribute" => {
            format!("has the attribute {detail} (ALTER ROLE {more} NO{detail} takes that away)")
        }
        "write" => format!("may change `{detail}`"),
        "create" => format!(
            "may create things in the schema `{detail}` (REVOKE CREATE ON SCHEMA {detail} FROM \
             PUBLIC takes that away)"
        ),
        "create in" => format!("may create schemas in the database `{detail}`"),
        _ => format!(
            "may call `{detail}` ({more} takes that away; where that is not yours to revoke, or the \
             function is harmless, MCPFN_DATABASE_FUNCTIONS={detail} accepts it)"
        ),
    })
}
