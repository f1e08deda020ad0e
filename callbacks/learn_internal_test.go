package callbacks

import (
	"context"
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/gorm-rediscache/rediscache/internal/catalog"
)

// silent is a connection of a database that does not answer.
type silent struct{ gorm.ConnPool }

func (silent) QueryContext(context.Context, string, ...any) (*sql.Rows, error) {
	return nil, sql.ErrConnDone
}

// A statement that has waited for the schema takes a connection next. If the one on which the schema was read were given back after
// that, a pool would grow by one, and a pool of one would be waited for.
func TestConnectionIsGivenBackBeforeThoseWhoWaitGoOn(t *testing.T) {
	t.Parallel()
	d := &database{h: &Hooks{ending: t.Context()}, dialect: catalog.Postgres}
	var a *attempt
	givenBack := false
	from := lender{conn: silent{}, bound: readTimeout, release: func() {
		select {
		case <-a.over:
			t.Error("who waits has gone on")
		default:
			givenBack = true
		}
	}}
	a, read := d.attempt(t.Context(), from)
	read()
	<-a.over
	require.True(t, givenBack)
}
