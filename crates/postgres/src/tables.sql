-- Tables by which the instances of a server share cached results, rate limits, idempotent writes and
-- tasks.
-- A server makes them itself where its role may. Otherwise run this once (for a schema with another
-- name, with that name in the place of this one), and grant the server's role USAGE on the schema
-- and SELECT, INSERT, UPDATE, DELETE on all tables in it.

-- instances that start together make them one after the other
SELECT pg_advisory_xact_lock(7022998150317728622);

DO $$
BEGIN
  IF to_regnamespace('mcpfn') IS NULL THEN
    CREATE SCHEMA mcpfn;
  END IF;
END
$$;

CREATE UNLOGGED TABLE IF NOT EXISTS mcpfn.results (
  key text COLLATE "C" PRIMARY KEY,
  value bytea NOT NULL,
  expires_ms bigint NOT NULL,
  gone_after timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS results_gone_after ON mcpfn.results (gone_after);

-- room in each page for the next versions of its rows, which then need no new entry in an index
CREATE UNLOGGED TABLE IF NOT EXISTS mcpfn.rates (
  key text COLLATE "C" PRIMARY KEY,
  full_at_us bigint NOT NULL,
  last bytea NOT NULL,
  gone_after timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS rates_gone_after ON mcpfn.rates (gone_after);

CREATE TABLE IF NOT EXISTS mcpfn.writes (
  key text COLLATE "C" PRIMARY KEY,
  holder bytea NOT NULL,
  until_ms bigint,
  expires_ms bigint NOT NULL,
  result bytea,
  gone_after timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS writes_gone_after ON mcpfn.writes (gone_after);

-- as for rates: its head changes often, and what is large of the rest is outside the row
CREATE TABLE IF NOT EXISTS mcpfn.tasks (
  key text COLLATE "C" PRIMARY KEY,
  name bytea NOT NULL,
  version bigint NOT NULL,
  expires_ms bigint NOT NULL,
  head bytea NOT NULL,
  call bytea NOT NULL,
  questions bytea,
  checkpoint bytea,
  outcome bytea,
  gone_after timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS tasks_gone_after ON mcpfn.tasks (gone_after);

-- where a log of events begins and ends: positions grow by its row, so that events come in order
CREATE TABLE IF NOT EXISTS mcpfn.event_logs (
  key text COLLATE "C" PRIMARY KEY,
  floor bigint NOT NULL,
  last bigint NOT NULL,
  gone_after timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS event_logs_gone_after ON mcpfn.event_logs (gone_after);

CREATE TABLE IF NOT EXISTS mcpfn.events (
  topic text COLLATE "C" NOT NULL,
  position bigint NOT NULL,
  body bytea NOT NULL,
  gone_after timestamptz NOT NULL,
  PRIMARY KEY (topic, position)
);
CREATE INDEX IF NOT EXISTS events_gone_after ON mcpfn.events (gone_after);

CREATE TABLE IF NOT EXISTS mcpfn.event_subscriptions (
  topic text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  owner text COLLATE "C" NOT NULL,
  name bytea NOT NULL,
  version bigint NOT NULL,
  body bytea NOT NULL,
  expires_ms bigint NOT NULL,
  gone_after timestamptz NOT NULL,
  PRIMARY KEY (topic, id)
);
CREATE INDEX IF NOT EXISTS event_subscriptions_owner ON mcpfn.event_subscriptions (owner);
CREATE INDEX IF NOT EXISTS event_subscriptions_gone_after ON mcpfn.event_subscriptions (gone_after);

CREATE TABLE IF NOT EXISTS mcpfn.event_jobs (
  queue text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  body bytea NOT NULL,
  due_ms bigint NOT NULL,
  free_ms bigint NOT NULL,
  lease bigint NOT NULL,
  gone_after timestamptz NOT NULL,
  PRIMARY KEY (queue, key)
);
CREATE INDEX IF NOT EXISTS event_jobs_free ON mcpfn.event_jobs (queue, free_ms, key);
CREATE INDEX IF NOT EXISTS event_jobs_gone_after ON mcpfn.event_jobs (gone_after);

CREATE TABLE IF NOT EXISTS mcpfn.event_dead (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  body bytea NOT NULL,
  due_ms bigint NOT NULL,
  reason text NOT NULL,
  gone_after timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS event_dead_queue ON mcpfn.event_dead (queue, number);
CREATE INDEX IF NOT EXISTS event_dead_gone_after ON mcpfn.event_dead (gone_after);
