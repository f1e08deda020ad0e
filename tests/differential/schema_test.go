package differential_test

import (
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// tables are those whose rows are compared.
func tables() []string {
	return []string{"people", "companies", "pets", "passports", "clubs", "memberships", "notes", "kinds", "rarities"}
}

// create makes the schema.
func create(t require.TestingT, db *gorm.DB) {
	require.NoError(t, db.Exec("CREATE TYPE species AS ENUM ('cat', 'dog', 'owl')").Error)
	require.NoError(t, db.Exec("CREATE TYPE couple AS (a int, b text)").Error)
	require.NoError(t, db.Exec("CREATE DOMAIN positive AS int CHECK (value > 0)").Error)
	require.NoError(t, db.SetupJoinTable(&person{}, "Clubs", &membership{}))
	require.NoError(t, db.SetupJoinTable(&club{}, "People", &membership{}))
	require.NoError(t, db.AutoMigrate(&company{}, &person{}, &pet{}, &passport{}, &club{}, &membership{}, &note{}, &kind{}, &rarity{}))
	require.NoError(t, db.Exec(`CREATE VIEW adults AS SELECT p.id, p.name, (SELECT count(*) FROM pets WHERE owner_id = p.id) AS pets
		FROM people p WHERE p.age >= 18 AND p.deleted_at IS NULL`).Error)
}

// rows makes the tables hold what every run begins with.
const rows = `
DELETE FROM memberships; DELETE FROM notes; DELETE FROM passports; DELETE FROM pets; DELETE FROM people; DELETE FROM companies;
DELETE FROM clubs; DELETE FROM kinds; DELETE FROM rarities;
INSERT INTO companies VALUES ('acme', 'Acme'), ('Bolt', ''), ('zß', 'Zet');
INSERT INTO people (id, created_at, updated_at, deleted_at, name, email, age, home_city, home_street, prefs, company_code, boss_id) VALUES
 (1, '2020-01-01', '2020-01-02 03:04:05.678901+09', NULL, 'ada', 'ada@x', 36, 'Rome', 'a', '{"a": [1, 2.5, null], "b": "x"}', 'acme', NULL),
 (2, '2020-01-01', '2020-01-02', NULL, 'bob', NULL, NULL, '', NULL, '{}', 'acme', 1),
 (3, '2020-01-01', '2020-01-02', NULL, 'Ada', '', 17, 'Rome', '', 'null', 'Bolt', 1),
 (4, '2020-01-01', '2020-01-02', '2021-01-01', 'gone', 'gone@x', 50, 'Oslo', NULL, NULL, NULL, 2),
 (5, '0001-01-01', '0001-01-01', NULL, 'naïve 🦉', 'n@x', 0, 'Köln', 'ü', '{"deep": {"x": []}}', NULL, 3);
INSERT INTO pets VALUES (1, 1, 'cat', 'tom', 4.5), (2, 1, 'dog', 'rex', NULL), (3, 2, 'owl', '', 'NaN'), (4, NULL, 'cat', 'stray', '-Infinity'),
 (5, 5, NULL, 'nil', 0);
INSERT INTO passports VALUES (1, 'P1'), (2, 'P2');
INSERT INTO clubs VALUES ('de', 1, 'one'), ('de', 2, 'two'), ('DE', 1, 'upper'), ('fr', 1, 'un');
INSERT INTO memberships VALUES (1, 'de', 1, 'always'), (1, 'fr', 1, '2020'), (2, 'de', 1, ''), (3, 'DE', 1, 'x');
INSERT INTO notes VALUES (1, 1, 'people', 'hi'), (2, 1, 'pets', 'odd'), (3, 2, 'pets', 'big'), (4, 2, 'people', '');
INSERT INTO kinds (id, small, single, double, number, text, padded, bytes, doc, words, counts, "unique", day, clock, at, zoned, span, mood,
  level, sealed, stamp, maybe, flag, wait, net, span4, cash, bits) VALUES
 (1, 1, 1.1, 2.2, 12345678901234567890.123, 'text', 'ab', '\x00ff', '{"b": 1, "a": [true]}', '{x,y}', '{1,2,NULL}',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2024-02-29', '12:34:56', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789+05:30',
  '1 day 02:00:00', 'cat', 3, 'secret', '2024-01-01 00:00:00Z', 'maybe', true, 1500, '10.0.0.1/8', '[1,5)', 12.34, B'101'),
 (2, -32768, 'NaN', '-Infinity', 'NaN', '', '', '', 'null', '{}', '{}', '00000000-0000-0000-0000-000000000000', '0001-01-01', '24:00:00',
  '0001-01-01', '1900-01-01 00:00:00+00:12', '-1 mons', 'owl', 0, '', '1970-01-01 00:00:00Z', '', false, 0, '::1', 'empty', 0, B'000'),
 (3, 0, 0, 0, 0, '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 0, NULL, NULL,
  NULL, NULL),
 (4, 7, 3.4028235e38, 5e-324, 0.10, E'tab\t\\ "quoted"', 'abcde', '\xdeadbeef', '[1e20]', '{"a b"}', '{{1},{2}}',
  'ffffffff-ffff-ffff-ffff-ffffffffffff', '1999-12-31', '00:00:00', '1999-12-31 23:59:59', '9999-12-31 23:59:59.999999Z', '100 years', 'dog', -1, 'x',
  '2262-04-12 00:00:00Z', 'NULL', true, -1, '192.168.0.0/24', '(,5)', -1, B'111');
INSERT INTO rarities (id, tiny, short, big, since, ended, until, flags, sums, uniques, blobs, moods, instants, raw, evening, letter, label, subnet,
  card, mask, couple, positive, stay, gaps, spot, markup, lexemes, object, cipher, tree, seen, exact, work_city, work_street, made, changed, once,
  hidden, given) VALUES
 (1, -128, 65535, 9223372036854775807, 'infinity', '-infinity', 'infinity', '{t,f,NULL}', '{1.10,NaN}',
  '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{"\\x00ff",NULL}', '{cat,owl}', '{2024-02-29 12:34:56+05:30,infinity}', '{"b": 1.0, "a": [], "b": 2}',
  '10:00:00+05:30', 'x', 'name', '10.0.0.0/8', '08:00:2b:01:02:03', B'1', '(1,"a b")', 7, '["2024-01-01 00:00:00Z",)', '{[1,3),[5,7)}', '(1,2)',
  '<a/>', 'a:1 b:2', 42, 'secret', '{"k": [1, null]}', '2024-01-01 00:00:00Z', 'NaN', 'Rome', NULL, 1, 2, 'once', 'hidden', 'x'),
 (2, 0, 0, 0, '0044-03-15 BC', '9999-12-31 23:59:59.999999', '-infinity', '{}', '{}', '{}', '{}', '{}', '{}', 'null', '23:59:59.999999-12', ' ', '', '::/0',
  'ff:ff:ff:ff:ff:ff', '', '(,)', 1, 'empty', '{}', '(0,-0)', '', '', 0, '', 'null', '0001-01-01 00:00:00Z', '-0', '', '', 0, 0, '', '', ''),
 (3, 1, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT setval('people_id_seq', 100), setval('pets_id_seq', 100), setval('notes_id_seq', 100), setval('kinds_id_seq', 100);
`
