package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/feed"
)

// queued is a feed in the queue of a crew.
type queued struct {
	feed.Feed
	state State
	// begun is when its poll that was none to be put off began, and offs how often it
	// was put off before.
	begun time.Time
	offs  int
	done  bool
}

// crowd is what a daemon is around a Client: a queue of feeds by when they are due,
// and hands that poll them.
type crowd struct {
	c     *Client
	hands int
	mu    sync.Mutex
	feeds []*queued
}

func (q *crowd) add(id, url string, due time.Time) *queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	f := &queued{Feed: feed.Feed{ID: id, URL: url}, state: State{FeedID: id, NextCheck: due}}
	q.feeds = append(q.feeds, f)
	return f
}

// claim takes the one that is due the longest.
func (q *crowd) claim() *queued {
	q.mu.Lock()
	defer q.mu.Unlock()
	var first *queued
	for _, f := range q.feeds {
		if !f.done && !f.state.NextCheck.After(time.Now()) && (first == nil || f.state.NextCheck.Before(first.state.NextCheck)) {
			first = f
		}
	}
	if first != nil {
		first.done = true // in hand
	}
	return first
}

// work polls until every feed was read once, or the time is over.
func (q *crowd) work(t *testing.T, most time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), most)
	defer cancel()
	var wg sync.WaitGroup
	for range q.hands {
		wg.Go(func() {
			for ctx.Err() == nil {
				f := q.claim()
				if f == nil {
					<-time.After(time.Second) // as a crew does
					continue
				}
				began := time.Now()
				res, err := q.c.Fetch(ctx, f.Feed, f.state, nil)
				if ctx.Err() != nil {
					return
				}
				q.mu.Lock()
				f.state = res.State
				switch res.Outcome {
				case PutOff:
					f.done = false
					f.offs++
				case Fetched, NotModified, Failed:
					f.begun = began
				}
				if res.Outcome == Fetched && err != nil {
					t.Errorf("%s: %v", f.ID, err)
				}
				q.mu.Unlock()
			}
		})
	}
	for left := 1; left > 0 && ctx.Err() == nil; {
		<-time.After(time.Second)
		q.mu.Lock()
		left = 0
		for _, f := range q.feeds {
			if f.begun.IsZero() {
				left++
			}
		}
		q.mu.Unlock()
	}
	if ctx.Err() != nil {
		t.Errorf("not all feeds were read in %s", most)
	}
	cancel()
	wg.Wait()
}

// hosts answers after the time that each host takes, and counts its requests.
type hosts struct {
	mu    sync.Mutex
	takes func(r *http.Request) time.Duration
	says  func(resp *http.Response)
	asked map[string]int
	now   map[string]int
	most  map[string]int
}

func (h *hosts) RoundTrip(r *http.Request) (*http.Response, error) {
	name := r.URL.Hostname()
	h.mu.Lock()
	if h.asked == nil {
		h.asked, h.now, h.most = map[string]int{}, map[string]int{}, map[string]int{}
	}
	h.asked[name]++
	h.now[name]++
	h.most[name] = max(h.most[name], h.now[name])
	takes := h.takes(r)
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.now[name]--
		h.mu.Unlock()
	}()
	select {
	case <-time.After(takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	resp := &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/rss+xml"}},
		Body: io.NopCloser(strings.NewReader(rss("a"))), Request: r,
	}
	if h.says != nil {
		h.says(resp)
	}
	return resp, nil
}

func newCrowd(t *testing.T, h *hosts, opt Options) *crowd {
	opt.Transport, opt.Now, opt.PutOff = h, time.Now, true
	c, _ := newClient(t, opt)
	return &crowd{c: c, hands: c.opt.Concurrency}
}

