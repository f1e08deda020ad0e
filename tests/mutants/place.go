package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// A place is where a mutant changes something: a declaration of a package, or a file that is not Go.
type place struct {
	// dir is the folder of the package, from the root of the module; decl is what it declares.
	dir, decl string
	// file is set instead of them if it is not Go.
	file string
}

// in names a declaration of a package: the function "f", the method "T.m" of T or *T, a type, a variable or a constant.
// Whoever moves it to another file of the package need not tell the mutants. Files of tests are searched as well.
func in(dir, decl string) place { return place{dir: dir, decl: decl} }

// inText names a file that is not Go, from the root of the module.
func inText(file string) place { return place{file: file} }

func (p place) String() string {
	if p.file != "" {
		return p.file
	}
	return p.decl + " of " + p.dir
}

// A span is a part of a file.
type span struct {
	path     string
	from, to int
}

var errUnknown = errors.New("it is not declared")

// find returns where old is: the same syntax if it is Go, the same text if it is not.
func (p place) find(root, old string) ([]span, error) {
	if p.file != "" {
		return findText(filepath.Join(root, filepath.FromSlash(p.file)), old)
	}
	wanted, err := parse(old)
	if err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	declarations, err := p.declarations(fset, root)
	var found []span
	for _, d := range declarations {
		file := fset.File(d.Pos())
		for _, e := range wanted.within(d) {
			found = append(found, span{path: file.Name(), from: file.Offset(e.from), to: file.Offset(e.to)})
		}
	}
	return found, err
}

// findText returns where a text is in a file.
func findText(path, old string) ([]span, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found []span
	parts := strings.Split(string(text), old)
	from := 0
	for _, before := range parts[:len(parts)-1] {
		from += len(before)
		found = append(found, span{path: path, from: from, to: from + len(old)})
		from += len(old)
	}
	return found, nil
}

// replace returns the file with another text where a span was. An operator in it does not reach what is around it.
func (p place) replace(s span, text string) (string, error) {
	before, err := os.ReadFile(s.path)
	if err != nil {
		return "", err
	}
	if p.file == "" && joins(text) {
		text = "(" + text + ")"
	}
	changed := string(before[:s.from]) + text + string(before[s.to:])
	if p.file == "" {
		if _, err := parser.ParseFile(token.NewFileSet(), s.path, changed, parser.SkipObjectResolution); err != nil {
			return "", fmt.Errorf("with what it puts there, %w: %w", errNotGo, err)
		}
	}
	return changed, nil
}

// declarations reads a package, and returns what has the name: several, if there is a file for each system.
func (p place) declarations(fset *token.FileSet, root string) (all []ast.Node, err error) {
	paths, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(p.dir), "*.go"))
	if err != nil {
		return nil, err
	}
	name := p.decl[strings.LastIndex(p.decl, ".")+1:]
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(text, []byte(name)) {
			continue // most of them: it saves the time to parse them
		}
		file, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errNotGo, err)
		}
		for _, d := range file.Decls {
			all = append(all, named(d, p.decl)...)
		}
	}
	if all == nil {
		return nil, errUnknown
	}
	return all, nil
}
