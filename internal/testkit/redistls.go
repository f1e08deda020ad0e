package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A RedisTLS is a server that is spoken to over TLS at its TLSAddr, by clients that show a certificate.
type RedisTLS struct {
	*RedisServer
	TLSAddr string
	// CAFile holds who has signed the server's certificate, which is for 127.0.0.1 and localhost; CertFile and KeyFile hold
	// what a client has to show.
	CAFile, CertFile, KeyFile string
}

// StartRedisTLS starts one.
func StartRedisTLS(t testing.TB) *RedisTLS {
	t.Helper()
	s := &RedisTLS{TLSAddr: freeAddr(t)}
	dir := t.TempDir()
	s.CAFile, s.CertFile, s.KeyFile = filepath.Join(dir, "ca"), filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	certificates(t, s.CAFile, s.CertFile, s.KeyFile)
	_, port, err := net.SplitHostPort(s.TLSAddr)
	require.NoError(t, err)
	s.RedisServer = StartRedis(t, "--tls-port", port, "--tls-ca-cert-file", s.CAFile, "--tls-cert-file", s.CertFile,
		"--tls-key-file", s.KeyFile, "--tls-auth-clients", "yes")
	return s
}

// certificates writes an authority, and a certificate that it has signed with its key.
func certificates(t testing.TB, caFile, certFile, keyFile string) {
	t.Helper()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	from, to := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tests"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "redis"}, NotBefore: from, NotAfter: to,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	require.NoError(t, err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	write := func(file, kind string, der []byte) {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	}
	write(caFile, "CERTIFICATE", caDER)
	write(certFile, "CERTIFICATE", leafDER)
	write(keyFile, "PRIVATE KEY", keyDER)
}
