package fetcher

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// live lets a feed publish one item every gap from a time on for so long, learns
// each as it comes, and returns how long after the end it is looked at again.
func (s *State) live(from time.Time, gap, long time.Duration) time.Duration {
	end := from.Add(long)
	for t := from; t.Before(end); t = t.Add(gap) {
		s.learnRhythm([]feed.Item{{Published: t}}, t.Add(time.Minute))
		s.LastChange = t
	}
	return nextCheck(end, 0, defaults, *s, 0, 0.5).Sub(end)
}

// TestAChangeOfRhythmIsNoticed: a weekly feed that begins to publish every hour is
// looked at as an hourly one by the next day, and back when it has slowed down.
func TestAChangeOfRhythmIsNoticed(t *testing.T) {
	var st State
	now := start
	st.learnRhythm([]feed.Item{{Published: now.Add(-14 * day)}, {Published: now.Add(-7 * day)}}, now)
	slow := st.live(now, 7*day, 70*day)
	now = now.Add(70 * day)
	fast := st.live(now, time.Hour, day)
	if slow < 25*time.Minute || fast > 15*time.Minute {
		t.Errorf("weekly: looked at after %s; hourly for a day: after %s", slow, fast)
	}
	now = now.Add(day)
	busy := st.live(now, time.Hour, 30*day)
	now = now.Add(30 * day)
	again := st.live(now, 7*day, 28*day)
	if busy > 15*time.Minute || again < busy*3/2 {
		t.Errorf("hourly for a month: looked at after %s; weekly again for four weeks: after %s", busy, again)
	}
}

// TestAFeedOfOneItemHasARhythm: a bulletin's feed lists its latest issue alone, and
// is known for a daily one all the same.
func TestAFeedOfOneItemHasARhythm(t *testing.T) {
	var st State
	for d := range 15 {
		at := start.Add(time.Duration(d) * day)
		st.learnRhythm([]feed.Item{{Published: at}}, at.Add(time.Hour))
	}
	if r := st.PerDay(start.Add(15 * day)); r < 0.7 || r > 1.4 {
		t.Errorf("a daily feed is said to publish %.2f items a day", r)
	}
}

// TestABurstIsFollowed: after a handful of items within minutes, a slow feed is
// looked at soon, and no more so half a day later.
func TestABurstIsFollowed(t *testing.T) {
	var st State
	st.learnRhythm([]feed.Item{{Published: start.Add(-14 * day)}, {Published: start.Add(-7 * day)}}, start)
	st.live(start, 7*day, 28*day)
	now := start.Add(28 * day)
	during := st.live(now, 5*time.Minute, 30*time.Minute)
	now = now.Add(12 * time.Hour)
	after := nextCheck(now, 0, defaults, st, 0, 0.5).Sub(now)
	if during > 10*time.Minute || after < 3*during {
		t.Errorf("looked at after %s in the burst, after %s half a day later", during, after)
	}
}

// TestPerDay: what is told of a rhythm is what the feed did, and nothing is told of
// two items.
func TestPerDay(t *testing.T) {
	for _, tt := range []struct {
		gap  time.Duration
		want float64
	}{{4 * time.Hour, 6}, {day, 1}, {7 * day, 1.0 / 7}} {
		var st State
		st.learnRhythm([]feed.Item{{Published: start.Add(-2 * tt.gap)}, {Published: start.Add(-tt.gap)}}, start)
		st.live(start, tt.gap, 120*day)
		if got := st.PerDay(start.Add(120 * day)); got < tt.want*.75 || got > tt.want*1.25 {
			t.Errorf("one every %s: %.2f a day, want about %.2f", tt.gap, got, tt.want)
		}
	}
	var st State
	st.learnRhythm([]feed.Item{{Published: start}, {Published: start.Add(time.Hour)}, {Published: start.Add(2 * time.Hour)}}, start.Add(3*time.Hour))
	if got := st.PerDay(start.Add(3 * time.Hour)); got != 0 {
		t.Errorf("of three items: %.2f a day", got)
	}
}

// TestTheDayIsLearned: a feed of office hours is left alone at night, and looked at
// when the office opens.
func TestTheDayIsLearned(t *testing.T) {
	var st State
	midnight := start.Truncate(day)
	for d := range 20 {
		for h := range 8 {
			at := midnight.Add(time.Duration(d)*day + time.Duration(9+h)*time.Hour)
			st.learnRhythm([]feed.Item{{Published: at}, {Published: at.Add(-time.Hour)}}, at)
		}
	}
	morning, evening := midnight.Add(20*day+9*time.Hour+30*time.Minute), midnight.Add(19*day+21*time.Hour)
	atWork := nextCheck(morning, 0, defaults, st, 0, 0.5).Sub(morning)
	atNight := nextCheck(evening, 0, defaults, st, 0, 0.5).Sub(evening)
	if atWork > 16*time.Minute || atNight < atWork*3/2 {
		t.Errorf("looked at after %s by day, after %s by night", atWork, atNight)
	}
}

// TestARhythmStaysSmall: it is in every feed's state.
func TestARhythmStaysSmall(t *testing.T) {
	var st State
	st.learnRhythm([]feed.Item{{Published: start.Add(-14 * day)}, {Published: start.Add(-7 * day)}}, start)
	st.live(start, 17*time.Minute, 60*day)
	j, err := json.Marshal(st.Rhythm)
	if err != nil || len(j) > 320 {
		t.Errorf("%d bytes: %s (%v)", len(j), j, err)
	}
	var back Rhythm
	if err := json.Unmarshal(j, &back); err != nil || string(must(json.Marshal(back))) != string(j) {
		t.Errorf("read back: %+v (%v)", back, err)
	}
	for _, n := range st.Rhythm.Week {
		if n > weekFull {
			t.Errorf("week %v", st.Rhythm.Week)
		}
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
