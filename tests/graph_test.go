package tests_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

type harbor struct {
	ID    int64
	Code  string `gorm:"uniqueIndex"`
	Ships []ship `gorm:"constraint:OnDelete:SET NULL"`
}

type ship struct {
	ID       int64
	HarborID *int64
	Crew     []sailor `gorm:"many2many:crews"`
	Logs     []shipLog
}

type sailor struct{ ID int64 }

type shipLog struct {
	ID     int64
	ShipID int64
}

type shipView struct{ ID int64 }

func (shipView) CacheDependsOn() []string { return []string{"ships"} }

// graphWorld is a database with nothing in it but what a test makes.
func graphWorld(t *testing.T) *world {
	t.Helper()
	d := onPostgres()
	d.database = testkit.PostgresDatabase
	return newWorldOn(t, d)
}

func TestGraphShowsWhatTheCatalogAndTheModelsSay(t *testing.T) {
	t.Parallel()
	w := graphWorld(t)
	plain := w.migrate(&harbor{}, &ship{}, &sailor{})
	for _, text := range []string{
		"CREATE TABLE ship_logs (id bigserial PRIMARY KEY, ship_id bigint)",
		"CREATE TABLE ship_views (id bigserial PRIMARY KEY)",
		"CREATE VIEW busy AS SELECT harbor_id FROM ships",
		"CREATE FUNCTION say() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO ship_logs (ship_id) VALUES (NEW.id); RETURN NEW; END'",
		"CREATE TRIGGER t AFTER UPDATE ON ships FOR EACH ROW EXECUTE FUNCTION say()",
	} {
		require.NoError(t, plain.Exec(text).Error, text)
	}
	h := w.cached()
	require.NoError(t, h.Find(&[]harbor{}).Error)
	require.NoError(t, h.Find(&[]shipView{}).Error)
	title, text, _ := strings.Cut(h.plugin.Graph().String(), "\n")
	require.Contains(t, title, "database t_graphshows")
	require.Equal(t, `
busy: view
  reads ships

crews: table; key ship_id+sailor_id; scopes sailor_id, ship_id
  refers to sailors by sailor_id = id
  refers to ships by ship_id = id

harbors: table; key id; scopes code (unique)

sailors: table; key id

ship_logs: table; key id; scopes ship_id
  is associated with ships by ship_id = id

ship_views: table; key id
  depends on ships

ships: table; key id; scopes harbor_id
  refers to harbors by harbor_id = id, on delete SET NULL
  has triggers that write to ship_logs
`, text)
	dot := h.plugin.Graph().DOT()
	require.Contains(t, dot, `"0.ships" -> "0.harbors" [label="harbor_id = id\non delete SET NULL"]`)
	require.Equal(t, strings.Count(dot, "{"), strings.Count(dot, "}"))
	closeNow(t, h)
	require.Empty(t, h.plugin.Graph().String())
}

// A plugin of several databases shows each, by name; a plugin of none, nothing.
func TestGraphOfSeveralDatabases(t *testing.T) {
	t.Parallel()
	require.Empty(t, rediscache.New(rediscache.Config{}).Graph().String())
	first, second := graphWorld(t), graphWorld(t)
	first.migrate(&sailor{})
	second.migrate(&harbor{}, &ship{}, &sailor{})
	h := first.cached()
	other := second.plain()
	require.NoError(t, other.Use(h.plugin))
	again := first.plain()
	require.NoError(t, again.Use(h.plugin))
	text := h.plugin.Graph().String()
	require.Equal(t, 2, strings.Count(text, "database t_"), text)
	require.Equal(t, 2, strings.Count(text, "\nsailors: table"), text)
	require.Equal(t, 1, strings.Count(text, "\nharbors: table"), text)
	dot := h.plugin.Graph().DOT()
	require.Contains(t, dot, `"0.sailors"`)
	require.Contains(t, dot, `"1.sailors"`)
}
