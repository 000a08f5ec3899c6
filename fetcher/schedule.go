package fetcher

import (
	"slices"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher/document"
)

// Pace is what a document tells of when to look at its feed again.
type Pace struct {
	// Gap is the usual time between two items, and Reach how far back the
	// document goes at that rate: who looks again later than that may miss items.
	// Both are zero when the dates do not tell.
	Gap   time.Duration `json:"gap,omitempty"`
	Reach time.Duration `json:"reach,omitempty"`
	// Wish is the longer of <ttl> and the period of sy:update*.
	Wish time.Duration `json:"wish,omitempty"`
	// SkipHours has a bit for each hour in GMT, SkipDays one for each day of the
	// week from Sunday, in which the publisher asks not to be read.
	SkipHours uint32 `json:"skip_hours,omitempty"`
	SkipDays  uint8  `json:"skip_days,omitempty"`
}

// bounds are the operator's.
type bounds struct {
	interval, min, max time.Duration
}

// paceOf reads a document's pace at now.
func paceOf(items []feed.Item, hints document.Hints, now time.Time) Pace {
	p := Pace{Wish: max(hints.TTL, hints.UpdateEvery)}
	for _, h := range hints.SkipHours {
		if h >= 0 && h < 24 {
			p.SkipHours |= 1 << h
		}
	}
	for _, d := range hints.SkipDays {
		if d >= time.Sunday && d <= time.Saturday {
			p.SkipDays |= 1 << d
		}
	}
	var dates []time.Time
	for _, it := range items {
		if t := it.Time(); !t.IsZero() && !t.After(now) {
			dates = append(dates, t)
		}
	}
	if len(dates) < 2 {
		return p
	}
	// The oldest quarter is left out: an item that is pinned for years would
	// make a busy feed look slow.
	slices.SortFunc(dates, func(a, b time.Time) int { return b.Compare(a) })
	last := max(1, (len(dates)-1)*3/4)
	p.Gap = dates[0].Sub(dates[last]) / time.Duration(last)
	p.Reach = p.Gap * time.Duration(len(dates))
	return p
}

// nextCheck says when a feed that was read, or found unchanged, at now is
// looked at again. fresh is how long the answer is fresh (RFC 9111 §4.2), and
// jitter is from [0,1).
//
// A fixed time that the operator set is kept to. Otherwise it is when the feed's
// own rhythm makes a look worth it, see Rhythm.wait; for a feed whose rhythm is
// not known, the operator's interval, or a twentieth of the time for which
// nothing has changed; and not before the publisher wants it, by HTTP or in the
// document. But what the publisher wants is not waited for beyond a quarter of
// what the document reaches back, or items would come and go unseen in a burst.
// The operator's bounds hold over everything.
func nextCheck(now time.Time, every time.Duration, b bounds, st State, fresh time.Duration, jitter float64) time.Time {
	if every > 0 {
		return now.Add(spread(every, jitter))
	}
	d := b.interval
	if last := st.newest(); !last.IsZero() {
		d = max(d, now.Sub(last)/20)
	}
	if st.Rhythm.knows() {
		wait := st.Rhythm.wait(now, st.newest(), b.max)
		if st.Rhythm.Gaps < leastGaps {
			wait = min(wait, d) // too little is known to be slower for it
		}
		d = wait
	}
	if wish := max(fresh, st.Pace.Wish); wish > d {
		d = wish
		if st.Pace.Reach > 0 {
			d = min(d, st.Pace.Reach/4)
		}
	}
	d = min(max(d, b.min), b.max)
	// What the jitter takes beyond a bound is mirrored there: cut off, all fast
	// feeds would fall into step.
	switch s := spread(d, jitter); {
	case s < b.min:
		d = min(2*b.min-s, b.max)
	case s > b.max:
		d = max(2*b.max-s, b.min)
	default:
		d = s
	}
	return skip(now.Add(d), st.Pace, now.Add(b.max))
}

// spread moves d by up to a twentieth either way.
func spread(d time.Duration, jitter float64) time.Duration {
	return d + time.Duration((jitter-0.5)/10*float64(d))
}

// skip moves t out of the hours and days in which the publisher asks not to be
// read, but not beyond latest.
func skip(t time.Time, p Pace, latest time.Time) time.Time {
	for out := t.UTC(); out.Before(latest); {
		switch {
		case p.SkipDays&(1<<out.Weekday()) != 0:
			out = out.Truncate(24 * time.Hour).Add(24 * time.Hour)
		case p.SkipHours&(1<<out.Hour()) != 0:
			out = out.Truncate(time.Hour).Add(time.Hour)
		default:
			return out
		}
	}
	return t
}

// backoff says when a feed that failed at now, for the nth time in a row, is
// tried again: after the least interval at first, and twice as long each time,
// up to the longest. after is the server's Retry-After, zero if there was none;
// it is waited for, but no longer than that either. The jitter only adds, so
// that the server's word is never undercut.
func backoff(now time.Time, failures int, every time.Duration, b bounds, after time.Duration, jitter float64) time.Time {
	d, most := max(b.min, every), max(b.max, every)
	for i := 1; i < failures && d < most; i++ {
		d *= 2
	}
	d = max(min(d, most*4/5), after)
	d += time.Duration(jitter / 4 * float64(d))
	return now.Add(min(d, most))
}
