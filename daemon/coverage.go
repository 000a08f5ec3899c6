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
)

const (
	// coverageAge is how old the feeds' states may be that a digest's footer is
	// made of: a thousand digests of one minute share one look into the store.
	coverageAge = 30 * time.Second
	// silentGaps is how many of its usual gaps a feed may be silent for, and
	// silentAtLeast the least time that is called silence: a newsroom's long
	// weekend is neither.
	silentGaps    = 8
	silentAtLeast = 4 * 24 * time.Hour
)

// coverage tells what the watch saw: every digest ends with it.
type coverage struct {
	states func(context.Context) ([]fetcher.State, error)
	plan   func() *plan
	now    func() time.Time

	mu    sync.Mutex
	taken time.Time
	seen  []fetcher.State
}

// current returns the feeds' states, not much older than now.
func (c *coverage) current(ctx context.Context) ([]fetcher.State, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !c.taken.IsZero() && now.Sub(c.taken) < coverageAge {
		return c.seen, nil
	}
	states, err := c.states(ctx)
	if err != nil {
		return nil, err
	}
	c.taken, c.seen = now, states
	return states, nil
}

// between says what was watched from since to until.
func (c *coverage) between(ctx context.Context, since, until time.Time) (notify.Coverage, error) {
	states, err := c.current(ctx)
	if err != nil {
		return notify.Coverage{}, err
	}
	pl := c.plan()
	cov := notify.Coverage{Feeds: len(pl.feeds), Ruleset: pl.rules.Version(), Rules: len(pl.rules.Rules())}
	for _, s := range states {
		f, ok := pl.feeds[s.FeedID]
		if !ok {
			continue
		}
		name := cmp.Or(f.Name, s.Title, s.FeedID)
		if s.LastSuccess.After(since) {
			cov.Checked++
		}
		switch note := silence(s, until); {
		case s.Retired:
			cov.Failing = append(cov.Failing, notify.SourceNote{Feed: name, Note: "gone for good"})
		case s.Failures > 0:
			cov.Failing = append(cov.Failing, notify.SourceNote{Feed: name, Note: s.LastError})
		case note != "":
			cov.Silent = append(cov.Silent, notify.SourceNote{Feed: name, Note: note})
		}
	}
	cov.FailingCount, cov.SilentCount = len(cov.Failing), len(cov.Silent)
	cov.Failing, cov.Silent = first(cov.Failing), first(cov.Silent)
	return cov, nil
}

// first returns the notes that a digest names, by name.
func first(notes []notify.SourceNote) []notify.SourceNote {
	slices.SortFunc(notes, func(a, b notify.SourceNote) int { return cmp.Compare(a.Feed, b.Feed) })
	return notes[:min(len(notes), notify.MaxCoverageNames)]
}

// silence says in words that a feed that can be read has published nothing for
// longer than its own rate explains; empty means that it has not. A feed whose
// items have no dates, or that always publishes once a year, is never silent.
func silence(s fetcher.State, now time.Time) string {
	if s.Pace.Gap == 0 || s.LastItem.IsZero() || s.Failures > 0 {
		return ""
	}
	quiet := now.Sub(s.LastItem)
	if quiet <= max(silentGaps*s.Pace.Gap, silentAtLeast) {
		return ""
	}
	return fmt.Sprintf("nothing new for %s; usually every %s", days(quiet), days(s.Pace.Gap))
}

// days prints a time in the largest unit that fits.
func days(d time.Duration) string {
	n, unit := int(d/(24*time.Hour)), "day"
	if n == 0 {
		n, unit = int(d/time.Hour), "hour"
	}
	if n == 0 {
		n, unit = max(1, int(d/time.Minute)), "minute"
	}
	if n == 1 {
		return unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
