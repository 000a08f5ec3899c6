package configs

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// store reads where newswatch remembers, and what of Redis it shall ask for.
func (l *loader) store(s *section, dst *Store) {
	l.storeURL(s, dst)
	parsed(s, "wait_replicas", &dst.WaitReplicas, func(t string) (int, *valueError) {
		const most = 10
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 || n > most {
			return 0, &valueError{Message: fmt.Sprintf("%q is not a number of replicas", clip(t)), Hint: fmt.Sprintf("want 0 to %d", most)}
		}
		return n, nil
	})
	s.truth("allow_eviction", &dst.AllowEviction)
	for _, key := range []string{"wait_replicas", "allow_eviction"} {
		if s.has(key) && dst.Engine == EngineSQLite {
			s.warn(key, "is for Redis; a SQLite file has neither replicas nor eviction", "take the line out")
		}
	}
}

// storeURL quotes the URL in no message: it may hold a password.
func (l *loader) storeURL(s *section, dst *Store) {
	var raw Secret
	if !s.secret("url", &raw) {
		return
	}
	key := s.secretKey("url")
	st, err := parseStoreURL(raw.Reveal())
	if err != nil {
		s.fail(key, err.Message, err.Hint)
		return
	}
	st.URL = raw
	if st.Engine == EngineSQLite {
		st.Path = s.doc.path(st.Path)
	}
	*dst = st
}

var storeSchemes = []string{"sqlite", "redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"}

// parseStoreURL reads sqlite:PATH, redis://[user:password@]host[:port][/db],
// rediss:// for TLS, redis+sentinel://host,host/master[/db], to which
// ?sentinel_user=NAME&sentinel_password=WORD may be added, and
// redis+cluster://host,host. The two s may also follow redis in the latter.
func parseStoreURL(raw string) (Store, *valueError) {
	scheme, rest, ok := strings.Cut(raw, ":")
	if !ok {
		return Store{}, &valueError{Message: "not a store URL", Hint: "write sqlite:../data/newswatch.db or redis://localhost:6379/0"}
	}
	if scheme == "sqlite" {
		path := strings.TrimPrefix(rest, "//")
		switch {
		case path == "":
			return Store{}, &valueError{Message: "sqlite: without a file", Hint: "write sqlite:../data/newswatch.db"}
		case strings.ContainsAny(path, "?#\x00"):
			return Store{}, &valueError{Message: "sqlite: takes a file name alone", Hint: "take ? or # out of it"}
		}
		return Store{Engine: EngineSQLite, Path: filepath.FromSlash(path)}, nil
	}
	st := Store{}
	switch scheme {
	case "redis", "rediss":
		st.Engine = EngineRedis
	case "redis+sentinel", "rediss+sentinel":
		st.Engine = EngineRedisSentinel
	case "redis+cluster", "rediss+cluster":
		st.Engine = EngineRedisCluster
	default:
		return Store{}, &valueError{Message: "unknown kind of store", Hint: didYouMean(scheme, storeSchemes)}
	}
	st.TLS = strings.HasPrefix(scheme, "rediss")
	rest, ok = strings.CutPrefix(rest, "//")
	if !ok {
		return Store{}, &valueError{Message: fmt.Sprintf("want // after %s:", scheme), Hint: "write " + scheme + "://localhost:6379"}
	}
	if st.Engine == EngineRedisSentinel {
		var query string
		if rest, query, _ = strings.Cut(rest, "?"); !isSentinelQuery(query) {
			return Store{}, &valueError{Message: "what follows ? is not sentinel_user and sentinel_password", Hint: "write ?sentinel_password=WORD, with & in it as %26"}
		}
	}
	if strings.ContainsAny(rest, "?#") {
		return Store{}, &valueError{Message: "a store URL has no ? or #", Hint: "write these characters of a password as %3F and %23"}
	}
	authority, path, _ := strings.Cut(rest, "/")
	hosts := authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, password, _ := strings.Cut(authority[:at], ":")
		u, uerr := url.PathUnescape(user)
		p, perr := url.PathUnescape(password)
		if uerr != nil || perr != nil {
			return Store{}, &valueError{Message: "the name or the password is not encoded as in a URL", Hint: "write % as %25, @ as %40, / as %2F"}
		}
		st.Username, st.Password, hosts = u, NewSecret(p), authority[at+1:]
	}
	port := "6379"
	if st.Engine == EngineRedisSentinel {
		port = "26379"
	}
	for h := range strings.SplitSeq(hosts, ",") {
		addr, err := hostPort(h, port)
		if err != nil {
			return Store{}, err
		}
		st.Addresses = append(st.Addresses, addr)
	}
	if st.Engine == EngineRedis && len(st.Addresses) > 1 {
		return Store{}, &valueError{Message: "redis:// takes one server", Hint: "write redis+cluster:// or redis+sentinel:// for several"}
	}
	return st, st.readPath(path)
}

