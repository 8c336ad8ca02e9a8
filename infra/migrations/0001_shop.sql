-- The tables of catalog, crm and inventory, without a row. Written by `cargo xtask worker --migrations`, not by hand.
-- The demo shop: 2,800 products in 22 categories, who buys them, where they lie, and how they are bought and sold. SQLite and
-- Cloudflare D1; PostgreSQL takes the tables without WITHOUT ROWID, and postgres.sql instead of the search index and the triggers.
-- Statements are separated by empty lines.
CREATE TABLE categories (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  code TEXT NOT NULL UNIQUE, -- opens the SKU of each of its products
  about TEXT NOT NULL
);
CREATE TABLE suppliers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  country TEXT NOT NULL, -- ISO 3166-1 alpha-2
  email TEXT NOT NULL,
  lead_time_days INTEGER NOT NULL CHECK (lead_time_days > 0)
);
CREATE TABLE products (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE CHECK (length(id) = 36), -- UUID
  sku TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL UNIQUE,
  brand TEXT NOT NULL,
  category TEXT NOT NULL REFERENCES categories (name),
  supplier_id INTEGER NOT NULL REFERENCES suppliers (id),
  description TEXT NOT NULL,
  keywords TEXT NOT NULL, -- other words that people search for
  price_cents INTEGER NOT NULL CHECK (price_cents > 0),
  currency TEXT NOT NULL,
  stock INTEGER NOT NULL CHECK (stock >= 0), -- units in all warehouses, kept by a trigger
  rating REAL CHECK (rating BETWEEN 1 AND 5), -- NULL until somebody has reviewed it
  reviews INTEGER NOT NULL CHECK (reviews >= 0),
  weight_grams INTEGER NOT NULL CHECK (weight_grams > 0),
  added_on TEXT NOT NULL -- ISO 8601 date
);
CREATE INDEX products_by_category ON products (category, price_cents);
CREATE INDEX products_by_brand ON products (brand);
CREATE INDEX products_by_supplier ON products (supplier_id);
CREATE INDEX products_by_price ON products (price_cents);
CREATE TABLE warehouses (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  city TEXT NOT NULL,
  country TEXT NOT NULL -- ISO 3166-1 alpha-2
);
CREATE TABLE stock_levels (
  sku TEXT NOT NULL REFERENCES products (sku),
  warehouse_id INTEGER NOT NULL REFERENCES warehouses (id),
  quantity INTEGER NOT NULL CHECK (quantity >= 0),
  reorder_point INTEGER NOT NULL CHECK (reorder_point >= 0), -- order again when the quantity falls to this
  PRIMARY KEY (sku, warehouse_id)
) WITHOUT ROWID;
CREATE INDEX stock_levels_by_warehouse ON stock_levels (warehouse_id);
CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE,
  city TEXT NOT NULL,
  country TEXT NOT NULL, -- ISO 3166-1 alpha-2
  joined_on TEXT NOT NULL -- ISO 8601 date
);
CREATE INDEX customers_by_country ON customers (country, city);
CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  placed_at TEXT NOT NULL, -- ISO 8601, UTC
  status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'shipped', 'delivered', 'cancelled', 'returned')),
  total_cents INTEGER NOT NULL CHECK (total_cents > 0),
  currency TEXT NOT NULL
);
CREATE INDEX orders_by_customer ON orders (customer_id, placed_at);
CREATE INDEX orders_by_time ON orders (placed_at);
CREATE INDEX orders_by_status ON orders (status, placed_at);
CREATE TABLE order_items (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  line INTEGER NOT NULL CHECK (line > 0),
  sku TEXT NOT NULL REFERENCES products (sku),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  unit_price_cents INTEGER NOT NULL CHECK (unit_price_cents > 0), -- at the time of the order
  PRIMARY KEY (order_id, line)
) WITHOUT ROWID;
CREATE INDEX order_items_by_product ON order_items (sku);
CREATE TABLE sales (
  sku TEXT NOT NULL REFERENCES products (sku),
  warehouse_id INTEGER NOT NULL REFERENCES warehouses (id), -- that the units left
  sold_on TEXT NOT NULL, -- ISO 8601 date
  quantity INTEGER NOT NULL CHECK (quantity > 0), -- units on that day, over all channels: orders of this shop, stores, resellers
  PRIMARY KEY (sku, warehouse_id, sold_on)
) WITHOUT ROWID;
CREATE TABLE purchase_orders (
  id TEXT PRIMARY KEY,
  sku TEXT NOT NULL REFERENCES products (sku),
  supplier_id INTEGER NOT NULL REFERENCES suppliers (id),
  warehouse_id INTEGER NOT NULL REFERENCES warehouses (id), -- that it is delivered to
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  status TEXT NOT NULL CHECK (status IN ('draft', 'ordered', 'received', 'cancelled')),
  created_at TEXT NOT NULL, -- ISO 8601, UTC
  created_by TEXT NOT NULL
);
CREATE INDEX purchase_orders_by_product ON purchase_orders (sku, warehouse_id);
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  industry TEXT NOT NULL,
  city TEXT NOT NULL,
  country TEXT NOT NULL, -- ISO 3166-1 alpha-2
  status TEXT NOT NULL CHECK (status IN ('prospect', 'active', 'former')),
  owner TEXT NOT NULL, -- who looks after it
  since TEXT NOT NULL -- ISO 8601 date
);
CREATE TABLE account_contacts (
  account_id TEXT NOT NULL REFERENCES accounts (id),
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  role TEXT NOT NULL,
  PRIMARY KEY (account_id, customer_id)
) WITHOUT ROWID;
CREATE INDEX account_contacts_by_customer ON account_contacts (customer_id);
CREATE TABLE opportunities (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  title TEXT NOT NULL,
  stage TEXT NOT NULL CHECK (stage IN ('qualified', 'proposal', 'negotiation', 'won', 'lost')),
  amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  currency TEXT NOT NULL,
  opened_on TEXT NOT NULL, -- ISO 8601 date
  close_on TEXT NOT NULL -- ISO 8601 date: expected, or when it was won or lost
);
CREATE INDEX opportunities_by_account ON opportunities (account_id);
CREATE TABLE activities (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  kind TEXT NOT NULL CHECK (kind IN ('call', 'email', 'meeting', 'note', 'task')),
  note TEXT NOT NULL,
  happened_at TEXT NOT NULL, -- ISO 8601, UTC
  author TEXT NOT NULL
);
CREATE INDEX activities_by_account ON activities (account_id, happened_at);
CREATE TABLE handbook (
  position INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE VIRTUAL TABLE product_search USING fts5 (
  name, brand, category, keywords, description,
  content = 'products', content_rowid = 'number', tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER products_added AFTER INSERT ON products BEGIN
  INSERT INTO product_search (rowid, name, brand, category, keywords, description)
  VALUES (new.number, new.name, new.brand, new.category, new.keywords, new.description);
END;
CREATE TRIGGER products_removed AFTER DELETE ON products BEGIN
  INSERT INTO product_search (product_search, rowid, name, brand, category, keywords, description)
  VALUES ('delete', old.number, old.name, old.brand, old.category, old.keywords, old.description);
END;
CREATE TRIGGER products_described AFTER UPDATE OF name, brand, category, keywords, description ON products BEGIN
  INSERT INTO product_search (product_search, rowid, name, brand, category, keywords, description)
  VALUES ('delete', old.number, old.name, old.brand, old.category, old.keywords, old.description);
  INSERT INTO product_search (rowid, name, brand, category, keywords, description)
  VALUES (new.number, new.name, new.brand, new.category, new.keywords, new.description);
END;
CREATE TRIGGER stock_levels_changed AFTER UPDATE OF quantity ON stock_levels BEGIN
  UPDATE products SET stock = stock + new.quantity - old.quantity WHERE sku = new.sku;
END;
