package testkit

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// Metrics returns what a registry has: "name{label=value}" to the value; of a histogram, how much was observed. The names are
// without what all of the plugin's begin with.
func Metrics(t testing.TB, reg prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			name := strings.TrimPrefix(f.GetName(), "rediscache_")
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			switch {
			case m.Counter != nil:
				all[name] = m.GetCounter().GetValue()
			case m.Gauge != nil:
				all[name] = m.GetGauge().GetValue()
			case m.Histogram != nil:
				all[name] = float64(m.GetHistogram().GetSampleCount())
			default:
				t.Fatalf("%s is a %v", f.GetName(), f.GetType())
			}
		}
	}
	return all
}
