package redis

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// AddHook lets a test see what the store asks of the server.
func (s *Store) AddHook(h redis.Hook) { s.c.AddHook(h) }

// SetPatience is for a test that shows what a poll without news waits for.
func (s *Store) SetPatience(d time.Duration) { s.b.patience = d }

// CountDials has dialled be told of every dial of the nodes that a Cluster has now,
// or of the server.
func (s *Store) CountDials(ctx context.Context, dialled func(addr string)) error {
	cluster, ok := s.c.(*redis.ClusterClient)
	if !ok {
		s.c.AddHook(dials(dialled))
		return nil
	}
	return cluster.ForEachShard(ctx, func(_ context.Context, node *redis.Client) error {
		node.AddHook(dials(dialled))
		return nil
	})
}

type dials func(addr string)

func (d dials) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		d(addr)
		return next(ctx, network, addr)
	}
}

func (d dials) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (d dials) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}
