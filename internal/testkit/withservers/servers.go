package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver
	"github.com/redis/go-redis/v9"
)

func postgresAnswers(ctx context.Context, url string) error {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

func redisAnswers(ctx context.Context, url string) error {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return err
	}
	opt.MaxRetries = -1
	c := redis.NewClient(opt)
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return c.Ping(ctx).Err()
}

// postgresBinary finds a program of PostgreSQL, also where Debian keeps it.
func postgresBinary(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		if program, err := filepath.EvalSymlinks(path); err == nil && filepath.Base(program) == name {
			return program, nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name) // the pattern is well-formed
	if len(found) == 0 {
		return "", fmt.Errorf("%s: %w", name, errNotInstalled)
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

// startPostgres starts a server from installed binaries.
func startPostgres(ctx context.Context, h *house) (string, error) {
	initdb, err := postgresBinary("initdb")
	if err != nil {
		return "", err
	}
	postgres, err := postgresBinary("postgres")
	if err != nil {
		return "", err
	}
	dir, err := h.folder()
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, "postgres")
	attr, err := h.unprivileged(data)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
	cmd.SysProcAttr, cmd.Dir = attr, data
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.Command(postgres, "-D", data, "-p", port, "-k", data, "-c", "listen_addresses=127.0.0.1", "-F",
		"-c", "max_connections=300")
	server.SysProcAttr, server.Dir = attr, data
	if err := h.background(server); err != nil {
		return "", err
	}
	url := "postgres://postgres@" + net.JoinHostPort("127.0.0.1", port) + "/postgres?sslmode=disable"
	return url, await(ctx, url, postgresAnswers)
}

// unprivileged makes a folder for a server that refuses to run as root, and says as whom it has to run.
func (h *house) unprivileged(data string) (*syscall.SysProcAttr, error) {
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, os.Chown(data, uid, gid)
}

// startRedis starts a server from the installed binary.
func startRedis(ctx context.Context, h *house) (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", fmt.Errorf("redis-server: %w", errNotInstalled)
	}
	dir, err := h.folder()
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.Command(path, "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no")
	if err := h.background(server); err != nil {
		return "", err
	}
	url := "redis://" + net.JoinHostPort("127.0.0.1", port) + "/0"
	return url, await(ctx, url, redisAnswers)
}
