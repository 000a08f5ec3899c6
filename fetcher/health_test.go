package fetcher

import (
	"fmt"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// polled is a feed's state under a row of polls.
type polled struct {
	st  State
	now time.Time
}

func (p *polled) good() {
	p.now = p.now.Add(time.Hour)
	p.st.Failures, p.st.LastPoll = 0, p.now
	p.st.judgeGood(p.now)
}

func (p *polled) bad(g Grade, wait time.Duration) {
	p.now = p.now.Add(wait)
	p.st.Failures++
	reason := map[Grade]Reason{Hard: ReasonNotFound, Soft: ReasonServer, Temporary: ReasonRateLimited}[g]
	p.st.judgeBad(&Error{Reason: reason}, 0, p.now)
}

// TestAFeedIsLostOnce: a feed is lost when its failures have lasted for as long as
// their kind asks, at the first poll that finds it so, and back after two good
// polls in a row.
func TestAFeedIsLostOnce(t *testing.T) {
	for _, tt := range []struct {
		grade Grade
		after time.Duration
	}{{Hard, 6 * time.Hour}, {Soft, 3 * day}, {Temporary, 7 * day}} {
		p := &polled{now: start}
		p.good()
		p.good()
		first := p.now.Add(time.Hour)
		var lost []time.Time
		for range 400 {
			was := p.st.Health.Lost
			p.bad(tt.grade, time.Hour)
			if !p.st.Health.Lost.Equal(was) {
				lost = append(lost, p.now)
			}
		}
		if len(lost) != 1 || lost[0].Sub(first) != tt.after {
			t.Errorf("%s: lost at %v, want once, %s after %v", tt.grade, lost, tt.after, first)
		}
		p.good()
		p.bad(tt.grade, time.Hour)
		p.good()
		if p.st.Health.Lost.IsZero() {
			t.Errorf("%s: back though it fails every other time", tt.grade)
		}
		p.good()
		if !p.st.Health.Lost.IsZero() || p.st.Health.Grade != Fine {
			t.Errorf("%s: not back: %+v", tt.grade, p.st.Health)
		}
	}
	// Two polls far apart are no proof.
	p := &polled{now: start}
	p.bad(Hard, 0)
	p.bad(Hard, 30*day)
	if !p.st.Health.Lost.IsZero() {
		t.Error("lost after two failures")
	}
	// 410 says all that there is to say.
	p = &polled{now: start, st: State{Retired: true}}
	p.bad(Hard, 0)
	if p.st.Health.Lost.IsZero() {
		t.Error("gone and not lost")
	}
}

// TestWhenEverythingFailsItIsUs: five hosts that are out of reach one after the
// other, and none in reach, mean that the network here is down. Feeds are not put
// off then, nor lost, and the first answer ends it.
func TestWhenEverythingFailsItIsUs(t *testing.T) {
	up := false
	c, clock := newClient(t, Options{Transport: unplugged{&up}})
	st := State{FeedID: "f"}
	host := func(i int) feed.Feed { return feed.Feed{ID: "f", URL: fmt.Sprintf("http://host-%d.example/", i)} }
	for i := range 200 {
		res, err := c.Fetch(t.Context(), host(i%10), State{FeedID: "f"}, nil)
		want := ReasonConnect
		if i >= outageHosts-1 {
			want = ReasonOffline
		}
		if res.State.Reason != want {
			t.Fatalf("poll %d: %s (%v), want %s", i, res.State.Reason, err, want)
		}
	}
	for range 500 {
		res, _ := c.Fetch(t.Context(), host(0), st, nil)
		st = res.State
		if d := st.NextCheck.Sub(clock.Now()); d > 2*defaults.min {
			t.Fatalf("put off for %s", d)
		}
		clock.advance(time.Hour)
	}
	if _, off := c.Offline(); !off || !st.Health.Lost.IsZero() || st.Health.Grade != Temporary {
		t.Errorf("offline %v, %+v", off, st.Health)
	}
	up = true
	if _, err := c.Fetch(t.Context(), host(3), st, nil); err == nil {
		t.Error("an empty answer is a feed")
	}
	if _, off := c.Offline(); off {
		t.Error("still offline after an answer")
	}
}

// unplugged is a network that is down until it is up.
type unplugged struct{ up *bool }

func (u unplugged) RoundTrip(r *http.Request) (*http.Response, error) {
	if !*u.up {
		return nil, &net.OpError{Op: "dial", Err: syscall.ENETUNREACH}
	}
	return &http.Response{StatusCode: http.StatusInternalServerError, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

func TestScore(t *testing.T) {
	p := &polled{now: start}
	p.good()
	if p.st.Health.Score != 100 {
		t.Errorf("a first good poll scores %d", p.st.Health.Score)
	}
	for i, want := range []int{90, 81, 73} {
		if p.bad(Soft, time.Hour); p.st.Health.Score != want {
			t.Errorf("after %d failures %d, want %d", i+1, p.st.Health.Score, want)
		}
	}
	for range 100 {
		p.bad(Soft, time.Hour)
	}
	if p.st.Health.Score != 0 {
		t.Errorf("never good, and scores %d", p.st.Health.Score)
	}
	for range 100 {
		p.good()
	}
	if p.st.Health.Score != 100 {
		t.Errorf("always good, and scores %d", p.st.Health.Score)
	}
}

func TestClass(t *testing.T) {
	for _, tt := range []struct {
		err   *Error
		after time.Duration
		want  Grade
	}{
		{explainStatus("h", http.StatusGone), 0, Hard},
		{explainStatus("h", http.StatusNotFound), 0, Hard},
		{explainStatus("h", http.StatusTooManyRequests), 0, Temporary},
		{explainStatus("h", http.StatusServiceUnavailable), time.Minute, Temporary},
		{explainStatus("h", http.StatusServiceUnavailable), 0, Soft},
		{explainStatus("h", http.StatusForbidden), 0, Soft},
		{failf(ReasonNoHost, nil, "x"), 0, Hard},
		{failf(ReasonDNS, nil, "x"), 0, Soft},
		{failf(ReasonNotAFeed, nil, "x"), 0, Hard},
		{failf(ReasonParse, nil, "x"), 0, Soft},
		{failf(ReasonOffline, nil, "x"), 0, Temporary},
	} {
		if got := tt.err.class(tt.after); got != tt.want {
			t.Errorf("%v is %s, want %s", tt.err, got, tt.want)
		}
	}
}

// TestSilence: a silence is judged by the feed's own gaps.
func TestSilence(t *testing.T) {
	watched := func(gap time.Duration, n int) State {
		var st State
		st.learnRhythm([]feed.Item{{Published: start.Add(-2 * gap)}, {Published: start.Add(-gap)}}, start)
		st.live(start, gap, time.Duration(n)*gap)
		return st
	}
	for _, tt := range []struct {
		name        string
		gap         time.Duration
		n           int
		quiet, loud time.Duration // explained, and not explained
	}{
		{"every hour for a month", time.Hour, 720, 17 * time.Hour, 19 * time.Hour},
		{"every hour, seen for a day", time.Hour, 24, 3 * day, 5 * day},
		{"daily", day, 60, 2 * day, 4 * day},
		{"weekly", 7 * day, 20, 20 * day, 28 * day},
		{"once a year", year, 5, 2 * year, 4 * year},
		{"three items", day, 1, 300 * day, 0},
	} {
		st := watched(tt.gap, tt.n)
		if q, _ := st.Silence(st.LastItem.Add(tt.quiet)); q != 0 {
			t.Errorf("%s: %s is called silence; patience %s", tt.name, tt.quiet, st.Rhythm.patience())
		}
		if q, _ := st.Silence(st.LastItem.Add(tt.loud)); tt.loud > 0 && q == 0 {
			t.Errorf("%s: %s is not called silence; patience %s", tt.name, tt.loud, st.Rhythm.patience())
		}
	}
}

// TestUsualIsNotTheSilence: what a feed usually does is told beside its silence, and
// must not have become one with it.
func TestUsualIsNotTheSilence(t *testing.T) {
	var items []feed.Item
	for i := range 30 {
		items = append(items, feed.Item{Published: start.Add(time.Duration(i) * day)})
	}
	var st State
	now := start.Add(30 * day).Add(95 * day)
	st.learnRhythm(items, now)
	if quiet, usual := st.Silence(now); quiet < 95*day || usual < day/2 || usual > 2*day {
		t.Errorf("silent for %s, usually every %s; want some 96 days, and a day", quiet, usual)
	}
}
