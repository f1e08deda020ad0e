// Package script holds the steps of a store that have to be atomic on a Redis server, as Lua.
package script

import _ "embed" // the scripts

// The scripts. Each touches keys of one slot, may be repeated, and says in its first lines what it takes.
var (
	//go:embed intend.lua
	Intend string
	//go:embed release.lua
	Release string
	//go:embed mint.lua
	Mint string
	//go:embed declare.lua
	Declare string
)

// For a server that is asked over HTTP, in JSON, and that may have replicas which answer what only reads.
var (
	//go:embed load.lua
	Load string
	//go:embed put.lua
	Put string
	// Bytes stands before any other of the scripts: see there.
	//go:embed bytes.lua
	Bytes string
)
