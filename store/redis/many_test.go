package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
	"github.com/newswatch/newswatch/store/storetest"
)

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

// TestConformanceOnACluster runs the suite on three primaries with a replica each.
// A script or a pipeline that leaves the slot of the hash tag fails here and
// nowhere else.
func TestConformanceOnACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, nil)
	storetest.Run(t, opener(cluster.URL, cluster.Primaries...))
}

// TestConformanceOnAWatchedPrimary runs the suite on the primary that sentinels
// speak of.
func TestConformanceOnAWatchedPrimary(t *testing.T) {
	t.Parallel()
	db := redistest.StartWatched(t, nil)
	storetest.Run(t, opener(db.URL, db.Primary))
}

// TestFailover kills the primary behind a sentinel. The same store goes on with
// the replica, with what it was told before.
func TestFailover(t *testing.T) {
	t.Parallel()
	db := redistest.StartWatched(t, nil)
	s, err := redis.Open(t.Context(), db.URL, redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, s.SyncFeeds(t.Context(), []string{"a"}, t0))
	until(t, "replication", func(context.Context) error {
		if !db.Primary.Replicated(2) {
			return errors.New("the replicas are not in step")
		}
		return nil
	})
	db.Primary.Kill()
	until(t, "the failover", s.Ping)
	cs, err := s.ClaimFeeds(t.Context(), t0, 1, time.Minute)
	if err != nil || len(cs) != 1 {
		t.Errorf("after the failover: %d claims, %v", len(cs), err)
	}
}

// TestOpenAuthenticatesAtSentinels: sentinels have users of their own, as those of
// most charts do; what the primary's password is says nothing to them.
func TestOpenAuthenticatesAtSentinels(t *testing.T) {
	t.Parallel()
	db := redistest.StartWatched(t, nil)
	for _, s := range db.Sentinels {
		s.Do("ACL SETUSER watcher on >word allkeys allchannels +@all")
		s.Do("ACL SETUSER default resetpass >another")
	}
	open := func(query string) error {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		s, err := redis.Open(ctx, db.URL+query, redis.Options{})
		if err == nil {
			err = errors.Join(s.Ping(ctx), s.Close())
		}
		return err
	}
	for _, query := range []string{"?sentinel_user=watcher&sentinel_password=word", "?sentinel_password=another"} {
		if err := open(query); err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
	for _, query := range []string{"", "?sentinel_user=watcher&sentinel_password=secret"} {
		if err := open(query); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

func TestOpenReadsURLs(t *testing.T) {
	for _, bad := range []string{
		"", "redis", "redis+sentinel://h:1", "redis+sentinel://h:1/", "redis+sentinel://h:1/m/x", "redis+sentinel:///m",
		"redis+sentinel://h:1/m/0/1", "redis+cluster://", "redis+cluster://h:1/0", "redis+cluster://h:1?sentinel_password=x", "redis+sentinel://h:1/m?a=%zz", "redis+cluster://:1", "redis+other://h:1",
	} {
		if _, err := redis.Open(t.Context(), bad, redis.Options{}); err == nil || errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
