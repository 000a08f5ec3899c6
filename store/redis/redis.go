// Package redis keeps newswatch's memory in Redis 7.0 or newer: the engine for
// several replicas on one store.
package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/store"
)

// Store is a store.Store on Redis. A write that returned is as safe
// as the server's persistence makes it: with appendfsync everysec it survives
// the server's death, and the last second may not survive a power cut. What is
// lost is polled and found again; see docs/store.md.
type Store struct {
	c   redis.UniversalClient
	b   *bundle
	opt Options
	// waits is set in the view of the store through which promises are written,
	// bundled in that whose scripts share round trips with others', and patient in
	// that whose scripts wait a moment for others.
	waits, bundled, patient bool
}

// Options are what an operator may ask for beside the URL.
type Options struct {
	// WaitReplicas is the number of replicas that must have a promised write
	// before it counts: a hit, a digest that was sealed, accepted or given up, a
	// purge. Zero waits for none.
	WaitReplicas int
	// AllowEviction opens a server that forgets keys when its memory is short.
	AllowEviction bool
}

var _ store.Store = (*Store)(nil)

// Open connects to what the URL names: one server (redis://, rediss://), the
// primary that a set of sentinels speaks of (redis+sentinel://host:port,…/name/db),
// or a Cluster (redis+cluster://host:port,…). It checks that every primary is fit
// to hold a store: at least version 7.0, and not set to evict keys when memory is
// short, which would silently forget what was seen.
func Open(ctx context.Context, url string, opt Options) (*Store, error) {
	c, err := dial(url)
	if err != nil {
		return nil, err
	}
	s := &Store{c: c, b: newBundle(c), opt: opt}
	if cluster, ok := c.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return fit(ctx, c, opt) })
		err = wrap(ctx, err)
	} else {
		err = fit(ctx, c, opt)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// errUnfit is a server that would lose the store.
var errUnfit = errors.New("redis: the server cannot hold a store")

// fit refuses a server that would lose the store.
func fit(ctx context.Context, c redis.Cmdable, opt Options) error {
	info, err := c.InfoMap(ctx, "server", "memory").Result()
	if err != nil {
		return wrap(ctx, err)
	}
	version := info["Server"]["redis_version"]
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err == nil && n < 7 {
		return fmt.Errorf("%w: it is of version %s, and newswatch needs 7.0", errUnfit, version)
	}
	if policy := info["Memory"]["maxmemory_policy"]; policy != "" && policy != "noeviction" && !opt.AllowEviction {
		return fmt.Errorf("%w: its maxmemory-policy is %s, which would silently forget what was seen and reported; "+
			"set it to noeviction, or accept that with store.allow_eviction: true or --allow-eviction", errUnfit, policy)
	}
	return nil
}

// Close closes the connections.
func (s *Store) Close() error {
	err := s.c.Close()
	s.b.close()
	if err != nil && !errors.Is(err, redis.ErrClosed) {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}

// Ping writes, since a replica or a server out of memory can still be read.
func (s *Store) Ping(ctx context.Context) error {
	return wrap(ctx, s.c.HIncrBy(ctx, keyTotals(), "head", 0).Err())
}

// wrap gives an error its class. The context's own error comes first.
func wrap(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("redis: %w", context.Cause(ctx))
	case errors.Is(err, redis.Nil):
		return store.ErrNotFound
	case errors.Is(err, errUnfit), errors.Is(err, store.ErrUnavailable):
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
}

// run runs a script. A script that returns nothing gives nil.
func (s *Store) run(ctx context.Context, sc *redis.Script, args ...any) (any, error) {
	var v any
	var err error
	switch {
	case s.waits:
		v, err = s.runAndWait(ctx, sc, args)
	case s.bundled:
		v, err = s.b.run(ctx, s.patient, sc, args)
	default:
		v, err = sc.Run(ctx, s.c, []string{prefix}, args...).Result()
	}
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	return v, wrap(ctx, err)
}

// list runs a script that returns strings.
func (s *Store) list(ctx context.Context, sc *redis.Script, args ...any) ([]string, error) {
	v, err := s.run(ctx, sc, args...)
	if err != nil {
		return nil, err
	}
	vs, _ := v.([]any)
	out := make([]string, len(vs))
	for i, x := range vs {
		out[i] = fmt.Sprint(x)
	}
	return out, nil
}

// number runs a script that returns an integer.
func (s *Store) number(ctx context.Context, sc *redis.Script, args ...any) (int64, error) {
	v, err := s.run(ctx, sc, args...)
	n, _ := v.(int64)
	return n, err
}

// integer reads a number that a script or a hash holds; what is absent is zero.
func integer(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// at reads milliseconds; what is absent is the zero time.
func at(ms string) time.Time {
	if ms == "" {
		return time.Time{}
	}
	return store.FromMilli(integer(ms))
}

// text is a value of HMGET; what is absent is empty.
func text(v any) string {
	s, _ := v.(string)
	return s
}

// ceilMilli is the first millisecond that is not before t.
func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// each runs a read for many keys in few round trips, in chunks, so that neither
// side holds all answers at once.
func each[K any](ctx context.Context, c redis.UniversalClient, keys []K, read func(redis.Pipeliner, K) error, got func(K, redis.Cmder) error) error {
	const chunk = 500
	for len(keys) > 0 {
		n := min(chunk, len(keys))
		pipe := c.Pipeline()
		for _, k := range keys[:n] {
			if err := read(pipe, k); err != nil {
				return err
			}
		}
		cmds, err := pipe.Exec(ctx)
		if err != nil && !errors.Is(err, redis.Nil) {
			return wrap(ctx, err)
		}
		for i, k := range keys[:n] {
			if err := got(k, cmds[i]); err != nil {
				return err
			}
		}
		keys = keys[n:]
	}
	return nil
}
