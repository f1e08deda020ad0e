-- Which database this is, and which settings of the session answers depend on; then one value of each kind, whose Go
-- types tell how the driver hands values over.
SELECT pg_catalog.current_database()::text,
       (SELECT d.oid::text FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database()),
       current_user::text,
       (SELECT pg_catalog.string_agg(s.name || '=' || s.setting, pg_catalog.chr(10) ORDER BY s.name)
        FROM pg_catalog.pg_settings s
        WHERE s.name IN ('search_path', 'role', 'session_authorization', 'row_security', 'TimeZone', 'DateStyle',
                         'IntervalStyle', 'extra_float_digits', 'bytea_output', 'xmlbinary', 'xmloption', 'array_nulls',
                         'standard_conforming_strings', 'lc_monetary', 'lc_numeric', 'lc_time',
                         'default_text_search_config', 'transform_null_equals', 'quote_all_identifiers')),
       1::int8, 1::float8, 1.5::numeric, true, 'x'::text, pg_catalog.decode('00', 'hex'), '{}'::jsonb, '{1}'::int4[],
       '00000000-0000-0000-0000-000000000001'::uuid, '2001-02-03'::date, '2001-02-03 04:05:06'::timestamp,
       '2001-02-03 04:05:06+00'::timestamptz
