// Command withservers runs a command with a PostgreSQL, a MySQL and a Redis server to test against.
//
//	go run ./internal/testkit/withservers go test ./...
//	go run ./internal/testkit/withservers -measure go -C benchmarks run .
//
// With -measure PostgreSQL is as an application has it. Without, it is made fast for tests: it hands on the sessions of tests that
// have ended, and COMMIT does not wait for the disk.
//
// Each server is, in this order: the one that REDISCACHE_TEST_POSTGRES, REDISCACHE_TEST_MYSQL or REDISCACHE_TEST_REDIS names; one that answers
// on localhost; one that Docker Compose starts, where an engine answers; one that installed binaries start on a private
// port, in a temporary folder; the same after apt-get has installed them, as root on Debian or Ubuntu. What it has
// started it stops. Tests that kill servers or hold them back start their own, from the programs redis-server, initdb,
// postgres and pg_basebackup, which are found in the same way; where nothing may be skipped, so is Node.js.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func main() {
	measure := flag.Bool("measure", false, "leave PostgreSQL as it is")
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: withservers [-measure] command [argument …]") }
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	code, err := run(flag.Args(), *measure)
	if err != nil {
		fmt.Fprintln(os.Stderr, "withservers:", err)
		code = 1
	}
	os.Exit(code)
}

func run(command []string, measure bool) (code int, err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	h := &house{dir: ""}
	defer h.close()
	postgres, err := h.find(ctx, server{
		name: "PostgreSQL", env: testkit.EnvPostgres, local: testkit.LocalPostgres, answers: postgresAnswers,
		compose: composePostgres, start: startPostgres, packages: []string{"postgresql"},
	})
	if err != nil {
		return 0, err
	}
	if postgres, err = h.ownDatabase(ctx, postgres); err != nil {
		return 0, err
	}
	if !measure {
		if postgres, err = h.hasten(ctx, postgres); err != nil {
			return 0, err
		}
	}
	mysql, err := h.find(ctx, server{
		name: "MySQL", env: testkit.EnvMySQL, local: testkit.LocalMySQL, answers: mysqlAnswers,
		compose: composeMySQL, start: startMariaDB, packages: []string{"mariadb-server"},
	})
	if err != nil {
		return 0, err
	}
	redis, err := h.find(ctx, server{
		name: "Redis", env: testkit.EnvRedis, local: testkit.LocalRedis, answers: redisAnswers,
		compose: composeRedis, start: startRedis, packages: []string{"redis-server"},
	})
	if err != nil {
		return 0, err
	}
	if err := h.ensureRedisServer(ctx); err != nil {
		return 0, err
	}
	if err := h.ensurePostgresPrograms(ctx); err != nil {
		return 0, err
	}
	if err := h.ensureNode(ctx); err != nil {
		return 0, err
	}
	// Not ended with ctx: an interrupt reaches the command by itself.
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(),
		testkit.EnvPostgres+"="+postgres, testkit.EnvMySQL+"="+mysql, testkit.EnvRedis+"="+redis, testkit.EnvRequire+"=1")
	err = cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// A server is one that tests need, with the ways to get it.
type server struct {
	name, env, local string
	answers          func(ctx context.Context, url string) error
	compose          func(ctx context.Context, h *house) (url string, err error)
	start            func(ctx context.Context, h *house) (url string, err error)
	packages         []string
}

// find returns the URL of a server.
func (h *house) find(ctx context.Context, s server) (string, error) {
	if url := os.Getenv(s.env); url != "" {
		if err := s.answers(ctx, url); err != nil {
			return "", fmt.Errorf("%s: %w", s.env, err)
		}
		return url, nil
	}
	if s.answers(ctx, s.local) == nil {
		say("%s: on localhost", s.name)
		return s.local, nil
	}
	if h.docker(ctx) {
		say("%s: by Docker Compose", s.name)
		return s.compose(ctx, h)
	}
	url, err := s.start(ctx, h)
	if errors.Is(err, errNotInstalled) {
		if err := h.install(ctx, s.packages...); err != nil {
			return "", fmt.Errorf("%s: set %s, start one on localhost, or install it: %w", s.name, s.env, err)
		}
		url, err = s.start(ctx, h)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", s.name, err)
	}
	say("%s: started from installed binaries", s.name)
	return url, nil
}

func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "withservers: "+format+"\n", args...) }
