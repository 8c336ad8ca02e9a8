-- A small database of somebody's, for mistakes and for what is written. Statements are separated by empty lines.
CREATE TABLE company (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  town TEXT,
  founded INTEGER,
  gone INTEGER,
  "odd.name" TEXT,
  logo BLOB
);

CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  company_id INTEGER NOT NULL,
  full_name TEXT NOT NULL
);

CREATE TABLE deal (
  id INTEGER PRIMARY KEY,
  company_id INTEGER NOT NULL,
  title TEXT NOT NULL,
  stage TEXT,
  cents INTEGER NOT NULL,
  opened TEXT NOT NULL
);

CREATE TABLE note (
  id TEXT PRIMARY KEY,
  company_code TEXT NOT NULL,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  at TEXT NOT NULL,
  author TEXT NOT NULL,
  seen INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE keyless (
  number INTEGER,
  code TEXT,
  kind TEXT
);

CREATE VIEW totals AS SELECT company_id, sum(cents) AS cents FROM deal GROUP BY company_id;

CREATE VIEW notes AS SELECT id FROM note;

INSERT INTO company VALUES (1, 'acme', 'Acme "Rockets"; Ltd', 'Reno', 0, 0, 'x', NULL), (2, 'gone', 'Gone', NULL, NULL, 1, NULL, NULL);

INSERT INTO deal VALUES (1, 1, 'Two rockets', 'W', 12345, '2026-01-02'), (2, 1, 'One rocket', 'n', 100, '2026-01-03 10:00:00');
