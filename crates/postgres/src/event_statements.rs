//! What is asked of events, as text: one statement for each question, which is whole by itself. `$1` is
//! the key of the log, the event or the queue.

use crate::cleaning::MOST;

/// The statements for one schema.
pub(crate) struct EventStatements {
    pub(crate) append: String,
    pub(crate) read: String,
    pub(crate) end: String,
    pub(crate) find: String,
    pub(crate) subscribe: String,
    pub(crate) renew: String,
    pub(crate) unsubscribe: String,
    pub(crate) page: String,
    pub(crate) put: String,
    pub(crate) take: String,
    pub(crate) done: String,
    pub(crate) again: String,
    pub(crate) dead: String,
    pub(crate) next_due: String,
    pub(crate) all_dead: String,
    /// One for each table.
    pub(crate) clean: [String; 5],
}

/// The tables, the youngest of the schema.
const TABLES: [&str; 5] = [
    "event_logs",
    "events",
    "event_subscriptions",
    "event_jobs",
    "event_dead",
];

impl EventStatements {
    pub(crate) fn new(schema: &str) -> Self {
        let of = |text: &str| {
            let text = text.replace("{schema}", schema);
            text.replace("{week}", "date_trunc('hour', now() + interval '8 days')")
        };
        Self {
            append: of(APPEND),
            read: of(READ),
            end: of(END),
            find: of(
                "SELECT version, body, expires_ms FROM {schema}.event_subscriptions \
                WHERE topic = $1 AND id = $2 AND expires_ms > $3::bigint",
            ),
            subscribe: of(SUBSCRIBE),
            renew: of(RENEW),
            unsubscribe: of(
                "DELETE FROM {schema}.event_subscriptions WHERE topic = $1 AND id = $2",
            ),
            page: of(
                "SELECT id, version, body, expires_ms FROM {schema}.event_subscriptions \
                WHERE topic = $1 AND id > $2 AND expires_ms > $3::bigint ORDER BY id \
                LIMIT $4::bigint",
            ),
            put: of(PUT),
            take: of(TAKE),
            done: of("DELETE FROM {schema}.event_jobs \
                WHERE queue = $1 AND key = $2 AND lease = $3::bigint RETURNING 1"),
            again: of(
                "UPDATE {schema}.event_jobs SET body = $4::bytea, due_ms = $5::bigint, \
                free_ms = $5::bigint WHERE queue = $1 AND key = $2 AND lease = $3::bigint RETURNING 1",
            ),
            dead: of(DEAD),
            next_due: of("SELECT min(free_ms) FROM {schema}.event_jobs WHERE queue = $1"),
            all_dead: of("SELECT key, body, due_ms, reason FROM {schema}.event_dead \
                WHERE queue = $1 ORDER BY number DESC LIMIT $2::bigint"),
            clean: TABLES.map(|table| {
                of(&format!(
                    "WITH gone AS (DELETE FROM {{schema}}.{table} WHERE ctid = ANY (ARRAY(\
                     SELECT ctid FROM {{schema}}.{table} WHERE gone_after < now() \
                     ORDER BY gone_after LIMIT {MOST} FOR UPDATE SKIP LOCKED)) RETURNING 1) \
                     SELECT count(*) FROM gone"
                ))
            }),
        }
    }
}

/// `$2` the first position of now, `$3` the oldest that is kept, `$4` how many, `$5` the event, `$6` and
/// `$7` how long the event and the log are known, in milliseconds. The log's row is locked by its
/// change, so that an event is there before another one gets a position. What is too old or too much
/// makes room, a few at a time: more than one append adds.
const APPEND: &str = "WITH gone AS (DELETE FROM {schema}.events \
     WHERE topic = $1 AND position IN (SELECT position FROM {schema}.events WHERE topic = $1 \
      AND (position < $3::bigint OR position <= (SELECT position FROM {schema}.events \
       WHERE topic = $1 ORDER BY position DESC OFFSET $4::bigint - 1 LIMIT 1)) \
      ORDER BY position LIMIT 64) RETURNING position), \
     log AS (INSERT INTO {schema}.event_logs AS l (key, floor, last, gone_after) \
      VALUES ($1, $2::bigint, $2::bigint + 1, \
       date_trunc('hour', now() + $7::bigint * interval '1 millisecond') + interval '1 hour') \
      ON CONFLICT (key) DO UPDATE SET last = GREATEST(l.last + 1, $2::bigint), \
       floor = GREATEST(l.floor, (SELECT max(position) FROM gone)), \
       gone_after = GREATEST(l.gone_after, excluded.gone_after) RETURNING last), \
     added AS (INSERT INTO {schema}.events (topic, position, body, gone_after) \
      SELECT $1, last, $5::bytea, \
       date_trunc('minute', now() + $6::bigint * interval '1 millisecond') + interval '1 minute' \
      FROM log) \
     SELECT last FROM log";

