package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// changed is a Store that notes what it was asked to change.
type changed struct {
	*memory
	did []string
}

func (c *changed) note(what, id string) error {
	c.did = append(c.did, what+" "+id)
	if strings.Contains(id, "gone") {
		return store.ErrNotFound
	}
	return c.err
}

func (c *changed) PollNow(_ context.Context, ids []string, _ time.Time) error {
	return c.note("poll", strings.Join(ids, ","))
}

func (c *changed) PauseFeeds(_ context.Context, ids []string, paused bool, _ time.Time) error {
	return c.note(fmt.Sprintf("feed paused=%t", paused), strings.Join(ids, ","))
}

func (c *changed) SendNow(_ context.Context, ids []string, _ time.Time) error {
	return c.note("send", strings.Join(ids, ","))
}

func (c *changed) Purge(_ context.Context, id feed.ItemID, _ time.Time) error {
	return c.note("purge", id.String())
}

func (c *changed) Pause(_ context.Context, id string, p notify.Pause) error {
	return c.note("pause by "+string(p.By), id)
}

func (c *changed) Resume(_ context.Context, id string, _ time.Time) error {
	return c.note("resume", id)
}

func (c *changed) Resend(_ context.Context, id string, _ time.Time) error {
	return c.note("resend", id)
}

func (c *changed) Drop(_ context.Context, id string) error { return c.note("drop", id) }

// guarded is a changed Store that a test may write to while it is read.
type guarded struct {
	changed
	mu sync.Mutex
}

func (g *guarded) DeadLetters(ctx context.Context) ([]notify.DeadLetter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed.DeadLetters(ctx)
}

func (g *guarded) Counts(ctx context.Context) (store.Counts, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed.Counts(ctx)
}

func (g *guarded) Resend(ctx context.Context, id string, now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range g.letters {
		g.letters[i].Resending = g.letters[i].Resending || g.letters[i].Digest.ID == id
	}
	return g.changed.Resend(ctx, id, now)
}

// post sends a form as a browser does from a page of the site that it names.
func post(h http.Handler, target string, form url.Values, site string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form.Encode()))
	r.Host = "localhost:8080"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestActions: each form does what it says and leads back to its page, whatever
// else it or its address holds; another site's form does nothing; no GET does.
func TestActions(t *testing.T) {
	m, st := kept()
	item := m.reports[0].Item.ID.String()
	for _, tt := range []struct{ path, id, did, to string }{
		{"/feeds/poll", "nie-kerala", "poll nie-kerala", "../feeds?done=polled"},
		{"/feeds/pause", "nie-kerala", "feed paused=true nie-kerala", "../feeds?done=rested"},
		{"/feeds/resume", "nie-kerala", "feed paused=false nie-kerala", "../feeds?done=woken"},
		{"/feeds/resume", "unknown", "", ""},
		{"/feeds/poll", "", "", ""},
		{"/feeds/poll", "unknown", "", ""},
		{"/stories/purge", item, "purge " + item, "../stories?done=purged"},
		{"/stories/purge", "x", "", ""},
		{"/subscribers/pause", "desk", "pause by operator desk", "../subscribers?done=paused"},
		{"/subscribers/resume", "desk", "resume desk", "../subscribers?done=resumed"},
		{"/subscribers/send", "desk", "send desk", "../subscribers?done=turn"},
		{"/subscribers/send", "", "", ""},
		{"/deliveries/resend", "desk-5", "resend desk-5", "../deliveries?done=resent"},
		{"/deliveries/resend", "gone", "resend gone", ""},
		{"/deliveries/drop", "desk-5", "drop desk-5", "../deliveries?done=dropped"},
	} {
		c := &changed{memory: m}
		s := serverOf(m, st, func(o *Options) { o.Store = c })
		form := url.Values{"id": {tt.id}, "next": {"https://evil.example/"}, "back": {"//evil.example"}}
		if w := post(s, tt.path, form, "cross-site"); w.Code != 403 || len(c.did) > 0 {
			t.Errorf("%s from another site: %d, did %q", tt.path, w.Code, c.did)
		}
		if w := ask(s, "GET", tt.path+"?id="+tt.id); w.Code == 200 || len(c.did) > 0 {
			t.Errorf("GET %s: %d, did %q", tt.path, w.Code, c.did)
		}
		if w := ask(s, "POST", tt.path+"?id="+tt.id, "Sec-Fetch-Site", "same-origin"); tt.id != "" && (w.Code != 404 || strings.Contains(strings.Join(c.did, ","), tt.id)) {
			t.Errorf("POST %s with the id in its address: %d, did %q", tt.path, w.Code, c.did)
		}
		c.did = nil
		w := post(s, tt.path+"?next=https://evil.example/", form, "same-origin")
		if did := strings.Join(c.did, ","); did != tt.did {
			t.Errorf("%s %s did %q, want %q", tt.path, tt.id, did, tt.did)
		}
		if got := w.Header().Get("Location"); got != tt.to || (w.Code == 303) != (tt.to != "") {
			t.Errorf("%s %s: %d to %q, want %q", tt.path, tt.id, w.Code, got, tt.to)
		}
	}
	// Who works through a part of a list stays in it.
	s := serverOf(m, st, func(o *Options) { o.Store = &changed{memory: m} })
	body := ask(s, "GET", "/feeds?grade=fine&words=europol+newsroom").Body.String()
	const action = "feeds/poll?grade=fine&words=europol+newsroom"
	if !strings.Contains(body, `action="`+strings.NewReplacer("&", "&amp;", "+", "&#43;").Replace(action)+`"`) {
		t.Errorf("the forms forget what narrowed the list:\n%s", body)
	}
	if to := post(s, "/"+action, url.Values{"id": {"europol"}}, "same-origin").Header().Get("Location"); to != "../feeds?done=polled&grade=fine&words=europol+newsroom" {
		t.Errorf("from a part of the list it leads to %q", to)
	}
	s = serverOf(m, st)
	for done, want := range map[string]bool{"purged": true, "<b>": false, "polled%0d%0aSet-Cookie:x": false} {
		w := ask(s, "GET", "/stories?done="+done)
		if got := strings.Contains(w.Body.String(), `class="done"`); got != want || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("done=%s is told: %t", done, got)
		}
	}
}

