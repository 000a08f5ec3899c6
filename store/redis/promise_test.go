package redis_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
)

// TestPromisesWaitForReplicas freezes the replica: a hit is not confirmed while
// the primary alone has it, and repeating the write doubles nothing.
func TestPromisesWaitForReplicas(t *testing.T) {
	primary := redistest.Start(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	must(t, err)
	replica := redistest.Start(t, "--replicaof", host+" "+port)
	look := client(t, replica.URL)

	s, err := redis.Open(t.Context(), primary.URL, redis.Options{WaitReplicas: 1})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, s.SyncFeeds(t.Context(), []string{"a"}, t0))
	cs, err := s.ClaimFeeds(t.Context(), t0, 1, time.Minute)
	must(t, err)
	it := feed.Item{ID: feed.NewItemID("a", "1", "", ""), FeedID: "a", Title: "one"}
	b := store.Batch{Lease: cs[0].Lease, State: cs[0].State, Seen: []store.Sighting{{ID: it.ID}}}
	b.State.LastPoll, b.State.NextCheck = t0, t0.Add(time.Hour)
	b.Hits = []classifier.Hit{{Item: it, Found: t0, Rules: []classifier.RuleMatch{{Rule: "r"}}}}

	replica.Freeze()
	if _, err := s.Record(t.Context(), b); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "wait_replicas") {
		t.Errorf("with its replica frozen, Record says %v", err)
	}
	replica.Thaw()
	var fresh []classifier.Hit
	for range 10 { // the replica has to come by its link again
		if fresh, err = s.Record(t.Context(), b); err == nil {
			break
		}
	}
	if err != nil || len(fresh) != 1 || fresh[0].Rules[0].Seq != 1 {
		t.Errorf("repeated: %d hits, %v", len(fresh), err)
	}
	if n, err := look.Exists(t.Context(), "newswatch:1:{nw}:hit:"+string(it.ID[:])).Result(); err != nil || n != 1 {
		t.Errorf("the write is confirmed, and the replica has %d of it (%v)", n, err)
	}
}

// TestWarnings tells what a server's setup may lose.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		args []string
		opt  redis.Options
		want []string
	}{
		{[]string{"--appendonly", "yes"}, redis.Options{}, nil},
		{nil, redis.Options{}, []string{"persistence is off"}},
		{[]string{"--save", "3600 1"}, redis.Options{}, []string{"only snapshots"}},
		{[]string{"--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"}, redis.Options{AllowEviction: true}, []string{"allkeys-lru"}},
		{[]string{"--appendonly", "yes"}, redis.Options{WaitReplicas: 1}, []string{"0 are connected"}},
	} {
		s, err := redis.Open(t.Context(), redistest.Start(t, c.args...).URL, c.opt)
		must(t, err)
		got, err := s.Warnings(t.Context())
		must(t, err)
		if len(got) != len(c.want) || len(got) > 0 && !strings.Contains(got[0], c.want[0]) {
			t.Errorf("%v: %q, want %q", c.args, got, c.want)
		}
		must(t, s.Close())
	}
}
