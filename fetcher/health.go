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
	case ReasonRateLimited:
		return Temporary
	case ReasonServer:
		if retryAfter > 0 {
			return Temporary
		}
	}
	return Soft
}

const (
	// silentGaps is how many of its usual gaps a feed may be silent for, and
	// silentAtLeast the least time that is called silence: a newsroom's long
	// weekend is neither.
	silentGaps    = 8
	silentAtLeast = 4 * 24 * time.Hour
)

// Silence is for how long a feed that can be read has published nothing, when
// that is longer than its own rate explains; zero when it is not. A feed whose
// items have no dates, or that always publishes once a year, is never silent.
func (s State) Silence(now time.Time) (quiet, usual time.Duration) {
	if s.Pace.Gap == 0 || s.LastItem.IsZero() || s.Failures > 0 {
		return 0, 0
	}
	if quiet = now.Sub(s.LastItem); quiet <= max(silentGaps*s.Pace.Gap, silentAtLeast) {
		return 0, 0
	}
	return quiet, s.Pace.Gap
}
