package main

import (
	"fmt"
	"slices"
	"strings"
)

// A mode is a way to open the connection of the tests.
type mode struct {
	name    string
	dialect string   // as GORM's tests call it
	env     []string // read by openconnection.go.txt
}

const (
	simple      = "GORM_SUITE_PROTOCOL=simple"
	extended    = "GORM_SUITE_PROTOCOL=extended"
	prepareStmt = "GORM_SUITE_PREPARE_STMT=1"
	skipDefault = "GORM_SUITE_SKIP_DEFAULT_TRANSACTION=1"
)

func modes() []mode {
	return []mode{
		{"simple protocol", "postgres", []string{simple}},
		{"extended protocol", "postgres", []string{extended}},
		{"PrepareStmt", "postgres", []string{extended, prepareStmt}},
		{"SkipDefaultTransaction", "postgres", []string{simple, skipDefault}},
		{"SQLite", "sqlite", nil},
		{"MySQL", "mysql", nil},
	}
}

// chosen returns the modes with the given names, of which the first word is enough.
func chosen(names string) ([]mode, error) {
	all := modes()
	if names == "" {
		return all, nil
	}
	var picked []mode
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(m mode) bool {
			word, _, _ := strings.Cut(m.name, " ")
			return strings.EqualFold(m.name, name) || strings.EqualFold(word, name)
		})
		if i < 0 {
			return nil, fmt.Errorf("no mode %q", name)
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}
