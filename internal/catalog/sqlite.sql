-- What a SQLite database says of itself, as one JSON document.
SELECT json_object(
  'tables', (
    SELECT json_group_array(json_object(
      'schema', 'main', 'name', m.name, 'kind', CASE m.type WHEN 'view' THEN 'v' ELSE 'r' END,
      'key', CASE m.type WHEN 'table' THEN (
        SELECT json_group_array(json_object('name', lower(c.name), 'type', lower(c.type)))
        FROM (SELECT name, type FROM pragma_table_info(m.name) WHERE pk > 0 ORDER BY pk) AS c
      ) END,
      'definition', CASE m.type WHEN 'view' THEN m.sql END
    ))
    FROM sqlite_master m WHERE m.type IN ('table', 'view')
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