// TestOneHostDoesNotTakeAllHands: however many feeds of one host are due before those
// of others, the others are read at once, and all of the one host in the time that
// its turns take, in the order in which they came.
func TestOneHostDoesNotTakeAllHands(t *testing.T) {
	for _, tc := range []struct {
		name    string
		host    string
		feeds   int
		takes   time.Duration
		spacing time.Duration
		others  time.Duration // the latest that another is begun
		all     time.Duration // until all of the host are read
	}{
		{"a host that answers in a second", "127.0.0.2", 300, time.Second, 0, time.Second, 190 * time.Second},
		{"a fast host that is asked four times a second", "busy.example", 1000, 50 * time.Millisecond, 250 * time.Millisecond, time.Second, 300 * time.Second},
		{"a bridge on this machine", "127.0.0.1", 1000, 10 * time.Millisecond, 250 * time.Millisecond, time.Second, 20 * time.Second},
		{"a host that hangs", "slow.example", 100, 29 * time.Second, 250 * time.Millisecond, 6 * time.Second, 40 * time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &hosts{takes: func(r *http.Request) time.Duration {
					if r.URL.Hostname() == tc.host {
						return tc.takes
					}
					return 10 * time.Millisecond
				}}
				q := newCrowd(t, h, Options{HostSpacing: tc.spacing})
				began := time.Now()
				var busy, others []*queued
				for i := range tc.feeds {
					busy = append(busy, q.add(fmt.Sprintf("a%04d", i), fmt.Sprintf("http://%s/%d", tc.host, i), began.Add(time.Duration(i-2*tc.feeds)*time.Millisecond)))
				}
				for i := range 10 {
					others = append(others, q.add(fmt.Sprintf("z%d", i), fmt.Sprintf("http://z%d.example/", i), began))
				}
				q.work(t, tc.all)
				for _, f := range others {
					if waited := f.begun.Sub(began); waited > tc.others || f.offs > 0 {
						t.Errorf("%s was begun after %s and put off %d times", f.ID, waited, f.offs)
					}
				}
				if h.asked[tc.host] != tc.feeds || h.most[tc.host] > 2 {
					t.Errorf("the host had %d requests for %d feeds, %d at a time", h.asked[tc.host], tc.feeds, h.most[tc.host])
				}
				offs, most := 0, 0
				for _, f := range busy {
					offs, most = offs+f.offs, max(most, f.offs)
				}
				last := slices.MaxFunc(busy, func(a, b *queued) int { return a.begun.Compare(b.begun) })
				t.Logf("%d feeds in %s, put off %d times, one of them %d times; the last was %s", tc.feeds, last.begun.Sub(began), offs, most, last.ID)
				if offs > 4*tc.feeds || most > 12 {
					t.Errorf("put off %d times, one of them %d times", offs, most)
				}
				if n := q.c.Waiting(time.Now()); n != 0 {
					t.Errorf("%d feeds are still in line", n)
				}
			})
		})
	}
}

// TestNobodyIsPutOffForEver: at a host that has twice as many feeds as it has turns,
// those that have been due the longest go first all the same.
func TestNobodyIsPutOffForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hosts{takes: func(r *http.Request) time.Duration { return time.Duration(len(r.URL.Path)%3) * 150 * time.Millisecond }}
		q := newCrowd(t, h, Options{HostSpacing: 250 * time.Millisecond, Concurrency: 16})
		began := time.Now()
		const feeds = 400 // due eight a second, asked four a second
		for i := range feeds {
			q.add(fmt.Sprint(i), fmt.Sprintf("http://busy.example/%d", i), began.Add(time.Duration(i)*time.Second/8))
		}
		q.work(t, 3*time.Minute)
		for i, f := range q.feeds {
			// The ith is begun when those before it were, give or take.
			if fair := began.Add(time.Duration(i) * time.Second / 4); f.begun.Sub(fair) > 20*time.Second {
				t.Errorf("feed %d was begun after %s; its turn was after %s", i, f.begun.Sub(began), fair.Sub(began))
			}
		}
	})
}

