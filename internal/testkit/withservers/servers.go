package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// ping reports whether a database answers.
func ping(ctx context.Context, driver, dsn string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	return db.PingContext(ctx)
}

// An installation is a database server whose binaries are installed.
type installation struct {
	name string
	find func(program string) (path string, err error)
	// prepare is the program that fills a folder with an empty database, server the one that serves it.
	prepare, server string
	prepareArgs     func(data string) []string
	serverArgs      func(data, port string) []string
	url             func(port string) string
	answers         func(ctx context.Context, url string) error
}

// installed starts a server from installed binaries, on a private port.
func (h *house) installed(ctx context.Context, s installation) (string, error) {
	prepare, err := s.find(s.prepare)
	if err != nil {
		return "", err
	}
	program, err := s.find(s.server)
	if err != nil {
		return "", err
	}
	dir, err := h.folder()
	if err != nil {
		return "", err
	}
	data := filepath.Join(dir, s.name)
	attr, err := h.unprivileged(data)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, prepare, s.prepareArgs(data)...)
	cmd.SysProcAttr, cmd.Dir = attr, data
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", s.prepare, err, out)
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	server := exec.Command(program, s.serverArgs(data, port)...)
	server.SysProcAttr, server.Dir = attr, data
	if err := h.background(server); err != nil {
		return "", err
	}
	return s.url(port), await(ctx, s.url(port), s.answers)
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
