package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A mutant is one way to break the plugin, and the tests that notice.
type mutant struct {
	// name says what is broken.
	name string
	// file is the one that is changed, from the root of the module.
	file string
	// old occurs in it exactly once. In its place stands new.
	old, new string
	// killers fail then.
	killers tests
}

// tests are those of one package whose names match a pattern, as go test -run takes it.
type tests struct {
	pkg, pattern string
	// soak is how long random ones go on, if they have found nothing; 0: as long as usual.
	soak time.Duration
}

// by names the tests that kill a mutant.
func by(pkg, pattern string) tests { return tests{pkg: pkg, pattern: pattern} }

// mutants returns all of them.
func mutants() []mutant {
	var all []mutant
	for _, area := range [][]mutant{
		refusals(), lookups(), keys(), writes(), reaches(), transactions(), protocol(), outages(), stores(), scopes(), codecs(),
		databases(), soundness(), stampedes(), otherStores(), connections(), reports(), policies(), relaxations(), bounds(),
		outboxes(), faults(), models(), leaks(),
	} {
		all = append(all, area...)
	}
	return all
}

var (
	errLost  = errors.New("the text that it replaces is not in the file")
	errTwice = errors.New("the text that it replaces is in the file more than once")
)

// apply returns the file with the mutant in it.
func (m mutant) apply(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", err
	}
	switch strings.Count(string(text), m.old) {
	case 0:
		return "", fmt.Errorf("%s: %w", m.file, errLost)
	case 1:
		return strings.Replace(string(text), m.old, m.new, 1), nil
	default:
		return "", fmt.Errorf("%s: %w", m.file, errTwice)
	}
}

// overlay writes the changed file into a folder, and the file that makes the compiler take it, whose path it returns.
func (m mutant) overlay(root, dir string) (string, error) {
	text, err := m.apply(root)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, filepath.Base(m.file))
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	document, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root, filepath.FromSlash(m.file)): changed},
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, document, 0o600)
}
