package tests_test

import (
	"gorm.io/gorm"
)

// The models of the matrix: every kind of association, of key and of column that a write may reach.
type (
	company struct {
		ID   int
		Name string
	}
	customer struct {
		ID        int
		Name      string
		Email     string `gorm:"unique"`
		Age       int
		CompanyID *int
		Company   *company
		ManagerID *int
		Manager   *customer
		Reports   []customer `gorm:"foreignKey:ManagerID"`
		Profile   *profile
		Purchases []purchase
		Labels    []label           `gorm:"many2many:customer_labels"`
		Toys      []toy             `gorm:"polymorphic:Owner"`
		Address   address           `gorm:"embedded;embeddedPrefix:addr_"`
		Prefs     map[string]string `gorm:"serializer:json"`
		DeletedAt gorm.DeletedAt
	}
	address struct {
		City, Street string
	}
	profile struct {
		ID         int
		CustomerID *int
		Bio        string
	}
	purchase struct {
		ID         int
		CustomerID *int
		Cents      int
		Paid       bool
		Items      []item
	}
	item struct {
		ID         int
		PurchaseID *int
		Name       string
	}
	label struct {
		ID   int
		Name string `gorm:"unique"`
	}
	toy struct {
		ID        int
		Name      string
		OwnerID   *int
		OwnerType string
	}
	setting struct {
		Key   string `gorm:"primaryKey"`
		Value string
	}
	weird struct {
		ID   int
		Text string `gorm:"column:Some Text"`
	}
)

func (weird) TableName() string { return "weird" }

// matrixSchema is made without GORM: foreign keys with actions, views and names that need quotes are known from the
// database's catalog alone.
const matrixSchema = `
CREATE TABLE companies (id serial PRIMARY KEY, name text);
CREATE TABLE customers (
  id serial PRIMARY KEY, name text, email text UNIQUE, age int, company_id int REFERENCES companies ON DELETE SET NULL,
  manager_id int REFERENCES customers ON DELETE SET NULL, addr_city text, addr_street text, prefs text,
  deleted_at timestamptz);
CREATE TABLE profiles (id serial PRIMARY KEY, customer_id int REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE, bio text);
CREATE TABLE purchases (
  id serial PRIMARY KEY, customer_id int REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE, cents int, paid bool);
CREATE TABLE items (id serial PRIMARY KEY, purchase_id int REFERENCES purchases ON DELETE CASCADE, name text);
CREATE TABLE labels (id serial PRIMARY KEY, name text UNIQUE);
CREATE TABLE customer_labels (
  customer_id int REFERENCES customers ON UPDATE CASCADE ON DELETE CASCADE, label_id int REFERENCES labels ON DELETE CASCADE,
  PRIMARY KEY (customer_id, label_id));
CREATE TABLE toys (id serial PRIMARY KEY, name text, owner_id int, owner_type text);
CREATE TABLE seats (hall text, no bigint, name text, PRIMARY KEY (hall, no));
CREATE TABLE settings (key text PRIMARY KEY, value text);
CREATE TABLE weird (id serial PRIMARY KEY, "Some Text" text);
CREATE TABLE "Odd.Name" (id int PRIMARY KEY, "Value" text);
CREATE TABLE events (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2040-01-01');
CREATE TABLE counters (name text PRIMARY KEY, n int);
CREATE VIEW debtors AS SELECT c.id, c.name, p.cents FROM customers c JOIN purchases p ON p.customer_id = c.id WHERE NOT p.paid;
CREATE VIEW adults AS SELECT id, name, age FROM customers WHERE age >= 18;
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(cents) AS cents FROM purchases GROUP BY customer_id;
CREATE FUNCTION count_toy() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN UPDATE counters SET n = n + 1 WHERE name = 'toys'; RETURN NULL; END $$;
CREATE TRIGGER toys_counted AFTER INSERT OR DELETE ON toys FOR EACH ROW EXECUTE FUNCTION count_toy();
CREATE FUNCTION rename_company(int, text) RETURNS void LANGUAGE sql AS $$
  UPDATE companies SET name = $2 WHERE id = $1 $$;
CREATE PROCEDURE close_purchases() LANGUAGE sql AS $$ UPDATE purchases SET paid = true $$;
`

// matrixRows makes the tables hold what every cell of the matrix begins with. New rows get keys from 101 on.
const matrixRows = `
DELETE FROM items; DELETE FROM purchases; DELETE FROM profiles; DELETE FROM customer_labels; DELETE FROM labels;
DELETE FROM toys; DELETE FROM customers; DELETE FROM companies; DELETE FROM seats; DELETE FROM settings; DELETE FROM weird;
DELETE FROM "Odd.Name"; DELETE FROM events; DELETE FROM counters;
INSERT INTO companies VALUES (1, 'Acme'), (2, 'Bolt'), (3, 'Corp');
INSERT INTO customers VALUES
  (1, 'ada', 'ada@x', 30, 1, NULL, 'Rome', 'a st', '{"a":"1"}', NULL), (2, 'bob', 'bob@x', 17, 1, 1, 'Oslo', 'b st', '{}', NULL),
  (3, 'cyd', 'cyd@x', 40, 2, 1, 'Rome', 'c st', 'null', NULL), (4, 'dan', 'dan@x', 50, NULL, 3, 'Bonn', 'd st', '{}', NULL),
  (5, 'eve', 'eve@x', 60, 3, NULL, 'Bonn', 'e st', '{}', '2024-01-01');
INSERT INTO profiles VALUES (1, 1, 'bio 1'), (2, 2, 'bio 2'), (3, 3, 'bio 3');
INSERT INTO purchases VALUES (1, 1, 100, true), (2, 1, 200, false), (3, 2, 300, false), (4, 3, 400, true);
INSERT INTO items VALUES (1, 1, 'pen'), (2, 1, 'ink'), (3, 2, 'cup'), (4, 4, 'hat');
INSERT INTO labels VALUES (1, 'vip'), (2, 'new'), (3, 'old'), (4, 'lone');
INSERT INTO customer_labels VALUES (1, 1), (1, 2), (2, 2), (3, 3);
INSERT INTO counters VALUES ('toys', 0);
INSERT INTO toys VALUES (1, 'car', 1, 'customers'), (2, 'kite', 2, 'customers'), (3, 'ball', 1, 'others');
UPDATE counters SET n = 0;
INSERT INTO seats VALUES ('a', 1, 's1'), ('a', 2, 's2'), ('b', 1, 's3');
INSERT INTO settings VALUES ('theme', 'dark'), ('lang', 'en');
INSERT INTO weird VALUES (1, 'w1'), (2, 'w2');
INSERT INTO "Odd.Name" VALUES (1, 'o1'), (2, 'o2');
INSERT INTO events VALUES (1, '2010-01-01'), (2, '2030-01-01');
SELECT setval(pg_get_serial_sequence(t, 'id'), 100)
  FROM unnest(ARRAY['companies', 'customers', 'profiles', 'purchases', 'items', 'labels', 'toys', 'weird']) t;
`
