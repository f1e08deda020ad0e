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
