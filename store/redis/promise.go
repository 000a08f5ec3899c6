package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/store"
)

// waitTimeout bounds how long a promised write waits for replicas. It is well
// below ioTimeout, or the connection would be given up first.
const waitTimeout = 2 * time.Second

// promising is the store for writes that must not be lost when the primary is:
// what was reported, sealed, accepted or given up. Where replicas are to be
// waited for, its scripts return only when enough of them have the write.
func (s *Store) promising() *Store {
	t := *s
	t.waits = s.opt.WaitReplicas > 0
	return &t
}

// bundling is the store for what many polls do at the same time. What is patient
// waits a moment for others of them; to be marked is not, for a parse waits for it.
func (s *Store) bundling(patient bool) *Store {
	t := *s
	t.bundled, t.patient = true, patient
	return &t
}

// runAndWait runs a script and WAITs for replicas on the same connection: on
// another, a failover in between would let a primary answer that never saw the
// write. Too few replicas make an error, and the write may be repeated; what it
// did is then found done, and waited for again.
func (s *Store) runAndWait(ctx context.Context, sc *redis.Script, args []any) (any, error) {
	run := func(script func(redis.Pipeliner) *redis.Cmd) (any, error) {
		var c redis.Cmdable = s.c
		if cluster, ok := s.c.(*redis.ClusterClient); ok {
			// WAIT has no key, so a Cluster's pipeline would send it anywhere.
			node, err := cluster.MasterForKey(ctx, prefix)
			if err != nil {
				return nil, err
			}
			c = node
		}
		pipe := c.Pipeline()
		out := script(pipe)
		have := pipe.Do(ctx, "WAIT", s.opt.WaitReplicas, waitTimeout.Milliseconds())
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			if cluster, ok := s.c.(*redis.ClusterClient); ok {
				cluster.ReloadState(ctx) // the slot may have moved
			}
			return nil, err
		}
		if n, err := have.Int(); err != nil || n < s.opt.WaitReplicas {
			return nil, fmt.Errorf("%w: written, but only %d of the %d replicas of store.wait_replicas have it",
				store.ErrUnavailable, n, s.opt.WaitReplicas)
		}
		return out.Result()
	}
	keys := []string{prefix}
	v, err := run(func(p redis.Pipeliner) *redis.Cmd { return sc.EvalSha(ctx, p, keys, args...) })
	if redis.HasErrorPrefix(err, "NOSCRIPT") {
		v, err = run(func(p redis.Pipeliner) *redis.Cmd { return sc.Eval(ctx, p, keys, args...) })
	}
	return v, err
}

var _ store.Warner = (*Store)(nil)

// Warnings says what of the server's setup may lose what was written.
func (s *Store) Warnings(ctx context.Context) ([]string, error) {
	var c redis.Cmdable = s.c
	if cluster, ok := s.c.(*redis.ClusterClient); ok {
		node, err := cluster.MasterForKey(ctx, prefix)
		if err != nil {
			return nil, wrap(ctx, err)
		}
		c = node
	}
	info, err := c.InfoMap(ctx, "persistence", "memory", "replication").Result()
	if err != nil {
		return nil, wrap(ctx, err)
	}
	var out []string
	if info["Persistence"]["aof_enabled"] == "0" {
		// An operator's server may not let CONFIG be read; then snapshots are
		// believed in.
		save, err := c.ConfigGet(ctx, "save").Result()
		if err == nil && strings.TrimSpace(save["save"]) == "" {
			out = append(out, "Redis: persistence is off, so all that is stored is lost when the server ends; set appendonly yes")
		} else {
			out = append(out, "Redis: only snapshots are kept, so what was stored since the last one is lost when the server dies; set appendonly yes")
		}
	}
	for _, status := range []string{"rdb_last_bgsave_status", "aof_last_bgrewrite_status", "aof_last_write_status"} {
		if v := info["Persistence"][status]; v != "" && v != "ok" {
			out = append(out, "Redis: the server could not write to its disk ("+status+" is "+v+")")
		}
	}
	if policy := info["Memory"]["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		out = append(out, "Redis: maxmemory-policy is "+policy+", so what was seen and reported may be forgotten silently")
	}
	if n := integer(info["Replication"]["connected_slaves"]); n < int64(s.opt.WaitReplicas) {
		out = append(out, fmt.Sprintf("Redis: store.wait_replicas is %d, and %d are connected: nothing can be promised", s.opt.WaitReplicas, n))
	}
	return out, nil
}
