package world_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// sink is a connection to nowhere.
type sink struct{ net.Conn }

func (sink) Write(b []byte) (int, error) { return len(b), nil }

func TestRequestsAreCountedHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	sent := "*2\r\n$3\r\nGET\r\n$5\r\n*1\r\na\r\n*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nSET\r\n$0\r\n\r\n$2\r\n\r\n\r\n"
	for cut := range len(sent) {
		c := &world.Commands{}
		conn := c.Conn(sink{})
		for _, part := range []string{sent[:cut], sent[cut:]} {
			n, err := conn.Write([]byte(part))
			require.NoError(t, err)
			require.Len(t, part, n)
		}
		require.EqualValues(t, 3, c.All(), "cut at %d", cut)
		require.EqualValues(t, 2, c.Exchanges())
	}
}
