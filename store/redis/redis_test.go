package redis_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/internal/realpart"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
	"github.com/newswatch/newswatch/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server starts a real Redis on a free port of 127.0.0.1, and returns its URL.
func server(t testing.TB, args ...string) string {
	t.Helper()
	url, _ := start(t, args...)
	return url
}

// start is server, and returns how to kill it before the test ends.
func start(t testing.TB, args ...string) (url string, kill func()) {
	t.Helper()
	return launch(t, append([]string{"--save", "", "--appendonly", "no"}, args...)...)
}

// sentinelAt starts a sentinel with a configuration that it may write to.
func sentinelAt(t testing.TB, conf string) string {
	t.Helper()
	url, _ := launch(t, conf, "--sentinel")
	return url
}

func launch(t testing.TB, args ...string) (url string, kill func()) {
	t.Helper()
	program := realpart.Require(t, "redis-server", "redis-server")
	port := freePort(t)
	cmd := exec.Command(program, append(args, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir())...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
	})
	t.Cleanup(kill)
	url = fmt.Sprintf("redis://127.0.0.1:%s/0", port)
	c := client(t, url)
	// An error that says that a password is wanted is an answer too. The retries
	// wait for the server to be up, without a sleep here.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Ping(ctx).Err(); err != nil && !strings.HasPrefix(err.Error(), "NOAUTH") {
		t.Fatal(err)
	}
	return url, kill
}

// freePort is one that has room for a Cluster's second port, 10,000 above it.
func freePort(t testing.TB) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if port < 55_000 {
			return strconv.Itoa(port)
		}
	}
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
	url := server(t)
	storetest.Run(t, opener(url, client(t, url).FlushAll))
}

func BenchmarkStore(b *testing.B) {
	url := server(b)
	storetest.Benchmark(b, opener(url, client(b, url).FlushAll))
}

// opener empties the server for every test.
func opener(url string, flush func(context.Context) *goredis.StatusCmd) storetest.Opener {
	return func(t testing.TB) func() store.Store {
		if err := flush(t.Context()).Err(); err != nil {
			t.Fatal(err)
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
