package rediscache

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Environment variables that a Config without Redis and Store reads. docs/connection.md describes them.
const (
	envURL      = "REDIS_URL"
	envHost     = "REDIS_HOST"
	envPort     = "REDIS_PORT"
	envUsername = "REDIS_USERNAME"
	envPassword = "REDIS_PASSWORD"
	envDB       = "REDIS_DB"
	envTLS      = "REDIS_TLS"

	envAddrs            = "REDIS_ADDRS"
	envMasterName       = "REDIS_MASTER_NAME"
	envSentinelUsername = "REDIS_SENTINEL_USERNAME"
	envSentinelPassword = "REDIS_SENTINEL_PASSWORD"
)

// An endpoint is where Redis is, and how one gets in.
type endpoint struct {
	// server holds what is the same for every server; its address, if there is one server.
	server redis.Options
	// addrs are those of a Cluster; with a master, those of its Sentinels.
	addrs                              []string
	master                             string
	sentinelUsername, sentinelPassword string
}

// endpointFromEnv returns where the environment says that Redis is: localhost:6379, if it says nothing. The error names the
// variable of everything that is wrong. It repeats no value that may hold a password.
func endpointFromEnv(getenv func(string) string) (endpoint, error) {
	e := environment{getenv: getenv}
	var at endpoint
	switch {
	case e.set(envURL):
		at = e.fromURL()
	case e.set(envAddrs), e.set(envMasterName):
		at = e.fromAddrs()
	default:
		at = e.fromHost()
	}
	if !e.set(envURL) {
		at.server.TLSConfig = e.tls()
		if e.set(envUsername) && !e.set(envPassword) {
			e.wrong(envUsername, "want %s with it", envPassword)
		}
	}
	e.files(at.server.TLSConfig)
	if at.master == "" {
		e.alone(envMasterName, "without it", envSentinelUsername, envSentinelPassword)
	}
	return at, errors.Join(e.errs...)
}

// An environment is read variable by variable.
type environment struct {
	getenv func(string) string
	errs   []error
}

func (e *environment) get(name string) string { return strings.TrimSpace(e.getenv(name)) }

// set reports whether a variable says anything. Kubernetes and Docker set REDIS_PORT to a URL if there is a service of that
// name: nobody has meant that for an application.
func (e *environment) set(name string) bool {
	v := e.get(name)
	return v != "" && (name != envPort || !strings.HasPrefix(v, "tcp://"))
}

func (e *environment) wrong(name, format string, args ...any) {
	e.errs = append(e.errs, fmt.Errorf(name+": "+format, args...))
}

// alone notes that others must not be set.
func (e *environment) alone(name, how string, others ...string) {
	for _, other := range others {
		if e.set(other) {
			e.wrong(other, "cannot be used %s (%s)", how, name)
		}
	}
}

func (e *environment) fromURL() endpoint {
	e.alone(envURL, "together with the URL of one server", envAddrs, envMasterName)
	opt, err := redis.ParseURL(e.get(envURL))
	if err != nil { // which may repeat the password
		e.wrong(envURL, "want redis://[user:password@]host:port[/db], rediss://… for TLS, or unix:///path")
		return endpoint{server: redis.Options{TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12}}}
	}
	if opt.Username != "" && opt.Password == "" {
		e.wrong(envURL, "want a password with the user; if there is no user, redis://:password@host")
	}
	e.agree(opt)
	return endpoint{server: *opt}
}

// agree notes the parts that say something else than the URL. Some platforms set both.
func (e *environment) agree(opt *redis.Options) {
	host, port, _ := net.SplitHostPort(opt.Addr)
	for _, part := range []struct{ name, want string }{
		{envHost, host},
		{envPort, port},
		{envUsername, opt.Username},
		{envPassword, opt.Password},
		{envDB, strconv.Itoa(opt.DB)},
	} {
		if e.set(part.name) && e.get(part.name) != part.want {
			e.wrong(part.name, "says something else than %s: want one of them", envURL)
		}
	}
	if e.set(envTLS) && (e.tls() != nil) != (opt.TLSConfig != nil) {
		e.wrong(envTLS, "says something else than %s: want one of them", envURL)
	}
}

func (e *environment) fromHost() endpoint {
	at := endpoint{server: redis.Options{Addr: net.JoinHostPort(e.host(), e.port()), DB: e.db()}}
	at.server.Username, at.server.Password = e.get(envUsername), e.getenv(envPassword)
	return at
}

func (e *environment) fromAddrs() endpoint {
	e.alone(envAddrs, "together with a list of addresses", envHost, envPort)
	at := endpoint{addrs: e.addrs(), master: e.get(envMasterName)}
	at.server.Username, at.server.Password = e.get(envUsername), e.getenv(envPassword)
	if at.master != "" {
		at.server.DB = e.db()
		at.sentinelUsername, at.sentinelPassword = e.get(envSentinelUsername), e.getenv(envSentinelPassword)
		return at
	}
	if e.db() != 0 {
		e.wrong(envDB, "a Cluster has database 0 alone (%s without %s is a Cluster)", envAddrs, envMasterName)
	}
	return at
}

// addrs returns what a list of addresses says.
func (e *environment) addrs() []string {
	if !e.set(envAddrs) {
		e.wrong(envAddrs, "want the addresses of the Sentinels, host:port,host:port, with %s", envMasterName)
		return nil
	}
	addrs := strings.Split(e.get(envAddrs), ",")
	for i, addr := range addrs {
		addrs[i] = strings.TrimSpace(addr)
		if host, port, err := net.SplitHostPort(addrs[i]); err != nil || !isHost(host) || !isPort(port) {
			e.wrong(envAddrs, "want host:port,host:port; address %d is none", i+1)
		}
	}
	return addrs
}

func (e *environment) host() string {
	switch host := strings.Trim(e.get(envHost), "[]"); {
	case host == "":
		return "localhost"
	case !isHost(host):
		e.wrong(envHost, "want the name or the address of a host alone; a port belongs into %s, a URL into %s", envPort, envURL)
		fallthrough
	default:
		return host
	}
}

func (e *environment) port() string {
	port := e.get(envPort)
	switch {
	case !e.set(envPort):
		return "6379"
	case !isPort(port):
		e.wrong(envPort, "want a port, 1 to 65535, got %q", port)
	}
	return port
}

func (e *environment) db() int {
	db := e.get(envDB)
	if db == "" {
		return 0
	}
	n, err := strconv.Atoi(db)
	if err != nil || n < 0 {
		e.wrong(envDB, "want the number of a database, got %q", db)
		return 0
	}
	return n
}

// tls returns how the parts say that the server is to be spoken to: nil without TLS.
func (e *environment) tls() *tls.Config {
	use := e.get(envTLS)
	if use == "" {
		return nil
	}
	on, err := strconv.ParseBool(use)
	if err != nil {
		e.wrong(envTLS, "want true or false, got %q", use)
	} else if !on {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12} // who dials adds the name
}

// isHost reports whether something may be the name or the address of a host.
func isHost(host string) bool {
	return host != "" && (net.ParseIP(host) != nil || !strings.ContainsAny(host, ":/@ \t"))
}

func isPort(port string) bool {
	n, err := strconv.Atoi(port)
	return err == nil && n >= 1 && n <= 65535
}
