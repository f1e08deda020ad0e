// Command benchmarks measures rediscache on real PostgreSQL and Redis, beside plain GORM, beside what the cache could be at
// best, and beside an oracle.
//
//	go run . -mode quick              on standard output
//	go run . -mode full -o FILE       as a document
//	go run . -mode smoke              that it works; its figures mean nothing
//
// The servers are those that the tests use (internal/testkit/withservers).
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "benchmarks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("benchmarks", flag.ContinueOnError)
	mode := flags.String("mode", "quick", "smoke, quick or full")
	parts := flags.String("parts", "hitrate,writes,migration,speed,outage", "what to measure")
	out := flags.String("o", "", "file to write to, instead of standard output")
	users := flags.Int("users", 0, "number of users, instead of the mode's")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p, err := planOf(*mode)
	if err != nil {
		return err
	}
	if *users > 0 {
		p.size.Users = *users
	}
	wanted := strings.Split(*parts, ",")
	if *out == "" {
		return measure(ctx, os.Stdout, p, wanted)
	}
	// Written when everything is measured: an interrupted run leaves the document as it was.
	var text strings.Builder
	if err := measure(ctx, &text, p, wanted); err != nil {
		return err
	}
	return os.WriteFile(*out, []byte(text.String()), 0o644)
}

// errMode is returned for a mode that does not exist.
var errMode = errors.New("want smoke, quick or full")
