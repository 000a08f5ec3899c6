package daemon

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// coverageAge is how old what is known of the feeds may be that a digest's footer
// is made of: a thousand digests of one minute share one look into the store.
const coverageAge = 30 * time.Second

// lateAfter is how long past its next check a feed must be before it is late:
// less than that is the time a poll takes.
const lateAfter = 10 * time.Minute

// roll is how all feeds do, and which of them do badly.
type roll struct {
	store.Census
	reads           store.Reads
	failing, silent []fetcher.State // some of each
}

// coverage tells what the watch saw: every digest ends with it.
type coverage struct {
	feeds interface {
		Census(ctx context.Context, late time.Time) (store.Census, error)
		Reads(ctx context.Context) (store.Reads, error)
		States(ctx context.Context, q store.StateQuery) ([]fetcher.State, error)
	}
	plan func() *plan
	now  func() time.Time

	mu    sync.Mutex
	taken time.Time
	last  roll
}

// current calls the roll, or returns one that is not much older than now.
func (c *coverage) current(ctx context.Context) (roll, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !c.taken.IsZero() && now.Sub(c.taken) < coverageAge {
		return c.last, nil
	}
	var r roll
	var err error
	if r.Census, err = c.feeds.Census(ctx, now.Add(-lateAfter)); err != nil {
		return r, err
	}
	if r.reads, err = c.feeds.Reads(ctx); err != nil {
		return r, err
	}
	if r.failing, err = c.some(ctx, fetcher.Failing); err != nil {
		return r, err
	}
	if r.silent, err = c.some(ctx, []fetcher.Grade{fetcher.Silent}); err != nil {
		return r, err
	}
	c.taken, c.last = now, r
	return r, nil
}

// some are the first feeds of these grades: as many as a digest names.
func (c *coverage) some(ctx context.Context, grades []fetcher.Grade) ([]fetcher.State, error) {
	return c.feeds.States(ctx, store.StateQuery{Grades: grades, Limit: notify.MaxCoverageNames})
}

// between says what was watched from since to until.
func (c *coverage) between(ctx context.Context, since, until time.Time) (notify.Coverage, error) {
	r, err := c.current(ctx)
	if err != nil {
		return notify.Coverage{}, err
	}
	pl := c.plan()
	cov := notify.Coverage{
		Feeds: len(pl.feeds), Checked: min(r.reads.Since(since), len(pl.feeds)), Ruleset: pl.rules.Version(), Rules: len(pl.rules.Rules()),
		SilentCount: r.Grades[fetcher.Silent],
	}
	for _, g := range fetcher.Failing {
		cov.FailingCount += r.Grades[g]
	}
	for _, s := range r.failing {
		note := s.LastError
		if s.Retired {
			note = "gone for good"
		}
		cov.Failing = append(cov.Failing, notify.SourceNote{Feed: pl.nameOf(s), Note: note})
	}
	for _, s := range r.silent {
		cov.Silent = append(cov.Silent, notify.SourceNote{Feed: pl.nameOf(s), Note: Silence(s, until)})
	}
	byName(cov.Failing)
	byName(cov.Silent)
	return cov, nil
}

// nameOf is what a feed is called.
func (pl *plan) nameOf(s fetcher.State) string {
	return cmp.Or(pl.feeds[s.FeedID].Name, s.Title, s.FeedID)
}

func byName(notes []notify.SourceNote) {
	slices.SortFunc(notes, func(a, b notify.SourceNote) int { return cmp.Compare(a.Feed, b.Feed) })
}

// Silence says in words for how long a feed that can be read has published
// nothing, when its own rate does not explain that; empty when it does.
func Silence(s fetcher.State, now time.Time) string {
	quiet, usual := s.Silence(now)
	if quiet == 0 {
		return ""
	}
	return fmt.Sprintf("nothing new for %s; usually every %s", days(quiet), each(usual))
}

// days prints a time in the largest unit that fits, to follow "for".
func days(d time.Duration) string {
	n, unit := inUnits(d)
	switch {
	case n > 1:
		return fmt.Sprintf("%d %ss", n, unit)
	case unit == "hour":
		return "an hour"
	}
	return "a " + unit
}

// each prints it to follow "every".
func each(d time.Duration) string {
	if n, unit := inUnits(d); n == 1 {
		return unit
	}
	return days(d)
}

func inUnits(d time.Duration) (n int, unit string) {
	if n = int(d / (24 * time.Hour)); n > 0 {
		return n, "day"
	}
	if n = int(d / time.Hour); n > 0 {
		return n, "hour"
	}
	return max(1, int(d/time.Minute)), "minute"
}
