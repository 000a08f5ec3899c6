package web

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// passingBelow is how many polls in a row must fail before a feed needs a look:
	// one or two are the weather of the web. A feed that could never be read needs
	// one from the first: its URL may be wrong.
	passingBelow = 3
	// maxFailing is among how many feeds whose last poll failed those are looked for
	// that need a look; where there are more, all of them do.
	maxFailing = 100
	// maxNamed is how many feeds a note names.
	maxNamed = 3
	// lateAfter is how long past its next check a feed must be before it is
	// called late: less than that is the time a poll takes.
	lateAfter = 10 * time.Minute
)

// health is how a feed does, as the store has it.
type health fetcher.Grade

// healthWords are what stands in a table, and how much it matters.
var healthWords = map[fetcher.Grade]struct{ words, level string }{
	fetcher.Hard:      {"not there", "bad"},
	fetcher.Soft:      {"failing", "bad"},
	fetcher.Temporary: {"failing for now", "look"},
	fetcher.Silent:    {"silent", "look"},
	fetcher.Paused:    {"paused", "look"},
	fetcher.Unread:    {"not read yet", "look"},
	fetcher.Fine:      {"fine", "good"},
}

func (h health) String() string {
	if known, ok := healthWords[fetcher.Grade(h)]; ok {
		return known.words
	}
	return fetcher.Grade(h).String()
}

// Level is how much a state matters, for the stylesheet.
func (h health) Level() string { return cmp.Or(healthWords[fetcher.Grade(h)].level, "look") }

// remark is what is wrong with a feed, in words; empty where nothing is. quiet is
// for how long it has published nothing.
func remark(st fetcher.State, quiet string, now time.Time) string {
	switch {
	case !st.Paused.IsZero():
		return fmt.Sprintf("Paused %s ago. It is not polled until it is resumed.", span(now.Sub(st.Paused)))
	case st.Retired:
		return "The server says that this feed is gone for good. It is not polled until it has another URL."
	case st.Quarantined():
		return fmt.Sprintf("newswatch died %d times while it read this document, so the document is not read for now.", st.Poisoned)
	case st.Failures > 0:
		return failed(st, now)
	case late(st, now):
		text := fmt.Sprintf("It should have been checked %s ago.", span(now.Sub(st.Due())))
		if !st.PutOff.IsZero() {
			text += " Its host has had no turn for it."
		}
		return text
	case st.Grade() == fetcher.Silent:
		return sentence(cmp.Or(quiet, "it publishes less than it did"))
	case st.LastSuccess.IsZero():
		return "It waits for its first check."
	case st.Truncated:
		return "Its document breaks off. What was whole of it was read."
	default:
		return ""
	}
}

// late reports whether a feed should have been checked and was not.
func late(st fetcher.State, now time.Time) bool {
	return st.Paused.IsZero() && !st.Due().IsZero() && now.Sub(st.Due()) > lateAfter
}

// failed tells of the polls in a row that failed.
func failed(st fetcher.State, now time.Time) string {
	times := "once"
	if st.Failures > 1 {
		times = thousands(st.Failures) + " times in a row"
	}
	why, known := reasonWords[st.Reason]
	if !known {
		why = cmp.Or(string(st.Reason), "the cause is not known")
	}
	text := fmt.Sprintf("Failed %s: %s.", times, why)
	switch {
	case !st.Health.Lost.IsZero():
		text += fmt.Sprintf(" It has been lost for %s.", span(now.Sub(st.Health.Lost)))
	case passing(st):
		text += " It is tried again."
	}
	return text
}

// passing reports whether a feed whose last poll failed is to be left to the next.
func passing(st fetcher.State) bool {
	return !st.Retired && st.Failures < passingBelow && !st.LastSuccess.IsZero()
}

// condition is how all feeds do, as the store counts them, and some of those of
// which the page Watch speaks.
type condition struct {
	store.Census
	failing, silent, paused []desk.Feed
}

// condition asks the store how the feeds do. What it reads does not grow with their
// number.
func (s *Server) condition(ctx context.Context, now time.Time) (condition, error) {
	var c condition
	var err error
	if c.Census, err = s.o.Store.Census(ctx, now.Add(-lateAfter)); err != nil {
		return c, err
	}
	c.Late += s.o.Status().PutOffLate
	for _, some := range []struct {
		of    *[]desk.Feed
		limit int
		grade []fetcher.Grade
	}{
		{&c.failing, maxFailing, fetcher.Failing},
		{&c.silent, maxNamed, []fetcher.Grade{fetcher.Silent}},
		{&c.paused, maxNamed, []fetcher.Grade{fetcher.Paused}},
	} {
		if c.count(some.grade...) == 0 {
			continue
		}
		page, err := s.o.Feeds(ctx, desk.FeedQuery{Grades: some.grade, Limit: some.limit})
		if err != nil {
			return c, err
		}
		*some.of = page.Feeds
	}
	return c, nil
}

// count is the number of feeds of some grades.
func (c condition) count(grades ...fetcher.Grade) int {
	n := 0
	for _, g := range grades {
		n += c.Grades[g]
	}
	return n
}

// lasting are the feeds of some grades whose failures need a look: their number,
// and some of them.
func (c condition) lasting(grades ...fetcher.Grade) (int, []desk.Feed) {
	some := slices.DeleteFunc(slices.Clone(c.failing), func(f desk.Feed) bool { return !slices.Contains(grades, f.State.Grade()) })
	if c.count(fetcher.Failing...) > len(c.failing) {
		return c.count(grades...), some
	}
	some = slices.DeleteFunc(some, func(f desk.Feed) bool { return passing(f.State) })
	return len(some), some
}

// names lists the first of n feeds by name.
func names(feeds []desk.Feed, n int) string {
	var out []string
	for _, f := range feeds[:min(len(feeds), maxNamed)] {
		out = append(out, short(f.Title(), maxName))
	}
	list := strings.Join(out, ", ")
	if more := n - len(out); more > 0 {
		list += fmt.Sprintf(" and %s more", thousands(more))
	}
	return list
}
