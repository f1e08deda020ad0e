package main

import (
	"context"
	"fmt"
	"net"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

func postgresAnswers(ctx context.Context, url string) error { return ping(ctx, "pgx", url) }

// postgresBinary finds a program of PostgreSQL.
func postgresBinary(name string) (string, error) {
	path, ok := testkit.PostgresBinary(name)
	if !ok {
		return "", fmt.Errorf("%s: %w", name, errNotInstalled)
	}
	return path, nil
}

// startPostgres starts a server from installed binaries.
func startPostgres(ctx context.Context, h *house) (string, error) {
	return h.installed(ctx, installation{
		name: "postgres", find: postgresBinary, prepare: "initdb", server: "postgres",
		prepareArgs: func(data string) []string {
			return []string{"-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"}
		},
		serverArgs: func(data, port string) []string {
			return []string{
				"-D", data, "-p", port, "-k", data, "-c", "listen_addresses=127.0.0.1", "-F", "-c", "max_connections=300",
			}
		},
		url: func(port string) string {
			return "postgres://postgres@" + net.JoinHostPort("127.0.0.1", port) + "/postgres?sslmode=disable"
		},
		answers: postgresAnswers,
	})
}
