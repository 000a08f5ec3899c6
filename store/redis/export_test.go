package redis

import "github.com/redis/go-redis/v9"

// AddHook lets a test see what the store asks of the server.
func (s *Store) AddHook(h redis.Hook) { s.c.AddHook(h) }
