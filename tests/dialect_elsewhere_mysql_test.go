package tests_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
)

// farSchema is another database of the server, to which the first one has ways of its own: nearSchema.
const (
	farSchema = `CREATE TABLE others AS SELECT * FROM members WHERE id = 2;
CREATE TABLE notes (id int PRIMARY KEY, member_id bigint);
CREATE TRIGGER noted AFTER INSERT ON notes FOR EACH ROW UPDATE members SET name = 'noted' WHERE id = NEW.member_id;
CREATE PROCEDURE rename_all() UPDATE members SET name = 'procedure';
CREATE FUNCTION rename_it() RETURNS int MODIFIES SQL DATA BEGIN UPDATE members SET name = 'function'; RETURN 1; END;
CREATE VIEW old AS SELECT * FROM members;`
	nearSchema = `CREATE VIEW far AS SELECT * FROM {far}.members;
CREATE TABLE keepers (id bigint PRIMARY KEY);
CREATE TABLE {far}.kept (id bigint PRIMARY KEY, FOREIGN KEY (id) REFERENCES {near}.keepers (id) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE PROCEDURE far_away() UPDATE {far}.members SET name = 'far away';
CREATE TRIGGER far_trigger AFTER UPDATE ON members FOR EACH ROW UPDATE {far}.members SET name = NEW.name WHERE id = 1;`
)

// What is written to another database of the server, by its name, or by what follows from a write here, that database's
// own handles see.
func TestMySQLWriteToAnotherDatabase(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"UPDATE {far}.members SET name = 'qualified' WHERE id = 1", "UPDATE `{far}`.`members` SET name = 'quoted' WHERE id = 1",
		"UPDATE {far} . members SET name = 'spaces' WHERE id = 1",
		"INSERT INTO {far}.members (id, name) VALUES (1, 'x') ON DUPLICATE KEY UPDATE name = 'upserted'",
		"REPLACE {far}.members SET id = 1, name = 'replaced'", "INSERT INTO {far}.members (id, name) SELECT 9, 'selected'",
		"UPDATE members JOIN {far}.members m ON m.id = members.id SET m.name = 'joined'",
		"UPDATE members, {far}.members m SET m.name = 'comma' WHERE m.id = 1",
		"DELETE m FROM {far}.members m JOIN members ON members.id = m.id WHERE m.id = 2",
		"DELETE FROM m USING {far}.members AS m JOIN keepers ON keepers.id = m.id",
		"DELETE FROM {far}.members WHERE id = 3", "TRUNCATE {far}.members",
		"UPDATE {far}.old SET name = 'view' WHERE id = 1", "UPDATE far SET name = 'far view' WHERE id = 1",
		"INSERT INTO {far}.notes VALUES (1, 1)", "CALL {far}.rename_all()", "DO {far}.rename_it()",
		"INSERT INTO members (name) SELECT {far}.rename_it()",
		"CALL far_away()", "UPDATE members SET name = 'by a trigger' WHERE id = 2",
		"DELETE FROM keepers WHERE id = 1", "UPDATE keepers SET id = 7 WHERE id = 1",
		"BEGIN NOT ATOMIC UPDATE {far}.members SET name = 'compound'; END",
		"SET STATEMENT max_statement_time = 100 FOR UPDATE {far}.members SET name = 'set'",
		"ALTER TABLE {far}.members MODIFY age varchar(9)", "ALTER TABLE {far}.members DROP COLUMN age", "RENAME TABLE {far}.members TO {far}.before, {far}.others TO {far}.members",
		"DROP TABLE {far}.notes; UPDATE {far}.members SET name = 'several' WHERE id = 1",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			here := newWorldOn(t, onMySQL())
			there := &world{t: t, dialect: onMySQL(), dsn: here.dialect.database(t), redis: here.redis, namespace: here.namespace}
			far := strings.NewReplacer("{far}", there.mysqlDatabase(), "{near}", here.mysqlDatabase())
			here.members(2)
			plain := there.members(3)
			require.NoError(t, plain.Exec(farSchema).Error)
			require.NoError(t, here.plain().Exec(far.Replace(nearSchema)).Error)
			require.NoError(t, here.plain().Exec(far.Replace("INSERT INTO keepers VALUES (1); INSERT INTO {far}.kept VALUES (1)")).Error)
			require.NoError(t, plain.Exec("UPDATE members SET name = 'xxx' WHERE id > 1").Error)
			writer, reader := here.cached(), there.cached()
			reader.warm(t, func(db *gorm.DB) { farView(t, db) })
			before := farView(t, plain.DB)
			require.NoError(t, writer.Exec(far.Replace(text)).Error)
			want := farView(t, plain.DB)
			require.NotEqual(t, want, before)
			require.Equal(t, want, farView(t, reader.DB))
		})
	}
}

func farView(t *testing.T, db *gorm.DB) any {
	t.Helper()
	var all, one []member
	var maps []map[string]any
	var kept []int
	require.NoError(t, db.Table("members").Order("id").Find(&maps).Error)
	require.NoError(t, db.Order("id").Find(&all).Error)
	require.NoError(t, db.Find(&one, 1).Error)
	require.NoError(t, db.Table("kept").Pluck("id", &kept).Error)
	return []any{all, one, maps, kept}
}
