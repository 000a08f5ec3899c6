package fetcher

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

var defaults = bounds{interval: 15 * time.Minute, min: 5 * time.Minute, max: 24 * time.Hour}

const (
	day    = 24 * time.Hour
	season = 120 * day
	year   = 365 * day
)

func TestNextCheck(t *testing.T) {
	ago := func(d time.Duration) time.Time { return start.Add(-d) }
	for _, tt := range []struct {
		name  string
		every time.Duration
		st    State
		fresh time.Duration
		want  time.Duration
	}{
		{"nothing is known", 0, State{}, 0, 15 * time.Minute},
		{"the operator's word", 10 * time.Minute, State{}, 0, 10 * time.Minute},
		{"the operator's word against the server's", 10 * time.Minute, State{Pace: Pace{Wish: day}}, day, 10 * time.Minute},
		{"the operator's word below the least interval", time.Minute, State{}, 0, time.Minute},
		{"the operator's word beyond the longest", 48 * time.Hour, State{}, 0, 48 * time.Hour},

		{"an item an hour", 0, State{Rhythm: steady(time.Hour), LastItem: ago(time.Hour)}, 0, 12 * time.Minute},
		{"an item a week", 0, State{Rhythm: steady(7 * day), LastItem: ago(day)}, 0, 66 * time.Minute},
		{"an item a week, late by one more", 0, State{Rhythm: steady(7 * day), LastItem: ago(14 * day)}, 0, 66 * time.Minute},
		{"an item a week, late by many", 0, State{Rhythm: steady(7 * day), LastItem: ago(70 * day)}, 0, 138 * time.Minute},
		{"never below the least interval", 0, State{Rhythm: steady(time.Minute), LastItem: start}, 0, 5 * time.Minute},
		{"never beyond the longest", 0, State{Pace: Pace{Gap: 30 * day, Reach: year}, LastItem: ago(30 * day)}, 0, day},
		{"silent for the night", 0, State{Pace: Pace{Gap: 10 * time.Minute, Reach: 3 * time.Hour}, LastItem: ago(20 * time.Hour)}, 0, time.Hour},
		{"silent for years", 0, State{Pace: Pace{Gap: 10 * time.Minute, Reach: 3 * time.Hour}, LastItem: ago(3 * year)}, 0, day},
		{"without dates it is the change that counts", 0, State{LastChange: ago(40 * time.Hour)}, 0, 2 * time.Hour},

		{"max-age is waited for (RFC 9111 §4.2)", 0, State{}, time.Hour, time.Hour},
		{"max-age that is less changes nothing", 0, State{}, time.Minute, 15 * time.Minute},
		{"max-age beyond the longest", 0, State{}, 30 * day, day},
		{"ttl is waited for (RSS 2.0)", 0, State{Pace: Pace{Wish: 2 * time.Hour}}, 0, 2 * time.Hour},
		{"a wish beyond what the document holds", 0, State{Pace: Pace{Gap: 6 * time.Minute, Reach: 4 * time.Hour}, LastItem: start}, day, time.Hour},
		{"a short document and the least interval", 0, State{Pace: Pace{Gap: time.Minute, Reach: 4 * time.Minute}, LastItem: start}, day, 5 * time.Minute},

		{"in an hour that is to be skipped (RSS 2.0)", 0, State{Pace: Pace{SkipHours: 1<<12 | 1<<13}}, 0, 2 * time.Hour},
		{"on a day that is to be skipped", 0, State{Pace: Pace{SkipDays: 1 << time.Monday}}, 0, 12 * time.Hour},
		{"the hours of the next day too", 0, State{Pace: Pace{SkipDays: 1 << time.Monday, SkipHours: 1}}, 0, 13 * time.Hour},
		{"every day is to be skipped, so none is", 0, State{Pace: Pace{SkipDays: 0x7f}}, 0, 15 * time.Minute},
		{"every hour is to be skipped, so none is", 0, State{Pace: Pace{SkipHours: 1<<24 - 1}}, 0, 15 * time.Minute},
		{"two days would be beyond the longest interval", 0, State{Pace: Pace{SkipDays: 1<<time.Monday | 1<<time.Tuesday}}, 0, 15 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := nextCheck(start, tt.every, defaults, tt.st, tt.fresh, 0.5).Sub(start).Round(time.Minute)
			if got != tt.want {
				t.Errorf("next check after %s, want %s", got, tt.want)
			}
		})
	}
}

