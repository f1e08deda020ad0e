package catalog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// identifyMySQL names a database after itself, without the server that it is on: the servers of a cluster, and the one
// that takes over after a failure, have names of their own, and a write to any of them has to reach the entries of
// all. So databases of one name share their tags. They share no entries: those are told apart by the session, which has
// the server in it.
//
// The name is asked for first: a write can be announced, whatever else cannot be found out.
func identifyMySQL(ctx context.Context, q Querier, dsn string) (Identity, error) {
	var name, user, host, port, data string
	if err := row(ctx, q, `SELECT DATABASE()`, &nullable{&name}); err != nil {
		return Identity{}, err
	}
	if name == "" {
		return Identity{}, errNoDatabase
	}
	id := Identity{Database: strings.ToLower(name)}
	if err := row(ctx, q, `SELECT DATABASE(), CURRENT_USER(), @@hostname, @@port, @@datadir`,
		&nullable{&name}, &user, &host, &port, &data); err != nil {
		return id, err
	}
	settings, err := mysqlSettings(ctx, q)
	if err != nil {
		return id, err
	}
	values, err := mysqlSamples().take(ctx, q)
	if err != nil {
		return id, err
	}
	server := settings["server_uuid"] + settings["server_uid"] // MySQL's and MariaDB's
	session := []string{server, host, port, data, name, user, argumentsOf(dsn)}
	for _, setting := range mysqlAnswers {
		session = append(session, setting+"="+settings[setting])
	}
	id.Certain, id.Sessions = server != "", values.sessions(session...)
	return id, mysqlRefuses(settings)
}

var errNoDatabase = errors.New("the connection has no database")

// mysqlAnswers are the settings on which answers depend.
var mysqlAnswers = []string{ //nolint:gochecknoglobals // does not change
	"sql_mode", "old_mode", "time_zone", "system_time_zone", "character_set_client", "character_set_connection",
	"character_set_results", "collation_connection", "lc_time_names", "div_precision_increment", "group_concat_max_len",
	"sql_auto_is_null", "sql_select_limit", "default_week_format", "max_sort_length", "tx_isolation",
	"transaction_isolation", "sql_buffer_result",
}

