// Package script holds the steps of a store that have to be atomic on a Redis server, as Lua.
package script

import _ "embed" // the scripts

// The scripts. Each touches keys of one slot where there are slots, and may be repeated. Its first lines say what it takes.
//
//nolint:gochecknoglobals // texts, put together once: nobody assigns to them
var (
	Intend  = call + intend
	Release = call + release
	Mint    = call + mint
	Declare = call + declare
)

var (
	//go:embed call.lua
	call string
	//go:embed intend.lua
	intend string
	//go:embed release.lua
	release string
	//go:embed mint.lua
	mint string
	//go:embed declare.lua
	declare string
)

// For a server that is asked over HTTP, in JSON, and that may have replicas which answer what only reads.
var (
	// Join adds members to sets of one slot, for a server of a cluster.
	//go:embed join.lua
	Join string
	//go:embed load.lua
	Load string
	//go:embed put.lua
	Put string
	// Bytes stands before any other of the scripts: see there.
	//go:embed bytes.lua
	Bytes string
)