// steady is a rhythm of items at equal times, at all hours.
func steady(gap time.Duration) Rhythm {
	return Rhythm{From: start.Add(-60 * day), At: start, Items: 100, Hours: float32(100 * gap.Hours()), Longest: gap, Gaps: 99}
}

// TestJitter: feeds spread, and stay within the operator's bounds as they do.
func TestJitter(t *testing.T) {
	for _, st := range []State{
		{},
		{Pace: Pace{Gap: time.Second, Reach: time.Minute}, LastItem: start},
		{LastChange: start.Add(-year)},
	} {
		distinct := make(map[time.Time]bool)
		for range 100 {
			next := nextCheck(start, 0, defaults, st, 0, rand.Float64())
			if d := next.Sub(start); d < defaults.min || d > defaults.max {
				t.Fatalf("%s is out of bounds", d)
			}
			distinct[next] = true
		}
		if len(distinct) < 90 {
			t.Errorf("%+v: only %d of 100 differ", st.Pace, len(distinct))
		}
	}
	narrow := bounds{interval: time.Hour, min: time.Hour, max: time.Hour}
	for range 100 {
		if d := nextCheck(start, 0, narrow, State{}, 0, rand.Float64()).Sub(start); d != time.Hour {
			t.Fatalf("%s where only an hour is allowed", d)
		}
	}
}

