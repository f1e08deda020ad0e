package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache"
)

// A call is a request that is under way.
type call struct {
	r    *http.Request
	db   *gorm.DB // has the context of the request
	body []byte

	explain   bool
	explained []*rediscache.Explanation
}

// newCall reads the request, so that no transaction ever waits for a client. The call is of use even with an error.
func newCall(db *gorm.DB, w http.ResponseWriter, r *http.Request) (*call, error) {
	c := &call{r: r, db: db}
	if explain := r.URL.Query().Get("explain"); explain != "" {
		var err error
		if c.explain, err = strconv.ParseBool(explain); err != nil {
			return c, invalid("explain: want 1 or 0, got %q", explain)
		}
	}
	var err error
	c.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return c, &httpError{http.StatusRequestEntityTooLarge, fmt.Sprintf("want %d bytes at most", maxBody)}
	} else if err != nil {
		return c, invalid("the body ended early")
	}
	return c, nil
}

// Context returns the context of the request, with its deadline.
func (c *call) Context() context.Context { return c.db.Statement.Context }

// query returns a handle for one call of GORM's.
func (c *call) query() *gorm.DB { return c.on(c.db) }

// on is the same on another handle, that of a transaction. It has the cache explain what it does, if the client wants to
// know. An API that strangers can reach would ask who that is: keys and SQL are in it.
func (c *call) on(db *gorm.DB) *gorm.DB {
	if !c.explain {
		return db
	}
	info := new(rediscache.Explanation)
	c.explained = append(c.explained, info)
	return db.Clauses(rediscache.Explain(info))
}

// explanation returns what the cache did for each of the queries, as lines.
func (c *call) explanation() [][]string {
	var all [][]string
	for _, info := range c.explained {
		all = append(all, strings.Split(strings.TrimSpace(info.String()), "\n"))
	}
	return all
}

// id returns the id in the path.
func (c *call) id() (int64, error) {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, invalid("id: want a positive number, got %q", c.r.PathValue("id"))
	}
	return id, nil
}

// page limits a list: ?limit=20&after=7 are the next 20 after the one with the id 7.
func (c *call) page() (after, limit int64, err error) {
	if after, err = c.number("after", 0, 0, 1<<62); err != nil {
		return 0, 0, err
	}
	limit, err = c.number("limit", 20, 1, 100)
	return after, limit, err
}

// number returns a number of the query.
func (c *call) number(name string, fallback, least, most int64) (int64, error) {
	text := c.r.URL.Query().Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, invalid("%s: want a number from %d to %d, got %q", name, least, most, text)
	}
	return n, nil
}

// decode reads the body. What is not in it stays as it is.
func (c *call) decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return invalid("body: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if d.More() {
		return invalid("body: want one JSON value")
	}
	return nil
}
