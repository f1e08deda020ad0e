-- What a PostgreSQL database says of itself, as one JSON document. Read by every role: it needs no right that PUBLIC
-- does not have by default.
WITH RECURSIVE relations AS (
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
         c.relrowsecurity AS rowsecurity, c.relhasrules AS rules, c.relfilenode AS file
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\_toast%'
),
domains (oid, base) AS ( -- a domain may be over another one
  SELECT t.oid, t.typbasetype FROM pg_catalog.pg_type t WHERE t.typtype = 'd'
  UNION ALL
  SELECT d.oid, t.typbasetype FROM domains d JOIN pg_catalog.pg_type t ON t.oid = d.base WHERE t.typtype = 'd'
),
changing AS ( -- types that are made of what may change
  SELECT v.oid, pg_catalog.string_agg(v.version, ',' ORDER BY v.version) AS version
  FROM (
    SELECT e.enumtypid AS oid, e.xmin::text AS version FROM pg_catalog.pg_enum e
    UNION
    SELECT c.reltype, a.xmin::text
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    WHERE c.relkind = 'c'
  ) v
  GROUP BY v.oid
),
types AS MATERIALIZED ( -- those, their arrays and their domains
  SELECT c.oid, c.version FROM changing c
  UNION ALL
  SELECT t.oid, c.version FROM changing c JOIN pg_catalog.pg_type t ON t.typelem = c.oid
  UNION ALL
  SELECT t.oid, c.version FROM changing c JOIN pg_catalog.pg_type t ON t.typbasetype = c.oid
),
columns AS (
  SELECT a.attrelid, a.xmin::text AS version, made.version AS type_version, a.attnum, a.attcollation, a.attname AS name, t.typname AS type, t.typtype = 'e' AS enum,
         a.attgenerated <> '' AS generated,
         a.attgenerated = '' AND (a.atthasdef OR a.attidentity <> '' OR own.typdefault IS NOT NULL) AS default,
         t.typtype = 'e' OR t.typtype = 'b' AND t.typname IN
           ('int2', 'int4', 'int8', 'text', 'varchar', 'bpchar', 'uuid', 'name', 'citext') AS named
  FROM relations r
  JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
  JOIN pg_catalog.pg_type own ON own.oid = a.atttypid
  LEFT JOIN domains d ON d.oid = a.atttypid
  LEFT JOIN types made ON made.oid = a.atttypid
  JOIN pg_catalog.pg_type t ON t.oid = COALESCE(d.base, a.atttypid) AND t.typtype <> 'd'
  WHERE r.kind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
),
named AS ( -- what is not said is false
  SELECT c.attrelid, pg_catalog.json_agg(
           CASE WHEN c.enum OR c.generated OR c.default
                THEN pg_catalog.json_build_object(
                  'name', c.name, 'type', c.type, 'enum', c.enum, 'generated', c.generated, 'default', c.default)
                ELSE pg_catalog.json_build_object('name', c.name, 'type', c.type)
           END ORDER BY c.attnum) AS columns
  FROM columns c
  WHERE c.named
  GROUP BY c.attrelid
),
placed AS MATERIALIZED ( -- one row for each column of each index
  SELECT i.indexrelid, i.indrelid, i.indisprimary, i.indisunique AND i.indpred IS NULL AS unique,
         k.attnum, k.collated, k.position
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_am m ON m.oid = x.relam
  CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(i.indkey::int2[]), pg_catalog.unnest(i.indcollation::oid[]))
    WITH ORDINALITY AS k(attnum, collated, position)
  WHERE i.indrelid IN (SELECT r.oid FROM relations r)
    AND i.indisvalid AND i.indexprs IS NULL AND m.amname IN ('btree', 'hash') AND k.position <= i.indnkeyatts
),
versions AS ( -- of the columns: whoever changes or adds one leaves a row with a transaction that was not there before
  SELECT c.attrelid, pg_catalog.concat_ws('.', pg_catalog.count(*), pg_catalog.string_agg(DISTINCT c.version, ','),
           pg_catalog.string_agg(DISTINCT c.type_version, ',')) AS list
  FROM columns c
  GROUP BY c.attrelid
),
defined AS ( -- by users or extensions
  SELECT p.oid, p.xmin::text AS version FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
  UNION ALL
  SELECT o.oid, o.xmin::text FROM pg_catalog.pg_operator o WHERE o.oid >= 16384
  UNION ALL
  SELECT c.oid, c.xmin::text FROM pg_catalog.pg_cast c WHERE c.oid >= 16384
),
indexed AS (
  SELECT i.indexrelid, i.indrelid, i.indisprimary, i.position, c.name, c.type, c.enum,
         -- of one that takes other texts for equal than the column does, nothing follows
         i.unique AND i.collated IN (0, c.attcollation) AS unique
  FROM placed i
  JOIN columns c ON c.attrelid = i.indrelid AND c.attnum = i.attnum
),
impure AS ( -- functions of the database's own whose names others may have. They are hashed once: looked for one by one, the cost of
            -- the query would be so high that PostgreSQL compiles it (jit_above_cost), which takes ten times as long as to run it
  SELECT p.proname AS name FROM pg_catalog.pg_proc p
  WHERE p.provolatile <> 'i' AND p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
),
keys AS (
  SELECT i.indrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
           'name', i.name, 'type', i.type, 'enum', i.enum
         ) ORDER BY i.position) AS columns
  FROM indexed i
  WHERE i.indisprimary
  GROUP BY i.indrelid
),
indexes AS (
  SELECT i.indrelid, pg_catalog.json_agg(pg_catalog.json_build_object('columns', i.columns, 'unique', i.unique)) AS list
  FROM (
    SELECT i.indrelid, pg_catalog.json_agg(i.name ORDER BY i.position) AS columns, pg_catalog.bool_and(i.unique) AS unique
    FROM indexed i
    GROUP BY i.indrelid, i.indexrelid
    ORDER BY i.indrelid, i.indexrelid
  ) i
  GROUP BY i.indrelid
)
SELECT pg_catalog.json_build_object(
  'tables', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'schema', r.schema, 'name', r.name, 'kind', r.kind, 'temporary', r.persistence = 't',
      -- NULL for a table that somebody has dropped since the query began
      'hidden', COALESCE(NOT pg_catalog.pg_table_is_visible(r.oid), true),
      'identity', pg_catalog.concat_ws('.', r.oid, r.file, v.list),
      'row_security', r.rowsecurity,
      'unreadable', NOT pg_catalog.has_table_privilege(r.oid, 'SELECT'), 'rules', r.rules AND r.kind IN ('r', 'p', 'f'),
      'key', k.columns, 'columns', n.columns, 'indexes', x.list,
      'definition', CASE WHEN r.kind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(r.oid) END
    ) ORDER BY r.oid)
    FROM relations r
    LEFT JOIN versions v ON v.attrelid = r.oid
    LEFT JOIN keys k ON k.indrelid = r.oid
    LEFT JOIN named n ON n.attrelid = r.oid
    LEFT JOIN indexes x ON x.indrelid = r.oid
  ),
  'foreign_keys', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'child', c.name, 'parent', p.name,
      'on_delete', f.confdeltype::text, 'on_update', f.confupdtype::text,
      'columns', (
        SELECT pg_catalog.json_agg(a.attname)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = f.conrelid AND a.attnum = ANY (f.conkey)
      ),
      'references', (
        SELECT pg_catalog.json_agg(a.attname)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = f.confrelid AND a.attnum = ANY (f.confkey)
      )
    ) ORDER BY f.oid)
    FROM pg_catalog.pg_constraint f
    JOIN relations c ON c.oid = f.conrelid
    JOIN relations p ON p.oid = f.confrelid
    WHERE f.contype = 'f'
  ),
  'inherits', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'child_schema', c.schema, 'child', c.name, 'parent_schema', p.schema, 'parent', p.name, 'partition', p.kind = 'p'
    ) ORDER BY c.oid, p.oid)
    FROM pg_catalog.pg_inherits i
    JOIN relations c ON c.oid = i.inhrelid
    JOIN relations p ON p.oid = i.inhparent
  ),
  'triggers', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'table', r.name, 'events', t.tgtype::int, 'function', p.proname
    ) ORDER BY t.oid)
    FROM pg_catalog.pg_trigger t
    JOIN relations r ON r.oid = t.tgrelid
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
  ),
  'functions', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', p.proname, 'volatile', p.provolatile = 'v', 'language', l.lanname,
      'attribute', p.pronargs = 1 AND EXISTS (
        SELECT 1 FROM pg_catalog.pg_type a WHERE a.oid = p.proargtypes[0] AND a.typtype IN ('c', 'p')
      ),
      'pure', p.provolatile = 'i' AND p.proname NOT IN (SELECT s.name FROM impure s),
      'stable', p.provolatile = 's' AND p.proname NOT IN (SELECT s.name FROM impure s),
      'body', CASE WHEN p.provolatile = 'v' AND l.lanname IN ('sql', 'plpgsql')
                   THEN COALESCE(NULLIF(p.prosrc, ''), pg_catalog.pg_get_functiondef(p.oid)) END
    ) ORDER BY p.oid)
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  ),
  'operators', (
    SELECT pg_catalog.json_agg(DISTINCT o.oprname)
    FROM pg_catalog.pg_operator o
    JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
    WHERE o.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace AND p.provolatile <> 'i'
  ),
  'own_operators', (SELECT pg_catalog.json_agg(DISTINCT o.oprname) FROM pg_catalog.pg_operator o WHERE o.oid >= 16384),
  'own_casts', EXISTS (SELECT 1 FROM pg_catalog.pg_cast c WHERE c.oid >= 16384 AND c.castfunc <> 0),
  'definitions', (
    SELECT pg_catalog.concat_ws('.', pg_catalog.count(*), pg_catalog.sum(d.oid::bigint), pg_catalog.string_agg(DISTINCT d.version, ','))
    FROM defined d
  ),
  'casts', EXISTS (
    SELECT 1 FROM pg_catalog.pg_cast c
    JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
    WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace AND p.provolatile <> 'i'
  )
)::text
