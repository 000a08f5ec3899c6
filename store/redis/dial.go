package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// Every write bears a repetition, so one whose answer was lost may be sent
	// again; more than once would only pile up on a slow server.
	maxRetries = 1
	ioTimeout  = 10 * time.Second
	// The client would dial five times for each try of a command. A machine that is
	// gone answers no dial at all, and five of them take half a minute, in which a
	// Cluster's client may be asking just that machine who took its place.
	maxDials = 1
)

// The client prints what it also returns, on standard error and in a form of its
// own. Errors are logged by whoever gets them.
func init() { redis.SetLogger(silent{}) }

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// errURL quotes nothing of the URL, because there is a password in it.
var errURL = errors.New("redis: store.url is none of redis://host:port/db, rediss://host:port/db, " +
	"redis+sentinel://host:26379,…/name/db?sentinel_user=…&sentinel_password=…, redis+cluster://host:port,…; with rediss in the place of redis, over TLS")

// dial makes the client for a URL. It connects at first use.
//
// What all kinds have in common: a call ends with its context, and not at the
// read timeout. Identity and maintenance notifications are off, because servers
// of version 7.0 answer both with errors, three a connection. The kind is the
// URL's alone, since two addresses would else silently make a Cluster client.
func dial(raw string) (redis.UniversalClient, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok {
		return nil, errURL
	}
	if scheme == "redis" || scheme == "rediss" {
		o, err := redis.ParseURL(raw)
		if err != nil {
			return nil, errURL
		}
		o.ContextTimeoutEnabled, o.DisableIdentity, o.MaxRetries, o.DialerRetries = true, true, maxRetries, maxDials
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		o.ReadTimeout, o.WriteTimeout = ioTimeout, ioTimeout
		return redis.NewClient(o), nil
	}
	kind, secure := scheme, (*tls.Config)(nil)
	if plain, ok := strings.CutPrefix(scheme, "rediss+"); ok {
		kind, secure = "redis+"+plain, &tls.Config{MinVersion: tls.VersionTLS12}
	}
	port := "6379"
	if kind == "redis+sentinel" {
		port = "26379"
	}
	p, err := parseMany(rest, port)
	if err != nil {
		return nil, err
	}
	switch {
	case kind == "redis+sentinel" && len(p.path) > 0 && len(p.path) <= 2 && p.path[0] != "":
		db := 0
		if len(p.path) == 2 {
			if db, err = strconv.Atoi(p.path[1]); err != nil || db < 0 {
				return nil, errURL
			}
		}
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: p.path[0], SentinelAddrs: p.addrs, DB: db, Username: p.user, Password: p.password, TLSConfig: secure,
			SentinelUsername: p.query.Get("sentinel_user"), SentinelPassword: p.query.Get("sentinel_password"),
			ContextTimeoutEnabled: true, DisableIdentity: true, MaxRetries: maxRetries, DialerRetries: maxDials,
			ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		}), nil
	case kind == "redis+cluster" && len(p.path)+len(p.query) == 0:
		c := redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: p.addrs, Username: p.user, Password: p.password, TLSConfig: secure,
			ContextTimeoutEnabled: true, DisableIdentity: true, DialerRetries: maxDials,
			// Of a Cluster these are the redirections that are followed; each is to
			// another node and does not run the command twice.
			MaxRedirects:             3,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
			ReadTimeout:              ioTimeout, WriteTimeout: ioTimeout,
		})
		c.AddHook(reloader{c})
		return c, nil
	}
	return nil, errURL
}

// reloader asks a Cluster anew which node has which slot when one does not answer.
// The client does so after a redirection, but a dead primary redirects nobody:
// it would be dialled until the client's own view grows old, a minute later.
type reloader struct{ c *redis.ClusterClient }

func (reloader) DialHook(next redis.DialHook) redis.DialHook { return next }

func (r reloader) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		r.heed(ctx, err)
		return err
	}
}

func (r reloader) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		r.heed(ctx, err)
		return err
	}
}

func (r reloader) heed(ctx context.Context, err error) {
	// What a server answered is not its silence, but for the two that say that the
	// slot is not to be had there.
	if _, answered := errors.AsType[redis.Error](err); err != nil && (!answered || redis.HasErrorPrefix(err, "CLUSTERDOWN") || redis.HasErrorPrefix(err, "READONLY")) {
		r.c.ReloadState(ctx)
	}
}

// many is a URL with several hosts, which net/url does not read.
type many struct {
	user, password string
	addrs          []string
	path           []string
	query          url.Values
}

func parseMany(rest, defaultPort string) (many, error) {
	var m many
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		u, err := url.Parse("x://" + rest[:i] + "@h")
		if err != nil {
			return m, errURL
		}
		m.user = u.User.Username()
		m.password, _ = u.User.Password()
		rest = rest[i+1:]
	}
	rest, query, _ := strings.Cut(rest, "?")
	var err error
	if m.query, err = url.ParseQuery(query); err != nil {
		return m, errURL
	}
	hosts, path, _ := strings.Cut(rest, "/")
	for addr := range strings.SplitSeq(hosts, ",") {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			host, port = strings.Trim(addr, "[]"), defaultPort
		}
		if host == "" || port == "" {
			return m, errURL
		}
		m.addrs = append(m.addrs, net.JoinHostPort(host, port))
	}
	if path = strings.TrimSuffix(path, "/"); path != "" {
		m.path = strings.Split(path, "/")
	}
	return m, nil
}
