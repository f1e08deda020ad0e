package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryMutantApplies(t *testing.T) {
	t.Parallel()
	all := mutants()
	require.GreaterOrEqual(t, len(all), 25)
	root := filepath.Join("..", "..")
	names := map[string]bool{}
	var lost []string
	for _, m := range all {
		require.False(t, names[m.name], "two mutants are called %q", m.name)
		names[m.name] = true
		require.LessOrEqual(t, len(m.name), nameWidth, m.name)
		_, _, err := m.apply(root)
		if err != nil {
			lost = append(lost, m.name+": "+err.Error())
		}

		require.NotEqual(t, m.old, m.new, m.name)
		require.DirExists(t, filepath.Join(root, m.killers.pkg), m.name)
	}
	require.Empty(t, lost)
}
