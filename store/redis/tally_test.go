package redis_test

import (
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
)

// TestInspectFindsAMiscount: the chart counts from a list of its own, which "store
// check" compares with the hits.
func TestInspectFindsAMiscount(t *testing.T) {
	url := server(t)
	admin := client(t, url)
	s, err := redis.Open(t.Context(), url, redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	const list = "newswatch:1:{nw}:hits:rules"
	found := float64(t0.UnixMilli())
	one, other := feed.ItemID{1}, feed.ItemID{2}
	for _, c := range []struct {
		name   string
		damage func() error
		want   string
	}{
		{"nothing", func() error { return nil }, ""},
		{"not counted", func() error { return admin.Del(t.Context(), list).Err() }, "is not counted as it is"},
		{"without a rule", func() error {
			if err := admin.Del(t.Context(), list).Err(); err != nil {
				return err
			}
			return admin.ZAdd(t.Context(), list, goredis.Z{Score: found, Member: string(one[:]) + "\x00r1"}).Err()
		}, "is not counted as it is"},
		{"at another time", func() error { return admin.ZIncrBy(t.Context(), list, 1, string(one[:])+"\x00r1\x00r2").Err() }, "is not counted as it is"},
		{"twice", func() error {
			return admin.ZAdd(t.Context(), list, goredis.Z{Score: found, Member: string(one[:]) + "\x00r3\x00r4"}).Err()
		}, "hits are counted that are not there"},
		{"a quiet one", func() error {
			return admin.ZAdd(t.Context(), list, goredis.Z{Score: found, Member: string(other[:]) + "\x00r1"}).Err()
		}, "hits are counted that are not there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := admin.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			err := s.Restore(t.Context(), []store.Row{
				{Hit: &classifier.Hit{Item: feed.Item{ID: one, FeedID: "a"}, Found: t0, Rules: []classifier.RuleMatch{{Rule: "r1", Seq: 1}, {Rule: "r2", Seq: 2}}}},
				{Hit: &classifier.Hit{Item: feed.Item{ID: other, FeedID: "a"}, Found: t0, Quiet: true, Rules: []classifier.RuleMatch{{Rule: "r1"}}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.damage(); err != nil {
				t.Fatal(err)
			}
			wrong, err := s.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(wrong, "\n"); c.want == "" && all != "" || !strings.Contains(all, c.want) {
				t.Errorf("Inspect says %q, want %q", all, c.want)
			}
		})
	}
}
