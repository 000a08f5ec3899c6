package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/web/api"
	"github.com/newswatch/newswatch/web/desk"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// office is a desk over a real store that holds a little of everything.
type office struct {
	*desk.Desk
	store   store.Store
	items   []feed.Item
	reloads int
	now     time.Time
}

func open(t *testing.T) *office {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "n.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	rules, _, err := classifier.Compile([]classifier.Rule{
		{ID: "operation-p-hunt", Name: "Operation P-Hunt", Severity: classifier.High, Tags: []string{"kerala"}, Query: classifier.Text(`"operation p hunt"`)},
		{ID: "arrests", Query: classifier.Text(`arrest* AND @police`)},
	}, []classifier.Concept{{ID: "police", Terms: map[string][]classifier.Source{"en": {classifier.Text("police")}}}})
	if err != nil {
		t.Fatal(err)
	}
	o := &office{store: st, now: noon}
	feeds := map[string]feed.Feed{
		"nie":   {ID: "nie", Name: "The New Indian Express", URL: "https://user:pass@nie.example/feed", Lang: "en", Tags: []string{"kerala"}},
		"quiet": {ID: "quiet", URL: "https://quiet.example/feed"},
	}
	o.Desk = &desk.Desk{
		Store: st,
		Status: func() desk.Status {
			return desk.Status{
				Version: "1.2.3", Started: noon.Add(-time.Hour), Ready: true, Ruleset: rules.Version(), Feeds: feeds,
				Rules:      []desk.Rule{{ID: "operation-p-hunt"}, {ID: "arrests"}},
				LastReload: desk.Reload{At: noon, OK: true}, Schedules: map[string]string{"desk": "@hourly"},
			}
		},
		Now:   func() time.Time { return o.now },
		Rules: func() *classifier.Ruleset { return rules },
		Article: func(_ context.Context, link string) (string, error) {
			if strings.Contains(link, "10.0.0.1") {
				return "", fmt.Errorf("fetcher: 10.0.0.1 is not a public address")
			}
			return "Police arrest twelve\n\nUnder Operation P-Hunt.", nil
		},
		Preview: func(_ context.Context, id string) (notify.Digest, error) {
			if id != "desk" {
				return notify.Digest{}, fmt.Errorf("daemon: %w", store.ErrNotFound)
			}
			return notify.Digest{ID: "d", Subscriber: id, Sealed: noon, Timezone: "UTC"}, nil
		},
		Settings: func() []configs.Setting { return []configs.Setting{{Key: "http.admin_token", Value: "set"}} },
		Reload: func(context.Context) error {
			o.reloads++
			if o.reloads > 1 {
				return fmt.Errorf("rules.yaml:3:1: unknown key\n  querry: x")
			}
			return nil
		},
	}
	o.fill(t, rules, feeds)
	return o
}

// fill records a poll with six items of which four are hits, and lets one
// digest be delivered and another become a dead letter.
func (o *office) fill(t *testing.T, rules *classifier.Ruleset, feeds map[string]feed.Feed) {
	t.Helper()
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	ok(o.store.SyncFeeds(ctx, []string{"nie", "quiet"}, noon.Add(-time.Hour)))
	claims, err := o.store.ClaimFeeds(ctx, noon.Add(-time.Hour), 1, time.Minute)
	ok(err)
	b := store.Batch{Lease: claims[0].Lease, State: fetcher.State{
		FeedID: "nie", LastPoll: noon.Add(-time.Hour), LastSuccess: noon.Add(-time.Hour), NextCheck: noon.Add(time.Hour), Items: 5,
		Health: fetcher.Health{Grade: fetcher.Fine}, Rhythm: fetcher.Rhythm{At: noon.Add(time.Hour), Items: 80, Hours: 320, Gaps: 80},
	}}
	for i, title := range []string{
		"Police arrest 41 in Operation P-Hunt", "Operation P-Hunt: raids in Kochi", "Rain in Kerala", "Police arrest a man", "A verdict", "Police arrest the uncle of Meera Das (14)",
	} {
		it := feed.Item{
			ID: feed.NewItemID("nie", "", "", title), FeedID: "nie", Title: title, Link: fmt.Sprintf("https://nie.example/%d", i),
			Lang: "en", Published: noon.Add(-2 * time.Hour), Categories: []string{"<script>"},
		}
		o.items = append(o.items, it)
		b.Seen = append(b.Seen, store.Sighting{ID: it.ID, Fingerprint: it.Fingerprint()})
		b.Items = append(b.Items, store.StoredItem{Item: it, Searched: classifier.SearchedFeed, Stored: noon.Add(-time.Hour)})
		doc := classifier.NewDoc(it, feeds["nie"])
		if m := rules.Match(&doc); len(m) > 0 {
			b.Hits = append(b.Hits, classifier.Hit{
				Item: it, Source: "The New Indian Express", FeedTags: []string{"kerala"}, Rules: m, Searched: classifier.SearchedFeed,
				Ruleset: rules.Version(), Found: noon.Add(-time.Hour).Add(time.Duration(i) * time.Second),
			})
		}
	}
	_, err = o.store.Record(ctx, b)
	ok(err)
	for i, kind := range notify.NoticeKinds {
		ok(o.store.Post(ctx, notify.Notice{ID: notify.NoticeID(kind, "nie"), At: noon.Add(time.Duration(i) * time.Minute), Kind: kind, Subject: "nie", Text: "It is so."}))
	}
	ok(o.store.Enrol(ctx, []store.Enrolment{{ID: "desk", Next: noon.Add(-time.Hour), Schedule: "@hourly", Since: noon.Add(-day)}}, noon.Add(-time.Hour)))
	for _, id := range []string{"sent", "dead", "dead-2"} {
		turns, err := o.store.Claim(ctx, noon, 1, time.Minute)
		ok(err)
		l := turns[0].Lease
		ok(o.store.Seal(ctx, l, notify.Digest{ID: id, Subscriber: "desk", Hits: 1, Entries: 1}))
		if id == "sent" {
			ok(o.store.Ack(ctx, l, noon, noon))
		} else {
			ok(o.store.Bury(ctx, l, noon, noon, notify.Burial{Reason: "notify: 550"}))
		}
	}
}

const day = 24 * time.Hour

func (o *office) api() *api.API {
	return api.New(o.Desk, time.UTC, slog.New(slog.DiscardHandler), func(r *http.Request) netip.Prefix {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return netip.Prefix{}
		}
		return netip.PrefixFrom(from.Addr(), from.Addr().BitLen())
	})
}

// ask sends one request. Headers are pairs of name and value.
func ask(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, api.Prefix+target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
