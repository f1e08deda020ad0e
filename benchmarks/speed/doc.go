// Package speed compares times, in alternating blocks in one process, of
//
//	plain    GORM without a plugin
//	floor    hand-written GET and decode of the same rows (package floor)
//	behind   the same behind GORM, which still builds its statement
//	cached   rediscache
//
// The figures are ratios to plain in the same round of blocks: the machine's other work then counts on both sides.
package speed
