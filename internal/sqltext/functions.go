package sqltext

import "strings"

// Pure reports whether a function of the database's own depends on nothing but its arguments, and on settings that
// are part of the session's identity. Functions that are not listed here may depend on anything; those that a user
// has defined under a name that is listed here have to be told apart by the caller.
func (d Dialect) Pure(function string) bool {
	return pure(function) || d == MySQL && pureInMySQL(function) || d == Postgres && pureInPostgres(function)
}

// Describes reports whether a function of the database's own reads its catalog, or the session's state, and changes nothing.
func (d Dialect) Describes(function string) bool {
	switch d {
	case Postgres:
		return describesPostgres(function)
	case MySQL: // MySQL Reference Manual, "Information Functions"
		return function == "database" || function == "schema" || function == "version"
	case SQLite: // SQLite documentation, "PRAGMA functions"
		return strings.HasPrefix(function, "pragma_")
	default:
		return false
	}
}

// describesPostgres lists functions of PostgreSQL's documentation, "System Information Functions and Operators".
func describesPostgres(function string) bool {
	switch function {
	case "current_database", "current_catalog", "current_schema", "current_schemas", "current_setting", "version",
		"format_type", "pg_get_constraintdef", "pg_get_expr", "pg_get_functiondef", "pg_get_indexdef", "pg_get_keywords",
		"pg_get_serial_sequence", "pg_get_triggerdef", "pg_get_userbyid", "pg_get_viewdef", "pg_table_is_visible",
		"pg_type_is_visible", "pg_function_is_visible", "obj_description", "col_description", "shobj_description",
		"to_regclass", "to_regtype", "to_regnamespace", "has_table_privilege", "has_schema_privilege", "has_column_privilege":
		return true
	default:
		return false
	}
}

func pure(function string) bool {
	switch function {
	case // aggregates
		"count", "sum", "avg", "min", "max", "total", "group_concat", "string_agg", "array_agg", "json_agg", "jsonb_agg",
		"json_object_agg", "jsonb_object_agg", "json_group_array", "json_group_object", "bool_and", "bool_or", "every",
		"bit_and", "bit_or", "bit_xor", "stddev", "stddev_pop", "stddev_samp", "variance", "var_pop", "var_samp", "corr",
		"covar_pop", "covar_samp", "percentile_cont", "percentile_disc", "mode", "grouping",
		// windows
		"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value",
		"last_value", "nth_value",
		// choice
		"coalesce", "nullif", "greatest", "least", "ifnull", "iif", "num_nonnulls", "num_nulls",
		// text
		"lower", "upper", "initcap", "length", "char_length", "character_length", "octet_length", "bit_length", "trim",
		"btrim", "ltrim", "rtrim", "lpad", "rpad", "left", "right", "substr", "substring", "replace", "translate", "reverse",
		"repeat", "concat", "concat_ws", "position", "strpos", "instr", "split_part", "starts_with", "overlay", "ascii",
		"chr", "hex", "md5", "sha256", "encode", "decode", "quote_ident", "quote_literal", "format", "regexp_replace",
		"regexp_match", "regexp_matches", "regexp_split_to_array", "regexp_split_to_table", "regexp_count", "regexp_like",
		"regexp_substr", "regexp_instr", "string_to_array", "to_hex", "printf", "unicode",
		// numbers
		"abs", "round", "ceil", "ceiling", "floor", "trunc", "mod", "div", "power", "pow", "sqrt", "cbrt", "exp", "ln",
		"log", "log10", "sign", "width_bucket", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "radians", "degrees",
		"pi", "gcd", "lcm", "to_number",
		// times that are given
		"date_trunc", "date_part", "extract", "to_char", "to_date", "to_timestamp", "make_date", "make_time",
		"make_timestamp", "make_timestamptz", "make_interval", "justify_days", "justify_hours", "justify_interval",
		"isfinite", "date_bin", "timezone", "overlaps",
		// arrays and ranges
		"unnest", "generate_series", "generate_subscripts", "array_length", "array_ndims", "array_dims", "array_upper",
		"array_lower", "array_position", "array_positions", "array_remove", "array_replace", "array_append",
		"array_prepend", "array_cat", "array_to_string", "array_fill", "cardinality", "isempty", "lower_inc", "upper_inc",
		"lower_inf", "upper_inf", "range_merge", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange",
		// JSON
		"to_json", "to_jsonb", "row_to_json", "array_to_json", "json_build_object", "jsonb_build_object",
		"json_build_array", "jsonb_build_array", "json_object", "jsonb_object", "json_array", "json_array_length",
		"jsonb_array_length", "json_extract_path", "jsonb_extract_path", "json_extract_path_text",
		"jsonb_extract_path_text", "json_array_elements", "jsonb_array_elements", "json_array_elements_text",
		"jsonb_array_elements_text", "json_each", "jsonb_each", "json_each_text", "jsonb_each_text", "json_object_keys",
		"jsonb_object_keys", "json_typeof", "jsonb_typeof", "jsonb_set", "jsonb_insert", "jsonb_strip_nulls",
		"json_strip_nulls", "jsonb_pretty", "jsonb_path_exists", "jsonb_path_match", "jsonb_path_query",
		"jsonb_path_query_array", "jsonb_path_query_first", "json_extract", "json_type", "json_valid", "json", "jsonb",
		"json_to_record", "jsonb_to_record", "json_to_recordset", "jsonb_to_recordset",
		// text search with a given configuration or the session's
		"to_tsvector", "to_tsquery", "plainto_tsquery", "phraseto_tsquery", "websearch_to_tsquery", "ts_rank",
		"ts_rank_cd", "ts_headline", "setweight", "numnode", "querytree", "tsvector_to_array",
		// networks, bits, bytes, types
		"host", "masklen", "netmask", "network", "broadcast", "family", "abbrev", "set_masklen", "get_bit", "get_byte",
		"set_bit", "set_byte", "typeof", "pg_typeof", "text",
		// words that a parenthesis follows in some clauses, and that a function may have for a name
		"key", "match", "range":
		return true
	default:
		return false
	}
}

