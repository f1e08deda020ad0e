package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"

	_ "github.com/go-sql-driver/mysql" // the driver
)

func mysqlAnswers(ctx context.Context, dsn string) error { return ping(ctx, "mysql", dsn) }

// mariaBinary finds a program of MariaDB, also where Debian keeps it.
func mariaBinary(name string) (string, error) {
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", fmt.Errorf("%s: %w", name, errNotInstalled)
}

// startMariaDB starts a server from installed binaries.
func startMariaDB(ctx context.Context, h *house) (string, error) {
	return h.installed(ctx, installation{
		name: "mariadb", find: mariaBinary, prepare: "mariadb-install-db", server: "mariadbd",
		prepareArgs: func(data string) []string {
			return []string{
				"--no-defaults", "--datadir=" + data, "--auth-root-authentication-method=normal", "--skip-test-db",
				"--skip-name-resolve",
			}
		},
		serverArgs: func(data, port string) []string {
			return []string{
				"--no-defaults", "--datadir=" + data, "--port=" + port, "--bind-address=127.0.0.1",
				"--socket=" + filepath.Join(data, "socket"), "--pid-file=" + filepath.Join(data, "pid"),
				"--max-connections=300", "--innodb-flush-log-at-trx-commit=0", "--skip-name-resolve",
			}
		},
		url: func(port string) string {
			return "root@tcp(" + net.JoinHostPort("127.0.0.1", port) + ")/?parseTime=true"
		},
		answers: mysqlAnswers,
	})
}
