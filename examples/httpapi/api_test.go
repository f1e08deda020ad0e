package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/metrics"
)

func TestUsersAreMadeReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	s := startService(t)
	made := s.send(http.MethodPost, "/users", `{"name":"Ada","email":"ada@example.com"}`)
	require.Equal(t, http.StatusCreated, made.status, made.text)
	at := made.header.Get("Location")
	ada := get[User](s, at)
	require.Equal(t, UserFields{Name: "Ada", Email: "ada@example.com"}, ada.UserFields)
	grace := s.newUser("grace")

	require.Equal(t, []User{ada, grace}, get[[]User](s, "/users"))
	require.Equal(t, []User{ada}, get[[]User](s, "/users?limit=1"))
	require.Equal(t, []User{grace}, get[[]User](s, fmt.Sprintf("/users?after=%d", ada.ID)))
	require.Equal(t, []User{grace}, get[[]User](s, "/users?email=grace@example.com"))
	require.Empty(t, get[[]User](s, "/users?email=nobody@example.com"))

	changed := do[User](s, http.MethodPatch, at, `{"email":"countess@example.com"}`)
	require.Equal(t, UserFields{Name: "Ada", Email: "countess@example.com"}, changed.UserFields)
	require.Equal(t, changed, get[User](s, at))
	require.Equal(t, []User{changed}, get[[]User](s, "/users?email=countess@example.com"))
	require.Empty(t, get[[]User](s, "/users?email=ada@example.com"))

	require.Equal(t, http.StatusNoContent, s.send(http.MethodDelete, at, "").status)
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, at, "").status)
	require.Equal(t, []User{grace}, get[[]User](s, "/users"))
}

func TestProductsAreMadeReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	s := startService(t)
	engine, other := s.newProduct("3"), s.newProduct("5")
	at := fmt.Sprintf("/products/%d", engine.ID)
	require.Equal(t, engine, get[Product](s, at))
	require.Equal(t, []Product{engine, other}, get[[]Product](s, "/products"))
	require.Equal(t, []Product{other}, get[[]Product](s, fmt.Sprintf("/products?after=%d&limit=1", engine.ID)))

	changed := do[Product](s, http.MethodPatch, at, `{"stock":4}`)
	require.Equal(t, ProductFields{Name: "Engine", Cents: 1999, Stock: 4}, changed.ProductFields)
	require.Equal(t, []Product{changed, other}, get[[]Product](s, "/products"))

	require.Equal(t, http.StatusNoContent, s.send(http.MethodDelete, at, "").status)
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, at, "").status)
	require.Equal(t, []Product{other}, get[[]Product](s, "/products"))
}

func TestOrdersTakeFromTheStockAndGiveBack(t *testing.T) {
	t.Parallel()
	s := startService(t)
	user, product := s.newUser("ada"), s.newProduct("3")
	stock := func() int64 { return get[Product](s, fmt.Sprintf("/products/%d", product.ID)).Stock }
	orders := fmt.Sprintf("/users/%d/orders", user.ID)
	items := fmt.Sprintf(`{"items":[{"product_id":%d,"quantity":2}]}`, product.ID)
	require.EqualValues(t, 3, stock())

	made := s.send(http.MethodPost, orders, items)
	require.Equal(t, http.StatusCreated, made.status, made.text)
	at := made.header.Get("Location")
	order := get[Order](s, at)
	require.Equal(t, []Item{{ProductID: product.ID, Quantity: 2, Cents: 1999}}, order.Items)
	require.Equal(t, Open, order.Status)
	require.EqualValues(t, 1, stock())

	refused := s.send(http.MethodPost, orders, items)
	require.Equal(t, http.StatusConflict, refused.status, refused.text)
	require.Len(t, get[[]Order](s, orders), 1, "nothing is left of the order that was refused")
	require.EqualValues(t, 1, stock())

	require.Equal(t, Canceled, do[Order](s, http.MethodPatch, at, `{"status":"canceled"}`).Status)
	require.Equal(t, Canceled, get[Order](s, at).Status)
	require.Equal(t, Canceled, get[[]Order](s, orders)[0].Status)
	require.EqualValues(t, 3, stock())
	require.Equal(t, http.StatusConflict, s.send(http.MethodPatch, at, `{"status":"paid"}`).status)

	require.Equal(t, http.StatusConflict, s.send(http.MethodDelete, fmt.Sprintf("/products/%d", product.ID), "").status,
		"an order refers to the product")
	s.warm(at)
	require.Equal(t, http.StatusNoContent, s.send(http.MethodDelete, fmt.Sprintf("/users/%d", user.ID), "").status)
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, at, "").status, "the database deleted it with its user")
	require.Equal(t, http.StatusNotFound, s.send(http.MethodGet, orders, "").status)
}

func TestSecondGetIsAnsweredWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	s := startService(t)
	user, product := s.newUser("ada"), s.newProduct("3")
	order := do[Order](s, http.MethodPost, fmt.Sprintf("/users/%d/orders", user.ID),
		fmt.Sprintf(`{"items":[{"product_id":%d,"quantity":2}]}`, product.ID))
	paths := []string{
		"/users", "/users?email=ada@example.com", fmt.Sprintf("/users/%d", user.ID), fmt.Sprintf("/users/%d/orders", user.ID),
		fmt.Sprintf("/orders/%d", order.ID), "/products", fmt.Sprintf("/products/%d", product.ID),
	}
	first := map[string]string{}
	for _, path := range paths {
		first[path] = s.send(http.MethodGet, path, "").text
		s.warm(path)
	}
	s.database.Cut()
	for _, path := range paths {
		require.Equal(t, first[path], s.send(http.MethodGet, path, "").text)
	}
	require.Equal(t, http.StatusServiceUnavailable, s.send(http.MethodGet, "/ready", "").status)
	s.database.Restore()
	require.Equal(t, "ready", get[string](s, "/ready"))
	require.GreaterOrEqual(t, get[metrics.Totals](s, "/stats").Hits, int64(len(paths)))
	scraped, err := http.Get(s.base + "/metrics") //nolint:noctx // it ends with the service
	require.NoError(t, err)
	defer func() { _ = scraped.Body.Close() }()
	text, err := io.ReadAll(scraped.Body)
	require.NoError(t, err)
	require.Contains(t, string(text), `rediscache_reads_total{kind="row",outcome="hit",table="httpapi_users"}`)
}

func TestPatchIsSeenByTheNextGet(t *testing.T) {
	t.Parallel()
	s := startService(t)
	at := fmt.Sprintf("/users/%d", s.newUser("ada").ID)
	for i := range 20 {
		s.warm(at)
		name := fmt.Sprintf("Ada %d", i)
		do[User](s, http.MethodPatch, at, `{"name":"`+name+`"}`)
		require.Equal(t, name, get[User](s, at).Name)
	}
}

func TestNewOrderEndsTheListOfItsUserOnly(t *testing.T) {
	t.Parallel()
	s := startService(t)
	product := s.newProduct("100")
	lists, items := [2]string{}, fmt.Sprintf(`{"items":[{"product_id":%d,"quantity":1}]}`, product.ID)
	for i, name := range []string{"ada", "grace"} {
		lists[i] = fmt.Sprintf("/users/%d/orders", s.newUser(name).ID)
		do[Order](s, http.MethodPost, lists[i], items)
	}
	s.warm(lists[0])
	s.warm(lists[1])
	explained := s.send(http.MethodPost, lists[0]+"?explain=1", items)
	require.Contains(t, explained.text, "scope:httpapi_orders:user_id=")
	require.NotContains(t, explained.text, "bulk:", "no write of an order may touch those of others")
	require.Equal(t, []string{"hit", "hit"}, s.outcomes(lists[1]), "the user, and the list")
	require.Equal(t, []string{"hit", "miss"}, s.outcomes(lists[0]))
	require.Len(t, get[[]Order](s, lists[0]), 2)
}

func TestErrorsAreJSON(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.newUser("ada")
	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{http.MethodGet, "/nothing", "", http.StatusNotFound, "Not Found"},
		{http.MethodPut, "/users/1", "", http.StatusMethodNotAllowed, "Method Not Allowed"},
		{http.MethodGet, "/users/x", "", http.StatusBadRequest, "id"},
		{http.MethodGet, "/users/999", "", http.StatusNotFound, "there is none"},
		{http.MethodGet, "/users/999/orders", "", http.StatusNotFound, "there is none"},
		{http.MethodGet, "/orders/999", "", http.StatusNotFound, "there is none"},
		{http.MethodGet, "/users?limit=1000", "", http.StatusBadRequest, "limit"},
		{http.MethodGet, "/users?after=x", "", http.StatusBadRequest, "after"},
		{http.MethodGet, "/users/1?explain=x", "", http.StatusBadRequest, "explain"},
		{http.MethodPost, "/users", `{"name":"Ada"`, http.StatusBadRequest, "body"},
		{http.MethodPost, "/users", `{"name":"Ada"} {}`, http.StatusBadRequest, "one JSON value"},
		{http.MethodPost, "/users", `{"id":7}`, http.StatusBadRequest, "id"},
		{http.MethodPost, "/users", `{"email":"ada@example.com"}`, http.StatusBadRequest, "name"},
		{http.MethodPost, "/users", `{"name":"Ada","email":"x"}`, http.StatusBadRequest, "email"},
		{http.MethodPost, "/users", `{"name":"Ada","email":"ada@example.com"}`, http.StatusConflict, "already"},
		{http.MethodPost, "/users", strings.Repeat("x", maxBody+1), http.StatusRequestEntityTooLarge, "bytes"},
		{http.MethodPatch, "/users/1", `{"name":""}`, http.StatusBadRequest, "name"},
		{http.MethodPatch, "/users/999", `{"name":"Ada"}`, http.StatusNotFound, "there is none"},
		{http.MethodDelete, "/users/999", "", http.StatusNotFound, "there is none"},
		{http.MethodPost, "/products", `{"name":"Engine","stock":-1}`, http.StatusBadRequest, "stock"},
		{http.MethodPost, "/products", `{"name":"Engine","cents":-1}`, http.StatusBadRequest, "cents"},
		{http.MethodPost, "/users/1/orders", `{}`, http.StatusBadRequest, "items"},
		{http.MethodPost, "/users/1/orders", `{"items":[{"product_id":1,"quantity":0}]}`, http.StatusBadRequest, "quantity"},
		{http.MethodPost, "/users/1/orders", `{"items":[{"product_id":9,"quantity":1}]}`, http.StatusConflict, "product 9"},
		{http.MethodPost, "/users/999/orders", `{"items":[{"product_id":9,"quantity":1}]}`, http.StatusNotFound, "there is none"},
		{http.MethodPatch, "/orders/1", `{"status":"lost"}`, http.StatusBadRequest, "status"},
		{http.MethodPatch, "/orders/999", `{"status":"paid"}`, http.StatusNotFound, "there is none"},
	} {
		got := s.send(c.method, c.path, c.body)
		require.Equal(t, c.status, got.status, "%s %s: %s", c.method, c.path, got.text)
		require.Contains(t, got.Error, c.text, "%s %s", c.method, c.path)
		require.Nil(t, got.Data)
	}
	require.Equal(t, "DELETE, GET, HEAD, PATCH", s.send(http.MethodPut, "/users/1", "").header.Get("Allow"))
}