func TestPaceOf(t *testing.T) {
	dated := func(ages ...time.Duration) (items []feed.Item) {
		for _, a := range ages {
			it := feed.Item{}
			if a >= 0 {
				it.Published = start.Add(-a)
			}
			items = append(items, it)
		}
		return items
	}
	every := func(n int, gap time.Duration) (ages []time.Duration) {
		for i := range n {
			ages = append(ages, time.Duration(i)*gap)
		}
		return ages
	}
	const undated = -1
	for _, tt := range []struct {
		name       string
		items      []feed.Item
		gap, reach time.Duration
	}{
		{"empty", nil, 0, 0},
		{"one item", dated(time.Hour), 0, 0},
		{"no dates", dated(undated, undated, undated), 0, 0},
		{"every hour", dated(every(20, time.Hour)...), time.Hour, 20 * time.Hour},
		{"in no order", dated(3*time.Hour, 0, 2*time.Hour, time.Hour), time.Hour, 4 * time.Hour},
		{"one of them is pinned for years", dated(append(every(19, time.Hour), 3*year)...), time.Hour, 20 * time.Hour},
		{"dates in the future do not count", append(dated(every(20, time.Hour)...), feed.Item{Published: start.Add(year)}), time.Hour, 20 * time.Hour},
		{"all at once tell nothing", dated(time.Hour, time.Hour, time.Hour), 0, 0},
		{"two items", dated(0, time.Hour), time.Hour, 2 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := paceOf(tt.items, document.Hints{}, start)
			if p.Gap != tt.gap || p.Reach != tt.reach {
				t.Errorf("gap %s, reach %s; want %s, %s", p.Gap, p.Reach, tt.gap, tt.reach)
			}
		})
	}
	p := paceOf(nil, document.Hints{
		TTL: time.Hour, UpdateEvery: 2 * time.Hour,
		SkipHours: []int{0, 23, 24, -1, 99}, SkipDays: []time.Weekday{time.Sunday, 9, -1},
	}, start)
	if want := (Pace{Wish: 2 * time.Hour, SkipHours: 1 | 1<<23, SkipDays: 1}); p != want {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

// TestSimulatedSeason runs feeds of different habits against a synthetic clock,
// and looks at what their readers get: how late a story is seen and whether any
// is missed; and at what the publisher pays: checks for each story.
func TestSimulatedSeason(t *testing.T) {
	weekday := func(t time.Time) bool { return t.Weekday() >= time.Monday && t.Weekday() <= time.Friday }
	for _, tt := range []struct {
		name string
		// gap draws the time to the next story.
		gap   func(now time.Time, r *rand.Rand) time.Duration
		holds int // items in the document
		fresh time.Duration
		// median and worst bound how late stories are seen; perDay bounds the
		// checks. missed is how many may scroll off unseen.
		median, worst time.Duration
		perDay        float64
		missed        int
	}{
		{"a news site", func(_ time.Time, r *rand.Rand) time.Duration {
			return time.Duration(r.ExpFloat64() * float64(20*time.Minute))
		}, 30, 0, 10 * time.Minute, 25 * time.Minute, 215, 0},
		{"a news site whose server says a day", func(_ time.Time, r *rand.Rand) time.Duration {
			return time.Duration(r.ExpFloat64() * float64(20*time.Minute))
		}, 30, day, 90 * time.Minute, 6 * time.Hour, 14, 0},
		{"a police site, a few a day in working hours", func(now time.Time, r *rand.Rand) time.Duration {
			d := time.Duration(r.ExpFloat64() * float64(3*time.Hour))
			for t := now.Add(d); !weekday(t) || t.Hour() < 9 || t.Hour() > 17; t = now.Add(d) {
				d += time.Hour
			}
			return d
		}, 10, 0, 15 * time.Minute, time.Hour, 60, 0},
		{"a blog, weekly", func(_ time.Time, r *rand.Rand) time.Duration {
			return time.Duration((0.5 + r.Float64()) * float64(7*day))
		}, 10, 0, time.Hour, 2 * time.Hour, 24, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var stories []time.Time
			for now := start.Add(-60 * day); now.Before(start.Add(season)); {
				now = now.Add(max(tt.gap(now, r), time.Second))
				stories = append(stories, now)
			}
			var st State
			var late []time.Duration
			checks, seen, missed := 0, 0, 0
			for now := start; now.Before(start.Add(season)); checks++ {
				n, _ := slices.BinarySearchFunc(stories, now, time.Time.Compare)
				if checks > 0 {
					for i := seen; i < n; i++ {
						if i < n-tt.holds {
							missed++
							continue
						}
						late = append(late, now.Sub(stories[i]))
					}
				}
				seen = n
				var items []feed.Item
				for i := max(0, n-tt.holds); i < n; i++ {
					items = append(items, feed.Item{Published: stories[i]})
				}
				st.Pace = paceOf(items, document.Hints{}, now)
				st.learnRhythm(items, now)
				now = nextCheck(now, 0, defaults, st, tt.fresh, r.Float64())
			}
			median, worst := quantile(late, 0.5), quantile(late, 1)
			perDay := float64(checks) * float64(day) / float64(season)
			t.Logf("%d stories, %.1f checks a day; seen after %s, at worst %s; %d missed", len(late), perDay, median.Round(time.Minute), worst.Round(time.Minute), missed)
			if median > tt.median || worst > tt.worst || perDay > tt.perDay || missed > tt.missed {
				t.Errorf("want at most %s, %s, %.1f, %d", tt.median, tt.worst, tt.perDay, tt.missed)
			}
		})
	}
}

