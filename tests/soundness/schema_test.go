package soundness_test

// types are what the columns' types need. They stay: a driver remembers their numbers.
const types = `
CREATE SCHEMA types; CREATE EXTENSION citext SCHEMA types;
CREATE TYPE types.mood AS ENUM ('calm', 'wild', 'sad');
CREATE COLLATION types.folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
`

// schema is made without GORM: what follows from foreign keys, triggers, views and partitions is known from the
// database's catalog alone.
const schema = `
DROP SCHEMA public CASCADE; CREATE SCHEMA public;
CREATE TABLE companies (id serial PRIMARY KEY, name text, code citext UNIQUE);
CREATE TABLE users (
  id bigserial PRIMARY KEY, tenant_id int, name text, email text UNIQUE, score int DEFAULT 5,
  company_id int REFERENCES companies ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE orders (
  id bigserial PRIMARY KEY, user_id bigint REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, status text DEFAULT 'new',
  amount bigint, doubled bigint GENERATED ALWAYS AS (amount * 2) STORED, note text, deleted_at timestamptz);
CREATE TABLE items (
  id bigserial PRIMARY KEY, order_id bigint REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE, product text);
CREATE TABLE tags (id serial PRIMARY KEY, name text UNIQUE);
CREATE TABLE user_tags (
  user_id bigint REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, tag_id int REFERENCES tags ON DELETE CASCADE,
  level int DEFAULT 1, PRIMARY KEY (user_id, tag_id));
CREATE TABLE comments (id bigserial PRIMARY KEY, owner_type text, owner_id bigint, body text);
CREATE TABLE categories (id serial PRIMARY KEY, parent_id int REFERENCES categories ON DELETE SET NULL, name text);

CREATE TABLE countries (code char(3) PRIMARY KEY, name text);
CREATE TABLE cities (
  id serial PRIMARY KEY, country char(3) REFERENCES countries ON UPDATE CASCADE ON DELETE CASCADE, name text);
CREATE TABLE accounts (handle citext PRIMARY KEY, balance numeric);
CREATE TABLE logins (
  id serial PRIMARY KEY, handle citext DEFAULT 'nobody' REFERENCES accounts ON UPDATE CASCADE ON DELETE SET DEFAULT, n int);
CREATE TABLE devices (id uuid PRIMARY KEY, user_id bigint, mood mood);
CREATE TABLE moods (mood mood PRIMARY KEY, title text);
CREATE TABLE codes (ref text PRIMARY KEY, number bigint UNIQUE);
CREATE TABLE parcels (id serial PRIMARY KEY, ref text REFERENCES codes ON UPDATE CASCADE ON DELETE SET NULL, number bigint);
CREATE TABLE memberships (club text, no int, user_id bigint, role text, PRIMARY KEY (club, no));
CREATE TABLE visits (
  id serial PRIMARY KEY, club text, no int, what text,
  FOREIGN KEY (club, no) REFERENCES memberships ON UPDATE CASCADE ON DELETE CASCADE);
CREATE TABLE aliases (alias text COLLATE types.folded PRIMARY KEY, n int);
CREATE TABLE uses (id serial PRIMARY KEY, alias text COLLATE types.folded REFERENCES aliases ON UPDATE CASCADE ON DELETE CASCADE, what text);
CREATE TABLE grades (grade numeric PRIMARY KEY, name text);
CREATE TABLE exams (id serial PRIMARY KEY, grade numeric REFERENCES grades ON UPDATE CASCADE ON DELETE SET NULL, at timestamptz);
CREATE TABLE rates (at timestamptz, factor float8, price int, PRIMARY KEY (at, factor));

CREATE TABLE readings (day int, sensor int, value int, PRIMARY KEY (day, sensor)) PARTITION BY RANGE (day);
CREATE TABLE readings_a PARTITION OF readings FOR VALUES FROM (0) TO (10);
CREATE TABLE readings_b PARTITION OF readings FOR VALUES FROM (10) TO (20);
CREATE TABLE readings_rest PARTITION OF readings DEFAULT;
CREATE TABLE places (id serial PRIMARY KEY, town text, people int);
CREATE TABLE capitals (state text) INHERITS (places);

CREATE TABLE audits (id serial PRIMARY KEY, order_id bigint, what text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO audits (order_id, what) VALUES (COALESCE(NEW.id, OLD.id), TG_OP); RETURN NULL; END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION audit();

CREATE TABLE queues (name text PRIMARY KEY, n int DEFAULT 0);
CREATE TABLE tickets (
  id serial PRIMARY KEY, user_id bigint REFERENCES users ON DELETE SET NULL ON UPDATE CASCADE, title text, slug text, queue text,
  priority int DEFAULT 1);
CREATE FUNCTION settle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  NEW.slug := lower(NEW.title);
  IF NEW.priority > 5 THEN NEW.queue := 'urgent'; END IF;
  IF NEW.title = 'mine' THEN NEW.user_id := 1; END IF;
  RETURN NEW; END $$;
CREATE TRIGGER settle BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW EXECUTE FUNCTION settle();
CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE queues SET n = (SELECT count(*) FROM tickets t WHERE t.queue = queues.name); RETURN NULL; END $$;
CREATE TRIGGER tally AFTER INSERT OR UPDATE OR DELETE ON tickets FOR EACH STATEMENT EXECUTE FUNCTION tally();
CREATE FUNCTION assign() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  UPDATE tickets SET user_id = 4 WHERE title = 'later' AND user_id IS DISTINCT FROM 4; RETURN NULL; END $$;
CREATE TRIGGER assign AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION assign();
CREATE FUNCTION move_orders(f bigint, t bigint) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
  UPDATE orders SET user_id = t WHERE user_id = f; RETURN 1; END $$;

CREATE TABLE jobs (id serial PRIMARY KEY, kind text, user_id bigint);
CREATE TABLE stats (name text PRIMARY KEY, n int DEFAULT 0);
CREATE FUNCTION hidden() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  EXECUTE format('UPDATE %I SET n = n + 1 WHERE name = $1', TG_ARGV[0]) USING COALESCE(NEW.kind, OLD.kind);
  RETURN NULL; END $$;
CREATE TRIGGER hidden AFTER INSERT OR UPDATE OR DELETE ON jobs FOR EACH ROW EXECUTE FUNCTION hidden('stats');

CREATE VIEW fresh_orders AS SELECT id, user_id, status, amount FROM orders WHERE status = 'new' AND deleted_at IS NULL;
CREATE VIEW user_orders AS
  SELECT u.id AS user_id, u.tenant_id, u.name, o.id AS order_id, o.amount FROM users u JOIN orders o ON o.user_id = u.id;
CREATE VIEW swapped AS SELECT id, amount AS user_id, user_id AS amount FROM orders;
CREATE VIEW totals AS SELECT user_id, count(*) AS n, sum(amount) AS amount FROM user_orders GROUP BY user_id;
CREATE MATERIALIZED VIEW kept AS SELECT status, count(*) AS n FROM orders GROUP BY status;
`

