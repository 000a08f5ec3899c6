package web

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

// TestEarlier: a charge sheet leads to the arrest, on the page and in the API; not to
// one that was purged since the past was read, and not by words that the guard keeps
// back.
func TestEarlier(t *testing.T) {
	of := func(n int, ago time.Duration, title, text string) classifier.Hit {
		h := report(n, ago, "Example Express", "en", title, text)
		h.Sketch = story.Sketch(feed.Item{Content: text})
		return h
	}
	const arrested = "Priest arrested in Wayanad for abusing Meera (14) at orphanage"
	arrest := of(8, 90*day, arrested, "The Mananthavady police arrested a priest, the director of the Santhinilayam orphanage.")
	charge := of(9, time.Hour, "Charge sheet against priest in Wayanad orphanage case", "The Mananthavady police charged the director of the Santhinilayam orphanage.")
	gone := arrest
	gone.TakenDown = true
	for _, tt := range []struct {
		name              string
		reports           []classifier.Hit
		unguarded         bool
		linked, withTitle bool
	}{
		{"kept", []classifier.Hit{charge, arrest}, true, true, true},
		{"guarded", []classifier.Hit{charge, arrest}, false, true, false},
		{"taken down", []classifier.Hit{charge, gone}, true, false, false},
		{"purged", []classifier.Hit{charge}, true, false, false},
	} {
		m, st := kept()
		m.reports, st.Unguarded = tt.reports, tt.unguarded
		s := serverOf(m, st, func(o *Options) {
			o.Past = func(context.Context) (*story.Archive, error) {
				return story.NewArchive([]classifier.Hit{arrest, charge}), nil
			}
		})
		since := "since=" + noon.Add(-day).Format(time.DateOnly)
		for what, target := range map[string]string{"Earlier:": "/stories?" + since, `"earlier"`: "/api/v1/stories?" + since} {
			w := ask(s, "GET", target)
			body := w.Body.String()
			if w.Code != http.StatusOK || strings.Contains(body, what) != tt.linked || strings.Contains(body, arrest.Item.Link) != tt.linked || strings.Contains(body, "Meera") != tt.withTitle {
				t.Errorf("%s, %s: %d\n%s", tt.name, target, w.Code, body)
			}
		}
	}

	m, st := kept()
	m.reports = []classifier.Hit{charge}
	s := serverOf(m, st, func(o *Options) {
		o.Past = func(context.Context) (*story.Archive, error) { return nil, store.ErrUnavailable }
	})
	if w := ask(s, "GET", "/stories"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("without the past: %d", w.Code)
	}
	// What goes on with nothing asks for no past.
	m.reports = []classifier.Hit{arrest}
	if w := ask(s, "GET", "/stories"); w.Code != http.StatusOK {
		t.Errorf("an arrest alone: %d", w.Code)
	}
}
