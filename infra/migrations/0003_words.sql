-- Documents in every script: texts that are not ASCII are found so once `ingest --sql` has added them again. Written by `cargo xtask worker --migrations`, not by hand.
DROP TRIGGER IF EXISTS passages_added;
DROP TRIGGER IF EXISTS passages_removed;
DROP TABLE IF EXISTS passage_search;
ALTER TABLE passages ADD COLUMN title_terms TEXT;
ALTER TABLE passages ADD COLUMN section_terms TEXT;
ALTER TABLE passages ADD COLUMN text_terms TEXT;
CREATE TABLE IF NOT EXISTS passage_vocabulary (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS passage_terms AS SELECT number, coalesce(title_terms, title) AS title, coalesce(section_terms, section) AS section, coalesce(text_terms, text) AS text FROM passages;
CREATE VIRTUAL TABLE IF NOT EXISTS passage_search USING fts5(title, section, text, content = 'passage_terms', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2');
INSERT INTO passage_search (passage_search) VALUES ('rebuild');
CREATE TRIGGER IF NOT EXISTS passages_added AFTER INSERT ON passages BEGIN INSERT INTO passage_search (rowid, title, section, text) VALUES (new.number, coalesce(new.title_terms, new.title), coalesce(new.section_terms, new.section), coalesce(new.text_terms, new.text)); END;
CREATE TRIGGER IF NOT EXISTS passages_removed AFTER DELETE ON passages BEGIN INSERT INTO passage_search (passage_search, rowid, title, section, text) VALUES ('delete', old.number, coalesce(old.title_terms, old.title), coalesce(old.section_terms, old.section), coalesce(old.text_terms, old.text)); END;
