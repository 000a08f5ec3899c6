package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noon is when every test takes place.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// memory is a Store that holds what a test put in it, and keeps the parts of the
// contract that the pages lean on: order, filters, the cursor and the limit.
type memory struct {
	desk.Store // for what no page of a test asks
	states     []fetcher.State
	reports    []classifier.Hit
	standings  []store.Standing
	letters    []notify.DeadLetter
	sent       []notify.Delivery
	notices    []notify.Notice // in the order of the log
	err        error           // of every call
	pings      atomic.Int32
	block      bool   // Ping waits for its context
	during     func() // called while Ping is at it
}

func (m *memory) Ping(ctx context.Context) error {
	m.pings.Add(1)
	if m.block {
		<-ctx.Done()
		return ctx.Err()
	}
	if m.during != nil {
		m.during()
		return ctx.Err()
	}
	return m.err
}

func (m *memory) Counts(context.Context) (store.Counts, error) {
	return store.Counts{Feeds: len(m.states), Hits: len(m.reports), DeadLetters: len(m.letters)}, m.err
}

func (m *memory) States(_ context.Context, q store.StateQuery) ([]fetcher.State, error) {
	states := slices.DeleteFunc(slices.Clone(m.states), func(st fetcher.State) bool {
		return st.FeedID <= q.After || len(q.Grades) > 0 && !slices.Contains(q.Grades, st.Grade()) || len(q.IDs) > 0 && !slices.Contains(q.IDs, st.FeedID)
	})
	slices.SortFunc(states, func(a, b fetcher.State) int { return strings.Compare(a.FeedID, b.FeedID) })
	return states[:min(len(states), store.PageSize(q.Limit))], m.err
}

func (m *memory) Standings(context.Context) ([]store.Standing, error) {
	return slices.Clone(m.standings), m.err
}

func (m *memory) DeadLetters(context.Context) ([]notify.DeadLetter, error) {
	return slices.Clone(m.letters), m.err
}

func (m *memory) Deliveries(_ context.Context, id string, limit int) ([]notify.Delivery, error) {
	return m.sent[:min(len(m.sent), limit)], m.err
}

func (m *memory) LatestNotices(_ context.Context, before int64, limit int) ([]notify.Notice, error) {
	var out []notify.Notice
	for _, n := range slices.Backward(m.notices) {
		if (before == 0 || n.Seq < before) && len(out) < store.PageSize(limit) {
			out = append(out, n)
		}
	}
	return out, m.err
}

func (m *memory) Hit(_ context.Context, id feed.ItemID) (classifier.Hit, error) {
	for _, h := range m.reports {
		if h.Item.ID == id {
			return h, m.err
		}
	}
	return classifier.Hit{}, cmp.Or(m.err, store.ErrNotFound)
}

func (m *memory) Census(_ context.Context, late time.Time) (store.Census, error) {
	c := store.Census{Feeds: len(m.states), Grades: map[fetcher.Grade]int{}}
	for _, st := range m.states {
		c.Grades[st.Grade()]++
		if st.Paused.IsZero() && !st.NextCheck.IsZero() && st.NextCheck.Before(late) {
			c.Late++
		}
	}
	return c, m.err
}

func (m *memory) Tally(_ context.Context, edges []time.Time) (store.Tally, error) {
	t := store.Tally{Hits: make([]int, len(edges)-1), Rules: map[string][]int{}}
	for _, h := range m.reports {
		for i := range t.Hits {
			if h.Quiet || h.Found.Before(edges[i]) || !h.Found.Before(edges[i+1]) {
				continue
			}
			t.Hits[i]++
			for _, r := range h.Rules {
				if t.Rules[r.Rule] == nil {
					t.Rules[r.Rule] = make([]int, len(t.Hits))
				}
				t.Rules[r.Rule][i]++
			}
		}
	}
	return t, m.err
}

