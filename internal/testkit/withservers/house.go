package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
)

// A house holds what was started, to stop it in the end.
type house struct {
	dir      string // made when it is needed
	cleanups []func()
	composed bool
}

var errNotInstalled = errors.New("not installed")

// close stops what was started, last first.
func (h *house) close() {
	for _, cleanup := range slices.Backward(h.cleanups) {
		cleanup()
	}
}

// folder returns a temporary folder, which goes in the end.
func (h *house) folder() (string, error) {
	if h.dir != "" {
		return h.dir, nil
	}
	dir, err := os.MkdirTemp("", "rediscache-test-")
	if err != nil {
		return "", err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // servers may run as another user
		return "", err
	}
	h.dir = dir
	h.cleanups = append(h.cleanups, func() { _ = os.RemoveAll(dir) })
	return dir, nil
}

// background starts a server that is killed in the end, and with this process.
func (h *house) background(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return err
	}
	h.cleanups = append(h.cleanups, func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
	})
	return nil
}

// install installs packages with apt-get.
func (h *house) install(ctx context.Context, packages ...string) error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w, and only root can install it", errNotInstalled)
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("%w, and there is no apt-get", errNotInstalled)
	}
	say("apt-get install %s", strings.Join(packages, " "))
	for _, args := range [][]string{
		{"update"}, append([]string{"install", "-y", "--no-install-recommends"}, packages...),
	} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return nil
}

// ensureRedisServer makes sure that tests can start a Redis server of their own.
func (h *house) ensureRedisServer(ctx context.Context) error {
	if _, err := exec.LookPath("redis-server"); err == nil {
		return nil
	}
	if err := h.install(ctx, "redis-server"); err == nil {
		return nil
	}
	if err := h.copyFromImage(ctx); err != nil {
		return fmt.Errorf("tests start Redis servers of their own, and need the program redis-server: install it (%w)", err)
	}
	return nil
}

// ensurePostgresPrograms makes sure that tests can start a PostgreSQL server of their own, and a replica of it.
func (h *house) ensurePostgresPrograms(ctx context.Context) error {
	for _, name := range []string{"initdb", "postgres", "pg_basebackup"} {
		if _, ok := testkit.PostgresBinary(name); ok {
			continue
		}
		err := h.install(ctx, "postgresql")
		switch {
		case err == nil:
		case h.docker(ctx) && os.Getenv("CI") == "": // a contributor's machine, on which everything else can run
			say("tests that stop PostgreSQL servers of their own are skipped: install the program %s to run them", name)
			return os.Setenv(testkit.EnvWithout, "postgres")
		default:
			return fmt.Errorf("tests start PostgreSQL servers of their own, and need the program %s: install it (%w)", name, err)
		}
	}
	return nil
}

// ensureNode makes sure, where nothing may be skipped, that Upstash's own client can be run.
func (h *house) ensureNode(ctx context.Context) error {
	if os.Getenv("CI") == "" {
		return nil
	}
	for _, name := range []string{"node", "npm"} {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if err := h.install(ctx, "nodejs", "npm"); err != nil {
			return fmt.Errorf("a test runs Upstash's own client, and needs the program %s: install it (%w)", name, err)
		}
	}
	return nil
}

// copyFromImage takes the program out of the image that Docker Compose uses, and puts it on the PATH.
func (h *house) copyFromImage(ctx context.Context) error {
	if !h.docker(ctx) {
		return errNotInstalled
	}
	dir, err := h.folder()
	if err != nil {
		return err
	}
	id, err := output(ctx, "docker", "create", "redis:7")
	if err != nil {
		return err
	}
	defer func() { _, _ = output(context.WithoutCancel(ctx), "docker", "rm", id) }()
	path := filepath.Join(dir, "redis-server")
	if _, err := output(ctx, "docker", "cp", "-L", id+":/usr/local/bin/redis-server", path); err != nil {
		return err
	}
	if _, err := output(ctx, path, "--version"); err != nil {
		return err
	}
	return os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// output runs a program and returns what it prints.
func output(ctx context.Context, name string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return "", fmt.Errorf("%s: %w: %s", name, err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// freePort returns a port that nobody listens on.
func freePort() (string, error) {
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// await waits until a server answers.
func await(ctx context.Context, url string, answers func(context.Context, string) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := answers(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited a minute: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
