// Package notify turns the hits that a subscriber asked for into a digest and
// hands it to a Notifier, at least once and with the same id at every try.
package notify

import (
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// Subscriber is a cursor over the hit log, and what its owner wants to hear of.
type Subscriber struct {
	ID        string
	Selection Selection
	Schedule  Schedule
	// Timezone is where the subscriber reads: schedules are in it, and the
	// times in a digest.
	Timezone *time.Location
	// Lang is the language that the subscriber's digests are worded in, one of
	// Languages; empty is English.
	Lang      string
	WhenEmpty WhenEmpty
	// Cap is the most entries one digest lists; the rest is counted.
	Cap int
	// Operator asks for notices as well: how the watch is kept.
	Operator bool
	// Unguarded turns off what keeps back sentences that could identify a child;
	// see package guard.
	Unguarded bool
}

// wants reports whether a digest of so many reports and notices is sent.
func (s Subscriber) wants(news int) bool {
	return news > 0 || s.WhenEmpty == Send && !IsImmediate(s.Schedule)
}

// Selection is what a subscriber wants to hear of. An empty list asks for
// everything; the conditions are joined by AND.
type Selection struct {
	Rules     []string
	Tags      []string // of the rule or of the feed
	Languages []string
	Severity  classifier.Severity // this or a higher one
}

// WhenEmpty says what a scheduled digest does when there is nothing to report.
type WhenEmpty string

const (
	// Skip sends nothing.
	Skip WhenEmpty = "skip"
	// Send sends a digest that proves that the watch was kept.
	Send WhenEmpty = "send"
)
