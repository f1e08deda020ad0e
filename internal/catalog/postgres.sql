-- What a PostgreSQL database says of itself, as one JSON document. Read by every role: it needs no right that PUBLIC
-- does not have by default.
WITH relations AS (
  SELECT c.oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
         c.relrowsecurity AS rowsecurity, c.relhasrules AS rules
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND n.nspname NOT LIKE 'pg\_toast%'
),
keys AS (
  SELECT i.indrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
           'name', a.attname,
           'type', COALESCE(b.typname, t.typname),
           'enum', COALESCE(b.typtype, t.typtype) = 'e'
         ) ORDER BY k.position) AS columns
  FROM pg_catalog.pg_index i
  CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
  WHERE i.indisprimary AND i.indisvalid AND k.position <= i.indnkeyatts
  GROUP BY i.indrelid
)
SELECT pg_catalog.json_build_object(
  'tables', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'schema', r.schema, 'name', r.name, 'kind', r.kind, 'temporary', r.persistence = 't',
      'row_security', r.rowsecurity, 'rules', r.rules AND r.kind IN ('r', 'p', 'f'),
      'key', k.columns,
      'definition', CASE WHEN r.kind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(r.oid) END
    ))
    FROM relations r LEFT JOIN keys k ON k.indrelid = r.oid
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
    ))
    FROM pg_catalog.pg_constraint f
    JOIN relations c ON c.oid = f.conrelid
    JOIN relations p ON p.oid = f.confrelid
    WHERE f.contype = 'f'
  ),
  'inherits', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'child', c.name, 'parent', p.name, 'partition', p.kind = 'p'
    ))
    FROM pg_catalog.pg_inherits i
    JOIN relations c ON c.oid = i.inhrelid
    JOIN relations p ON p.oid = i.inhparent
  ),
  'triggers', (
    SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'table', r.name, 'events', t.tgtype::int, 'function', p.proname
    ))
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
      'pure', p.provolatile = 'i' AND NOT EXISTS (
        SELECT 1 FROM pg_catalog.pg_proc b
        WHERE b.proname = p.proname AND b.provolatile <> 'i' AND b.pronamespace = 'pg_catalog'::pg_catalog.regnamespace
      ),
      'body', CASE WHEN p.provolatile = 'v' AND l.lanname IN ('sql', 'plpgsql')
                   THEN COALESCE(NULLIF(p.prosrc, ''), pg_catalog.pg_get_functiondef(p.oid)) END
    ))
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
  'casts', EXISTS (
    SELECT 1 FROM pg_catalog.pg_cast c
    JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
    WHERE p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace AND p.provolatile <> 'i'
  )
)::text
