package consistency_test

import (
	"testing"

	"github.com/gorm-rediscache/rediscache/internal/testkit/stores"
)

// The protocol asks its steps of any store. Left out is what does not depend on one, and what counts how much happens within a
// second.
func TestProtocolOnOtherStores(t *testing.T) { //nolint:paralleltest // others measure what happens at the same time
	stores.OnOthers(t, ".", "TestProtocolOnOtherStores|TestModel|TestOneOfSeveralProcesses")
}