// isSentinelQuery reports whether a query says no more than what the sentinels
// themselves are to be told, each once. An empty one says nothing.
func isSentinelQuery(query string) bool {
	values, err := url.ParseQuery(query)
	for key, v := range values {
		if key != "sentinel_user" && key != "sentinel_password" || len(v) != 1 {
			return false
		}
	}
	return err == nil
}

// readPath reads what stands after the hosts: a database's number, for
// sentinels with the master's name before it.
func (st *Store) readPath(path string) *valueError {
	path = strings.TrimSuffix(path, "/")
	switch st.Engine {
	case EngineSQLite, EngineRedis:
	case EngineRedisSentinel:
		st.Master, path, _ = strings.Cut(path, "/")
		if st.Master == "" {
			return &valueError{Message: "the master's name is missing", Hint: "write redis+sentinel://host:26379/mymaster/0"}
		}
	case EngineRedisCluster:
		if path != "" {
			return &valueError{Message: "a cluster has no numbered databases", Hint: "end the URL after the hosts"}
		}
	}
	if path == "" {
		return nil
	}
	n, err := strconv.Atoi(path)
	if err != nil || n < 0 || n > 1<<20 {
		return &valueError{Message: "what follows the host must be the number of a database", Hint: "write redis://localhost:6379/0"}
	}
	st.DB = n
	return nil
}

// hostPort completes host, host:port, [v6] and [v6]:port.
func hostPort(h, port string) (string, *valueError) {
	host, p, err := net.SplitHostPort(h)
	if err != nil {
		host, p = strings.Trim(h, "[]"), port
	}
	n, nerr := strconv.Atoi(p)
	if nerr != nil || n < 1 || n > 65535 || !isHost(host) && net.ParseIP(host) == nil {
		return "", &valueError{Message: "a server must be host or host:port", Hint: "write redis://localhost:6379/0"}
	}
	return net.JoinHostPort(host, p), nil
}

// Same reports whether both are one store: the same file, under whatever names, or
// the same database of a server that both name. That two names lead to one server
// cannot be seen here, but those of this machine can.
func (st Store) Same(o Store) bool {
	if st.Engine != o.Engine {
		return false
	}
	if st.Engine == EngineSQLite {
		a, aerr := os.Stat(st.Path)
		b, berr := os.Stat(o.Path)
		return aerr == nil && berr == nil && os.SameFile(a, b)
	}
	return st.Master == o.Master && st.DB == o.DB && slices.ContainsFunc(st.Addresses, func(a string) bool {
		return slices.ContainsFunc(o.Addresses, func(b string) bool { return plainAddress(a) == plainAddress(b) })
	})
}

// plainAddress writes host:port in one of the ways in which it can be written.
func plainAddress(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	if host == "127.0.0.1" || host == "::1" {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

// ParseStoreURL reads a store.url that stands outside of a file; a SQLite path
// in it starts at the working directory. The error does not quote the URL.
func ParseStoreURL(raw string) (Store, error) {
	st, err := parseStoreURL(raw)
	if err != nil {
		return Store{}, fmt.Errorf("configs: %s: %s", err.Message, err.Hint)
	}
	st.URL = NewSecret(raw)
	return st, nil
}
