package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
	"github.com/newswatch/newswatch/store/storetest"
)

func addr(url string) string { return strings.TrimSuffix(strings.TrimPrefix(url, "redis://"), "/0") }

// until asks again and again, at most for half a minute. Servers agree among
// themselves in their own time.
func until(t *testing.T, what string, ok func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ok(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// TestConformanceOnACluster runs the suite on three primaries. A script or a
// pipeline that leaves the slot of the hash tag fails here and nowhere else.
func TestConformanceOnACluster(t *testing.T) {
	var nodes []*goredis.Client
	var addrs []string
	for range 3 {
		url := server(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "5000")
		nodes = append(nodes, client(t, url))
		addrs = append(addrs, addr(url))
	}
	const slots = 16384
	for i, n := range nodes {
		if err := n.ClusterAddSlotsRange(t.Context(), i*slots/3, (i+1)*slots/3-1).Err(); err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(addrs[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := nodes[0].ClusterMeet(t.Context(), host, port).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		until(t, "the cluster", func(ctx context.Context) error {
			info, err := n.ClusterInfo(ctx).Result()
			if err == nil && (!strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, "cluster_known_nodes:3")) {
				err = errors.New(info)
			}
			return err
		})
	}
	storetest.Run(t, opener("redis+cluster://"+strings.Join(addrs, ","), func(ctx context.Context) *goredis.StatusCmd {
		for _, n := range nodes {
			if cmd := n.FlushAll(ctx); cmd.Err() != nil {
				return cmd
			}
		}
		return goredis.NewStatusResult("OK", nil)
	}))
}

// TestFailover kills the primary behind a sentinel. The same store goes on with
// the replica, with what it was told before.
func TestFailover(t *testing.T) {
	primary, kill := start(t)
	host, port, err := net.SplitHostPort(addr(primary))
	if err != nil {
		t.Fatal(err)
	}
	replica := client(t, server(t, "--replicaof", host+" "+port))
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "sentinel monitor watch %s %s 1\nsentinel down-after-milliseconds watch 500\n"+
		"sentinel failover-timeout watch 3000\n", host, port), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := sentinelAt(t, conf)
	look := client(t, sentinel)
	until(t, "the sentinel", func(ctx context.Context) error {
		v, err := look.Info(ctx, "sentinel").Result()
		if err == nil && !strings.Contains(v, "slaves=1") {
			err = errors.New(v)
		}
		return err
	})

	s, err := redis.Open(t.Context(), "redis+sentinel://"+addr(sentinel)+"/watch/0", redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, s.SyncFeeds(t.Context(), []string{"a"}, t0))
	until(t, "replication", func(ctx context.Context) error {
		n, err := replica.DBSize(ctx).Result()
		if err == nil && n == 0 {
			err = errors.New("nothing was replicated yet")
		}
		return err
	})
	kill()
	until(t, "the failover", s.Ping)
	cs, err := s.ClaimFeeds(t.Context(), t0, 1, time.Minute)
	if err != nil || len(cs) != 1 {
		t.Errorf("after the failover: %d claims, %v", len(cs), err)
	}
}

func TestOpenReadsURLs(t *testing.T) {
	for _, bad := range []string{
		"", "redis", "redis+sentinel://h:1", "redis+sentinel://h:1/", "redis+sentinel://h:1/m/x", "redis+sentinel:///m",
		"redis+sentinel://h:1/m/0/1", "redis+cluster://", "redis+cluster://h:1/0", "redis+cluster://:1", "redis+other://h:1",
	} {
		if _, err := redis.Open(t.Context(), bad, redis.Options{}); err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
