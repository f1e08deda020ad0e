package tests_test

import (
	"database/sql"
	"errors"

	"gorm.io/gorm"
)

func postgresMatrix() matrixDialect {
	return matrixDialect{
		words:  []string{"{serial}", "serial PRIMARY KEY", "{text}", "text", "{time}", "timestamptz"},
		schema: postgresSchema, rows: postgresRows, finish: "REFRESH MATERIALIZED VIEW totals",
		statements:  append(append(postgresStatements(), returning()...), returningUpdated()...),
		definitions: postgresDefinitions(), reads: postgresReads(),
	}
}

const postgresSchema = `
CREATE TABLE events (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
CREATE TABLE events_new PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2040-01-01');
CREATE MATERIALIZED VIEW totals AS SELECT customer_id, sum(cents) AS cents FROM purchases GROUP BY customer_id;
CREATE FUNCTION count_toy() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN UPDATE counters SET n = n + 1 WHERE name = 'toys'; RETURN NULL; END $$;
CREATE TRIGGER toys_counted AFTER INSERT OR DELETE ON toys FOR EACH ROW EXECUTE FUNCTION count_toy();
CREATE FUNCTION rename_company(int, text) RETURNS void LANGUAGE sql AS $$
  UPDATE companies SET name = $2 WHERE id = $1 $$;
CREATE PROCEDURE close_purchases() LANGUAGE sql AS $$ UPDATE purchases SET paid = true $$;
`

const postgresRows = `
DELETE FROM events;
INSERT INTO events VALUES (1, '2010-01-01'), (2, '2030-01-01');
SELECT setval(pg_get_serial_sequence(t, 'id'), 100)
  FROM unnest(ARRAY['companies', 'customers', 'profiles', 'purchases', 'items', 'labels', 'toys', 'weird']) t;
`

func postgresReads() []matrixRead {
	return []matrixRead{
		{name: "composite keys", run: all[seat](by("hall, no", "(hall, no) IN ?", [][]any{{"a", 1}, {"a", 2}, {"b", 1}, {"b", 9}}))},
		{name: "string key without a table", run: first[setting](by("key", "key = ?", "theme"))},
		{name: "concatenation", run: raw[string]("SELECT c.name || i.name FROM customers c, purchases p, items i " +
			"WHERE p.customer_id = c.id AND i.purchase_id = p.id ORDER BY 1")},
		{name: "cast", run: raw[string]("SELECT paid::text FROM purchases ORDER BY id")},
		{name: "EXISTS of nothing", run: raw[bool]("SELECT EXISTS (SELECT FROM customers WHERE email = ?)", "new@x")},
		{name: "LATERAL", run: raw[total]("SELECT c.name, x.cents FROM customers c, LATERAL " +
			"(SELECT cents FROM purchases p WHERE p.customer_id = c.id ORDER BY cents DESC LIMIT 1) x ORDER BY c.id")},
		{name: "materialized view", run: raw[total]("SELECT customer_id::text AS name, cents FROM totals ORDER BY 1")},
		{name: "partitioned table", run: raw[int]("SELECT id FROM events ORDER BY id")},
		{name: "partition", run: raw[int]("SELECT id FROM events_new ORDER BY id")},
	}
}

func postgresStatements() []matrixMutation {
	return []matrixMutation{
		{name: "UPDATE FROM", run: statement("UPDATE purchases p SET cents = c.age FROM customers c WHERE c.id = p.customer_id AND c.age > ?", 20)},
		{name: "DELETE USING", run: statement("DELETE FROM items USING purchases WHERE purchases.id = items.purchase_id AND paid")},
		{name: "WITH", run: statement("WITH gone AS (DELETE FROM items WHERE purchase_id = ? RETURNING *), "+
			"made AS (INSERT INTO labels (name) SELECT name FROM gone RETURNING id) UPDATE counters SET n = (SELECT count(*) FROM made)", 1)},
		{name: "MERGE", run: statement("MERGE INTO settings s USING (VALUES ('theme', 'm'), ('size', 'm')) v(k, val) ON s.key = v.k " +
			"WHEN MATCHED THEN UPDATE SET value = v.val WHEN NOT MATCHED THEN INSERT VALUES (v.k, v.val)")},
		{name: "ON CONFLICT", run: statement("INSERT INTO settings VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value", "theme", "c")},
		{name: "TRUNCATE", run: statement("TRUNCATE items")},
		{name: "TRUNCATE CASCADE", run: statement("TRUNCATE customers CASCADE")},
		{name: "dollar quotes", run: statement("UPDATE customers SET name = $$'; DELETE FROM labels -- $$ WHERE id = 1")},
		{name: "capital letters", run: statement("UpDaTe CUSTOMERS sEt NAME = 'c' wHeRe ID = 1")},
		{name: "ONLY", run: statement("UPDATE ONLY customers AS c SET name = 'o' WHERE id = 1")},
		{name: "partitioned table", run: statement("INSERT INTO events VALUES (3, '2031-01-01')")},
		{name: "partition", run: statement("DELETE FROM events_new WHERE id = 2")},
		{name: "row that moves to another partition", run: statement("UPDATE events SET day = '2030-06-01' WHERE id = 1")},
		{name: "function", run: func(db *gorm.DB) error {
			return db.Raw("SELECT rename_company(?, ?)", 1, "f").Scan(&[]sql.NullString{}).Error
		}},
		{name: "procedure", run: statement("CALL close_purchases()")},
		{name: "DO", run: statement("DO $$ BEGIN DELETE FROM labels WHERE id = 1; END $$")},
		{name: "Raw WITH DELETE", run: func(db *gorm.DB) error {
			return db.Raw("WITH d AS (DELETE FROM items WHERE id = ? RETURNING name) SELECT name FROM d", 1).Scan(&[]string{}).Error
		}},
	}
}

func postgresDefinitions() []matrixMutation {
	return []matrixMutation{
		{name: "view replaced", definition: true, run: statement("CREATE OR REPLACE VIEW debtors AS SELECT id, name, id AS cents FROM companies")},
		{name: "REFRESH MATERIALIZED VIEW", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(db.Exec("UPDATE purchases SET cents = 1").Error, db.Exec("REFRESH MATERIALIZED VIEW totals").Error)
		}},
		{name: "new cascade", definition: true, run: func(db *gorm.DB) error {
			return errors.Join(
				db.Exec("ALTER TABLE toys ADD FOREIGN KEY (owner_id) REFERENCES customers ON DELETE CASCADE").Error,
				db.Unscoped().Delete(&customer{}, 1).Error,
			)
		}},
	}
}
