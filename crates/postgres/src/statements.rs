//! What is asked, as text: one statement for each question, on one row, so that it is whole by
//! itself. `$1` is always the key.

use crate::cleaning::MOST;

/// The statements for one schema.
pub(crate) struct Statements {
    pub(crate) check: String,
    pub(crate) get: String,
    pub(crate) put: String,
    pub(crate) post: String,
    pub(crate) take: String,
    pub(crate) begin: String,
    pub(crate) look: String,
    pub(crate) complete: String,
    pub(crate) release: String,
    pub(crate) create: String,
    pub(crate) read: String,
    pub(crate) swap: String,
    pub(crate) remove: String,
    pub(crate) records: String,
    pub(crate) replace: String,
    pub(crate) place: String,
    pub(crate) exchange: String,
    /// One for each table; that of tasks is the last.
    pub(crate) clean: [String; 4],
}

/// When a row may be deleted that is kept for so many milliseconds from now. In whole minutes: a
/// row that changes often stays in its place in the index.
macro_rules! gone_after {
    ($milliseconds:literal) => {
        concat!(
            "date_trunc('minute', now() + ",
            $milliseconds,
            " * interval '1 millisecond') + interval '1 minute'"
        )
    };
}

impl Statements {
    pub(crate) fn new(schema: &str) -> Self {
        let of = |text: &str| text.replace("{schema}", schema);
        Self {
            check: of("SELECT FROM {schema}.results, {schema}.rates, {schema}.writes LIMIT 0"),
            get: of("SELECT expires_ms, value FROM {schema}.results \
                WHERE key = $1 AND expires_ms > $2"),
            put: of(PUT),
            post: of(POST),
            take: of(TAKE),
            begin: of(BEGIN),
            look: of("SELECT until_ms, result FROM {schema}.writes \
                WHERE key = $1 AND expires_ms > $2"),
            complete: of(COMPLETE),
            release: of("DELETE FROM {schema}.writes \
                WHERE key = $1 AND holder = $2 AND result IS NULL"),
            create: of(CREATE),
            read: of(READ),
            swap: of(SWAP),
            remove: of("DELETE FROM {schema}.tasks WHERE key = $1"),
            clean: ["results", "rates", "writes", "tasks"]
                .map(|table| clean(&of("{schema}"), table)),
            records: of("SELECT key, holder, result FROM {schema}.writes \
                WHERE key = ANY (string_to_array($1, ' ')) AND expires_ms > $2"),
            replace: of(REPLACE),
            place: of(PLACE),
            exchange: of(EXCHANGE),
        }
    }
}

const PUT: &str = concat!(
    "INSERT INTO {schema}.results (key, value, expires_ms, gone_after) VALUES ($1, $2, $3, ",
    gone_after!("$4"),
    ") ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_ms = excluded.expires_ms, \
     gone_after = excluded.gone_after"
);

/// The first letter under a key counts.
const POST: &str = concat!(
    "INSERT INTO {schema}.results (key, value, expires_ms, gone_after) VALUES ($1, $2, $3, ",
    gone_after!("$4"),
    ") ON CONFLICT (key) DO NOTHING"
);

/// `$2` now, `$3` the time of a call, `$4` of the bucket, `$5` the name of this question. A refusal
/// writes the row as it was: so what is returned is what another one left a moment ago, which a
/// condition on the update would not show.
const TAKE: &str = concat!(
    "INSERT INTO {schema}.rates AS r (key, full_at_us, last, gone_after) \
     VALUES ($1, $2::bigint + $3::bigint, $5::bytea, ",
    gone_after!("($3::bigint / 1000 + $6::bigint)"),
    ") ON CONFLICT (key) DO UPDATE SET (full_at_us, last, gone_after) = (\
     SELECT CASE WHEN t.admits THEN t.after ELSE r.full_at_us END, \
     CASE WHEN t.admits THEN excluded.last ELSE r.last END, \
     CASE WHEN t.admits THEN ",
    gone_after!("((t.after - $2::bigint) / 1000 + $6::bigint)"),
    " ELSE r.gone_after END \
     FROM (SELECT a.after, r.last <> excluded.last AND a.after <= $2::bigint + $4::bigint AS admits \
     FROM (SELECT GREATEST(r.full_at_us, $2::bigint) + $3::bigint AS after) AS a) AS t\
     ) RETURNING full_at_us, last = $5::bytea"
);

/// `$2` holder, `$3` now, `$4` end of the hold, `$5` when it expires. No row where the key is
/// another one's, or done.
const BEGIN: &str = concat!(
    "INSERT INTO {schema}.writes AS w (key, holder, until_ms, expires_ms, gone_after) \
     VALUES ($1, $2, $4, $5, ",
    gone_after!("$6"),
    ") ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms, \
     expires_ms = excluded.expires_ms, result = NULL, gone_after = excluded.gone_after \
     WHERE w.expires_ms <= $3::bigint OR w.result IS NULL AND w.holder = excluded.holder \
     RETURNING 1"
);

