package fetcher

import (
	"errors"
	"fmt"
	"time"
)

// Grade says how a feed does. It is a closed set; the numbers are what stores
// keep, so a new grade is added at the end.
type Grade uint8

const (
	// Unread is a feed that was never polled.
	Unread Grade = iota
	// Fine is a feed whose last poll was good, and which is not silent.
	Fine
	// Paused is a feed that the operator has taken out of the queue for a while.
	Paused
	// Temporary failures say themselves that they pass: 429, 503 with a
	// Retry-After, and whatever fails while the network here is down.
	Temporary
	// Silent is a feed that can be read and publishes nothing, for longer than
	// its own rate explains.
	Silent
	// Soft failures may pass or not: 5xx, timeouts, TLS, documents that cannot be
	// read.
	Soft
	// Hard failures are a server's word that there is no feed here: 410, 404, a
	// host that does not exist, a page that is no feed.
	Hard
)

// Grades are all of them, the best first.
var Grades = []Grade{Fine, Unread, Paused, Temporary, Silent, Soft, Hard}

// Failing are those of a feed whose last poll failed.
var Failing = []Grade{Temporary, Soft, Hard}

var gradeNames = [...]string{"unread", "fine", "paused", "temporary", "silent", "soft", "hard"}

func (g Grade) String() string {
	if int(g) < len(gradeNames) {
		return gradeNames[g]
	}
	return fmt.Sprintf("grade %d", g)
}

// MarshalText writes the grade's name.
func (g Grade) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

var errGrade = errors.New("fetcher: no such grade of health")

// UnmarshalText is the inverse of MarshalText.
func (g *Grade) UnmarshalText(text []byte) error {
	for i, name := range gradeNames {
		if name == string(text) {
			*g = Grade(i)
			return nil
		}
	}
	return fmt.Errorf("%w: %q", errGrade, text)
}

// Health is how a feed does, as its last poll left it.
type Health struct {
	Grade Grade `json:"grade,omitzero"`
	// Since is when a poll first found it so.
	Since time.Time `json:"since,omitzero"`
	// Score is how many of a hundred polls are good, the recent ones counting the
	// most.
	Score int `json:"score,omitempty"`
	// FailingSince is the first of the failures in a row, and Good counts the good
	// polls in a row, up to backAfter.
	FailingSince time.Time `json:"failing_since,omitzero"`
	Good         int       `json:"good,omitempty"`
	// Lost is since when the feed is held to be lost, and Silent since when it is
	// held to be silent; each is the zero time while it is not. That the operator
	// is told once hangs on them: they change in the write that records the
	// notice.
	Lost   time.Time `json:"lost,omitzero"`
	Silent time.Time `json:"silent,omitzero"`
}

// Grade is how the feed does. A pause hides what the last poll found.
func (s State) Grade() Grade {
	if !s.Paused.IsZero() {
		return Paused
	}
	return s.Health.Grade
}

// grade notes what a poll at now has found.
func (h *Health) grade(g Grade, now time.Time) {
	if h.Grade != g || h.Since.IsZero() {
		h.Grade, h.Since = g, now
	}
}

// class is the grade of a failure.
func (e *Error) class(retryAfter time.Duration) Grade {
	switch e.Reason {
	case ReasonGone, ReasonNotFound, ReasonNotAFeed, ReasonNoHost, ReasonConfig:
		return Hard
	case ReasonRateLimited, ReasonOffline:
		return Temporary
	case ReasonServer:
		if retryAfter > 0 {
			return Temporary
		}
	}
	return Soft
}

// Silence is for how long a feed that can be read has published nothing, when
// that is longer than its own rhythm explains, and how often it usually does;
// zero when it is explained. A feed whose rhythm is not known, or that always
// publishes once a year, is never silent.
func (s State) Silence(now time.Time) (quiet, usual time.Duration) {
	patience := s.Rhythm.patience()
	if patience == 0 || s.Failures > 0 {
		return 0, 0
	}
	if quiet = now.Sub(s.newest()); quiet <= patience {
		return 0, 0
	}
	return quiet, s.Rhythm.usual()
}

// newest is when the feed last had something new, as far as it tells.
func (s State) newest() time.Time {
	if s.LastItem.IsZero() {
		return s.LastChange
	}
	return s.LastItem
}

const (
	// backAfter is how many good polls in a row make a lost feed one that is back:
	// a server that answers now and then is not.
	backAfter = 2
	// lostAtLeast is how many polls must have failed before a feed is lost.
	lostAtLeast = 3
)

// lostAfter is for how long a feed must have failed before it is lost.
var lostAfter = map[Grade]time.Duration{Hard: 6 * time.Hour, Soft: 3 * 24 * time.Hour, Temporary: 7 * 24 * time.Hour}

// judgeGood judges a feed whose poll at now was good.
func (s *State) judgeGood(now time.Time) {
	h := &s.Health
	h.score(100)
	h.FailingSince = time.Time{}
	if h.Good = min(h.Good+1, backAfter); h.Good == backAfter {
		h.Lost = time.Time{}
	}
	g := Fine
	if quiet, _ := s.Silence(now); quiet == 0 {
		h.Silent = time.Time{}
	} else {
		g = Silent
		if h.Silent.IsZero() {
			h.Silent = now
		}
	}
	h.grade(g, now)
}

// judgeBad judges a feed whose poll at now failed. What is out of reach because
// everything is tells nothing of the feed.
func (s *State) judgeBad(fe *Error, retryAfter time.Duration, now time.Time) {
	h, g := &s.Health, fe.class(retryAfter)
	if fe.Reason == ReasonOffline {
		h.FailingSince = time.Time{}
		h.grade(g, now)
		return
	}
	h.score(0)
	h.Good = 0
	if h.FailingSince.IsZero() {
		h.FailingSince = now
	}
	h.grade(g, now)
	if h.Lost.IsZero() && (s.Retired || s.Failures >= lostAtLeast && now.Sub(h.FailingSince) >= lostAfter[g]) {
		h.Lost = now
	}
}

// score moves the score a tenth of the way to what the poll was worth.
func (h *Health) score(worth int) {
	if h.Since.IsZero() {
		h.Score = worth
		return
	}
	// Rounded towards the worth, or it would never get there.
	step := (worth - h.Score) / 10
	if step == 0 && worth != h.Score {
		step = 1
		if worth < h.Score {
			step = -1
		}
	}
	h.Score += step
}