// rows makes the tables hold what every epoch begins with. Sequences begin so that keys which are asked for in vain come
// to be.
const rows = `
TRUNCATE companies, users, orders, items, tags, user_tags, comments, categories, countries, cities, accounts, logins, devices,
  moods, codes, parcels, memberships, visits, aliases, uses, grades, exams, rates, readings, places, audits, queues, tickets, jobs, stats RESTART IDENTITY CASCADE;
INSERT INTO companies (name, code) VALUES ('Acme', 'ACME'), ('Bolt', 'bolt'), ('Corp', 'Corp');
INSERT INTO users (tenant_id, name, email, company_id, score) VALUES
  (1, 'ada', 'ada@x', 1, 10), (1, 'bob', 'bob@x', 1, -5), (2, 'cyd', 'Cyd@x', 2, 0), (2, 'dan', 'dan@x', NULL, 7),
  (NULL, 'eve', 'eve@x', 3, 10), (1, 'ada', NULL, NULL, NULL);
INSERT INTO orders (user_id, status, amount, note, deleted_at)
  SELECT CASE WHEN i % 9 = 8 THEN NULL ELSE i % 5 + 1 END, (ARRAY['new', 'paid', 'New'])[i % 3 + 1], i * 10 - 30,
         CASE WHEN i % 4 > 0 THEN 'note ' || i % 4 END, CASE WHEN i % 7 = 6 THEN '2024-01-01'::timestamptz END
  FROM generate_series(1, 18) i;
INSERT INTO items (order_id, product) SELECT i % 12 + 1, (ARRAY['pen', 'ink', 'cup'])[i % 3 + 1] FROM generate_series(1, 20) i;
INSERT INTO tags (name) VALUES ('red'), ('green'), ('blue'), ('Red');
INSERT INTO user_tags VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1), (3, 3, 1), (4, 4, 2);
INSERT INTO comments (owner_type, owner_id, body) VALUES
  ('users', 1, 'u1'), ('users', 1, 'u1b'), ('orders', 1, 'o1'), ('users', 2, 'u2'), ('orders', 2, 'o2'), ('Users', 1, 'odd'), (NULL, 1, 'n');
INSERT INTO categories (parent_id, name) VALUES (NULL, 'all'), (1, 'a'), (1, 'b'), (2, 'aa'), (4, 'aaa'), (NULL, 'lone');
INSERT INTO countries VALUES ('de', 'Germany'), ('FR', 'France'), ('it', 'Italy'), ('usa', 'States');
INSERT INTO cities (country, name) VALUES ('de', 'Bonn'), ('de', 'Ulm'), ('FR', 'Lyon'), ('usa', 'Reno');
INSERT INTO accounts VALUES ('nobody', 0), ('Ann', 1.50), ('ben', -2), ('CAT', 1e3);
INSERT INTO logins (handle, n) VALUES ('Ann', 1), ('ben', 2), ('ann', 3), ('cat', 4);
INSERT INTO devices VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1, 'calm'), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 1, 'wild'),
  ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a13', 2, NULL);
INSERT INTO moods VALUES ('calm', 'Calm'), ('wild', 'Wild');
INSERT INTO codes VALUES ('007', 7), ('7', -7), ('Abc', 9007199254740993), ('abc', -9223372036854775808), (' 7', 0), ('', 9007199254740992);
INSERT INTO parcels (ref, number) VALUES ('007', 7), ('7', -7), ('Abc', 9007199254740993), ('abc', 9007199254740992), ('', NULL), (NULL, 0);
INSERT INTO memberships VALUES ('chess', 1, 1, 'chair'), ('chess', 2, 2, NULL), ('Chess', 1, 3, 'chair'), ('go', 1, 1, 'player');
INSERT INTO visits (club, no, what) VALUES ('chess', 1, 'v1'), ('chess', 1, 'v2'), ('Chess', 1, 'v3'), ('go', 1, 'v4'), (NULL, 1, 'v5');
INSERT INTO aliases VALUES ('Ann', 1), ('ben', 2), ('Éva', 3);
INSERT INTO uses (alias, what) VALUES ('ann', 'u1'), ('ANN', 'u2'), ('ben', 'u3'), ('éva', 'u4');
INSERT INTO grades VALUES (1, 'one'), (2.50, 'half'), (-3, 'minus'), ('NaN', 'none');
INSERT INTO exams (grade, at) VALUES (1.0, '2024-01-01 00:00Z'), (2.5, '2024-01-01 01:00+01'), ('NaN', NULL), (1, '2024-06-01 00:00Z');
INSERT INTO rates VALUES ('2024-01-01 00:00Z', 0, 1), ('2024-01-01 00:00Z', 1.5, 2), ('2024-06-01 00:00Z', '-0', 3);
INSERT INTO readings SELECT d, s, d * s FROM generate_series(1, 25, 6) d, generate_series(1, 3) s;
INSERT INTO places (town, people) VALUES ('Ulm', 120), ('Bonn', 330);
INSERT INTO capitals (town, people, state) VALUES ('Kiel', 250, 'SH'), ('Bonn', 330, 'NW');
INSERT INTO queues (name) VALUES ('urgent'), ('low'), ('mid');
INSERT INTO tickets (user_id, title, queue, priority) VALUES (1, 'One', 'low', 1), (2, 'Two', 'low', 9), (1, 'Three', 'mid', 2), (NULL, 'Four', NULL, 1);
INSERT INTO stats (name) VALUES ('mail'), ('sync');
INSERT INTO jobs (kind, user_id) VALUES ('mail', 1), ('sync', 2);
REFRESH MATERIALIZED VIEW kept;
`
