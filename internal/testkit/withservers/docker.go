package main

import (
	"context"
	"os"
	"os/exec"
	"time"
)

const composeFile = "docker-compose.test.yml"

// docker reports whether an engine answers that can run docker-compose.test.yml.
func (h *house) docker(ctx context.Context) bool {
	if h.composed {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := output(ctx, "docker", "version", "--format", "{{.Server.Version}}")
	if err != nil {
		return false
	}
	_, err = output(ctx, "docker", "compose", "version")
	return err == nil
}

// up starts the services of docker-compose.test.yml, and waits until they answer.
func (h *house) up(ctx context.Context) error {
	if h.composed {
		return nil
	}
	h.composed = true
	h.cleanups = append(h.cleanups, func() {
		_, _ = output(context.Background(), "docker", "compose", "-f", composeFile, "down", "--volumes")
	})
	cmd := exec.CommandContext(ctx, "docker", "compose", "-f", composeFile, "up", "--detach", "--wait")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

// address returns where a service is reached.
func (h *house) address(ctx context.Context, service, port string) (string, error) {
	if err := h.up(ctx); err != nil {
		return "", err
	}
	return output(ctx, "docker", "compose", "-f", composeFile, "port", service, port)
}

func composePostgres(ctx context.Context, h *house) (string, error) {
	address, err := h.address(ctx, "postgres", "5432")
	return "postgres://postgres@" + address + "/postgres?sslmode=disable", err
}

func composeMySQL(ctx context.Context, h *house) (string, error) {
	address, err := h.address(ctx, "mariadb", "3306")
	return "root@tcp(" + address + ")/?parseTime=true", err
}

func composeRedis(ctx context.Context, h *house) (string, error) {
	address, err := h.address(ctx, "redis", "6379")
	return "redis://" + address + "/0", err
}
