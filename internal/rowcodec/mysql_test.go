package rowcodec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/rowcodec"
	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func TestMySQLRowsComeBackAsTheDriverReturnedThem(t *testing.T) {
	t.Parallel()
	db := testkit.OpenMySQL(t, testkit.MySQL(t))
	_, err := db.ExecContext(t.Context(), `CREATE TABLE k (a bigint unsigned, b float, c double, d decimal(9, 3), e datetime(6),
		f blob, g bit(3), h time, i year, j json, k char(3), l bigint)`)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), `INSERT INTO k VALUES (18446744073709551615, 1.1, 2.2, 3.125, '2020-02-03 04:05:06.7',
		x'00ff', b'101', '-12:00:00', 1999, '{}', 'é', -1), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`)
	require.NoError(t, err)
	p := player(t)
	for _, query := range []struct {
		text string
		args []any
	}{{"SELECT * FROM k", nil}, {"SELECT * FROM k WHERE 1 = ?", []any{1}}} {
		rows, err := db.QueryContext(t.Context(), query.text, query.args...)
		require.NoError(t, err)
		want, wantColumns := scanAll(t, rows)
		rows, err = db.QueryContext(t.Context(), query.text, query.args...)
		require.NoError(t, err)
		captured, more, err := p.Capture(rows, rowcodec.Limits{Rows: 10, Bytes: 1 << 20})
		require.NoError(t, err)
		require.False(t, more)
		data, err := p.Encode(nil, captured)
		require.NoError(t, err)
		decoded, err := p.Decode(string(data))
		require.NoError(t, err)
		played, err := p.Rows(rowcodec.Playback{Set: decoded})
		require.NoError(t, err)
		got, gotColumns := scanAll(t, played)
		require.Equal(t, wantColumns, gotColumns, query.text)
		same(t, want, got)
	}
}
