package callbacks

import (
	"context"

	"github.com/gorm-rediscache/rediscache/keying"
	"github.com/gorm-rediscache/rediscache/metrics"
)

// partition asks the application to whom the answer of a statement belongs. Only the names of entries depend on it: tags are
// shared, so that a write on behalf of one reaches the answers of all. If the function panics, nobody's answer is known.
func (h *Hooks) partition(ctx context.Context) (digest keying.Digest, reason metrics.Reason) {
	defer func() {
		if r := recover(); r != nil {
			digest, reason = "", metrics.ReasonPartition
			if h.first("partition") {
				h.opt.Logger.ErrorContext(ctx, "rediscache: Config.Partition panicked; nothing is cached for such statements",
					"panic", r)
			}
		}
	}()
	if name := h.opt.Partition(ctx); name != "" {
		return keying.NewFingerprint(name).Query(), ""
	}
	return "", ""
}

// nobodys returns a context for what is read of a database on behalf of all. Where answers belong to somebody, it
// holds nothing of a statement's: a hook that makes connections somebody's must not do so now, or what a session sees
// would be another thing each time.
func (h *Hooks) nobodys(ctx context.Context) context.Context {
	if h.opt.Partition != nil {
		return context.Background() //nolint:forbidigo // as it says
	}
	return context.WithoutCancel(ctx)
}
