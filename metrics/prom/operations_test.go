package prom_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"..", ".."}, path...)...))
	require.NoError(t, err)
	return string(text)
}

// exported returns every metric that there can be, as the table of docs/operations.md shows it.
func exported(t *testing.T) map[string]string {
	t.Helper()
	reg, h := registered(t)
	h.Observe(full("a"))
	happen(h)
	families, err := reg.Gather()
	require.NoError(t, err)
	all := map[string]string{}
	for _, f := range families {
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		all[f.GetName()] = strings.ToLower(f.GetType().String()) + " " + strings.Join(labels, ", ")
	}
	return all
}

func TestOperationsListEveryMetric(t *testing.T) {
	t.Parallel()
	listed := map[string]string{}
	rows := regexp.MustCompile("(?m)^\\| `(rediscache_\\w+)` \\| (\\w+) \\| ([\\w, ]*) ?\\| .+ \\|$")
	for _, m := range rows.FindAllStringSubmatch(read(t, "docs", "operations.md"), -1) {
		labels := strings.Split(strings.TrimSpace(m[3]), ", ")
		slices.Sort(labels)
		listed[m[1]] = m[2] + " " + strings.Join(labels, ", ")
	}
	require.Equal(t, exported(t), listed)
}

// What rules and documents ask for is there.
func TestMetricsThatAreAskedForExist(t *testing.T) {
	t.Parallel()
	known := exported(t)
	for _, path := range [][]string{
		{"deploy", "prometheus", "rules.yml"}, {"deploy", "prometheus", "rules_test.yml"}, {"docs", "operations.md"},
	} {
		names := regexp.MustCompile(`\brediscache_\w+`).FindAllString(read(t, path...), -1)
		require.NotEmpty(t, names)
		for _, name := range names {
			if name == "rediscache_outbox" {
				continue // the table
			}
			require.Contains(t, known, strings.TrimSuffix(name, "_bucket"), path)
		}
	}
}

// Each alert has a severity, says what it means, leads to a section of docs/operations.md that names it, and is tested both ways.
func TestAlertsAreExplainedAndTested(t *testing.T) {
	t.Parallel()
	tests, operations := read(t, "deploy", "prometheus", "rules_test.yml"), read(t, "docs", "operations.md")
	sections := map[string]string{}
	for _, section := range strings.Split(operations, "\n### ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		sections[strings.ReplaceAll(strings.ToLower(title), " ", "-")] = text
	}
	alerts := strings.Split(read(t, "deploy", "prometheus", "rules.yml"), "- alert: ")[1:]
	require.Len(t, alerts, len(sections))
	for _, alert := range alerts {
		name, text, _ := strings.Cut(alert, "\n")
		for _, part := range []string{"severity: ", "summary: ", "description: ", "runbook_url: "} {
			require.Contains(t, text, part, name)
		}
		_, anchor, _ := strings.Cut(text, "docs/operations.md#")
		require.Contains(t, sections[strings.TrimSpace(anchor)], "`"+name+"`", "its section")
		for _, part := range []string{"**Impact.**", "**Check", "**Do.**"} {
			if part == "**Do.**" && strings.Contains(sections[strings.TrimSpace(anchor)], "**Check, do.**") {
				continue
			}
			require.Contains(t, sections[strings.TrimSpace(anchor)], part, name)
		}
		require.Contains(t, tests, "alertname: "+name+"\n        exp_alerts:\n", "it fires")
		require.Contains(t, tests, "alertname: "+name+"\n        exp_alerts: []\n", "it does not")
	}
}
