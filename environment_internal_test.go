package rediscache

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// env is an environment.
type env map[string]string

func (e env) get(name string) string { return e[name] }

func TestEndpointsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	cert, key := pairOfFiles(t)
	for name, c := range map[string]struct {
		env  env
		want endpoint
		tls  bool
	}{
		"nothing": {nil, endpoint{server: redis.Options{Addr: "localhost:6379"}}, false},
		"url": {
			env{"REDIS_URL": "redis://ann:secret@cache.example:6380/3"},
			endpoint{server: redis.Options{
				Network: "tcp", Addr: "cache.example:6380", Username: "ann", Password: "secret", DB: 3,
			}},
			false,
		},
		"url with TLS": {
			env{"REDIS_URL": "rediss://cache.example", "REDIS_TLS_CA_FILE": cert},
			endpoint{server: redis.Options{Network: "tcp", Addr: "cache.example:6379"}},
			true,
		},
		"socket": {
			env{"REDIS_URL": "unix://:secret@/run/redis.sock?db=2"},
			endpoint{server: redis.Options{Network: "unix", Addr: "/run/redis.sock", Password: "secret", DB: 2}},
			false,
		},
		"query of a url": {
			env{"REDIS_URL": "redis://cache.example?pool_size=7&max_retries=1"},
			endpoint{server: redis.Options{Network: "tcp", Addr: "cache.example:6379", PoolSize: 7, MaxRetries: 1}},
			false,
		},
		"url and parts that agree": {
			env{
				"REDIS_URL": "redis://:secret@cache.example:6380", "REDIS_HOST": "cache.example", "REDIS_PORT": "6380",
				"REDIS_PASSWORD": "secret", "REDIS_DB": "0", "REDIS_TLS": "false",
			},
			endpoint{server: redis.Options{Network: "tcp", Addr: "cache.example:6380", Password: "secret"}},
			false,
		},
		"parts": {
			env{
				"REDIS_HOST": " cache.example\n", "REDIS_PORT": "6380", "REDIS_USERNAME": "ann", "REDIS_PASSWORD": "secret",
				"REDIS_DB": "3", "REDIS_TLS": "1", "REDIS_TLS_CERT_FILE": cert, "REDIS_TLS_KEY_FILE": key,
			},
			endpoint{server: redis.Options{
				Addr: "cache.example:6380", Username: "ann", Password: "secret", DB: 3,
			}},
			true,
		},
		"address of version 6": {
			env{"REDIS_HOST": "[::1]"}, endpoint{server: redis.Options{Addr: "[::1]:6379"}}, false,
		},
		"what Kubernetes sets for a service called redis": {
			env{"REDIS_HOST": "redis", "REDIS_PORT": "tcp://10.0.0.11:6379"},
			endpoint{server: redis.Options{Addr: "redis:6379"}},
			false,
		},
		"the same beside a url": {
			env{"REDIS_URL": "redis://cache.example:6380", "REDIS_PORT": "tcp://10.0.0.11:6379"},
			endpoint{server: redis.Options{Network: "tcp", Addr: "cache.example:6380"}},
			false,
		},
		"cluster": {
			env{"REDIS_ADDRS": "a:7000, b:7001", "REDIS_PASSWORD": "secret", "REDIS_TLS": "true", "REDIS_DB": "0"},
			endpoint{addrs: []string{"a:7000", "b:7001"}, server: redis.Options{Password: "secret"}},
			true,
		},
		"sentinel": {
			env{
				"REDIS_ADDRS": "a:26379,b:26379", "REDIS_MASTER_NAME": "main", "REDIS_PASSWORD": "secret", "REDIS_DB": "2",
				"REDIS_SENTINEL_USERNAME": "watch", "REDIS_SENTINEL_PASSWORD": "other",
			},
			endpoint{
				addrs: []string{"a:26379", "b:26379"}, master: "main", server: redis.Options{Password: "secret", DB: 2},
				sentinelUsername: "watch", sentinelPassword: "other",
			},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := endpointFromEnv(c.env.get)
			require.NoError(t, err)
			require.Equal(t, c.tls, got.server.TLSConfig != nil)
			if c.env[envCAFile] != "" {
				require.NotNil(t, got.server.TLSConfig.RootCAs)
			}
			if c.env[envCertFile] != "" {
				require.Len(t, got.server.TLSConfig.Certificates, 1)
			}
			got.server.TLSConfig = nil
			require.Equal(t, c.want, got)
		})
	}
}

