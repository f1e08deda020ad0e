package rediscache

import (
	"crypto/tls"
	"crypto/x509"
	"os"
)

// Environment variables that name files for TLS.
const (
	envCAFile   = "REDIS_TLS_CA_FILE"
	envCertFile = "REDIS_TLS_CERT_FILE"
	envKeyFile  = "REDIS_TLS_KEY_FILE"
)

// files adds to a configuration whom to trust, and what the server is to be shown.
func (e *environment) files(cfg *tls.Config) {
	if cfg == nil {
		e.alone(envTLS, "without TLS", envCAFile, envCertFile, envKeyFile)
		return
	}
	if file := e.get(envCAFile); file != "" {
		cfg.RootCAs = x509.NewCertPool()
		if pem, err := os.ReadFile(file); err != nil { //nolint:gosec // the operator names it
			e.wrong(envCAFile, "%w", err)
		} else if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			e.wrong(envCAFile, "want certificates, PEM; %s has none", file)
		}
	}
	cert, key := e.get(envCertFile), e.get(envKeyFile)
	switch {
	case cert == "" && key == "":
	case cert == "":
		e.wrong(envKeyFile, "want %s with it", envCertFile)
	case key == "":
		e.wrong(envCertFile, "want %s with it", envKeyFile)
	default:
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			e.wrong(envCertFile, "with %s: %w", envKeyFile, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
}
