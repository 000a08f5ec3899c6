package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// failingAfter is how many polls in a row must fail before a feed is called
	// failing: one or two are the weather of the web. A feed that could never be
	// read is failing from the first: its URL may be wrong.
	failingAfter = 3
	// lateAfter is how long past its next check a feed must be before it is
	// called late: less than that is the time a poll takes.
	lateAfter = 10 * time.Minute
	// quarantineAfter is how many deaths in a row keep the fetcher from parsing a
	// document.
	quarantineAfter = 2
)

// health is what is wrong with a feed, the worst first.
type health int

const (
	gone health = iota
	quarantined
	failing
	late
	silent
	paused
	hiccup
	unread
	healthy
)

// healthWords are what stands in a table. Together with the order above they are
// all that a new kind of trouble needs.
var healthWords = [...]string{"gone", "quarantined", "failing", "late", "silent", "paused", "failed last time", "not read yet", "read"}

func (h health) String() string { return healthWords[h] }

// Level is how much a state matters, for the stylesheet.
func (h health) Level() string {
	switch h {
	case gone, quarantined, failing, late:
		return "bad"
	case silent, paused, hiccup, unread:
		return "look"
	default:
		return "good"
	}
}

// checkup is a feed and what is wrong with it.
type checkup struct {
	feed   feed.Feed
	state  fetcher.State
	health health
	// note is the trouble in words; empty when there is none.
	note string
}

// name is the first of what the operator, the document and the configuration
// call the feed.
func (c checkup) name() string {
	return short(cmp.Or(c.feed.Name, c.state.Title, c.feed.ID), maxName)
}

// newest is the date of the feed's newest item; where its items have none, when
// its document last changed.
func (c checkup) newest() time.Time {
	if c.state.LastItem.IsZero() {
		return c.state.LastChange
	}
	return c.state.LastItem
}

// checkups joins the feeds of the configuration with what is remembered of each.
// A feed that has no state was never claimed; a state whose feed is not
// configured is of no concern to the watch.
func (s *Server) checkups(st desk.Status, states []fetcher.State, now time.Time) []checkup {
	byID := make(map[string]fetcher.State, len(states))
	for _, state := range states {
		byID[state.FeedID] = state
	}
	out := make([]checkup, 0, len(st.Feeds))
	for id, f := range st.Feeds {
		f.ID = id
		c := checkup{feed: f, state: byID[id]}
		quiet := ""
		if s.o.Silent != nil {
			quiet = s.o.Silent(c.state, now)
		}
		c.health, c.note = examine(c.state, quiet, now)
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b checkup) int { return strings.Compare(a.feed.ID, b.feed.ID) })
	return out
}

// examine judges one feed. quiet is in words why it is thought to be silent.
func examine(st fetcher.State, quiet string, now time.Time) (health, string) {
	times := "once"
	if st.Failures > 1 {
		times = fmt.Sprintf("%s times in a row", thousands(st.Failures))
	}
	why, known := reasonWords[st.Reason]
	if !known {
		why = cmp.Or(string(st.Reason), "the cause is not known")
	}
	overdue := now.Sub(st.NextCheck)
	switch {
	case !st.Paused.IsZero():
		return paused, fmt.Sprintf("Paused %s ago. It is not polled until it is resumed.", span(now.Sub(st.Paused)))
	case st.Retired:
		return gone, "The server says that this feed is gone for good. It is not polled until it has another URL."
	case st.Poisoned >= quarantineAfter:
		return quarantined, fmt.Sprintf("newswatch died %d times while it read this document, so the document is not read for now.", st.Poisoned)
	case st.Failures >= failingAfter, st.Failures > 0 && st.LastSuccess.IsZero():
		return failing, fmt.Sprintf("Failed %s: %s.", times, why)
	case !st.NextCheck.IsZero() && overdue > lateAfter:
		return late, fmt.Sprintf("It should have been checked %s ago.", span(overdue))
	case st.Failures > 0:
		return hiccup, fmt.Sprintf("Failed %s: %s. It is tried again.", times, why)
	case quiet != "":
		return silent, sentence(quiet)
	case st.LastSuccess.IsZero():
		return unread, "It waits for its first check."
	default:
		return healthy, ""
	}
}