// mysqlSettings reads the variables that matter; a server has only some of them.
func mysqlSettings(ctx context.Context, q Querier) (map[string]string, error) {
	names := append([]string{"server_uuid", "server_uid", "autocommit"}, mysqlAnswers...)
	rows, err := q.QueryContext(ctx, `SHOW VARIABLES WHERE Variable_name IN ('`+strings.Join(names, `','`)+`')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	settings := map[string]string{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		settings[name] = value
	}
	return settings, errors.Join(rows.Err(), rows.Close())
}

// mysqlRefuses says which setting makes text mean something else, or lets a query read what is not committed, or what
// was there when a transaction began that nobody sees.
func mysqlRefuses(settings map[string]string) error {
	for mode := range strings.SplitSeq(settings["sql_mode"], ",") {
		switch mode {
		case "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ORACLE", "MSSQL":
			return fmt.Errorf("%w: sql_mode=%s; set a sql_mode without it, in the DSN or for the server", ErrSettings, mode)
		}
	}
	for _, name := range []string{"tx_isolation", "transaction_isolation"} {
		if settings[name] == "READ-UNCOMMITTED" {
			return fmt.Errorf("%w: %[2]s=READ-UNCOMMITTED; set %[2]s='READ-COMMITTED' or higher, in the DSN or for the server",
				ErrSettings, name)
		}
	}
	if settings["autocommit"] == "OFF" {
		return fmt.Errorf("%w: autocommit=OFF; set autocommit=1, in the DSN or for the server", ErrSettings)
	}
	return nil
}

// argumentsOf returns what a DSN says to the driver: among it, how values are handed over.
func argumentsOf(dsn string) string {
	_, arguments, _ := strings.Cut(dsn, "?")
	list := strings.Split(arguments, "&")
	slices.Sort(list)
	return strings.Join(list, "&")
}

// nullable scans NULL as an empty string.
type nullable struct{ s *string }

// Scan implements sql.Scanner.
func (n *nullable) Scan(v any) error {
	var s sql.NullString
	err := s.Scan(v)
	*n.s = s.String
	return err
}

const (
	mysqlTables = `
SELECT DATABASE(), t.TABLE_SCHEMA, t.TABLE_NAME, t.TABLE_TYPE, COALESCE(t.ENGINE, ''), COALESCE(v.VIEW_DEFINITION, '')
FROM information_schema.TABLES t
LEFT JOIN information_schema.VIEWS v ON v.TABLE_SCHEMA = t.TABLE_SCHEMA AND v.TABLE_NAME = t.TABLE_NAME
WHERE t.TABLE_SCHEMA = DATABASE()
ORDER BY t.TABLE_NAME`
	mysqlKeys = `
SELECT k.TABLE_NAME, LOWER(k.COLUMN_NAME), c.DATA_TYPE, COALESCE(c.COLLATION_NAME, '')
FROM information_schema.KEY_COLUMN_USAGE k
JOIN information_schema.COLUMNS c
  ON c.TABLE_SCHEMA = k.TABLE_SCHEMA AND c.TABLE_NAME = k.TABLE_NAME AND c.COLUMN_NAME = k.COLUMN_NAME
WHERE k.TABLE_SCHEMA = DATABASE() AND k.CONSTRAINT_NAME = 'PRIMARY'
ORDER BY k.TABLE_NAME, k.ORDINAL_POSITION`
	// mysqlColumns tells of which types values can be named. MariaDB tells a default of NULL as a text. A column that cannot
	// be NULL gets a value of the server's own if the mode is not strict.
	mysqlColumns = `
SELECT TABLE_NAME, LOWER(COLUMN_NAME), DATA_TYPE, COALESCE(COLLATION_NAME, ''),
       EXTRA LIKE '%VIRTUAL%' OR EXTRA LIKE '%STORED%' OR EXTRA LIKE '%PERSISTENT%',
       IS_NULLABLE = 'NO' OR COALESCE(COLUMN_DEFAULT, 'NULL') <> 'NULL',
       DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint',
         'char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'uuid'),
       COLUMN_TYPE, COALESCE(GENERATION_EXPRESSION, '')
FROM information_schema.COLUMNS
WHERE TABLE_SCHEMA = DATABASE()
ORDER BY TABLE_NAME, ORDINAL_POSITION`
	// innodbTables are the numbers that the engine gives to tables and to partitions, another one when they are made anew or
	// emptied. It needs the right to see processes, and spells some names otherwise.
	innodbTables = `
SELECT SUBSTRING_INDEX(SUBSTRING_INDEX(NAME, '/', -1), '#', 1), TABLE_ID
FROM information_schema.%[1]s
WHERE SUBSTRING_INDEX(NAME, '/', 1) = DATABASE()
ORDER BY NAME`
	// mysqlCreated is when a table was made, in seconds. The server has to open each table for it.
	mysqlCreated = `
SELECT TABLE_NAME, COALESCE(UNIX_TIMESTAMP(CREATE_TIME), '')
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE()`
	// mysqlIndexes have no name for a column that is an expression.
	mysqlIndexes = `
SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, LOWER(COALESCE(COLUMN_NAME, ''))
FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND INDEX_TYPE IN ('BTREE', 'HASH')
ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`
	mysqlForeignKeys = `
SELECT r.CONSTRAINT_SCHEMA, r.CONSTRAINT_NAME, r.TABLE_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE,
       k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME
FROM information_schema.REFERENTIAL_CONSTRAINTS r
JOIN information_schema.KEY_COLUMN_USAGE k ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA
  AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME AND k.TABLE_NAME = r.TABLE_NAME
WHERE r.CONSTRAINT_SCHEMA = DATABASE() AND k.CONSTRAINT_SCHEMA = DATABASE()
ORDER BY r.CONSTRAINT_SCHEMA, r.TABLE_NAME, r.CONSTRAINT_NAME, k.ORDINAL_POSITION`
	// mysqlForeignChildren are the keys of other databases' tables that refer to this one's. The server has to open every
	// table of every database for it.
	mysqlForeignChildren = `
SELECT r.CONSTRAINT_SCHEMA, r.CONSTRAINT_NAME, r.TABLE_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE, '', ''
FROM information_schema.REFERENTIAL_CONSTRAINTS r
WHERE r.UNIQUE_CONSTRAINT_SCHEMA = DATABASE() AND r.CONSTRAINT_SCHEMA <> DATABASE()`
	// innodbChildren asks the engine for the same, which is quick, and needs the right to see processes. There, names beyond
	// these characters are spelled otherwise: the query then fails. MySQL calls the table in another way than MariaDB.
	innodbChildren = `
SELECT SUBSTRING_INDEX(FOR_NAME, '/', 1), ID, SUBSTRING_INDEX(FOR_NAME, '/', -1), SUBSTRING_INDEX(REF_NAME, '/', -1),
       '', '', '', ''
FROM information_schema.%[1]s
WHERE SUBSTRING_INDEX(REF_NAME, '/', 1) = DATABASE() AND SUBSTRING_INDEX(FOR_NAME, '/', 1) <> DATABASE()
  AND IF(DATABASE() REGEXP '^[0-9A-Za-z_]+$', 1, (SELECT 1 UNION SELECT 2))`
	mysqlTriggers = `
SELECT EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_TIMING, COALESCE(ACTION_STATEMENT, '')
FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()`
	mysqlRoutines = `
SELECT ROUTINE_NAME, COALESCE(ROUTINE_DEFINITION, '') FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()`
)

func loadMySQL(ctx context.Context, q Querier) (*Catalog, error) {
	c := &Catalog{}
	s := schema{ctx: ctx, q: q, c: c}
	s.each(mysqlTables, 6, func(v []string) {
		c.Database = v[0]
		c.Tables = append(c.Tables, Table{
			Schema: v[1], Name: v[2], Kind: mysqlKind(v[3], v[4]), Temporary: v[3] == "TEMPORARY", Definition: v[5],
		})
		c.Unsettled = c.Unsettled || v[3] == "" || v[3] == "VIEW" && v[5] == ""
	})
	s.each(mysqlKeys, 4, func(v []string) { s.key(v[0], mysqlColumn(v[1], v[2], v[3])) })
	s.each(mysqlColumns, 9, func(v []string) {
		s.identity(v[0], v[1:]...)
		if v[6] != "1" {
			return
		}
		column := mysqlColumn(v[1], v[2], v[3])
		column.Generated, column.Default = v[4] == "1", v[4] == "0" && v[5] == "1"
		s.column(v[0], column)
	})
	s.mysqlIdentities()
	s.each(mysqlIndexes, 4, s.index)
	s.dropExpressions()
	key := func(v []string) {
		if v[0] == c.Database {
			v[0] = ""
		}
		s.foreignKey(v[1], ForeignKey{Elsewhere: v[0], Child: v[2], Parent: v[3], OnDelete: v[4], OnUpdate: v[5]}, v[6], v[7])
	}
	s.each(mysqlForeignKeys, 8, key)
	s.first(8, key, fmt.Sprintf(innodbChildren, "INNODB_SYS_FOREIGN"), fmt.Sprintf(innodbChildren, "INNODB_FOREIGN"),
		mysqlForeignChildren)
	s.each(mysqlTriggers, 4, s.trigger)
	s.each(mysqlRoutines, 2, s.routine)
	return c, s.err
}

// mysqlKind tells what a table is. Only engines with transactions keep what is not committed from readers; tables of
// others, and of engines that reach elsewhere, are taken for foreign ones.
func mysqlKind(kind, engine string) Kind {
	switch {
	case strings.HasSuffix(kind, "VIEW"):
		return View
	case kind == "SEQUENCE":
		return Foreign
	}
	switch strings.ToLower(engine) {
	case "innodb", "rocksdb", "tokudb":
		return Base
	default:
		return Foreign
	}
}

// mysqlIdentities completes the identities of tables, which have their columns already: with the engine's numbers of
// them, or with the time at which they were made.
func (s *schema) mysqlIdentities() {
	numbered := map[string]bool{}
	s.first(2, func(v []string) {
		numbered[v[0]] = true
		s.identity(v[0], v[1])
	}, fmt.Sprintf(innodbTables, "INNODB_SYS_TABLES"), fmt.Sprintf(innodbTables, "INNODB_TABLES"), nothing)
	if slices.ContainsFunc(s.c.Tables, func(t Table) bool { return t.Kind == Base && !numbered[t.Name] }) {
		s.each(mysqlCreated, 2, func(v []string) { s.identity(v[0], v[1]) })
	}
}

// column adds a column to a table, if its values can be named.
func (s *schema) column(table string, column Column) {
	if t := s.table(table); t != nil && t.Kind == Base && !strings.HasPrefix(column.Type, collated) {
		t.Columns = append(t.Columns, column)
	}
}

// index adds one column of an index: the table, the index, whether it is not unique, the column. Indexes come column by
// column.
func (s *schema) index(v []string) {
	t := s.table(v[0])
	if t == nil || t.Kind != Base {
		return
	}
	if id := v[0] + "\x00" + v[1]; id != s.last {
		s.last = id
		t.Indexes = append(t.Indexes, Index{Unique: v[2] == "0"})
	}
	last := &t.Indexes[len(t.Indexes)-1]
	last.Columns = append(last.Columns, v[3])
}

// dropExpressions removes the indexes that are not on columns only.
func (s *schema) dropExpressions() {
	for i := range s.c.Tables {
		t := &s.c.Tables[i]
		t.Indexes = slices.DeleteFunc(t.Indexes, func(x Index) bool { return slices.Contains(x.Columns, "") })
	}
}

// collated is what the type of a text begins with that is equal to others in ways that are not known.
const collated = "collated "

// mysqlColumn describes a column. What a text is equal to, its collation says: types of those that are not
// known have no name here.
func mysqlColumn(name, dataType, collation string) Column {
	c := Column{Name: name, Type: strings.ToLower(dataType)}
	switch c.Type {
	case "char", "varchar", "tinytext", "text", "mediumtext", "longtext":
		if !mysqlRoot(collation) {
			c.Type = collated + collation
		}
	}
	return c
}

// mysqlRoot reports whether a collation takes no more ASCII letters for one than those that differ in case: those of some
// languages do (MySQL Reference Manual, "Unicode Character Sets": I and J, U and V in roman_ci).
func mysqlRoot(collation string) bool {
	charset, rest, _ := strings.Cut(strings.ToLower(collation), "_")
	if charset == "uca1400" {
		return rest == "ai_ci" || rest == "as_ci" || rest == "as_cs" || rest == "ai_cs"
	}
	switch rest {
	case "bin", "general_ci", "general_cs", "unicode_ci", "unicode_520_ci", "0900_ai_ci", "0900_as_ci", "0900_as_cs",
		"0900_bin", "uca1400_ai_ci", "uca1400_as_ci", "uca1400_as_cs", "uca1400_ai_cs", "nopad_bin",
		"general_nopad_ci", "unicode_nopad_ci",
		"unicode_520_nopad_ci", "general_mysql500_ci":
		return true
	default:
		return collation == "latin1_swedish_ci"
	}
}
