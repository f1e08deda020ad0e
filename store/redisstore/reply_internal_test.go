package redisstore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func valuesOf(n int, data string) (map[int]string, error) {
	found := map[int]string{}
	err := newReply([]byte(data)).values(n, func(i int, data string) { found[i] = data })
	return found, err
}

func TestRepliesOfBothProtocolsAreRead(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxShared)
	for _, null := range []string{"$-1\r\n", "_\r\n"} {
		found, err := valuesOf(4, "*4\r\n$2\r\n\r\n\r\n"+null+"$0\r\n\r\n$16384\r\n"+long+"\r\n")
		require.NoError(t, err)
		require.Equal(t, map[int]string{0: "\r\n", 2: "", 3: long}, found)
	}
}

func TestReplyThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"", "*", "*1", "*1\r\n", "+OK\r\n", "*2\r\n$1\r\na\r\n", "*1\r\n$5\r\na\r\n", "*1\r\n$-2\r\n", "*1\r\n:1\r\n",
		"*1\r\n$x\r\n", "*1\r\n$99999999999999999999\r\n", "*-1\r\n", "_\r\n", "*1\r\n$9223372036854775807\r\na\r\n",
	} {
		_, err := valuesOf(1, data)
		require.ErrorIs(t, err, errReply, "%q", data)
	}
}

func FuzzReply(f *testing.F) {
	f.Add("*2\r\n$1\r\na\r\n_\r\n", 2)
	f.Add("*1\r\n$-1\r\n", 1)
	f.Fuzz(func(t *testing.T, data string, n int) {
		found, err := valuesOf(n, data)
		if err == nil && len(found) > n {
			t.Fatal(found)
		}
	})
}
