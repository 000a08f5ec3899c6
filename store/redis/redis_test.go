package redis_test

import (
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
	"github.com/newswatch/newswatch/store/storetest"
)

// The driver looks once a second whether a server that was dead can be dialled
// again, and up to a second passes until it sees that its client was closed.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// server starts a real Redis on a free port of 127.0.0.1, and returns its URL.
func server(t testing.TB, args ...string) string {
	t.Helper()
	return redistest.Start(t, args...).URL
}

func client(t testing.TB, url string) *goredis.Client {
	t.Helper()
	o, err := goredis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	o.MaxRetries, o.MinRetryBackoff, o.MaxRetryBackoff = 100, 20*time.Millisecond, 50*time.Millisecond
	c := goredis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	db := redistest.Start(t)
	storetest.Run(t, opener(db.URL, db))
}

func BenchmarkStore(b *testing.B) {
	db := redistest.Start(b)
	storetest.Benchmark(b, opener(db.URL, db))
}

// opener empties the servers for every test.
func opener(url string, servers ...*redistest.Server) storetest.Opener {
	return func(t testing.TB) func() store.Store {
		for _, s := range servers {
			s.Do("FLUSHALL")
		}
		return func() store.Store {
			s, err := redis.Open(t.Context(), url, redis.Options{})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			return s
		}
	}
}