/// `$2` holder, `$3` when it expires, `$4` result. No row where another one holds the key.
const COMPLETE: &str = concat!(
    "INSERT INTO {schema}.writes AS w (key, holder, expires_ms, result, gone_after) \
     VALUES ($1, $2, $3, $4, ",
    gone_after!("$5"),
    ") ON CONFLICT (key) DO UPDATE SET until_ms = NULL, expires_ms = excluded.expires_ms, \
     result = excluded.result, gone_after = excluded.gone_after \
     WHERE w.holder = excluded.holder RETURNING 1"
);

/// `$2` name, `$3` now, which is the first version: above all of an earlier task under this key. No
/// row where there is a task. A question that is sent again finds its name.
const CREATE: &str = concat!(
    "INSERT INTO {schema}.tasks AS t \
     (key, name, version, expires_ms, head, call, gone_after) \
     VALUES ($1, $2, $3, $4, $6, $7, ",
    gone_after!("$5"),
    ") ON CONFLICT (key) DO UPDATE SET name = excluded.name, version = excluded.version, \
     expires_ms = excluded.expires_ms, head = excluded.head, call = excluded.call, \
     questions = NULL, checkpoint = NULL, outcome = NULL, gone_after = excluded.gone_after \
     WHERE t.expires_ms <= $3::bigint OR t.name = excluded.name RETURNING 1"
);

/// `$2` now, and whether each part is wanted: what is not stays outside the row, and is not read.
const READ: &str = "SELECT version, CASE WHEN $3::bigint = 1 THEN head END, \
     CASE WHEN $4::bigint = 1 THEN call END, CASE WHEN $5::bigint = 1 THEN questions END, \
     CASE WHEN $6::bigint = 1 THEN checkpoint END, CASE WHEN $7::bigint = 1 THEN outcome END \
     FROM {schema}.tasks WHERE key = $1 AND expires_ms > $2";

/// `$2` name, `$3` now, `$6` the version that was read. How many rows were changed, and how many
/// there are.
const SWAP: &str = concat!(
    "WITH changed AS (UPDATE {schema}.tasks SET name = $2, version = $6::bigint + 1, \
     expires_ms = $4, head = $7, call = COALESCE($8, call), questions = COALESCE($9, questions), \
     checkpoint = COALESCE($10, checkpoint), outcome = COALESCE($11, outcome), gone_after = ",
    gone_after!("$5"),
    " WHERE key = $1 AND expires_ms > $3 AND (version = $6 OR name = $2) RETURNING 1) \
     SELECT (SELECT count(*) FROM changed), \
     (SELECT count(*) FROM {schema}.tasks WHERE key = $1 AND expires_ms > $3)"
);

/// A record of a subscription, over whatever there is: `$2` version, `$3` when it expires, `$4`
/// value.
const REPLACE: &str = concat!(
    "INSERT INTO {schema}.writes AS w (key, holder, expires_ms, result, gone_after) \
     VALUES ($1, $2, $3, $4, ",
    gone_after!("$5"),
    ") ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, until_ms = NULL, \
     expires_ms = excluded.expires_ms, result = excluded.result, \
     gone_after = excluded.gone_after RETURNING 1"
);

/// The same where there is nothing at `$6`, or the record itself.
const PLACE: &str = concat!(
    "INSERT INTO {schema}.writes AS w (key, holder, expires_ms, result, gone_after) \
     VALUES ($1, $2, $3, $4, ",
    gone_after!("$5"),
    ") ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, until_ms = NULL, \
     expires_ms = excluded.expires_ms, result = excluded.result, \
     gone_after = excluded.gone_after \
     WHERE w.expires_ms <= $6 OR w.holder = excluded.holder RETURNING 1"
);

/// The same where the version `$7` is there at `$6`, or the record itself.
const EXCHANGE: &str = concat!(
    "UPDATE {schema}.writes SET holder = $2::bytea, expires_ms = $3, result = $4, gone_after = ",
    gone_after!("$5"),
    " WHERE key = $1 AND expires_ms > $6 AND holder IN ($2::bytea, $7::bytea) RETURNING 1"
);

/// Rows that others have locked are theirs to change, or to delete. The array is made once, whatever
/// plan the server chooses.
fn clean(schema: &str, table: &str) -> String {
    format!(
        "WITH gone AS (DELETE FROM {schema}.{table} WHERE key = ANY (ARRAY(\
         SELECT key FROM {schema}.{table} WHERE gone_after < now() \
         ORDER BY gone_after LIMIT {MOST} FOR UPDATE SKIP LOCKED)) RETURNING 1) \
         SELECT count(*) FROM gone"
    )
}
