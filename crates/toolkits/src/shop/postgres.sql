-- What PostgreSQL has instead of FTS5 and SQLite's triggers. Statements are separated by empty lines.
ALTER TABLE products ADD COLUMN search_document tsvector GENERATED ALWAYS AS (
  setweight(to_tsvector('english'::regconfig, regexp_replace(translate(lower(name), 'áàâäãåçéèêëíìîïñóòôöõúùûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'), '[^[:alnum:]]+', ' ', 'g')), 'A') ||
  setweight(to_tsvector('english'::regconfig, regexp_replace(translate(lower(category), 'áàâäãåçéèêëíìîïñóòôöõúùûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'), '[^[:alnum:]]+', ' ', 'g')), 'B') ||
  setweight(to_tsvector('english'::regconfig, regexp_replace(translate(lower(brand || ' ' || keywords), 'áàâäãåçéèêëíìîïñóòôöõúùûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'), '[^[:alnum:]]+', ' ', 'g')), 'C') ||
  setweight(to_tsvector('english'::regconfig, regexp_replace(translate(lower(description), 'áàâäãåçéèêëíìîïñóòôöõúùûüýÿ', 'aaaaaaceeeeiiiinooooouuuuyy'), '[^[:alnum:]]+', ' ', 'g')), 'D')
) STORED;

CREATE INDEX product_search ON products USING gin (search_document);

CREATE FUNCTION stock_levels_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE products SET stock = stock + new.quantity - old.quantity WHERE sku = new.sku;
  RETURN NULL;
END
$$;

CREATE TRIGGER stock_levels_changed AFTER UPDATE OF quantity ON stock_levels FOR EACH ROW EXECUTE FUNCTION stock_levels_changed();
