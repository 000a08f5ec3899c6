package fetcher

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

// habit is a kind of publisher.
type habit struct {
	name  string
	share int // of a hundred feeds
	// perDay is how many items a day its feeds publish, from and to.
	least, most float64
	// weight is the share of the day's items that falls on an hour, and of the
	// week's that falls on a day, both relative to the others.
	weight  func(t time.Time) float64
	burst   float64 // the chance that an item is followed by another within minutes
	undated bool
	dead    bool
}

func always(time.Time) float64 { return 1 }

// office is a press office: weekdays, nine to six, in India.
func office(t time.Time) float64 {
	t = t.Add(330 * time.Minute)
	if t.Weekday() == time.Saturday || t.Weekday() == time.Sunday || t.Hour() < 9 || t.Hour() >= 18 {
		return 0.02
	}
	return 1
}

// newsroom is a newspaper: all days, the morning and the evening most.
func newsroom(t time.Time) float64 {
	h := float64(t.Add(330*time.Minute).Hour()) + float64(t.Minute())/60
	w := 0.08 + math.Exp(-(h-10)*(h-10)/18) + 0.8*math.Exp(-(h-18)*(h-18)/12)
	if t.Weekday() == time.Sunday {
		w *= 0.6
	}
	return w
}

// habits are what a list of a thousand feeds of newspapers, police and agencies
// looks like: most publish a few items a day, or a week.
var habits = []habit{
	{name: "a wire, round the clock", share: 4, least: 60, most: 200, weight: always, burst: 0.3},
	{name: "a newspaper", share: 22, least: 8, most: 60, weight: newsroom, burst: 0.2},
	{name: "a press office, weekdays", share: 24, least: 0.5, most: 6, weight: office, burst: 0.3},
	{name: "comes in bursts", share: 10, least: 1, most: 5, weight: newsroom, burst: 0.85},
	{name: "slow", share: 20, least: 0.03, most: 0.4, weight: office},
	{name: "without dates", share: 10, least: 1, most: 12, weight: newsroom, burst: 0.2, undated: true},
	{name: "dead for a year", share: 10, dead: true},
}