// TestAHostIsHeld: a host that says when it wants to be asked again is not asked
// before, for whichever of its feeds; then they come one after the other. Others are
// asked as ever.
func TestAHostIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := 0
		h := &hosts{takes: func(*http.Request) time.Duration { return 10 * time.Millisecond }}
		h.says = func(resp *http.Response) {
			if resp.Request.URL.Hostname() == "busy.example" && refused == 0 {
				refused++
				resp.StatusCode, resp.Header = http.StatusTooManyRequests, http.Header{"Retry-After": {"600"}}
			}
		}
		q := newCrowd(t, h, Options{HostSpacing: 250 * time.Millisecond})
		began := time.Now()
		for i := range 100 {
			q.add(fmt.Sprintf("a%02d", i), fmt.Sprintf("http://busy.example/%d", i), began)
		}
		other := q.add("z", "http://quiet.example/", began)
		q.work(t, 15*time.Minute)
		if other.begun.Sub(began) > time.Second {
			t.Errorf("the other host was asked after %s", other.begun.Sub(began))
		}
		if h.asked["busy.example"] != 100 {
			t.Errorf("%d requests for 100 feeds", h.asked["busy.example"])
		}
		early, late := 0, 0
		for _, f := range q.feeds[:100] {
			switch after := f.begun.Sub(began); {
			case after < 10*time.Minute:
				early++
			case after > 10*time.Minute+60*time.Second+35*time.Second: // the jitter, and their turns
				late++
			}
			if f.state.Failures > 0 && f.state.Reason != ReasonRateLimited || f.offs > 4 {
				t.Errorf("%s failed (%s), and was put off %d times", f.ID, f.state.LastError, f.offs)
			}
		}
		if early > 2 || late > 0 {
			t.Errorf("%d were asked before the time, %d long after it", early, late)
		}
	})
}

// TestPuttingOffChangesNothing: a feed that is put off has the state that it had but
// for when it is tried again.
func TestPuttingOffChangesNothing(t *testing.T) {
	s := newSite(t, "127.0.0.1", sends(rss("a"), "ETag: \"1\""))
	c, clk := newClient(t, Options{})
	known := check(t, c, feedAt(s.URL+"/a"), State{}, Fetched, "").State
	known.Failures, known.LastError, known.Reason = 2, "as it was", ReasonServer
	s.serve(answers(http.StatusServiceUnavailable, "Retry-After: 120"))
	check(t, c, feedAt(s.URL+"/b"), State{}, Failed, ReasonServer)
	s.taken()

	clk.advance(time.Hour)
	res, err := c.Fetch(t.Context(), feedAt(s.URL+"/a"), known, nil)
	if fe, ok := errors.AsType[*Error](err); res.Outcome != PutOff || !ok || fe.Reason != ReasonHeld {
		t.Fatalf("%s with %v", res.Outcome, err)
	}
	if off := res.State.NextCheck.Sub(clk.Now()); off < 119*time.Second || off > 133*time.Second {
		t.Errorf("put off for %s", off)
	}
	want := known
	want.PutOff, want.NextCheck = known.NextCheck, res.State.NextCheck
	if d := cmp.Diff(want, res.State); d != "" {
		t.Error(d)
	}
	again, err := c.Fetch(t.Context(), feedAt(s.URL+"/a"), res.State, nil)
	if err == nil || !again.State.PutOff.Equal(known.NextCheck) {
		t.Errorf("put off again, it is due since %s, not %s", again.State.PutOff, known.NextCheck)
	}
	if got := s.taken(); len(got) > 0 {
		t.Errorf("the host was asked %d times", len(got))
	}
	if n := c.Waiting(clk.Now()); n != 1 {
		t.Errorf("%d feeds wait", n)
	}
	if n := c.Waiting(known.NextCheck); n != 0 {
		t.Errorf("%d feeds wait since before they were due", n)
	}
	other := newSite(t, "127.0.0.2", sends(rss("a")))
	check(t, c, feedAt(other.URL), State{}, Fetched, "")
	other.serve(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, s.URL, http.StatusFound) })
	if res, _ := c.Fetch(t.Context(), feedAt(other.URL), State{}, nil); res.Outcome != PutOff {
		t.Errorf("a feed that is redirected there: %s", res.Outcome)
	}
}

