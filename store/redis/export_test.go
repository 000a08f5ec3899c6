package redis

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// AddHook lets a test see what the store asks of the server.
func (s *Store) AddHook(h redis.Hook) { s.c.AddHook(h) }

// SetPatience is for a test that shows what a poll without news waits for.
func (s *Store) SetPatience(d time.Duration) { s.b.patience = d }
