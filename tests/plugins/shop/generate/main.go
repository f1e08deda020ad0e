// Command generate writes package query. Run it by go generate, in package shop.
package main

import (
	"gorm.io/gen"

	"github.com/gorm-rediscache/rediscache/tests/plugins/shop"
)

func main() {
	g := gen.NewGenerator(gen.Config{OutPath: "query", Mode: gen.WithDefaultQuery | gen.WithQueryInterface})
	g.ApplyBasic(shop.Owner{})
	g.ApplyInterface(func(shop.Pets) {}, shop.Pet{})
	g.Execute()
}