func (m *memory) Hits(_ context.Context, q store.HitQuery) ([]classifier.Hit, error) {
	if m.err != nil {
		return nil, m.err
	}
	if q.Limit < 1 || q.Limit > 1000 {
		return nil, fmt.Errorf("limit %d", q.Limit)
	}
	sorted := slices.Clone(m.reports)
	newest := func(a, b classifier.Hit) int {
		return cmp.Or(b.Found.Compare(a.Found), strings.Compare(b.Item.ID.String(), a.Item.ID.String()))
	}
	slices.SortFunc(sorted, newest)
	var out []classifier.Hit
	for _, h := range sorted {
		caught := slices.ContainsFunc(h.Rules, func(rm classifier.RuleMatch) bool { return rm.Rule == q.Rule })
		before := classifier.Hit{Item: feed.Item{ID: q.BeforeID}, Found: q.BeforeTime}
		switch {
		case q.Rule != "" && !caught,
			q.Feed != "" && h.Item.FeedID != q.Feed,
			q.Tag != "" && !slices.Contains(store.HitTags(h), q.Tag),
			q.Outlet != "" && h.Outlet() != q.Outlet,
			q.Lang != "" && h.Item.Lang != q.Lang,
			store.HitSeverity(h) < q.Severity,
			q.Text != "" && !strings.Contains(strings.ToLower(h.Item.Title+" "+h.Item.Summary), strings.ToLower(q.Text)),
			!q.Since.IsZero() && h.Found.Before(q.Since),
			!q.Until.IsZero() && !h.Found.Before(q.Until),
			h.Quiet && !q.Quiet,
			!q.BeforeTime.IsZero() && newest(before, h) >= 0:
			continue
		}
		if out = append(out, h); len(out) == q.Limit {
			break
		}
	}
	return out, nil
}

// report makes a hit of one rule, found some time before noon, whose marked words
// stand between brackets in the sentence.
func report(n int, ago time.Duration, outlet, language, title, sentence string) classifier.Hit {
	at := noon.Add(-ago)
	link := fmt.Sprintf("https://news.example/%d", n)
	start := strings.Index(sentence, "[")
	sentence = strings.Replace(sentence, "[", "", 1)
	end := strings.Index(sentence, "]")
	sentence = strings.Replace(sentence, "]", "", 1)
	ex := classifier.Excerpt{Field: classifier.FieldLead, Text: sentence}
	if start >= 0 {
		ex.Marks = [][2]int{{start, end}}
	}
	return classifier.Hit{
		Item: feed.Item{
			ID: feed.NewItemID("nie-kerala", "", link, ""), FeedID: "nie-kerala",
			Title: title, Link: link, Lang: language, Published: at.Add(-10 * time.Minute),
		},
		Source: outlet,
		Rules:  []classifier.RuleMatch{{Rule: "operation-p-hunt", Name: "Operation P-Hunt", Severity: classifier.High, Excerpt: ex}},
		Found:  at, Searched: classifier.SearchedFeed, Ruleset: "3f2a9c",
	}
}

// kept is a daemon all of whose work is done.
func kept() (*memory, desk.Status) {
	read := func(id string, last time.Duration) fetcher.State {
		return fetcher.State{
			FeedID: id, FirstSuccess: noon.Add(-30 * day), LastPoll: noon.Add(-last), LastSuccess: noon.Add(-last),
			LastChange: noon.Add(-3 * time.Hour), NextCheck: noon.Add(12 * time.Minute), Items: 20,
			Health: fetcher.Health{Grade: fetcher.Fine}, Rhythm: fetcher.Rhythm{At: noon, Items: 80, Hours: 320, Gaps: 80},
		}
	}
	m := &memory{
		states: []fetcher.State{read("europol", 40*time.Minute), read("mathrubhumi", 5*time.Minute), read("nie-kerala", 3*time.Minute)},
		reports: []classifier.Hit{
			report(1, 20*time.Minute, "The New Indian Express, Kerala", "en",
				"Kerala police arrest 41 in statewide raids",
				"The raids were part of [Operation P-Hunt], the police said on Monday."),
			report(2, 30*time.Minute, "Example Times", "en", "41 held across Kerala", "Officers of the centre ran [Operation P-Hunt] in all districts."),
			report(3, 26*time.Hour, "മാതൃഭൂമി", "ml", "സംസ്ഥാനത്ത് പരിശോധന: നാലുപേർ പിടിയിൽ", "[ഓപ്പറേഷൻ പി ഹണ്ടിന്റെ] ഭാഗമായാണ് പരിശോധന നടന്നത്."),
			report(4, 50*time.Hour, "उदाहरण समाचार", "hi", "केरल में 12 गिरफ्तार", "पुलिस ने [ऑपरेशन पी-हंट] के तहत छापे मारे।"),
		},
		standings: []store.Standing{
			{Subscriber: "case-system", Next: noon.Add(2 * time.Minute), LastSent: noon.Add(-20 * time.Minute)},
			{Subscriber: "desk", Next: noon.Add(6 * time.Hour), LastSent: noon.Add(-6 * time.Hour)},
		},
		sent: []notify.Delivery{
			{Digest: "case-system-8", Subscriber: "case-system", Entries: 1, Hits: 2, Attempts: 1, Accepted: noon.Add(-20 * time.Minute)},
			{Digest: "desk-7", Subscriber: "desk", Entries: 2, Hits: 2, Attempts: 2, Accepted: noon.Add(-30 * time.Hour)},
		},
	}
	m.reports[0].Story, m.reports[1].Story = "s1", "s1"
	st := desk.Status{
		Version: "1.2.3", Started: noon.Add(-3 * day), Ready: true,
		ConfigPath: "configs/newswatch.yaml", LastReload: desk.Reload{At: noon.Add(-time.Hour), OK: true},
		Ruleset: "3f2a9c",
		Rules:   []desk.Rule{{ID: "cyberdome", Name: "Cyberdome"}, {ID: "operation-p-hunt", Name: "Operation P-Hunt"}},
		Feeds: map[string]feed.Feed{
			"europol":     {Name: "Europol newsroom", Lang: "en"},
			"mathrubhumi": {Name: "മാതൃഭൂമി", Lang: "ml"},
			"nie-kerala":  {Name: "The New Indian Express, Kerala", Lang: "en"},
		},
		Schedules: map[string]string{"desk": "0 7,18 * * * Asia/Kolkata", "case-system": "immediate"},
	}
	return m, st
}

