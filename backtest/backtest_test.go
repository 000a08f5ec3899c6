package backtest_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/backtest"
	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
)

func rules(t *testing.T, words map[string]string) *classifier.Ruleset {
	t.Helper()
	var rs []classifier.Rule
	for _, id := range []string{"a", "b"} {
		if w := words[id]; w != "" {
			rs = append(rs, classifier.Rule{ID: id, Query: classifier.Text(w)})
		}
	}
	set, _, err := classifier.Compile(rs, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func kept(titles ...string) iter.Seq2[store.StoredItem, error] {
	return func(yield func(store.StoredItem, error) bool) {
		for _, title := range titles {
			it := feed.Item{ID: feed.NewItemID("f", "", "", title), FeedID: "f", Title: title}
			if !yield(store.StoredItem{Item: it}, nil) {
				return
			}
		}
	}
}

func feedOf(id string) feed.Feed { return feed.Feed{ID: id, Name: "The Feed", Lang: "en"} }

func summary(r *backtest.Report) map[string]string {
	out := map[string]string{}
	for _, rule := range r.Rules {
		s := fmt.Sprintf("%d was %d +%d -%d:", rule.Found, rule.Was, rule.Added, rule.Removed)
		for _, f := range rule.Findings {
			s += " " + f.Change + f.Title
		}
		out[rule.Rule] = s
	}
	return out
}

func TestRun(t *testing.T) {
	items := kept("police raid", "police arrest", "court verdict", "raid again")
	for _, tt := range []struct {
		name        string
		now, before map[string]string
		limit       int
		want        map[string]string
	}{
		{"alone", map[string]string{"a": "raid"}, nil, 0, map[string]string{"a": "2 was 0 +0 -0: police raid raid again"}},
		{"alone, bounded", map[string]string{"a": "raid"}, nil, 1, map[string]string{"a": "2 was 0 +0 -0: police raid"}},
		{
			"against",
			map[string]string{"a": "police", "b": "verdict"},
			map[string]string{"a": "raid"},
			0,
			map[string]string{"a": "2 was 2 +1 -1: +police arrest -raid again", "b": "1 was 0 +1 -0: +court verdict"},
		},
		{
			"a rule that is gone",
			map[string]string{"a": "raid"},
			map[string]string{"a": "raid", "b": "verdict"},
			0,
			map[string]string{"a": "2 was 2 +0 -0:", "b": "0 was 1 +0 -1: -court verdict"},
		},
	} {
		test := backtest.Test{Rules: rules(t, tt.now), Feed: feedOf, Limit: tt.limit}
		if tt.before != nil {
			test.Before = rules(t, tt.before)
		}
		r, err := test.Run(t.Context(), items)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, summary(r)); d != "" || r.Items != 4 || r.Partial {
			t.Errorf("%s: %d items, partial %t\n%s", tt.name, r.Items, r.Partial, d)
		}
	}
}

// TestRunOutOfTime: what was found within the time is told, as a part. A client
// that went away, and a store that fails, are errors.
func TestRunOutOfTime(t *testing.T) {
	test := backtest.Test{Rules: rules(t, map[string]string{"a": "raid"}), Feed: feedOf}
	ctx, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	if r, err := test.Run(ctx, kept("raid")); err != nil || !r.Partial {
		t.Errorf("%+v, %v", r, err)
	}
	broken := errors.New("broken")
	failing := func(yield func(store.StoredItem, error) bool) { yield(store.StoredItem{}, broken) }
	if _, err := test.Run(t.Context(), failing); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}