// publish makes up when a feed of this habit publishes between two times.
func (h habit) publish(r *rand.Rand, from, to time.Time) []time.Time {
	if h.dead {
		return nil
	}
	perDay := h.least * math.Pow(h.most/h.least, r.Float64())
	// A burst of mean length 1/(1-b) counts as so many items.
	seeds := perDay * (1 - h.burst)
	mean := 0.0
	for i := range 7 * 24 {
		mean += h.weight(from.Add(time.Duration(i)*time.Hour)) / (7 * 24)
	}
	var out []time.Time
	const step = 10 * time.Minute
	for t := from; t.Before(to); t = t.Add(step) {
		if r.Float64() >= seeds*h.weight(t)/mean*step.Hours()/24 {
			continue
		}
		at := t.Add(time.Duration(r.Float64() * float64(step)))
		out = append(out, at)
		for r.Float64() < h.burst {
			at = at.Add(time.Duration(r.ExpFloat64() * float64(8*time.Minute)))
			out = append(out, at)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return slices.DeleteFunc(out, func(t time.Time) bool { return !t.Before(to) })
}

// month is what a month of watching came to.
type month struct {
	requests int
	late     []time.Duration // from publication to discovery
	missed   int
}

const listed = 20 // items in a document

// watch polls a feed for a month. read is told what is new, and next says when to
// look again.
func (m *month) watch(items []time.Time, undated bool, from, to time.Time, read func(*State, []feed.Item, time.Time), next func(*State, time.Time) time.Time) {
	st, doc := State{}, make([]feed.Item, listed)
	seen, _ := slices.BinarySearchFunc(items, from, time.Time.Compare)
	first := true
	for now := from; now.Before(to); {
		m.requests++
		n, _ := slices.BinarySearchFunc(items, now, time.Time.Compare)
		if first || n > seen {
			for i := seen; i < n; i++ {
				if i < n-listed {
					m.missed++
					continue
				}
				m.late = append(m.late, now.Sub(items[i]))
			}
			seen = n
			doc = doc[:min(n, listed)]
			for i := range doc {
				if !undated {
					doc[i].Published = items[n-len(doc)+i]
				}
			}
			read(&st, doc, now)
			first = false
		}
		now = next(&st, now)
	}
}

// simulate watches feeds of every habit for a month, as newswatch does and every
// quarter of an hour.
func simulate(feeds int) (adaptive, fixed map[string]*month) {
	const days = 30
	adaptive, fixed = map[string]*month{}, map[string]*month{}
	from := start
	to := from.Add(days * day)
	total := [2]*month{{}, {}}
	adaptive[""], fixed[""] = total[0], total[1]
	for k, h := range habits {
		a, f := &month{}, &month{}
		for i := range feeds * h.share / 100 {
			r := rand.New(rand.NewPCG(uint64(k), uint64(i)))
			items := h.publish(r, from.Add(-40*day), to)
			if h.dead {
				items = h.old(r, from)
			}
			first := from.Add(time.Duration(r.Float64() * float64(15*time.Minute)))
			a.watch(items, h.undated, first, to, func(st *State, doc []feed.Item, now time.Time) {
				st.Pace = paceOf(doc, document.Hints{}, now)
				st.learnRhythm(doc, now)
				st.LastChange = now
			}, func(st *State, now time.Time) time.Time {
				return nextCheck(now, 0, defaults, *st, 0, r.Float64())
			})
			f.watch(items, h.undated, first, to, func(*State, []feed.Item, time.Time) {}, func(_ *State, now time.Time) time.Time { return now.Add(15 * time.Minute) })
		}
		adaptive[h.name], fixed[h.name] = a, f
		for i, m := range []*month{a, f} {
			total[i].requests += m.requests
			total[i].missed += m.missed
			total[i].late = append(total[i].late, m.late...)
		}
	}
	return adaptive, fixed
}

// old is what a dead feed still lists.
func (h habit) old(r *rand.Rand, now time.Time) (out []time.Time) {
	for i := range listed {
		out = append(out, now.Add(-year-time.Duration(listed-i)*time.Duration(r.Float64()*float64(3*day))))
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// table sets both side by side.
func table(feeds int, adaptive, fixed map[string]*month) string {
	var b strings.Builder
	row := func(name string, n int, a, f *month) {
		fmt.Fprintf(&b, "| %s | %d | %.1f / %.1f |", name, n, perFeedDay(a, n), perFeedDay(f, n))
		for _, q := range []float64{0.5, 0.95} {
			if len(a.late) == 0 {
				b.WriteString(" |")
				continue
			}
			fmt.Fprintf(&b, " %.1f / %.1f |", quantile(a.late, q).Minutes(), quantile(f.late, q).Minutes())
		}
		b.WriteString("\n")
	}
	for _, h := range habits {
		row(h.name, feeds*h.share/100, adaptive[h.name], fixed[h.name])
	}
	row("all", feeds, adaptive[""], fixed[""])
	return b.String()
}

func perFeedDay(m *month, feeds int) float64 { return float64(m.requests) / float64(feeds) / 30 }

// TestMonth watches a month of feeds of every habit: newswatch must hear of news
// sooner than who asks every fifteen minutes, and ask less.
func TestMonth(t *testing.T) {
	const feeds = 200 // BenchmarkMonth has a thousand
	a, f := simulate(feeds)
	t.Log("\n" + table(feeds, a, f))
	all, every := a[""], f[""]
	if got, most := all.requests, every.requests*7/10; got > most {
		t.Errorf("%d requests, want at most %d", got, most)
	}
	if got, most := quantile(all.late, 0.5), quantile(every.late, 0.5); got >= most {
		t.Errorf("the median item is seen after %s, want less than %s", got, most)
	}
	if all.missed > every.missed {
		t.Errorf("%d items came and went unseen, %d with fixed intervals", all.missed, every.missed)
	}
}

func BenchmarkMonth(b *testing.B) {
	const feeds = 1000
	for b.Loop() {
		a, f := simulate(feeds)
		all, every := a[""], f[""]
		b.ReportMetric(perFeedDay(all, feeds), "requests/feed/day")
		b.ReportMetric(perFeedDay(every, feeds), "fixed-requests/feed/day")
		b.ReportMetric(quantile(all.late, 0.5).Minutes(), "median-min")
		b.ReportMetric(quantile(every.late, 0.5).Minutes(), "fixed-median-min")
		b.ReportMetric(quantile(all.late, 0.95).Minutes(), "p95-min")
		b.ReportMetric(quantile(every.late, 0.95).Minutes(), "fixed-p95-min")
		b.Logf("\n%s", table(feeds, a, f))
	}
}
