package callbacks

import (
	"database/sql"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// parser parses models as one handle of GORM's does.
type parser struct {
	t     *testing.T
	cache *sync.Map
}

func newParser(t *testing.T) *parser {
	t.Helper()
	return &parser{t: t, cache: &sync.Map{}}
}

func (p *parser) parse(model any) *schema.Schema {
	p.t.Helper()
	s, err := schema.Parse(model, p.cache, schema.NamingStrategy{})
	require.NoError(p.t, err)
	return s
}

// learned returns what follows from models.
func learned(t *testing.T, list ...any) *models {
	t.Helper()
	p, m := newParser(t), newModels(newPolicies(ttlconfig.Policy{}), slog.New(slog.DiscardHandler))
	for _, model := range list {
		m.learn(p.parse(model))
	}
	return m
}

func catalogOf(m *models) *catalog.Catalog {
	c, _ := m.catalog()
	return c
}

// spelled writes the scopes of a table as one text.
func spelled(m *models, table string) string {
	var list []string
	for _, columns := range m.scopes(table) {
		list = append(list, strings.Join(columns, "+"))
	}
	return strings.Join(list, " ")
}

type modelCompany struct {
	ID   uint
	Name string `gorm:"uniqueIndex"`
}

type modelUser struct {
	ID        uint
	Email     string `gorm:"unique"`
	Tenant    string `gorm:"uniqueIndex:tenant_nick"`
	Nick      string `gorm:"uniqueIndex:tenant_nick"`
	Short     string `gorm:"uniqueIndex:,expression:lower(short)"`
	City      string `gorm:"index"`
	CompanyID *uint
	Company   *modelCompany `gorm:"constraint:OnDelete:SET NULL"`
	ManagerID *uint
	Team      []modelUser  `gorm:"foreignKey:ManagerID"`
	Orders    []modelOrder `gorm:"constraint:OnDelete:CASCADE,OnUpdate:CASCADE"`
	Profile   modelProfile
	Toys      []modelToy      `gorm:"polymorphic:Owner"`
	Languages []modelLanguage `gorm:"many2many:user_languages;constraint:OnDelete:CASCADE"`
	Friends   []*modelUser    `gorm:"many2many:friendships"`
	Home      modelAddress    `gorm:"embedded;embeddedPrefix:home_"`
}

type modelAddress struct {
	CountryID uint
	Country   modelCountry
}

type modelCountry struct{ ID uint }

type modelOrder struct {
	ID          uint
	ModelUserID uint
	Lines       []modelLine `gorm:"foreignKey:OrderID,Region;references:ID,Region"`
	Region      string
}

type modelLine struct {
	ID      uint
	OrderID uint
	Region  string
}

type modelProfile struct {
	ID          uint
	ModelUserID uint
}

type modelToy struct {
	ID        uint
	OwnerID   uint
	OwnerType string
}

type modelLanguage struct {
	Code string `gorm:"primaryKey"`
}

func TestScopesFollowFromAssociationsAndUniqueIndexes(t *testing.T) {
	t.Parallel()
	m := learned(t, &modelUser{})
	for table, want := range map[string]string{
		"model_users":     "company_id email home_country_id manager_id nick+tenant",
		"model_companies": "name",
		"model_orders":    "model_user_id",
		"model_lines":     "order_id+region",
		"model_profiles":  "model_user_id",
		"model_toys":      "owner_id owner_id+owner_type",
		"user_languages":  "model_language_code model_user_id",
		"friendships":     "friend_id model_user_id",
		"model_countries": "",
		"unknown":         "",
	} {
		require.Equal(t, want, spelled(m, table), table)
	}
}

func TestLearningTellsWhetherItGrew(t *testing.T) {
	t.Parallel()
	p, m := newParser(t), newModels(newPolicies(ttlconfig.Policy{}), slog.New(slog.DiscardHandler))
	require.False(t, m.learn(nil))
	before := m.version()
	require.True(t, m.learn(p.parse(&modelUser{})))
	require.NotEqual(t, before, m.version())
	before = m.version()
	require.False(t, m.learn(p.parse(&modelUser{})))
	require.False(t, m.learn(p.parse(&modelOrder{})), "it was reached before")
	require.False(t, m.learn(newParser(t).parse(&modelUser{})), "another handle's, and the same")
	require.Equal(t, before, m.version())
}

type modelPerson struct {
	ID        uint
	Languages []modelLanguage `gorm:"many2many:person_languages"`
}

type personLanguage struct {
	ModelPersonID     uint   `gorm:"primaryKey"`
	ModelLanguageCode string `gorm:"primaryKey"`
	LevelID           uint
	Level             modelLevel
}

type modelLevel struct{ ID uint }

func TestJoinTablesOfTheApplicationsOwn(t *testing.T) {
	t.Parallel()
	db, err := gorm.Open(nil, &gorm.Config{DryRun: true})
	require.NoError(t, err)
	require.NoError(t, db.SetupJoinTable(&modelPerson{}, "Languages", &personLanguage{}))
	stmt := &gorm.Statement{DB: db}
	require.NoError(t, stmt.Parse(&modelPerson{}))
	m := newModels(newPolicies(ttlconfig.Policy{}), slog.New(slog.DiscardHandler))
	m.learn(stmt.Schema)
	require.Equal(t, "level_id model_language_code model_person_id", spelled(m, "person_languages"))
}

type modelView struct{ ID uint }

func (modelView) TableName() string { return "app.Revenue" }

func (modelView) CacheDependsOn() []string { return []string{"Orders", "app.rates", "orders"} }

type modelPointerView struct {
	ID   uint
	View modelView `gorm:"foreignKey:ID"`
}

func (*modelPointerView) CacheDependsOn() []string { return []string{"rates"} }

func TestModelsSayWhatTheirViewsDependOn(t *testing.T) {
	t.Parallel()
	m := learned(t, &modelPointerView{})
	require.Equal(t, []string{"orders", "rates"}, m.dependsOn("revenue"))
	require.Equal(t, []string{"rates"}, m.dependsOn("model_pointer_views"))
	require.Empty(t, m.dependsOn("orders"))
}

func TestDeclaredScopesCountBesides(t *testing.T) {
	t.Parallel()
	m := learned(t, &modelProfile{})
	m.declare("model_profiles", [][]string{{"slug"}})
	require.Equal(t, "slug", spelled(m, "model_profiles"))
	before := m.version()
	m.declare("", [][]string{{"tenant_id"}})
	require.NotEqual(t, before, m.version())
	require.Equal(t, "slug tenant_id", spelled(m, "model_profiles"))
	require.Equal(t, "tenant_id", spelled(m, "other"))
	before = m.version()
	m.declare("model_profiles", [][]string{{"slug"}})
	m.declare("", nil)
	require.Equal(t, before, m.version())
}

func TestForeignKeysAreThoseThatAutoMigrateMakes(t *testing.T) {
	t.Parallel()
	m := learned(t, &modelUser{})
	key := func(child, parent, onDelete, onUpdate, columns, references string) catalog.ForeignKey {
		return catalog.ForeignKey{
			Child: child, Parent: parent, OnDelete: onDelete, OnUpdate: onUpdate,
			Columns: strings.Fields(columns), References: strings.Fields(references),
		}
	}
	require.ElementsMatch(t, []catalog.ForeignKey{
		key("model_users", "model_companies", "SET NULL", "", "company_id", "id"),
		key("model_users", "model_users", "", "", "manager_id", "id"),
		key("model_users", "model_countries", "", "", "home_country_id", "id"),
		key("model_orders", "model_users", "CASCADE", "CASCADE", "model_user_id", "id"),
		key("model_lines", "model_orders", "", "", "order_id region", "id region"),
		key("model_profiles", "model_users", "", "", "model_user_id", "id"),
		key("user_languages", "model_users", "CASCADE", "", "model_user_id", "id"),
		key("user_languages", "model_languages", "CASCADE", "", "model_language_code", "code"),
		key("friendships", "model_users", "", "", "model_user_id", "id"),
		key("friendships", "model_users", "", "", "friend_id", "id"),
	}, catalogOf(m).ForeignKeys)
}

type modelBoth struct {
	ID     uint
	Childs []modelBothChild `gorm:"foreignKey:BothID;constraint:OnDelete:CASCADE"`
}

type modelBothChild struct {
	ID     uint
	BothID uint
	Both   *modelBoth `gorm:"constraint:OnDelete:SET NULL"`
	NoneID uint
	None   modelCompany `gorm:"constraint:-"`
}

func TestTheSideThatHasSaysWhatTheConstraintIs(t *testing.T) {
	t.Parallel()
	for _, model := range []any{&modelBoth{}, &modelBothChild{}} {
		require.Equal(t, []catalog.ForeignKey{{
			Child: "model_both_children", Parent: "model_boths", OnDelete: "CASCADE", Columns: []string{"both_id"}, References: []string{"id"},
		}}, catalogOf(learned(t, model)).ForeignKeys)
	}
}

type modelTypes struct {
	ID        int64
	Text      string `gorm:"type:varchar(10);default:x"`
	GUID      string `gorm:"type:uuid"`
	Flag      bool
	Null      sql.NullInt64
	Pointer   *int32
	Raw       string `gorm:"type:int range"`
	Generated string `gorm:"type:text generated always as (text) stored;->"`
	Upper     string `gorm:"type:text"`
	JSON      string `gorm:"serializer:json"`
}

type modelNarrow struct {
	ID    int64
	Upper int
}

func (modelNarrow) TableName() string { return "model_types" }

type modelKeyless struct{ Upper string }

func (modelKeyless) TableName() string { return "model_types" }

type modelOtherKey struct {
	GUID string `gorm:"primaryKey"`
}

func (modelOtherKey) TableName() string { return "model_types" }

func TestTablesAreThoseThatAutoMigrateMakes(t *testing.T) {
	t.Parallel()
	table := func(list ...any) catalog.Table {
		all := catalogOf(learned(t, list...)).Tables
		require.Len(t, all, 1)
		return all[0]
	}
	column := func(name, kind string) catalog.Column { return catalog.Column{Name: name, Type: kind} }
	require.Equal(t, catalog.Table{
		Name: "model_types", Kind: catalog.Base, Unreadable: true, Key: []catalog.Column{column("id", "int8")},
		Columns: []catalog.Column{
			{Name: "id", Type: "int8", Default: true},
			{Name: "text", Type: "text", Default: true},
			column("guid", "text"),
			column("flag", opaqueType), column("null", opaqueType), column("pointer", "int8"), column("raw", opaqueType),
			{Name: "generated", Type: opaqueType, Generated: true},
			column("upper", "text"), column("json", opaqueType),
		},
	}, table(&modelTypes{}))
	narrow := table(&modelTypes{}, &modelNarrow{}, &modelKeyless{})
	require.Contains(t, narrow.Columns, column("upper", opaqueType), "the models differ")
	require.Equal(t, []catalog.Column{column("id", "int8")}, narrow.Key)
	require.Equal(t, narrow.Key, table(&modelKeyless{}, &modelNarrow{}).Key)
	other := table(&modelTypes{}, &modelOtherKey{}, &modelTypes{}, &modelKeyless{})
	require.Equal(t, []catalog.Column{{Type: opaqueType}}, other.Key, "the models differ")
}

// Models are parsed by whoever uses them first, while others use what is associated with them.
func TestModelsAreLearnedWhileOthersAreParsed(t *testing.T) {
	t.Parallel()
	list := []any{&modelUser{}, &modelOrder{}, &modelToy{}, &modelProfile{}, &modelLanguage{}, &modelLine{}, &modelBothChild{}, &modelBoth{}}
	for range 20 {
		p, m := newParser(t), newModels(newPolicies(ttlconfig.Policy{}), slog.New(slog.DiscardHandler))
		var all sync.WaitGroup
		for _, model := range list {
			all.Go(func() {
				s, err := schema.Parse(reflect.New(reflect.TypeOf(model).Elem()).Interface(), p.cache, schema.NamingStrategy{})
				if err == nil {
					m.learn(s)
				}
				m.scopes("model_users")
				m.catalog()
			})
		}
		all.Wait()
		require.Equal(t, "company_id email home_country_id manager_id nick+tenant", spelled(m, "model_users"))
	}
}
