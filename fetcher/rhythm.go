package fetcher

import (
	"math"
	"slices"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// Rhythm is how a feed publishes, learned across polls: how often, at which hours
// and on which days, whether in bursts, and how long it keeps quiet. It changes
// only when there is something new, and forgets: what it says in a month is of
// that month. The zero Rhythm knows nothing.
type Rhythm struct {
	// At is up to when it has learned, and From since when.
	From time.Time `json:"from,omitzero"`
	At   time.Time `json:"at,omitzero"`
	// Items counts those published, and Hours the time in which they were; both
	// lose their weight with a time constant of slowMemory.
	Items float32 `json:"items,omitempty"`
	Hours float32 `json:"hours,omitempty"`
	// Burst counts items too, with a time constant of fastMemory.
	Burst float32 `json:"burst,omitempty"`
	// GapMean and GapVar are of the natural logarithm of the hours between two
	// items, and Longest is the longest of these times, which shrinks slowly.
	GapMean float32       `json:"gap_mean,omitempty"`
	GapVar  float32       `json:"gap_var,omitempty"`
	Gaps    int           `json:"gaps,omitempty"`
	Longest time.Duration `json:"longest,omitempty"`
	// Week counts items by their hour in UTC, 24 bytes, and then by their day, 7
	// bytes from Sunday on. All are halved before one runs over.
	Week []byte `json:"week,omitempty"`
}

const (
	slowMemory = 14 * 24 * time.Hour
	fastMemory = 2 * time.Hour
	// weekFull is when the counts of Week are halved: low, so that a site that
	// moves its hours is followed within weeks.
	weekFull = 64
	// maxLearned bounds the items that one poll teaches: the rest of a flood
	// tells nothing of a rhythm.
	maxLearned = 200
)

// knows reports whether there is a rhythm to go by.
func (r Rhythm) knows() bool { return r.Items > 0 && r.Hours > 0 }

// learn takes note of items that were published at these times, which are not
// known to it yet, as it is at now. last is when the one before them was.
func (r *Rhythm) learn(dates []time.Time, last, now time.Time) {
	if len(dates) == 0 {
		return
	}
	dates = slices.SortedFunc(slices.Values(dates), time.Time.Compare)
	if !r.knows() {
		// What a document holds at first sight, or what has come to a feed that lists
		// one item at a time. The oldest quarter is left out: an
		// item that is pinned for years would make a busy feed look slow.
		if !last.IsZero() && last.Before(dates[0]) {
			dates = slices.Insert(dates, 0, last)
		}
		dates = dates[(len(dates)+1)/4:]
		if len(dates) < 2 {
			return
		}
		*r = Rhythm{From: dates[0], At: dates[0], Week: make([]byte, 24+7)}
		last, dates = dates[0], dates[1:]
	}
	if len(dates) > maxLearned {
		dates = dates[len(dates)-maxLearned:]
	}
	r.pass(now)
	week := slices.Clone(r.Week) // the state before the poll has the other
	for _, t := range dates {
		age := max(now.Sub(t), 0)
		r.Items += decay(age, slowMemory)
		r.Burst += decay(age, fastMemory)
		if gap := t.Sub(last); gap > 0 && !last.IsZero() {
			r.gap(gap)
		}
		last = t
		u := t.UTC()
		for _, i := range [...]int{u.Hour(), 24 + int(u.Weekday())} {
			if i < len(week) {
				if week[i]++; week[i] >= weekFull {
					halve(week)
				}
			}
		}
	}
	r.Week = week
}

func halve(counts []byte) {
	for i := range counts {
		counts[i] /= 2
	}
}

// pass lets the time until now pass.
func (r *Rhythm) pass(now time.Time) {
	gone := now.Sub(r.At)
	if gone <= 0 {
		return
	}
	w := decay(gone, slowMemory)
	r.Items *= w
	r.Hours = r.Hours*w + float32(slowMemory.Hours())*(1-w)
	r.Burst *= decay(gone, fastMemory)
	r.At = now
}

func decay(age, memory time.Duration) float32 {
	return float32(math.Exp(-age.Seconds() / memory.Seconds()))
}

// gap takes note of the time between two items.
func (r *Rhythm) gap(d time.Duration) {
	r.Gaps = min(r.Gaps+1, 100)
	x := float32(math.Log(max(d.Hours(), 1.0/60)))
	weight := 1 / float32(r.Gaps)
	off := x - r.GapMean
	r.GapMean += weight * off
	r.GapVar = (1 - weight) * (r.GapVar + weight*off*off)
	r.Longest = max(d, r.Longest-r.Longest/200)
}

// pulse is the rhythm at one instant, made ready to be asked about times soon
// after it.
type pulse struct {
	rate       float64 // items an hour, on average
	burst      float64 // of them now, which fades
	hour, day  [24]float64
	quietBound float64 // no more than this many an hour
}

// at makes the rhythm ready. last is when the newest item was published.
func (r Rhythm) at(now, last time.Time) pulse {
	r.pass(now)
	p := pulse{rate: float64(r.Items / max(r.Hours, 1.0/60)), burst: float64(r.Burst) / fastMemory.Hours(), quietBound: math.Inf(1)}
	// A feed that is quiet for longer than it ever was publishes less than it did:
	// no more than one item in the time by which it is late.
	if over := now.Sub(last) - r.Longest; !last.IsZero() && over > 0 {
		p.quietBound = 1 / over.Hours()
	}
	for i := range p.hour {
		p.hour[i] = 1
	}
	for i := range p.day {
		p.day[i] = 1
	}
	if len(r.Week) == 24+7 {
		hours, days := r.Week[:24], r.Week[24:]
		total := 0.0
		for _, c := range hours {
			total += float64(c)
		}
		for h := range hours {
			// An item at 9:58 tells of ten o'clock as well.
			near := float64(hours[(h+23)%24])/4 + float64(hours[h])/2 + float64(hours[(h+1)%24])/4
			p.hour[h] = (near + 1) / (total/24 + 1)
		}
		total = 0
		for _, c := range days {
			total += float64(c)
		}
		for d := range days {
			p.day[d] = (float64(days[d]) + 4) / (total/7 + 4)
		}
	}
	return p
}

// perHour is how many items an hour are to be expected at a time, which is so
// long after the pulse was taken.
func (p *pulse) perHour(t time.Time, later time.Duration) float64 {
	steady := p.rate * p.hour[t.Hour()] * p.day[t.Weekday()]
	return min(max(steady, p.burst*math.Exp(-later.Hours()/fastMemory.Hours())), p.quietBound)
}

// effort is how many checks an hour are spent on a feed that publishes an item an
// hour. Checks are shared out by the cube root of the rates. The square root would
// make the mean time from publication to discovery the least for a number of checks
// (minimise the sum of rate × interval / 2 for a given sum of 1 / interval); but
// it leaves what slow feeds bring to lie for hours, and what the police bring once
// a month is as likely to be urgent as what a newspaper brings every hour.
const effort = 5

// wait is how long after now a feed with this rhythm is looked at again: until
// checks at effort × ∛rate an hour have added up to one. It is at most most.
func (r Rhythm) wait(now, last time.Time, most time.Duration) time.Duration {
	p := r.at(now, last)
	due := 1.0
	for d := time.Duration(0); d < most; {
		t := now.Add(d).UTC()
		step := min(t.Truncate(time.Hour).Add(time.Hour).Sub(t), most-d)
		checks := effort * math.Cbrt(p.perHour(t, d)) // an hour
		if due <= checks*step.Hours() {
			return d + time.Duration(due/checks*float64(time.Hour))
		}
		due -= checks * step.Hours()
		d += step
	}
	return most
}

const (
	// silentOdds is how unlikely a silence must be, under the feed's own gaps, to
	// be called one: in standard deviations of the logarithm of a gap. Three are
	// one gap in 740.
	silentOdds = 3
	// knownAfter is how long a rhythm must have been watched before the night or
	// the weekend that it has not seen may be taken for silence, and silentFirst
	// the least silence before that.
	knownAfter  = 14 * 24 * time.Hour
	silentFirst = 4 * 24 * time.Hour
	silentLeast = 18 * time.Hour
	leastGaps   = 4
)

// patience is how long the feed may be quiet before that is silence; zero when
// too little is known.
func (r Rhythm) patience() time.Duration {
	if r.Gaps < leastGaps {
		return 0
	}
	spread := max(math.Sqrt(float64(r.GapVar)), 0.4)
	hours := math.Exp(float64(r.GapMean) + silentOdds*spread)
	d := max(time.Duration(min(hours, 24*365*10)*float64(time.Hour)), r.Longest*3/2, silentLeast)
	if r.At.Sub(r.From) < knownAfter {
		d = max(d, silentFirst)
	}
	return d
}

// usual is the typical time between two items: the geometric mean of the gaps. It
// does not fade in a silence, as the rate does, which would make the longest silence
// look like a habit.
func (r Rhythm) usual() time.Duration {
	if r.Gaps == 0 {
		return 0
	}
	return time.Duration(math.Exp(float64(r.GapMean)) * float64(time.Hour))
}

// PerDay is how many items a day the feed publishes, on average and of late; 0 where
// too little is known.
func (s State) PerDay(now time.Time) float64 {
	r := s.Rhythm
	if !r.knows() || r.Gaps < leastGaps {
		return 0
	}
	r.pass(now)
	return float64(r.Items) / float64(r.Hours) * 24
}

// learnRhythm takes note of what of a document that was read at now is newer than
// all before. Where the items have no dates, the change itself is what was
// published.
func (s *State) learnRhythm(items []feed.Item, now time.Time) {
	var fresh []time.Time
	last, dated := s.LastItem, false
	for _, it := range items {
		t := it.Time()
		if t.IsZero() || t.After(now) {
			continue
		}
		dated = true
		if !s.Rhythm.knows() || t.After(last) {
			fresh = append(fresh, t)
		}
		if t.After(s.LastItem) {
			s.LastItem = t
		}
	}
	if !dated && !s.LastChange.IsZero() {
		last = s.LastChange
		if fresh = append(fresh, now); !s.Rhythm.knows() {
			fresh = append(fresh, last)
		}
	}
	s.Rhythm.learn(fresh, last, now)
}
