package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/gorm-rediscache/rediscache/benchmarks/world"
)

// describe writes the beginning of the document: what was measured, on what.
func describe(ctx context.Context, out io.Writer, p plan, parts []string) (err error) {
	w, err := world.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close(ctx)) }()
	postgres, redis, err := w.Versions(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, `# Benchmarks

*Read this to know what the cache gives, and what it costs.*

Written by `+"`make bench`"+` (mode %s, parts %s). `+"`make bench-quick`"+` prints the same, of less, in two minutes. The programs
are in [benchmarks](../benchmarks).

* Machine: %d cores, %s, %s/%s. PostgreSQL, Redis and the program share it: times are ratios to plain GORM in the same run, and
  noisy. Counts (SQL statements, commands, hit rates) are not.
* PostgreSQL %s, Redis %s, %s, %s
* Each handle has %d connections to PostgreSQL and %d to Redis.
%s`, p.mode, strings.Join(parts, ", "), runtime.NumCPU(), cpuModel(), runtime.GOOS, runtime.GOARCH, postgres, redis, runtime.Version(), modules(),
		world.SQLConnections, world.RedisConnections, busy())
	return err
}

// busy warns of a machine that did something else when the run began.
func busy() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil || load < float64(runtime.NumCPU()) {
		return ""
	}
	return fmt.Sprintf("* **The machine was busy with other work (load %.0f). Times are not worth reading; counts are.**\n", load)
}

// cpuModel is what Linux calls the processor.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// modules names the versions of the libraries that count.
func modules() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown libraries"
	}
	names := map[string]string{
		"gorm.io/gorm": "GORM", "github.com/redis/go-redis/v9": "go-redis", "github.com/jackc/pgx/v5": "pgx",
	}
	var found []string
	for _, m := range info.Deps {
		if name, ok := names[m.Path]; ok {
			found = append(found, name+" "+m.Version)
		}
	}
	return strings.Join(found, ", ")
}
