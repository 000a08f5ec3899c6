package export_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/export"
)

// log lists its hits by the cursor, as an engine does.
type log struct {
	hits []classifier.Hit
	err  error
	most int
}

func (l *log) Hits(_ context.Context, q store.HitQuery) ([]classifier.Hit, error) {
	l.most = max(l.most, q.Limit)
	from := 0
	for i, h := range l.hits {
		if h.Item.ID == q.BeforeID {
			from = i + 1
		}
	}
	return l.hits[from:min(len(l.hits), from+q.Limit)], l.err
}

func TestHits(t *testing.T) {
	l := &log{}
	for i := range 1234 {
		l.hits = append(l.hits, classifier.Hit{Item: feed.Item{ID: feed.NewItemID("f", "", "", string(rune('a'+i)))}, Found: time.Unix(int64(9999-i), 0)})
	}
	for limit, want := range map[int]int{0: 1234, 1: 1, 500: 500, 501: 501, 5000: 1234} {
		n := 0
		for h, err := range export.Hits(t.Context(), l, store.HitQuery{}, limit) {
			if err != nil || h.Item.ID != l.hits[n].Item.ID {
				t.Fatalf("limit %d: hit %d is %v, %v", limit, n, h.Item.ID, err)
			}
			n++
		}
		if n != want || l.most > 1000 {
			t.Errorf("limit %d: %d hits, want %d", limit, n, want)
		}
	}
	l.err = errors.New("away")
	for _, err := range export.Hits(t.Context(), l, store.HitQuery{}, 0) {
		if !errors.Is(err, l.err) {
			t.Errorf("%v", err)
		}
	}
}

// TestCSV: whatever a publisher wrote stays in its cell, and no cell is a
// formula.
func TestCSV(t *testing.T) {
	var b strings.Builder
	w := export.NewCSV(&b)
	hit := func(text string) classifier.Hit {
		return classifier.Hit{
			Item:  feed.Item{Title: text, Outlet: text, Lang: text, Link: text},
			Rules: []classifier.RuleMatch{{Rule: text, Severity: classifier.High, Excerpt: classifier.Excerpt{Text: text}}},
			Found: time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC),
		}
	}
	for _, text := range []string{"plain", "=cmd|'/c calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "a\"b,c\nd"} {
		if err := w.Write(hit(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if !strings.HasPrefix(out, "id,found,published,severity,rules,outlet,lang,title,link,excerpt\n") {
		t.Errorf("no heading: %s", out)
	}
	if !strings.Contains(out, ",2026-11-26T09:00:00Z,,high,plain,plain,plain,plain,plain,plain\n") {
		t.Errorf("the plain hit: %s", out)
	}
	for _, bad := range []string{",=", ",+", ",-", ",@", "\n=", ",\"\t", ",\t"} {
		if strings.Contains(out, bad) {
			t.Errorf("a cell begins with %q:\n%s", bad[1:], out)
		}
	}
	if !strings.Contains(out, `"a""b,c`+"\nd\"") {
		t.Errorf("quotes: %s", out)
	}
}
