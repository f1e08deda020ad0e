package world

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Statements counts what reaches PostgreSQL, as the driver sees it: queries and commands, with BEGIN and COMMIT, but without
// what the plugin asks the catalog.
type Statements struct{ queries, all atomic.Int64 }

var _ pgx.QueryTracer = (*Statements)(nil)

// TraceQueryStart implements pgx.QueryTracer.
func (s *Statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if strings.Contains(d.SQL, "pg_catalog") || strings.HasPrefix(d.SQL, "-- ping") {
		return ctx
	}
	s.all.Add(1)
	if strings.HasPrefix(d.SQL, "SELECT") {
		s.queries.Add(1)
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *Statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// All is how many statements there were.
func (s *Statements) All() int64 { return s.all.Load() }

// Queries is how many of them were SELECT.
func (s *Statements) Queries() int64 { return s.queries.Load() }