// TestArticlesOfAHeldHost: neither a page nor robots.txt is asked for, and neither is
// held to be missing when the host may be asked again.
func TestArticlesOfAHeldHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hosts{takes: func(*http.Request) time.Duration { return 0 }}
		limit := true
		h.says = func(resp *http.Response) {
			switch {
			case limit:
				limit = false
				resp.StatusCode, resp.Header = http.StatusTooManyRequests, http.Header{"Retry-After": {"120"}}
			case resp.Request.URL.Path == "/robots.txt":
				resp.StatusCode = http.StatusNotFound
			default:
				resp.Header = http.Header{"Content-Type": {"text/html"}}
				resp.Body = io.NopCloser(strings.NewReader("<html><title>A story</title><article><p>" + strings.Repeat("Words of a story, and more of them. ", 40) + "</p></article></html>"))
			}
		}
		c, _ := newClient(t, Options{Transport: h, Now: time.Now})
		if _, err := c.Fetch(t.Context(), feedAt("http://busy.example/feed"), State{}, nil); err == nil {
			t.Fatal("not refused")
		}
		for range 2 {
			var fe *Error
			if _, err := c.Article(t.Context(), "http://busy.example/story"); !errors.As(err, &fe) || fe.Reason != ReasonHeld {
				t.Errorf("an article: %v", err)
			}
			if _, err := c.Absent(t.Context(), "http://busy.example/gone"); !errors.As(err, &fe) || fe.Reason != ReasonHeld {
				t.Errorf("a page that may be gone: %v", err)
			}
			if err := c.Subscribe(t.Context(), "http://busy.example/hub", nil); !errors.Is(err, ErrNoTurn) {
				t.Errorf("a hub: %v", err)
			}
		}
		if h.asked["busy.example"] != 1 {
			t.Errorf("the host was asked %d times", h.asked["busy.example"])
		}
		<-time.After(3 * time.Minute)
		if a, err := c.Article(t.Context(), "http://busy.example/story"); err != nil || a.Text == "" {
			t.Errorf("after it: %v", err)
		}
	})
}

// TestWhoQueuesIsNotAsked: a host may come to be held while others wait for it.
func TestWhoQueuesIsNotAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile(8, 1, 0)
		leave, err := ts.enter(t.Context(), "a.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 4 {
			var v *visitor
			if i%2 == 0 {
				v = &visitor{feed: fmt.Sprint(i), due: time.Now(), patient: i == 0}
			}
			wg.Go(func() {
				var d *delay
				if _, err := ts.enter(t.Context(), "a.example", v); !errors.As(err, &d) || d.reason != ReasonHeld || d.wait < time.Minute {
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		ts.hold("a.example", time.Minute)
		leave()
		wg.Wait()
		<-time.After(3 * time.Minute)
		ts.mu.Lock()
		defer ts.mu.Unlock()
		if len(ts.hosts) != 0 {
			t.Errorf("%d hosts are still known", len(ts.hosts))
		}
	})
}

// TestHoldFor: what an answer means for its whole host.
func TestHoldFor(t *testing.T) {
	for _, tc := range []struct {
		name   string // and where it is said
		status int
		header []string
		want   time.Duration
	}{
		{"too many requests (RFC 6585 §4)", 429, []string{"Retry-After: 120"}, 2 * time.Minute},
		{"too many requests, until a date (RFC 9110 §10.2.3)", 429, []string{"Retry-After: " + start.Add(5*time.Minute).Format(http.TimeFormat)}, 5 * time.Minute},
		{"too many requests, and no word of until when (RFC 6585 §4: it MAY be there)", 429, nil, time.Minute},
		{"too many requests, until a date that is past", 429, []string{"Retry-After: " + start.Add(-time.Hour).Format(http.TimeFormat)}, time.Minute},
		{"too many requests, and nonsense", 429, []string{"Retry-After: soon"}, time.Minute},
		{"too many requests: a neighbour is not silenced for a day", 429, []string{"Retry-After: 86400"}, 15 * time.Minute},
		{"too many requests: nor for 68 years", 429, []string{"Retry-After: 99999999999999999999"}, 15 * time.Minute},
		{"unavailable, and says until when (RFC 9110 §15.6.4)", 503, []string{"Retry-After: 60"}, time.Minute},
		{"unavailable, for a day", 503, []string{"Retry-After: 86400"}, 15 * time.Minute},
		{"unavailable: of this address as far as is known (RFC 9110 §15.6.4)", 503, nil, 0},
		{"moved, and not yet there (RFC 9110 §10.2.3 allows it with 3xx)", 301, []string{"Retry-After: 60"}, 0},
		{"too large a request, for now (RFC 9110 §15.5.14)", 413, []string{"Retry-After: 60"}, 0},
		{"another failure of the server", 500, []string{"Retry-After: 60"}, 0},
		{"all is well", 200, []string{"Retry-After: 60"}, 0},
	} {
		h := http.Header{}
		for _, line := range tc.header {
			name, value, _ := strings.Cut(line, ": ")
			h.Set(name, value)
		}
		if got := holdFor(tc.status, h, start); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}
