package rediscache

import "github.com/gorm-rediscache/rediscache/metrics"

// An Advice says of which table and kind of answer the policy does not fit what has been observed, with the figures, and
// what to do. Its String method is for people.
type Advice = metrics.Advice

// Advice says what this process has observed since the plugin was made: of which tables the entries die by writes before
// they are read, and of which they end by their time to live while they are read and nothing writes them. It says nothing of
// what was stored less than 50 times. What is stored most often comes first. docs/ttl.md says what to make of it.
//
// It counts in any case: for a hit that takes less than a thousandth of the time that Redis takes.
func (p *Plugin) Advice() []Advice { return p.advisor.Advice() }
