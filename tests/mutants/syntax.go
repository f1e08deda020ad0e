package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"reflect"
	"slices"
	"strings"
)

// A code is Go that is looked for. One of the three is set.
type code struct {
	// expressions stand in a row, with commas between them: "a", "a, b", "key: value".
	expressions []ast.Expr
	// statements stand in a row: "a()", "a(); b()".
	statements []ast.Stmt
	// head is that of an if or a for, without its block: "if a", "for range a".
	head ast.Stmt
}

var (
	errNotGo = errors.New("it is not Go")
	errEmpty = errors.New("it does not say what it replaces")
)

// parse reads Go. What may be an expression is one.
func parse(text string) (code, error) {
	if e, err := parser.ParseExpr("T{" + text + "}"); err == nil {
		if list, ok := e.(*ast.CompositeLit); ok && len(list.Elts) > 0 {
			return code{expressions: list.Elts}, nil
		}
	}
	if block, err := parseBlock(text + "{\n}"); err == nil && len(block) == 1 {
		if head, empty := headOf(block[0]); empty != nil {
			return code{head: head}, nil
		}
	}
	block, err := parseBlock(text)
	if err == nil && len(block) == 0 {
		err = errEmpty
	}
	return code{statements: block}, err
}

// parseBlock reads statements.
func parseBlock(text string) ([]ast.Stmt, error) {
	e, err := parser.ParseExpr("func() {\n" + text + "\n}")
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %w", errNotGo, text, err)
	}
	f, ok := e.(*ast.FuncLit)
	if !ok {
		return nil, fmt.Errorf("%w: %q", errNotGo, text)
	}
	return f.Body.List, nil
}

// joins reports whether Go is an expression with an operator between others.
func joins(text string) bool {
	c, err := parse(text)
	if err != nil || len(c.expressions) != 1 {
		return false
	}
	_, ok := c.expressions[0].(*ast.BinaryExpr)
	return ok
}

// An extent is where code begins and ends.
type extent struct{ from, to token.Pos }

// within returns where a declaration has the same code.
func (c code) within(declaration ast.Node) (found []extent) {
	for n := range ast.Preorder(declaration) {
		head, block := headOf(n)
		switch {
		case c.expressions != nil:
			found = append(found, search(n, c.expressions)...)
		case c.statements != nil:
			found = append(found, search(n, c.statements)...)
		case block != nil && same(head, c.head):
			found = append(found, extent{from: n.Pos(), to: block.Pos()})
		}
	}
	return found
}

// headOf returns an if or a for without its block, and the block; nothing of other nodes.
func headOf(n ast.Node) (head ast.Stmt, block *ast.BlockStmt) {
	empty := &ast.BlockStmt{}
	switch n := n.(type) {
	case *ast.IfStmt:
		return &ast.IfStmt{Init: n.Init, Cond: n.Cond, Body: empty}, n.Body
	case *ast.ForStmt:
		return &ast.ForStmt{Init: n.Init, Cond: n.Cond, Post: n.Post, Body: empty}, n.Body
	case *ast.RangeStmt:
		return &ast.RangeStmt{Key: n.Key, Value: n.Value, Tok: n.Tok, X: n.X, Body: empty}, n.Body
	}
	return nil, nil
}

// search returns where a row is directly below a node: among its expressions, or among its statements.
func search[N ast.Node](n ast.Node, wanted []N) (found []extent) {
	for _, row := range rows[N](n) {
		for len(row) >= len(wanted) {
			if slices.EqualFunc(row[:len(wanted)], wanted, same[N]) {
				found = append(found, extent{from: row[0].Pos(), to: row[len(wanted)-1].End()})
			}
			row = row[1:]
		}
	}
	return found
}

// rows returns the fields of a node that are expressions, or those that are statements. One alone is a row as well.
func rows[N ast.Node](n ast.Node) (all [][]N) {
	for field, value := range reflect.ValueOf(n).Elem().Fields() {
		switch row := value.Interface().(type) {
		case []N:
			all = append(all, row)
		case N:
			if field.Type.Kind() == reflect.Interface { // the others are names, or blocks
				all = append(all, []N{row})
			}
		}
	}
	return all
}

// same compares what two nodes say, not how they are written: printed without positions, they have neither comments nor
// line breaks of their own.
func same[N ast.Node](a, b N) bool {
	return reflect.TypeOf(a) == reflect.TypeOf(b) && plain(a) == plain(b)
}

func plain(n ast.Node) string {
	var text strings.Builder
	_ = printer.Fprint(&text, token.NewFileSet(), n)
	return text.String()
}

// named returns those parts of a declaration that declare a name.
func named(d ast.Decl, name string) (all []ast.Node) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if name == fullName(d) {
			all = append(all, d)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if slices.Contains(declared(spec), name) {
				all = append(all, spec)
			}
		}
	}
	return all
}

// fullName is "f" of a function, "T.m" of a method of T, *T or T[…].
func fullName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver, _, _ := strings.Cut(plain(f.Recv.List[0].Type), "[")
	return strings.TrimPrefix(receiver, "*") + "." + f.Name.Name
}

// declared returns the names of a type, or of variables or constants.
func declared(spec ast.Spec) (names []string) {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		return []string{spec.Name.Name}
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names = append(names, name.Name)
		}
	}
	return names
}
