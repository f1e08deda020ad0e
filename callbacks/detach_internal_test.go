package callbacks

import (
	"database/sql"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestArgumentsThatNobodyCanChangeAreFrozen(t *testing.T) {
	t.Parallel()
	type name string
	bytes := []byte("abc")
	args := []any{1, "a", name("b"), 1.5, true, nil, time.Now(), [16]byte{1}, bytes}
	got, ok := frozen(args)
	require.True(t, ok)
	require.Equal(t, args, got)
	bytes[0] = 'x'
	require.Equal(t, []byte("abc"), got[8])
	one := 1
	for _, arg := range []any{
		&one, []int{1}, map[string]int{}, struct{ P *int }{&one}, sql.NullInt64{}, [2]*int{&one, &one}, func() {},
	} {
		_, ok := frozen([]any{1, arg})
		require.False(t, ok, "%T", arg)
	}
}