func quantile(d []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func TestBackoff(t *testing.T) {
	for _, tt := range []struct {
		failures int
		every    time.Duration
		after    time.Duration
		least    time.Duration // without jitter
	}{
		{1, 0, 0, 5 * time.Minute},
		{2, 0, 0, 10 * time.Minute},
		{3, 0, 0, 20 * time.Minute},
		{8, 0, 0, 640 * time.Minute},
		{9, 0, 0, day * 4 / 5},
		{1000, 0, 0, day * 4 / 5},
		{1, time.Hour, 0, time.Hour},
		{3, time.Hour, 0, 4 * time.Hour},
		{1, time.Minute, 0, 5 * time.Minute},
		{1, 48 * time.Hour, 0, 48 * time.Hour * 4 / 5},
		{1, 0, time.Hour, time.Hour},
		{8, 0, time.Hour, 640 * time.Minute},
		{1, 0, year, day},
	} {
		for _, jitter := range []float64{0, 0.5, 0.999} {
			got := backoff(start, tt.failures, tt.every, defaults, tt.after, jitter).Sub(start)
			most := max(defaults.max, tt.every)
			if got < tt.least || got > min(most, tt.least*5/4) {
				t.Errorf("failure %d, every %s, Retry-After %s, jitter %v: %s, want %s and up to a quarter more", tt.failures, tt.every, tt.after, jitter, got, tt.least)
			}
		}
	}
}

func TestFreshness(t *testing.T) {
	in := func(d time.Duration) string { return start.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		name     string
		header   []string
		fresh    time.Duration
		storable bool
	}{
		{"nothing is said", nil, 0, true},
		{"max-age (RFC 9111 §5.2.2.1)", []string{"Cache-Control: max-age=600"}, 10 * time.Minute, true},
		{"max-age among others", []string{"Cache-Control: public, MAX-AGE=600 , must-revalidate"}, 10 * time.Minute, true},
		{"max-age in quotes (RFC 9111 §5.2)", []string{`Cache-Control: max-age="600"`}, 10 * time.Minute, true},
		{"the first of two (RFC 9111 §4.2.1)", []string{"Cache-Control: max-age=600, max-age=60"}, 10 * time.Minute, true},
		{"zero", []string{"Cache-Control: max-age=0"}, 0, true},
		{"negative", []string{"Cache-Control: max-age=-1"}, 0, true},
		{"words", []string{"Cache-Control: max-age=long"}, 0, true},
		{"beyond all numbers (RFC 9111 §1.2.2)", []string{"Cache-Control: max-age=99999999999999999999"}, maxDeltaSeconds * time.Second, true},
		{"s-maxage is for shared caches (RFC 9111 §5.2.2.10)", []string{"Cache-Control: s-maxage=600"}, 0, true},
		{"Age is taken off (RFC 9111 §4.2.3)", []string{"Cache-Control: max-age=600", "Age: 300"}, 5 * time.Minute, true},
		{"Age beyond max-age", []string{"Cache-Control: max-age=600", "Age: 900"}, 0, true},
		{"no-cache (RFC 9111 §5.2.2.4)", []string{"Cache-Control: no-cache, max-age=600"}, 0, true},
		{"no-store (RFC 9111 §5.2.2.5)", []string{"Cache-Control: no-store, max-age=600"}, 0, false},
		{"Expires (RFC 9111 §5.3)", []string{"Expires: " + in(time.Hour)}, time.Hour, true},
		{"Expires by the server's clock (RFC 9111 §4.2.1)", []string{"Expires: " + in(2*day+time.Hour), "Date: " + in(2*day)}, time.Hour, true},
		{"max-age wins over Expires (RFC 9111 §5.3)", []string{"Expires: " + in(time.Hour), "Cache-Control: max-age=60"}, time.Minute, true},
		{"Expires in the past", []string{"Expires: " + in(-time.Hour)}, 0, true},
		{"Expires: 0 (RFC 9111 §5.3)", []string{"Expires: 0"}, 0, false},
		{"Expires that is no date (RFC 9111 §5.3)", []string{"Expires: never"}, 0, true},
		{"Expires at the beginning of time, from a shared cache", []string{"Expires: Mon, 01 Jan 0001 00:00:00 GMT", "Age: 30"}, 0, true},
		{"Expires at the end of time", []string{"Expires: Fri, 31 Dec 9999 23:59:59 GMT"}, maxDeltaSeconds * time.Second, true},
		{"the old form of a date (RFC 9110 §5.6.7)", []string{"Expires: " + start.Add(time.Hour).Format(time.RFC850)}, time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := make(http.Header)
			for _, line := range tt.header {
				var name, value string
				fmt.Sscanf(line, "%s", &name)
				name, value = line[:len(name)-1], line[len(name)+1:]
				h.Add(name, value)
			}
			fresh, storable := freshness(h, start)
			if fresh != tt.fresh || storable != tt.storable {
				t.Errorf("fresh for %s, storable %v; want %s, %v", fresh, storable, tt.fresh, tt.storable)
			}
		})
	}
}
