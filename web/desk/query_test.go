package desk_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

func TestParseQuery(t *testing.T) {
	kolkata, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		query  string
		want   store.HitQuery
		faults int
	}{
		{"", store.HitQuery{}, 0},
		{"rule=a&tag=b&feed=c&outlet=d+e&lang=ml&words=f+g&quiet=1&severity=high", store.HitQuery{
			Rule: "a", Tag: "b", Feed: "c", Outlet: "d e", Lang: "ml", Text: "f g", Quiet: true, Severity: classifier.High,
		}, 0},
		{"quiet=false", store.HitQuery{}, 0},
		{"quiet=0", store.HitQuery{}, 0},
		{"quiet=", store.HitQuery{}, 0},
		{"quiet=true", store.HitQuery{Quiet: true}, 0},
		{"quiet=no", store.HitQuery{}, 1},
		{"quiet=2", store.HitQuery{}, 1},
		{"since=2026-11-20&until=2026-11-20", store.HitQuery{
			Since: time.Date(2026, 11, 20, 0, 0, 0, 0, kolkata), Until: time.Date(2026, 11, 21, 0, 0, 0, 0, kolkata),
		}, 0},
		{"since=2026-11-20T10:00:00Z", store.HitQuery{Since: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)}, 0},
		{"since=2026-11-21&until=2026-11-20T10:00:00Z", store.HitQuery{
			Since: time.Date(2026, 11, 21, 0, 0, 0, 0, kolkata), Until: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC),
		}, 1},
		{"severity=dire&since=yesterday&until=31.12.&before=x", store.HitQuery{Severity: classifier.Medium}, 4},
		{"words=" + strings.Repeat("x", desk.MaxField+1), store.HitQuery{}, 1},
	} {
		params, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		got, faults := desk.ParseQuery(params, kolkata)
		if d := cmp.Diff(tt.want, got); d != "" || len(faults) != tt.faults {
			t.Errorf("%s: faults %q\n%s", tt.query, faults, d)
		}
	}
}

// TestQueryOf: what a visitor adds to an address is not carried on.
func TestQueryOf(t *testing.T) {
	got := desk.QueryOf(url.Values{"rule": {"a"}, "evil": {"x"}, "before": {"y"}, "words": {""}, "key": {"z"}})
	if got.Encode() != "rule=a" {
		t.Errorf("%s", got.Encode())
	}
}

// FuzzCursor: what is taken for a cursor is one that newswatch would write.
func FuzzCursor(f *testing.F) {
	write := func(at time.Time, id feed.ItemID) string {
		return desk.Cursor(classifier.Hit{Item: feed.Item{ID: id}, Found: at})
	}
	f.Add(write(time.Unix(1790000000, 0), feed.NewItemID("f", "g", "", "")))
	f.Add("-1.00000000000000000000000000000000")
	f.Add("9223372036854775807.00000000000000000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		at, id, err := desk.ParseCursor(s)
		if err != nil {
			return
		}
		again, sameID, err := desk.ParseCursor(write(at, id))
		if err != nil || !again.Equal(at) || sameID != id || at.Year() > 9999 {
			t.Fatalf("%q is %s %s, written again %s %s, %v", s, at, id, again, sameID, err)
		}
	})
}