func TestEveryErrorOfTheEnvironmentNamesItsVariable(t *testing.T) {
	t.Parallel()
	cert, key := pairOfFiles(t)
	for name, c := range map[string]struct {
		env   env
		names []string
	}{
		"scheme":               {env{"REDIS_URL": "http://ann:hunter2@x"}, []string{"REDIS_URL"}},
		"no url":               {env{"REDIS_URL": "://hunter2"}, []string{"REDIS_URL"}},
		"user alone in a url":  {env{"REDIS_URL": "redis://hunter2@x"}, []string{"REDIS_URL"}},
		"option of a url":      {env{"REDIS_URL": "redis://:hunter2@x?colour=red"}, []string{"REDIS_URL"}},
		"url or host":          {env{"REDIS_URL": "redis://x", "REDIS_HOST": "y"}, []string{"REDIS_URL", "REDIS_HOST"}},
		"url or port":          {env{"REDIS_URL": "redis://x", "REDIS_PORT": "1"}, []string{"REDIS_URL", "REDIS_PORT"}},
		"url or user":          {env{"REDIS_URL": "redis://x", "REDIS_USERNAME": "a"}, []string{"REDIS_URL", "REDIS_USERNAME"}},
		"url or password":      {env{"REDIS_URL": "redis://:hunter2@x", "REDIS_PASSWORD": "hunter2b"}, []string{"REDIS_PASSWORD"}},
		"url or db":            {env{"REDIS_URL": "redis://x/1", "REDIS_DB": "2"}, []string{"REDIS_URL", "REDIS_DB"}},
		"url or TLS":           {env{"REDIS_URL": "redis://x", "REDIS_TLS": "true"}, []string{"REDIS_URL", "REDIS_TLS"}},
		"url or addresses":     {env{"REDIS_URL": "redis://x", "REDIS_ADDRS": "a:1"}, []string{"REDIS_URL", "REDIS_ADDRS"}},
		"url or master":        {env{"REDIS_URL": "redis://x", "REDIS_MASTER_NAME": "m"}, []string{"REDIS_URL", "REDIS_MASTER_NAME"}},
		"addresses or host":    {env{"REDIS_ADDRS": "a:1", "REDIS_HOST": "y"}, []string{"REDIS_ADDRS", "REDIS_HOST"}},
		"master alone":         {env{"REDIS_MASTER_NAME": "m"}, []string{"REDIS_MASTER_NAME", "REDIS_ADDRS"}},
		"sentinel's alone":     {env{"REDIS_SENTINEL_PASSWORD": "hunter2"}, []string{"REDIS_SENTINEL_PASSWORD", "REDIS_MASTER_NAME"}},
		"sentinel's in a list": {env{"REDIS_ADDRS": "a:1", "REDIS_SENTINEL_USERNAME": "u"}, []string{"REDIS_SENTINEL_USERNAME"}},
		"db of a cluster":      {env{"REDIS_ADDRS": "a:1", "REDIS_DB": "1"}, []string{"REDIS_DB", "Cluster"}},
		"address without port": {env{"REDIS_ADDRS": "a:1,b"}, []string{"REDIS_ADDRS", "address 2"}},
		"empty address":        {env{"REDIS_ADDRS": "a:1,"}, []string{"REDIS_ADDRS", "address 2"}},
		"url for addresses":    {env{"REDIS_ADDRS": "redis://:hunter2@a:1"}, []string{"REDIS_ADDRS"}},
		"port of an address":   {env{"REDIS_ADDRS": "a:66000"}, []string{"REDIS_ADDRS"}},
		"url for a host":       {env{"REDIS_HOST": "redis://:hunter2@a:1"}, []string{"REDIS_HOST"}},
		"host and port":        {env{"REDIS_HOST": "a:6379"}, []string{"REDIS_HOST", "REDIS_PORT"}},
		"user alone":           {env{"REDIS_USERNAME": "ann"}, []string{"REDIS_USERNAME", "REDIS_PASSWORD"}},
		"port":                 {env{"REDIS_PORT": "x"}, []string{"REDIS_PORT"}},
		"high port":            {env{"REDIS_PORT": "65536"}, []string{"REDIS_PORT"}},
		"zero port":            {env{"REDIS_PORT": "0"}, []string{"REDIS_PORT"}},
		"db":                   {env{"REDIS_DB": "first"}, []string{"REDIS_DB"}},
		"minus db":             {env{"REDIS_DB": "-1"}, []string{"REDIS_DB"}},
		"tls":                  {env{"REDIS_TLS": "perhaps"}, []string{"REDIS_TLS"}},
		"ca without TLS":       {env{"REDIS_TLS_CA_FILE": cert}, []string{"REDIS_TLS_CA_FILE", "REDIS_TLS"}},
		"ca that is away":      {env{"REDIS_TLS": "true", "REDIS_TLS_CA_FILE": cert + "x"}, []string{"REDIS_TLS_CA_FILE"}},
		"ca that is none":      {env{"REDIS_TLS": "true", "REDIS_TLS_CA_FILE": key}, []string{"REDIS_TLS_CA_FILE"}},
		"key alone":            {env{"REDIS_TLS": "true", "REDIS_TLS_KEY_FILE": key}, []string{"REDIS_TLS_KEY_FILE", "REDIS_TLS_CERT_FILE"}},
		"certificate alone":    {env{"REDIS_TLS": "true", "REDIS_TLS_CERT_FILE": cert}, []string{"REDIS_TLS_CERT_FILE"}},
		"key for certificate": {
			env{"REDIS_TLS": "true", "REDIS_TLS_CERT_FILE": key, "REDIS_TLS_KEY_FILE": key}, []string{"REDIS_TLS_CERT_FILE"},
		},
		"all at once": {
			env{
				"REDIS_HOST": "a b", "REDIS_PORT": "x", "REDIS_DB": "y", "REDIS_TLS": "z", "REDIS_USERNAME": "ann",
				"REDIS_SENTINEL_USERNAME": "u",
			},
			[]string{"REDIS_HOST", "REDIS_PORT", "REDIS_DB", "REDIS_TLS", "REDIS_USERNAME", "REDIS_SENTINEL_USERNAME"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := endpointFromEnv(c.env.get)
			require.Error(t, err)
			for _, name := range c.names {
				require.ErrorContains(t, err, name)
			}
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, strings.ToLower(err.Error()), "%!", "a format that does not fit")
		})
	}
}

// pairOfFiles writes a certificate and its key.
func pairOfFiles(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return file
	}
	return write("cert.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret)
}

func TestServerlessIsDetected(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE", "FUNCTION_TARGET", "FUNCTIONS_WORKER_RUNTIME", "VERCEL",
	} {
		in := env{name: "x"}
		require.True(t, ServerlessAuto.in(in.get), name)
		require.False(t, ServerlessOff.in(in.get), name)
	}
	require.False(t, ServerlessAuto.in(env{}.get))
	require.True(t, ServerlessOn.in(env{}.get))
}
