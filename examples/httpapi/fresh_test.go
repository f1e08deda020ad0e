package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// shopper is a client with a user of its own.
type shopper struct {
	at      string       // the path of the user
	named   atomic.Int64 // the number in the last name that was acknowledged
	ordered int
}

// Twenty clients write and read at the same time. Nobody is ever answered with what is older than a write that was
// acknowledged before the question was asked: be it the client's own or another's.
func TestNobodySeesWhatIsOlderThanAnAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	const clients, rounds = 20, 10
	s := startService(t)
	product := s.newProduct("100000")
	var sold atomic.Int64 // orders of the product that were acknowledged
	shoppers := make([]*shopper, clients)
	for i := range shoppers {
		user := s.newUser("user" + strconv.Itoa(i))
		shoppers[i] = &shopper{at: fmt.Sprintf("/users/%d", user.ID)}
		do[User](s, http.MethodPatch, shoppers[i].at, `{"name":"0"}`)
	}
	name := func(c *shopper) int64 {
		n, err := strconv.ParseInt(get[User](s, c.at).Name, 10, 64)
		require.NoError(t, err)
		return n
	}
	items := fmt.Sprintf(`{"items":[{"product_id":%d,"quantity":1}]}`, product.ID)
	var all sync.WaitGroup
	for i, c := range shoppers {
		all.Go(func() {
			for round := range int64(rounds) {
				do[User](s, http.MethodPatch, c.at, fmt.Sprintf(`{"name":"%d"}`, round))
				c.named.Store(round)
				require.Equal(t, round, name(c))

				do[Order](s, http.MethodPost, c.at+"/orders", items)
				sold.Add(1)
				c.ordered++
				require.Len(t, get[[]Order](s, c.at+"/orders"), c.ordered)

				before := sold.Load()
				stock := get[Product](s, fmt.Sprintf("/products/%d", product.ID)).Stock
				require.LessOrEqual(t, stock, product.Stock-before)

				other := shoppers[(i+1+int(round))%clients]
				known := other.named.Load()
				require.GreaterOrEqual(t, name(other), known)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, clients*rounds, sold.Load())
}