// troubled is a daemon with one of each trouble that a page has words for.
func troubled() (*memory, desk.Status) {
	m, st := kept()
	fail := func(id string, g fetcher.Grade, n int, why fetcher.Reason, text string) fetcher.State {
		return fetcher.State{
			FeedID: id, FirstSuccess: noon.Add(-30 * day), LastPoll: noon.Add(-time.Hour), LastSuccess: noon.Add(-2 * day),
			LastChange: noon.Add(-3 * day), NextCheck: noon.Add(3 * time.Hour), Failures: n, Reason: why, LastError: text,
			Health: fetcher.Health{Grade: g},
		}
	}
	retired := fail("old-blog", fetcher.Hard, 1, fetcher.ReasonGone, "fetcher: https://blog.example/feed: 410 Gone")
	retired.Retired, retired.NextCheck = true, time.Time{}
	poison := fail("killer", fetcher.Soft, 3, fetcher.ReasonHostile, "fetcher: killer.example: the document has killed newswatch 3 times; it is in quarantine")
	poison.Poisoned = 3
	overdue := fail("forgotten", fetcher.Fine, 0, "", "")
	overdue.NextCheck = noon.Add(-2 * time.Hour)
	resting := fail("resting", fetcher.Fine, 0, "", "")
	resting.Paused = noon.Add(-3 * time.Hour)
	lost := fail("esafety", fetcher.Hard, 7, fetcher.ReasonNoHost, "fetcher: lookup www.esafety.example: no such host")
	lost.Health.Lost = noon.Add(-3 * time.Hour)
	m.states = append(m.states, retired, poison, overdue, resting, lost,
		fail("ncmec", fetcher.Soft, 1, fetcher.ReasonTimeout, "fetcher: https://ncmec.example/feed: no answer in 30s"),
		fail("busy", fetcher.Temporary, 2, fetcher.ReasonRateLimited, "fetcher: https://busy.example/feed: 429 Too Many Requests"),
		fail("sleepy", fetcher.Silent, 0, "", ""), fetcher.State{FeedID: "not-yet", NextCheck: noon})
	st.Feeds = map[string]feed.Feed{}
	for _, s := range m.states {
		st.Feeds[s.FeedID] = feed.Feed{Name: "Feed " + s.FeedID}
	}
	st.Feeds["not-yet"] = feed.Feed{Name: "A feed that was added just now", Every: 10 * time.Minute}
	m.standings = append(m.standings, store.Standing{
		Subscriber: "room", Next: noon.Add(4 * time.Minute), Pending: "room-12", Attempts: 3, LastError: "notify: the receiver answered 503",
	}, store.Standing{
		Subscriber: "closed", Next: noon.Add(-2 * time.Hour), LastError: "notify: the receiver answered 410",
		Paused: &notify.Pause{Since: noon.Add(-time.Hour), By: notify.ByReceiver, Why: "notify: the receiver answered 410"},
	})
	m.letters = []notify.DeadLetter{{
		Digest: notify.Digest{ID: "desk-5", Subscriber: "desk", Entries: 3}, Reason: "notify: the receiver answered 550",
		Attempts: 10, Buried: noon.Add(-5 * time.Hour),
	}}
	for i, n := range []notify.Notice{
		{Kind: notify.Offline, Text: "No feed can be reached since 02:10 UTC: the network of newswatch seems to be down, not the feeds."},
		{Kind: notify.SourceBack, Subject: "nie-kerala", Text: "Feed nie-kerala is back: it can be read again."},
		{Kind: notify.FloodHeld, Subject: "europol", Text: "Feed europol brought 400 new items at once, so those older than digest.first_window were recorded and not reported."},
		{Kind: notify.SourceSilent, Subject: "sleepy", Text: "Feed sleepy is silent: nothing new for 3 days, where it usually has something every 4 hours."},
		{Kind: notify.SourceLost, Subject: "a-feed-that-left", Text: "A feed that left is lost: it has failed for 6 hours, 5 times in a row: no such host."},
		{Kind: notify.SubscriberPaused, Subject: "closed", Text: "The subscriber closed is paused: the receiver answered 410. It gets nothing until it is resumed."},
		{Kind: notify.ReloadFailed, Text: "The changed configuration was refused, and the one before it is in force: configs/rules/arrests.yaml:7:3: unknown key"},
	} {
		n.ID, n.Seq, n.At = fmt.Sprint(i), int64(10+i), noon.Add(-time.Duration(8-i)*time.Hour)
		m.notices = append(m.notices, n)
	}
	st.LastReload = desk.Reload{At: noon.Add(-10 * time.Minute), Error: "configs/rules/arrests.yaml:7:3: unknown key \"querry\"\n    querry: arrest*\n    ^ did you mean \"query\"?"}
	st.Warnings = []string{"smtp.host is not set: digests are written to files", "configs/feeds.yaml:9:5: this URL is listed twice\n  - url: https://europol.example/feed\n    ^"}
	return m, st
}