// TestRuleTester tries texts, an address and files through the forms, as they are
// and with mistakes.
func TestRuleTester(t *testing.T) {
	m, st := kept()
	stored := &shelf{m}
	s := serverOf(m, st, func(o *Options) {
		o.Store = stored
		o.Article = func(_ context.Context, link string) (string, error) {
			if strings.Contains(link, "169.254") {
				return "", context.DeadlineExceeded
			}
			return "Raids\n\nThe police spoke of a P Hunt.", nil
		}
	})
	for _, tt := range []struct {
		name, path string
		form       url.Values
		status     int
		holds      string
	}{
		{"a match", "/rules", url.Values{"title": {"Operation P-Hunt"}}, 200, "2 rules match of 2."},
		{"none", "/rules", url.Values{"title": {"Rain"}}, 200, "none nearly does"},
		{"clause by clause", "/rules", url.Values{"body": {"at Cyberdome"}}, 200, `<b class="soft">no</b> <code>&#34;p hunt&#34;</code>`},
		{"an address", "/rules", url.Values{"url": {"https://news.example/1"}}, 200, "The police spoke of"},
		{"an address that is refused", "/rules", url.Values{"url": {"http://169.254.169.254/"}}, 422, "This cannot be tried"},
		{"nothing", "/rules", nil, 422, "there is no text to try"},
		{"markup", "/rules", url.Values{"title": {"<script>p hunt</script>"}}, 200, "&lt;script&gt;"},
		{"a rule that finds more", "/rules", url.Values{"rules": {"rules:\r\n  - {id: cyberdome, query: 'rain OR \"p hunt\"'}\r\n"}}, 200, `<span class="good">+1</span>`},
		{"a mistake", "/rules", url.Values{"rules": {"rules:\n  - {id: a, query: 'x AND'}"}}, 422, "rules.yaml:2"},
		{"too large", "/rules", url.Values{"rules": {strings.Repeat("x", 300<<10)}}, 422, "at most"},
		{"far too large", "/rules", url.Values{"rules": {strings.Repeat("x", 2<<20)}}, 400, "cannot be read"},
	} {
		w := post(s, tt.path, tt.form, "same-origin")
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.holds) || strings.Contains(w.Body.String(), "<script>p") {
			t.Errorf("%s: %d, want %d with %s\n%s", tt.name, w.Code, tt.status, tt.holds, cut(w.Body.String(), 6000))
		}
		if w.Code < 300 {
			accessible(t, w.Body.String())
		}
	}
}

// TestExports: all of a search, in both forms, withheld like the pages.
func TestExports(t *testing.T) {
	m, st := kept()
	m.reports = append(m.reports, report(9, time.Minute, "=cmd()", "en", "Meera (14) rescued in Kochi", "The girl, [Meera] Das, is safe."))
	s := serverOf(m, st)
	w := ask(s, "GET", "/stories.csv?rule=operation-p-hunt")
	rows, err := csv.NewReader(w.Body).ReadAll()
	if err != nil || len(rows) != 1+len(m.reports) || rows[1][5] != "'=cmd()" || strings.Contains(rows[1][7], "Meera") {
		t.Errorf("%v %q", err, rows)
	}
	if d := w.Header().Get("Content-Disposition"); d != `attachment; filename="stories.csv"` {
		t.Error(d)
	}
	lines := bufio.NewScanner(ask(s, "GET", "/stories.jsonl").Body)
	n := 0
	for ; lines.Scan(); n++ {
		var h classifier.Hit
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil || strings.Contains(lines.Text(), "Meera") {
			t.Errorf("%v: %s", err, lines.Text())
		}
	}
	if n != len(m.reports) {
		t.Errorf("%d lines", n)
	}
	if w := ask(s, "GET", "/stories.csv?since=never"); w.Code != 400 {
		t.Errorf("a wrong search: %d", w.Code)
	}
	m.reports = nil
	if w := ask(s, "GET", "/stories.csv"); w.Code != 200 || w.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("nothing: %d %v", w.Code, w.Header())
	}
	m.err = errAway
	if w := ask(s, "GET", "/stories.csv"); w.Code != 503 {
		t.Errorf("the store is away: %d", w.Code)
	}
}