// pureInPostgres lists functions that PostgreSQL has besides. Others of these names, elsewhere, may tell the time. (age of
// one argument does: see [Statement.Volatile].)
func pureInPostgres(function string) bool {
	switch function {
	case "age", "date", "date_add", "date_subtract",
		// casts that are written as functions
		"int2", "int4", "int8", "float4", "float8", "bool", "bpchar",
		// numbers
		"scale", "min_scale", "trim_scale", "factorial", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sind", "cosd",
		"tand", "asind", "acosd", "atand", "atan2d", "cotd", "cot", "erf", "erfc",
		// geometry
		"point", "box", "circle", "line", "lseg", "path", "polygon", "area", "center", "diagonal", "diameter", "height", "width",
		"length", "radius", "npoints", "slope", "isclosed", "isopen", "pclose", "popen", "bound_box", "ishorizontal",
		"isvertical", "isparallel", "isperp",
		// text and bytes
		"sha224", "sha384", "sha512", "to_ascii", "normalize", "unistr", "parse_ident", "string_to_table", "convert_from",
		"convert", "crc32", "crc32c", "bit_count",
		// arrays, ranges and JSON
		"trim_array", "array_reverse", "array_sort", "range_agg", "range_intersect_agg", "multirange", "int4multirange",
		"int8multirange", "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange", "any_value",
		"jsonb_path_query_tz", "jsonb_path_exists_tz", "jsonb_path_match_tz", "jsonb_set_lax", "json_exists", "json_query",
		"json_value", "json_table", "json_scalar", "json_serialize", "json_arrayagg", "json_objectagg":
		return true
	default:
		return false
	}
}

// pureInMySQL lists functions that MySQL and MariaDB have besides. Others of these names, elsewhere, may tell the time.
func pureInMySQL(function string) bool {
	switch function {
	case "if", "field", "elt", "find_in_set", "any_value", "isnull", "values", "interval", "convert", "cast", "binary",
		"index", "std", "bit_count", "json_arrayagg", "json_objectagg",
		// text
		"substring_index", "locate", "mid", "lcase", "ucase", "space", "strcmp", "char", "ord", "oct", "bin", "conv", "unhex",
		"quote", "soundex", "sha", "sha1", "sha2", "crc32", "to_base64", "from_base64", "export_set", "make_set", "insert",
		// numbers
		"truncate", "log2", "cot",
		// times that are given
		"date", "time", "timestamp", "year", "quarter", "month", "monthname", "week", "weekofyear", "weekday", "yearweek",
		"day", "dayname", "dayofmonth", "dayofweek", "dayofyear", "hour", "minute", "second", "microsecond", "last_day",
		"date_format", "time_format", "str_to_date", "date_add", "date_sub", "adddate", "subdate", "addtime", "subtime",
		"datediff", "timediff", "timestampdiff", "timestampadd", "from_unixtime", "from_days", "to_days", "to_seconds",
		"sec_to_time", "time_to_sec", "makedate", "maketime", "period_add", "period_diff",
		// JSON
		"json_unquote", "json_contains", "json_contains_path", "json_search", "json_length", "json_keys", "json_depth",
		"json_value", "json_query", "json_exists", "json_quote", "json_remove", "json_replace", "json_set", "json_insert",
		"json_array_append", "json_array_insert", "json_merge_patch", "json_merge_preserve", "json_overlaps", "json_pretty",
		// keys and networks
		"bin_to_uuid", "uuid_to_bin", "is_uuid", "inet_aton", "inet_ntoa", "inet6_aton", "inet6_ntoa":
		return true
	default:
		return false
	}
}
