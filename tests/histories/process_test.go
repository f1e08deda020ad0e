package histories_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/gorm-rediscache/rediscache"
	"github.com/gorm-rediscache/rediscache/ttlconfig"
)

// ttl is how long answers are kept: short, as it is the bound of what is wrong when nothing else bounds it.
const ttl = time.Second

// settings is what a process is started with.
type settings struct {
	DSN, Namespace, Redis string
	Process               uint16
	Timeout               time.Duration
	FailWrite             bool
}

// patience is how long a statement waits for the schema to be read: three processes read it at once, on a machine that has other
// things to do as well.
const patience = 5 * time.Second

// openApp opens an application on the Redis that the environment names.
func openApp(s settings, change func(*rediscache.Config)) (*app, error) {
	db, err := gorm.Open(postgres.Open(s.DSN), &gorm.Config{Logger: logger.Discard})
	if err != nil {
		return nil, err
	}
	a := &app{db: db, process: s.Process, rows: registers}
	cfg := rediscache.Config{
		Namespace: s.Namespace, Timeout: s.Timeout, LearnTimeout: patience, Recorder: &a.log,
		Policy: ttlconfig.Policy{TTL: ttl},
		Logger: slog.New(slog.DiscardHandler),
	}
	if s.FailWrite {
		cfg.OnOutage = rediscache.FailWrite
	}
	if change != nil {
		change(&cfg)
	}
	a.plugin = rediscache.New(cfg)
	return a, db.Use(a.plugin)
}

func (a *app) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := a.plugin.Close(ctx)
	pool, dbErr := a.db.DB()
	if dbErr == nil {
		dbErr = pool.Close()
	}
	return errors.Join(err, dbErr)
}

// report is what a process answers.
type report struct {
	Hits   int64
	Untold bool
	Errors []string
}

// TestProcessOfAHistory is not a test: it is the process that an application is in.
func TestProcessOfAHistory(t *testing.T) {
	var s settings
	given := os.Getenv("REDISCACHE_HISTORY")
	if given == "" {
		return
	}
	require.NoError(t, json.Unmarshal([]byte(given), &s))
	t.Setenv("REDIS_URL", s.Redis)
	a, err := openApp(s, nil)
	require.NoError(t, err)
	fmt.Println("{}")
	var phase int64
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r report
		switch words := strings.Fields(lines.Text()); words[0] {
		case "start":
			phase, err = strconv.ParseInt(words[1], 10, 64)
			require.NoError(t, err)
			a.start(words[2], phase)
		case "halt":
			a.halt()
			r = report{Hits: a.log.hits.Load(), Untold: a.log.untold.Load()}
			for _, err := range a.failures() {
				r.Errors = append(r.Errors, err.Error())
			}
		case "settle":
			if err := a.settle(); err != nil {
				r.Errors = append(r.Errors, err.Error())
			}
		case "compare":
			r.Errors = append(r.Errors, a.quiescent(phase)...)
		}
		answer, err := json.Marshal(r)
		require.NoError(t, err)
		fmt.Println(string(answer))
	}
	require.NoError(t, a.close())
}

// process is another process, with an application.
type process struct {
	t       *testing.T
	number  uint16
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     io.Reader
	answers *bufio.Scanner
}

// startApp starts a process with an application.
func startApp(t *testing.T, s settings) *process {
	t.Helper()
	given, err := json.Marshal(s)
	require.NoError(t, err)
	return startProcess(t, s, "^TestProcessOfAHistory$", "REDISCACHE_HISTORY="+string(given))
}

// startProcess starts this program once more.
func startProcess(t *testing.T, s settings, run, env string) *process {
	t.Helper()
	p := &process{t: t, number: s.Process, cmd: exec.Command(os.Args[0], "-test.run="+run, "-test.timeout=1h")}
	p.cmd.Env = append(os.Environ(), env)
	var err error
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	p.out, err = p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.answers = bufio.NewScanner(p.out)
	p.answers.Buffer(nil, 1<<24)
	require.NoError(t, p.cmd.Start())
	return p
}

// tell sends a command. Its answer has to be taken before the next one is sent.
func (p *process) tell(words ...string) {
	p.t.Helper()
	_, err := fmt.Fprintln(p.in, strings.Join(words, " "))
	require.NoError(p.t, err, "process %d", p.number)
}

// answer returns the answer to the last command, or to the start.
func (p *process) answer() (r report) {
	p.t.Helper()
	require.True(p.t, p.answers.Scan(), "process %d is gone: %v", p.number, p.answers.Err())
	require.NoError(p.t, json.Unmarshal(p.answers.Bytes(), &r), p.answers.Text())
	return r
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// kill kills it in whatever it does.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	_ = p.cmd.Wait()
	_ = p.in.Close()
}

// end lets it end by itself.
func (p *process) end() {
	p.signal(syscall.SIGCONT)
	_ = p.in.Close()
	for p.answers.Scan() { // what else it prints
	}
	_ = p.cmd.Wait()
}
