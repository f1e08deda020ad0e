package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// A mutant is one way to break the plugin, and the tests that notice.
type mutant struct {
	// name says what is broken.
	name string
	// in says where.
	in place
	// old is there exactly once: expressions with commas between them, statements, or the head of an if or a for. In its
	// place stands new, which may be empty.
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
	errLost  = errors.New("what it replaces is not there")
	errTwice = errors.New("what it replaces is there more than once")
)

// apply returns the path of the file that is changed, and the file with the mutant in it.
func (m mutant) apply(root string) (path, changed string, err error) {
	found, err := m.in.find(root, m.old)
	switch {
	case err != nil:
	case len(found) == 0:
		err = errLost
	case len(found) > 1:
		err = fmt.Errorf("%w: %d times", errTwice, len(found))
	default:
		path = found[0].path
		changed, err = m.in.replace(found[0], m.new)
	}
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", m.in, err)
	}
	return path, changed, nil
}

// overlay writes the changed file into a folder, and the file that makes the compiler take it, whose path it returns.
func (m mutant) overlay(root, dir string) (string, error) {
	original, text, err := m.apply(root)
	if err != nil {
		return "", err
	}
	changed := filepath.Join(dir, filepath.Base(original))
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	document, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, document, 0o600)
}
