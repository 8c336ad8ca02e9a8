-- The tables that `ingest --sql` fills. Written by `cargo xtask worker --migrations`, not by hand.
CREATE TABLE IF NOT EXISTS documents (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, source TEXT NOT NULL, title TEXT NOT NULL, type TEXT, party TEXT, dated TEXT, characters BIGINT NOT NULL);
CREATE INDEX IF NOT EXISTS documents_by_type ON documents (type, dated);
CREATE INDEX IF NOT EXISTS documents_by_date ON documents (dated);
CREATE TABLE IF NOT EXISTS passages (number INTEGER PRIMARY KEY, document BIGINT NOT NULL REFERENCES documents (number), starts BIGINT NOT NULL, title TEXT NOT NULL, section TEXT NOT NULL, text TEXT NOT NULL, model TEXT, vector BLOB);
CREATE INDEX IF NOT EXISTS passages_by_document ON passages (document, starts);
CREATE INDEX IF NOT EXISTS passages_by_model ON passages (model) WHERE model IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS passages_added AFTER INSERT ON passages BEGIN INSERT INTO passage_search (rowid, title, section, text) VALUES (new.number, new.title, new.section, new.text); END;
CREATE TRIGGER IF NOT EXISTS passages_removed AFTER DELETE ON passages BEGIN INSERT INTO passage_search (passage_search, rowid, title, section, text) VALUES ('delete', old.number, old.title, old.section, old.text); END;
CREATE VIRTUAL TABLE IF NOT EXISTS passage_search USING fts5(title, section, text, content = 'passages', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2');
