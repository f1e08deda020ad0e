package callbacks

import (
	"time"

	"github.com/gorm-rediscache/rediscache/internal/sqltext"
	"github.com/gorm-rediscache/rediscache/metrics"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// times is how long answers of one kind are kept.
type times struct {
	ttl, absent time.Duration // ttlconfig.Off: not at all
	policy      *ttlconfig.Policy
}

// times returns how long an answer is kept: as its policy has it, or as the statement asks. What a policy does not keep, no
// statement can have kept.
func (q *query) times(k ttlconfig.Kind) times {
	policy := &q.st.p.read.policy
	t := times{ttl: policy.Of(k), absent: policy.AbsentTTL, policy: policy}
	if asked := q.st.control.TTL; asked > 0 && t.ttl != ttlconfig.Off {
		t.ttl, t.absent = asked, min(asked, t.absent)
	}
	return t
}

// kindOfAnswer says what the whole answer of a query is to policies.
func kindOfAnswer(s *sqltext.Statement) ttlconfig.Kind {
	if s.Aggregate {
		return ttlconfig.Count
	}
	return ttlconfig.List
}

// kind says what the entries of a lookup are to policies.
func (pt *pointPlan) kind() ttlconfig.Kind {
	if pt.scope == "" {
		return ttlconfig.Row
	}
	return ttlconfig.List
}

// metric says what the answer of a query is to who observes.
func (r *readPlan) metric() metrics.Kind {
	switch {
	case r.point != nil && r.point.scope == "":
		return metrics.Row
	case r.kind == ttlconfig.Count:
		return metrics.Count
	default:
		return metrics.List
	}
}
