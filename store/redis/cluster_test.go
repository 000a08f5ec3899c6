package redis_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
	"github.com/newswatch/newswatch/store/storetest"
)

// TestClusterLosesAPrimary runs six nodes, three of them replicas, and kills the
// primary that holds the store. What was confirmed by the replica is there when
// that has taken over, and work goes on.
func TestClusterLosesAPrimary(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, nil)
	url, primary := cluster.URL, cluster.Primaries[cluster.Holder("newswatch:1:{nw}:totals")]
	sure, err := redis.Open(t.Context(), url, redis.Options{WaitReplicas: 1})
	must(t, err)
	t.Cleanup(func() { _ = sure.Close() })
	ctx := t.Context()
	must(t, sure.SyncFeeds(ctx, []string{"a"}, t0))
	record := func(s *redis.Store, n int) error {
		at := t0.Add(time.Duration(n) * time.Hour)
		cs, err := s.ClaimFeeds(ctx, at, 1, time.Minute)
		if err != nil || len(cs) != 1 {
			return fmt.Errorf("%d claims: %w", len(cs), err)
		}
		it := feed.Item{ID: feed.NewItemID("a", fmt.Sprint(n), "", ""), FeedID: "a", Title: fmt.Sprint("hit ", n)}
		b := store.Batch{Lease: cs[0].Lease, State: cs[0].State, Seen: []store.Sighting{{ID: it.ID}}}
		b.State.LastPoll, b.State.NextCheck = at, at.Add(time.Hour)
		b.Hits = []classifier.Hit{{Item: it, Found: at, Rules: []classifier.RuleMatch{{Rule: "r"}}}}
		_, err = s.Record(ctx, b)
		return err
	}
	const confirmed = 20
	for n := range confirmed {
		must(t, record(sure, n))
	}

	plain := open(t, url)
	var dials atomic.Int64
	must(t, sure.CountDials(ctx, func(addr string) {
		if addr == primary.Addr {
			dials.Add(1)
		}
	}))
	primary.Kill()
	if err := sure.Ping(ctx); err == nil {
		t.Error("the primary is dead, and Ping says nothing of it")
	}
	// A command is tried four times at most, and the Cluster asked for its nodes once.
	// Where the machine is gone too, each dial takes seconds.
	if n := dials.Load(); n > 5 {
		t.Errorf("Ping dialled the dead primary %d times", n)
	}
	begun := time.Now()
	until(t, "the failover", plain.Ping)
	t.Logf("the replica took over after %v", time.Since(begun).Round(time.Millisecond))
	must(t, record(plain, confirmed))
	hits, err := plain.Hits(ctx, store.HitQuery{Limit: 1000})
	must(t, err)
	if len(hits) != confirmed+1 {
		t.Errorf("%d hits after the failover, want the %d that were confirmed and a new one", len(hits), confirmed)
	}
	wrong, err := store.Check(ctx, plain, t0.Add(24*time.Hour))
	if err != nil || len(wrong) > 0 {
		t.Errorf("after the failover the store is not sound: %v %v", wrong, err)
	}
}

// TestAnACLUser moves a store into another database and works on it there, as a
// user who may do no more than docs/redis.md gives him.
func TestAnACLUser(t *testing.T) {
	db := redistest.Start(t)
	db.Do("ACL SETUSER watch on >open-sesame resetkeys ~newswatch:1:* resetchannels -@all " +
		"+@read +@write +@connection +@scripting -@dangerous -function -script +info +wait")
	root := client(t, db.URL)
	storetest.RunCopy(t, files, opener("redis://watch:open-sesame@"+db.Addr+"/3", db))
	s, err := redis.Open(t.Context(), "redis://watch:open-sesame@"+db.Addr+"/3", redis.Options{})
	must(t, err)
	defer func() { _ = s.Close() }()
	must(t, s.SyncFeeds(t.Context(), []string{"a"}, t0))
	if _, err := s.Warnings(t.Context()); err != nil {
		t.Errorf("Warnings of a user who may not read the configuration: %v", err)
	}
	info, err := root.InfoMap(t.Context(), "keyspace").Result()
	must(t, err)
	if len(info["Keyspace"]) != 1 || info["Keyspace"]["db3"] == "" {
		t.Errorf("the keys are in %v, want db3", info["Keyspace"])
	}
}
