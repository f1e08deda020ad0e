package faults_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a process is told, a line each; it answers with a report in one line.
const (
	tellMore   = "more"   // go on for a while
	tellReads  = "reads"  // the same, but only reads may go on
	tellHalt   = "halt"   // read and write no more
	tellPay    = "pay"    // wait until Redis has been told of all writes
	tellSettle = "settle" // look at what is served
)

// A party is a process that reads and writes.
type party struct {
	setup setup
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
}

// startParty starts a process, which ends with the test.
func startParty(t *testing.T, s setup) *party {
	t.Helper()
	text, err := json.Marshal(s)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), setupVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &party{setup: s, cmd: cmd, in: in, out: bufio.NewReader(out)}
}

// tell sends the process a line.
func (p *party) tell(t *testing.T, what string) {
	t.Helper()
	_, err := fmt.Fprintln(p.in, what)
	require.NoError(t, err)
}

// hear waits for its answer.
func (p *party) hear(t *testing.T) report {
	t.Helper()
	line, err := p.out.ReadBytes('\n')
	require.NoError(t, err, "the process has ended")
	var r report
	require.NoError(t, json.Unmarshal(line, &r))
	require.Empty(t, r.Problem)
	return r
}

// serve is the process. It returns its exit code.
func serve(text string) int {
	var s setup
	err := json.Unmarshal([]byte(text), &s)
	var tr *traffic
	if err == nil {
		tr, err = start(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := answers.Encode(tr.obey(strings.TrimSpace(lines.Text()))); err != nil {
			return 1
		}
	}
	return 0
}

// obey does what the process is told. Operations are told in the end only.
func (tr *traffic) obey(what string) report {
	var problem string
	switch what {
	case tellMore:
		problem = more(tr.done, 5)
	case tellReads:
		problem = more(tr.readers, 5)
	case tellHalt:
		tr.halt()
	case tellPay:
		tr.pay()
	case tellSettle:
		tr.settle()
		return tr.record.copy()
	}
	r := tr.record.copy()
	r.Operations, r.Problem = nil, problem
	return r
}
