package callbacks

import (
	"log/slog"

	"github.com/gorm-rediscache/rediscache/metrics"
)

// annotate hands what was done for a statement that reads to the application's own function.
func (s *shim) annotate(st *statement, e metrics.ReadEvent) {
	annotate := s.h.opt.Annotate
	if annotate == nil {
		return
	}
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("rediscache.outcome", string(e.Outcome)))
	if e.Reason != "" {
		attrs = append(attrs, slog.String("rediscache.reason", string(e.Reason)))
	}
	if e.Table != "" {
		attrs = append(attrs, slog.String("db.collection.name", e.Table))
	}
	attrs = append(attrs, slog.String("rediscache.kind", string(e.Kind)))
	if e.Outcome != metrics.Bypass {
		attrs = append(attrs, slog.String("rediscache.key", e.Key), slog.Int("rediscache.entries", e.Entries),
			slog.Int("rediscache.found", e.Found), slog.Bool("rediscache.joined", e.Joined))
	}
	annotate(st.ctx, attrs)
}
