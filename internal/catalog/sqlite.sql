-- What a SQLite database says of itself, as one JSON document.
SELECT json_object(
  'database', 'main',
  'tables', (
    SELECT json_group_array(json_object(
      'identity', v.schema_version, -- counts the changes of the schema: each changes all tables
      'schema', 'main', 'name', m.name, 'kind', CASE m.type WHEN 'view' THEN 'v' ELSE 'r' END,
      'key', CASE m.type WHEN 'table' THEN (
        SELECT json_group_array(json_object('name', lower(c.name), 'type', lower(c.type)))
        FROM (SELECT name, type FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk) AS c
      ) END,
      'columns', CASE m.type WHEN 'table' THEN (
        SELECT json_group_array(json_object(
          'name', lower(c.name), 'type', lower(c.type), 'generated', json(iif(c.hidden > 1, 'true', 'false')),
          -- an INTEGER PRIMARY KEY numbers itself
          'default', json(iif(c.dflt_value IS NOT NULL OR c.pk > 0 AND lower(c.type) = 'integer', 'true', 'false'))
        ))
        FROM (
          SELECT * FROM pragma_table_xinfo(m.name) WHERE hidden <> 1 AND (
            lower(type) LIKE '%int%' OR lower(type) LIKE '%char%' OR lower(type) LIKE '%clob%' OR lower(type) LIKE '%text%')
          ORDER BY cid
        ) AS c
      ) END,
      'indexes', CASE m.type WHEN 'table' THEN (
        SELECT json_group_array(json_object(
          'columns', json(x.columns),
          -- where nobody speaks of collations, columns compare bytes, and an index may only take more texts for equal
          'unique', json(iif(x."unique" AND lower(m.sql) NOT LIKE '%collate%', 'true', 'false'))
        ))
        FROM (
          SELECT l."unique" AND NOT l.partial AS "unique", (
            SELECT iif(count(i.name) = count(*), json_group_array(lower(i.name)), NULL)
            FROM (SELECT name FROM pragma_index_info(l.name) ORDER BY seqno) AS i
          ) AS columns
          FROM pragma_index_list(m.name) AS l
          UNION ALL -- the key of a table whose rowid is that
          SELECT 1, json_array(lower(k.name)) FROM pragma_table_info(m.name) AS k WHERE k.pk > 0
            AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) AS l WHERE l.origin = 'pk')
        ) AS x WHERE x.columns IS NOT NULL
      ) END,
      'rules', CASE WHEN m.type = 'table' AND lower(m.sql) LIKE '%conflict%replace%' THEN json('true') ELSE json('false') END,
      'definition', CASE m.type WHEN 'view' THEN m.sql END
    ))
    FROM sqlite_master m, (SELECT CAST(schema_version AS TEXT) AS schema_version FROM pragma_schema_version) v
    WHERE m.type IN ('table', 'view')
      AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' -- those change by themselves
  ),
  'foreign_keys', (
    SELECT json_group_array(json_object(
      'child', m.name, 'parent', f."table", 'on_delete', f.on_delete, 'on_update', f.on_update,
      'columns', json_array(lower(f."from")),
      'references', CASE WHEN f."to" IS NULL THEN json_array() ELSE json_array(lower(f."to")) END
    ))
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
  ),
  'triggers', (
    SELECT json_group_array(json_object('table', m.tbl_name, 'events', 0, 'body', m.sql))
    FROM sqlite_master m WHERE m.type = 'trigger'
  )
)