// shelf keeps two items with their text.
type shelf struct{ *memory }

func (k *shelf) StoredItems(context.Context, time.Time) iter.Seq2[store.StoredItem, error] {
	return func(yield func(store.StoredItem, error) bool) {
		for _, title := range []string{"Rain in Kochi", "Operation P Hunt"} {
			if !yield(store.StoredItem{Item: feed.Item{Title: title, FeedID: "nie-kerala"}}, nil) {
				return
			}
		}
	}
}

// recorder is read while it is written to.
type recorder struct {
	*httptest.ResponseRecorder
	mu sync.Mutex
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ResponseRecorder.Write(b)
}

func (r *recorder) Flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ResponseRecorder.Flush()
}

func (r *recorder) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Body.String()
}

// TestEvents: a change is told within seconds and nothing else is, a stream ends
// with its client and with the server, and there are no more than are allowed.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, st := kept()
		shared := &guarded{changed: changed{memory: m}}
		s := serverOf(m, st, func(o *Options) { o.Store, o.Now = shared, time.Now })
		open := func(ctx context.Context) (*recorder, chan struct{}) {
			w, done := &recorder{ResponseRecorder: httptest.NewRecorder()}, make(chan struct{})
			r := httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(ctx)
			r.Host = "localhost"
			go func() { defer close(done); s.ServeHTTP(w, r) }()
			synctest.Wait()
			return w, done
		}
		server, stop := context.WithCancel(t.Context())
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), stopping{}, server))
		w, done := open(ctx)
		told := func() int { return strings.Count(w.text(), "event: state\n") }
		if told() != 1 || strings.Contains(w.text(), "desk") {
			t.Errorf("at the start: %s", w.text())
		}
		time.Sleep(3 * eventEvery) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if told() != 1 || !strings.Contains(w.text(), ": still here") {
			t.Errorf("without a change: %s", w.text())
		}
		shared.mu.Lock()
		m.letters = append(m.letters, notify.DeadLetter{Digest: notify.Digest{ID: "new"}})
		shared.mu.Unlock()
		time.Sleep(2 * eventEvery) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		if told() != 2 {
			t.Errorf("a change: %s", w.text())
		}
		for range maxStreams - 1 {
			open(ctx)
		}
		if w, _ := open(ctx); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("one too many: %d", w.Code)
		}
		stop()
		synctest.Wait()
		select {
		case <-done:
		default:
			t.Error("the stream outlives the server")
		}
		cancel()
		synctest.Wait()
		if len(s.streams) != 0 {
			t.Errorf("%d places are still taken", len(s.streams))
		}
	})
}

// hanging is a store that answers nothing until it is given up.
type hanging struct{ *memory }

func (hanging) Counts(ctx context.Context) (store.Counts, error) {
	<-ctx.Done()
	return store.Counts{}, ctx.Err()
}

// TestEventsOfAStoreThatHangs: streams wait for it together, not one after the
// other, and the stop of the server waits for none.
func TestEventsOfAStoreThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, st := kept()
		s := serverOf(m, st, func(o *Options) { o.Store, o.Now = hanging{m}, time.Now })
		server, stop := context.WithCancel(t.Context())
		defer stop()
		var streams []*recorder
		var all sync.WaitGroup
		for range 8 {
			w := &recorder{ResponseRecorder: httptest.NewRecorder()}
			r := httptest.NewRequest(http.MethodGet, "/events", nil).WithContext(context.WithValue(t.Context(), stopping{}, server))
			r.Host = "localhost"
			streams = append(streams, w)
			all.Go(func() { s.ServeHTTP(w, r) })
		}
		time.Sleep(storeTimeout + time.Second) //nolint:forbidigo // the bubble's clock
		synctest.Wait()
		for i, w := range streams {
			if !strings.Contains(w.text(), ": still here") {
				t.Errorf("stream %d hears nothing", i)
			}
		}
		time.Sleep(eventEvery) //nolint:forbidigo // the bubble's clock
		begun := time.Now()
		stop()
		all.Wait()
		if waited := time.Since(begun); waited > 0 {
			t.Errorf("the stop waits %s for the store", waited)
		}
	})
}