// silence judges the one feed that troubled has for it.
func silence(s fetcher.State, _ time.Time) string {
	if s.FeedID == "sleepy" {
		return "Nothing new for 3 days; it used to publish several times a day."
	}
	return ""
}

// serverOf is a Server on loopback without a token, for what a test is not about.
func serverOf(m *memory, st desk.Status, change ...func(*Options)) *Server {
	o := Options{
		Desk: desk.Desk{
			Store: m, Status: func() desk.Status { return st }, Silent: silence,
			Reload: func(context.Context) error { return nil },
			Now:    func() time.Time { return noon },
			Rules:  func() *classifier.Ruleset { return rulesOf(st) },
			Settings: func() []configs.Setting {
				return []configs.Setting{{Key: "fetch.timeout", Value: "30s"}, {Key: "http.admin_token", Value: "set"}}
			},
			Preview: func(_ context.Context, id string) (notify.Digest, error) {
				return notify.Digest{ID: "d", Subscriber: id, Sealed: noon, Since: noon.Add(-day), Until: noon, Timezone: "UTC"}, nil
			},
		},
		Metrics:  http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "up 1\n") }),
		Loopback: true,
		Log:      slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	return New(o)
}

// rulesOf makes rules of the names in a status; those that are no ids are left out.
func rulesOf(st desk.Status) *classifier.Ruleset {
	var rules []classifier.Rule
	for _, r := range st.Rules {
		rule := classifier.Rule{ID: r.ID, Name: r.Name, Severity: classifier.High, Tags: []string{"kerala"}, Query: classifier.Text(`"p hunt" OR cyberdome`)}
		if _, _, err := classifier.Compile([]classifier.Rule{rule}, nil); err == nil {
			rules = append(rules, rule)
		}
	}
	set, _, err := classifier.Compile(rules, nil)
	if err != nil {
		panic(err)
	}
	return set
}

// ask sends one request from this machine. Headers are pairs of name and value.
func ask(h http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	r.Host = "localhost:8080"
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var errAway = errors.Join(store.ErrUnavailable, errors.New("dial 10.9.8.7:6379: connection refused"))
