// Package writecost finds out what a write costs: how long it takes and what it sends while more and more is cached, and
// which tags each kind of write rotates.
package writecost