func TestDatabaseThatIsAwayIsAnInternalErrorThatTellsNothing(t *testing.T) {
	t.Parallel()
	s := startService(t)
	s.newUser("ada")
	s.database.Cut()
	got := s.send(http.MethodGet, "/users/1", "")
	require.Equal(t, http.StatusInternalServerError, got.status)
	require.Equal(t, "internal error", got.Error)
}

func TestShopWorksWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	s := startService(t)
	at := fmt.Sprintf("/users/%d", s.newUser("ada").ID)
	s.warm(at)
	s.redis.Cut()
	require.Equal(t, "ada", get[User](s, at).Name)
	do[User](s, http.MethodPatch, at, `{"name":"Grace"}`)
	require.Equal(t, "Grace", get[User](s, at).Name)
	s.redis.Restore()
	require.Equal(t, "Grace", get[User](s, at).Name)
	s.warm(at)
	require.Equal(t, "Grace", get[User](s, at).Name)
}

func TestItEndsAfterTheRequestsThatAreUnderWay(t *testing.T) {
	t.Parallel()
	s := startService(t)
	at := fmt.Sprintf("/users/%d", s.newUser("ada").ID)

	// Somebody has locked the row, for which a request waits.
	lock, err := testkit.OpenPostgres(t, s.dsn).BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = lock.ExecContext(t.Context(), "SELECT * FROM httpapi_users FOR UPDATE")
	require.NoError(t, err)
	answer := make(chan reply, 1)
	go func() {
		defer close(answer)
		answer <- s.send(http.MethodPatch, at, `{"name":"Grace"}`)
	}()
	testkit.Eventually(t, "the request waits", func() bool {
		var waiting int
		const query = "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))"
		require.NoError(t, lock.QueryRowContext(t.Context(), query).Scan(&waiting))
		return waiting > 0
	})
	s.stop()
	testkit.Eventually(t, "no more connections are taken", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	require.NoError(t, lock.Rollback())
	got := <-answer
	require.Equal(t, http.StatusOK, got.status, got.text)
	require.NoError(t, <-s.ended)
	close(s.ended)
}

func TestItRunsOnWhatItBrings(t *testing.T) {
	t.Parallel()
	s := &service{t: t}
	s.run(map[string]string{"CACHE_TIMEOUT": "5s", "REQUEST_TIMEOUT": "1m"})
	require.Equal(t, "Ada", get[User](s, "/users/1").Name)
	require.Equal(t, "Grace", do[User](s, http.MethodPatch, "/users/1", `{"name":"Grace"}`).Name)
	require.Equal(t, "Grace", get[User](s, "/users/1").Name)
	do[Order](s, http.MethodPost, "/users/1/orders", `{"items":[{"product_id":1,"quantity":2}]}`)
	require.EqualValues(t, 8, get[Product](s, "/products/1").Stock)
}

func TestItSaysWhichVariableIsWrong(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"LOG_LEVEL": "loud", "CACHE_TIMEOUT": "-1s", "REQUEST_TIMEOUT": "soon", "REDIS_URL": "nonsense", "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none?connect_timeout=1",
	} {
		cfg, err := readConfig(func(n string) string { return map[string]string{name: value}[n] })
		if err == nil {
			_, err = open(t.Context(), cfg, slog.New(slog.DiscardHandler))
		}
		require.ErrorContains(t, err, name)
	}
}
