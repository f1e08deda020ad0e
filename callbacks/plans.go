package callbacks

import (
	"strings"
	"sync"
)

// plans keeps plans by text and model.
type plans struct{ shards [planShards]planShard }

const (
	planShards = 16
	// maxPlans bounds the plans of a shard. Beyond it the shard begins anew: a program has fewer texts, or so many
	// that keeping them is of no use.
	maxPlans = 512
	// maxPlanned bounds what the plans of a shard weigh: see plan.weight. maxPlannedText is the length of the longest text
	// that has its plan kept, in bytes.
	maxPlanned     = 2 << 20
	maxPlannedText = 64 << 10
)

type planShard struct {
	mu     sync.RWMutex
	m      map[planKey]*plan
	weight int // of the plans
}

// get returns the plan for a text, made by the function if there is none yet.
func (p *plans) get(key planKey, build func() *plan) *plan {
	s := &p.shards[len(key.text)%planShards]
	s.mu.RLock()
	found := s.m[key]
	s.mu.RUnlock()
	if found != nil {
		return found
	}
	built := build()
	if len(key.text) > maxPlannedText {
		return built
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	weight := built.weight()
	if s.m == nil || len(s.m) >= maxPlans || s.weight+weight > maxPlanned {
		s.m, s.weight = make(map[planKey]*plan), 0
	}
	if _, again := s.m[key]; !again { // made twice at the same time
		s.weight += weight
	}
	key.text = strings.Clone(key.text)
	s.m[key] = built
	return built
}

// weight is about what a plan takes, in bytes: the most by far for the values in lists, as preloads of many rows have
// them. It is compared with what plans really take in TestMemoryOfPlansIsBounded.
func (p *plan) weight() int { return 2048 + 8*len(p.src) + 250*p.script.Values }

// Plans returns how many plans are kept.
func (h *Hooks) Plans() (n int) {
	h.databases.Range(func(_, d any) bool {
		if k := d.(*database).known.Load(); k != nil { //nolint:forcetypeassert // only databases are stored
			n += k.plans.len()
		}
		return true
	})
	return n
}

func (p *plans) len() (n int) {
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.RLock()
		n += len(s.m)
		s.mu.RUnlock()
	}
	return n
}
