-- The settings of the session that answers depend on.
SELECT pg_catalog.string_agg(s.name || '=' || s.setting, pg_catalog.chr(10) ORDER BY s.name)
FROM pg_catalog.pg_settings s
WHERE s.name IN ('search_path', 'role', 'session_authorization', 'row_security', 'TimeZone', 'DateStyle',
                 'IntervalStyle', 'extra_float_digits', 'bytea_output', 'xmlbinary', 'xmloption', 'array_nulls',
                 'standard_conforming_strings', 'lc_monetary', 'lc_numeric', 'lc_time',
                 'default_text_search_config', 'transform_null_equals', 'quote_all_identifiers')
