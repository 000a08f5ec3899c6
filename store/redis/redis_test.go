package redis_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
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
	program := realpart.Require(t, "redis-server", "redis-server")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no",
	}, args...)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it says that it was killed
	})
	url := fmt.Sprintf("redis://127.0.0.1:%s/0", port)
	c := client(t, url)
	// An error that says that a password is wanted is an answer too. The retries wait for the server to be up, without a sleep here.
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Ping(ctx).Err(); err != nil && !strings.HasPrefix(err.Error(), "NOAUTH") {
		t.Fatal(err)
	}
	return url
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
	admin := client(t, url)
	storetest.Run(t, func(t testing.TB) func() store.Store {
		if err := admin.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		return func() store.Store {
			s, err := redis.Open(t.Context(), url)
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
	})
}