/// `$2` behind which position, `$3` the oldest that is kept, `$4` how many, `$5` of how many bytes.
/// Events without a body are what is left; a row without a position says that there is no event.
const READ: &str = "SELECT l.floor, l.last, e.position, \
     CASE WHEN e.place <= $4::bigint AND e.before < $5::bigint THEN e.body END \
     FROM (SELECT last, GREATEST(floor, (SELECT max(position) FROM {schema}.events \
       WHERE topic = $1 AND position < $3::bigint)) AS floor \
      FROM {schema}.event_logs WHERE key = $1) AS l \
     LEFT JOIN (SELECT position, body, row_number() OVER (ORDER BY position) AS place, \
       sum(octet_length(body)) OVER (ORDER BY position) - octet_length(body) AS before \
      FROM (SELECT position, body FROM {schema}.events \
       WHERE topic = $1 AND position > $2::bigint AND position >= $3::bigint \
       ORDER BY position LIMIT $4::bigint + 1) AS found) AS e ON true \
     ORDER BY e.position";

/// `$2` the first position of now, `$3` how long the log is known.
const END: &str = "INSERT INTO {schema}.event_logs AS l (key, floor, last, gone_after) \
     VALUES ($1, $2::bigint, $2::bigint, \
      date_trunc('hour', now() + $3::bigint * interval '1 millisecond') + interval '1 hour') \
     ON CONFLICT (key) DO UPDATE SET gone_after = GREATEST(l.gone_after, excluded.gone_after) \
     RETURNING last";

/// `$2` id, `$3` owner, `$4` a name of the change, `$5` body, `$6` when it expires, `$7` now, `$8` how
/// long the row is kept, `$9` and `$10` how many an owner and an event may have. How many rows were
/// written, whether one is there, and how many of the owner and of the event there are.
const SUBSCRIBE: &str = "WITH counts AS (SELECT \
      (SELECT count(*) FROM {schema}.event_subscriptions \
       WHERE topic = $1 AND id = $2 AND expires_ms > $7::bigint AND name <> $4::bytea) AS there, \
      (SELECT count(*) FROM {schema}.event_subscriptions \
       WHERE owner = $3 AND expires_ms > $7::bigint AND name <> $4::bytea) AS owned, \
      (SELECT count(*) FROM {schema}.event_subscriptions \
       WHERE topic = $1 AND expires_ms > $7::bigint AND name <> $4::bytea) AS heard), \
     written AS (INSERT INTO {schema}.event_subscriptions AS s \
      (topic, id, owner, name, version, body, expires_ms, gone_after) \
      SELECT $1, $2, $3, $4::bytea, 0, $5::bytea, $6::bigint, \
       date_trunc('minute', now() + $8::bigint * interval '1 millisecond') + interval '1 minute' \
      FROM counts WHERE owned < $9::bigint AND heard < $10::bigint \
      ON CONFLICT (topic, id) DO UPDATE SET owner = excluded.owner, name = excluded.name, \
       version = excluded.version, body = excluded.body, expires_ms = excluded.expires_ms, \
       gone_after = excluded.gone_after \
      WHERE s.expires_ms <= $7::bigint OR s.name = excluded.name RETURNING 1) \
     SELECT (SELECT count(*) FROM written), there, owned, heard FROM counts";

/// The same where a version `$9` is there.
const RENEW: &str = "UPDATE {schema}.event_subscriptions SET owner = $3, name = $4::bytea, \
     version = $9::bigint + 1, body = $5::bytea, expires_ms = $6::bigint, gone_after = \
      date_trunc('minute', now() + $8::bigint * interval '1 millisecond') + interval '1 minute' \
     WHERE topic = $1 AND id = $2 AND expires_ms > $7::bigint \
      AND (version = $9::bigint OR name = $4::bytea) RETURNING 1";

/// `$2` keys, `$3` bodies as `x` and digits, `$4` due times, each a list with spaces. In the order of
/// keys: two that put the same wait for each other, and not both.
const PUT: &str = "INSERT INTO {schema}.event_jobs \
     (queue, key, body, due_ms, free_ms, lease, gone_after) \
     SELECT $1, j.k, decode(substr(j.b, 2), 'hex'), j.d::bigint, j.d::bigint, 0, {week} \
     FROM unnest(string_to_array($2, ' '), string_to_array($3, ' '), string_to_array($4, ' ')) \
      AS j(k, b, d) ORDER BY j.k \
     ON CONFLICT (queue, key) DO NOTHING";

/// `$2` now, `$3` until when it is taken, `$4` how many.
const TAKE: &str = "WITH due AS (SELECT key FROM {schema}.event_jobs \
      WHERE queue = $1 AND free_ms <= $2::bigint ORDER BY free_ms, key LIMIT $4::bigint \
      FOR UPDATE SKIP LOCKED) \
     UPDATE {schema}.event_jobs AS j SET free_ms = $3::bigint, lease = j.lease + 1, \
      gone_after = {week} \
     FROM due WHERE j.queue = $1 AND j.key = due.key RETURNING j.key, j.body, j.due_ms, j.lease";

/// `$2` key, `$3` lease, `$4` the reason.
const DEAD: &str = "WITH gone AS (DELETE FROM {schema}.event_jobs \
      WHERE queue = $1 AND key = $2 AND lease = $3::bigint RETURNING key, body, due_ms) \
     INSERT INTO {schema}.event_dead (queue, key, body, due_ms, reason, gone_after) \
     SELECT $1, key, body, due_ms, $4, {week} FROM gone RETURNING 1";
