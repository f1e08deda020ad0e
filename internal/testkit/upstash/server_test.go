package upstash_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorm-rediscache/rediscache/internal/testkit"
	"github.com/gorm-rediscache/rediscache/internal/testkit/upstash"
)

// officialClient is the client by which the server is judged.
const officialClient = "@upstash/redis@1.38.2"

// program returns the path of a program that comes with Node.js. Where nothing may be skipped, it must be there.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("the program %s is not installed", name)
	}
	t.Skipf("the program %s is not installed, and Upstash's own client needs it", name)
	return ""
}

// What the tests of the store rest on: Upstash's own client finds nothing wrong with the server.
func TestOfficialClientIsContent(t *testing.T) {
	t.Parallel()
	node, npm := program(t, "node"), program(t, "npm")
	client, namespace := testkit.Redis(t)
	server := upstash.Start(t, client)
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts",
		"--cache", filepath.Join(dir, "cache"), officialClient)
	install.Dir = dir
	out, err := install.CombinedOutput()
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("%s cannot be installed: %v\n%s", officialClient, err, out)
	}
	require.NoError(t, err, "%s", out)
	script, err := os.ReadFile(filepath.Join("testdata", "client.mjs"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "client.mjs"), script, 0o600))
	run := exec.CommandContext(ctx, node, "client.mjs", server.URL, upstash.Token, upstash.ReadOnly, namespace)
	run.Dir = dir
	out, err = run.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotEmpty(t, server.Requests())
}

// ask sends a request, and returns the status and the answer.
func ask(t *testing.T, method, url, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+upstash.Token)
	w, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = w.Body.Close() }()
	text, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	var answer map[string]any
	require.NoError(t, json.Unmarshal(text, &answer), "%s", text)
	return w.StatusCode, answer
}

// The forms that the official client does not use are those of the documentation.
func TestCommandsInThePath(t *testing.T) {
	t.Parallel()
	client, namespace := testkit.Redis(t)
	server := upstash.Start(t, client)
	at := server.URL + "/"
	for _, test := range []struct {
		method, url, body string
		status            int
		answer            map[string]any
	}{
		{"POST", at + "set/" + namespace + "?PX=60000", "a/b c", 200, map[string]any{"result": "OK"}},
		{"GET", at + "get/" + namespace, "", 200, map[string]any{"result": "a/b c"}},
		{"GET", at + "set/" + namespace + "/d%2Fe/EX/60", "", 200, map[string]any{"result": "OK"}},
		{"POST", at, `["GET", "` + namespace + `"]`, 200, map[string]any{"result": "d/e"}},
		{"GET", at + "get", "", 400, map[string]any{"error": "ERR wrong number of arguments for 'get' command"}},
		{"POST", at, `{"no": "array"}`, 400, map[string]any{"error": "ERR failed to parse command"}},
		{"POST", at + "pipeline", `["GET", "x"]`, 400, map[string]any{"error": "ERR failed to parse pipeline request"}},
		{"DELETE", at, "", 405, map[string]any{"error": "ERR method not allowed"}},
		{"POST", at + "multi-exec", `[["GET"]]`, 400, map[string]any{
			"error": "EXECABORT Transaction discarded because of previous errors.",
		}},
	} {
		status, answer := ask(t, test.method, test.url, test.body)
		require.Equal(t, test.status, status, test.url)
		require.Equal(t, test.answer, answer, test.url)
	}
}

func TestFaultsMeetAsManyRequestsAsTheyShould(t *testing.T) {
	t.Parallel()
	client, _ := testkit.Redis(t)
	server := upstash.Start(t, client)
	server.Fail(2, upstash.Status(http.StatusTooManyRequests, "ERR slow down"))
	for _, want := range []int{429, 429, 200, 200} {
		status, _ := ask(t, "POST", server.URL, `["PING"]`)
		require.Equal(t, want, status)
	}
	server.Fail(-1, upstash.Slow(time.Minute))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(`["PING"]`))
	require.NoError(t, err)
	_, err = http.DefaultClient.Do(r) //nolint:bodyclose // there is none
	require.ErrorIs(t, err, context.DeadlineExceeded)
	server.Heal()
	status, _ := ask(t, "POST", server.URL, `["PING"]`)
	require.Equal(t, 200, status)
}
