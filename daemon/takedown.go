package daemon

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/store"
)

const (
	// A report is looked after for lookAfter, and once more when it was taken down; the
	// last maxReports of a feed.
	lookAfter  = 7 * 24 * time.Hour
	maxReports = 16
	// The page of a report that is missing is asked for again a day later, or in
	// lookAgain where the site said that there is none; it must say so absences times
	// on end, since a site that is being mended says it of every page. So is that of one
	// that was taken down, for which its feed is listing it again.
	lookDaily = 24 * time.Hour
	lookAgain = 6 * time.Hour
	absences  = 2
)

// takedowns looks after what was lately reported of a feed, and puts into the batch
// what its publisher took down, and what is there again. That an item is listed no
// more is not enough, since every feed drops what is old: older ones must still be
// listed, and its page must be gone too. Where the operator wants no pages read,
// nothing is looked after. The error is the store's, or the context's.
func (p *poller) takedowns(ctx context.Context, pl *plan, f feed.Feed, res fetcher.Result, b *store.Batch) error {
	if cmp.Or(f.FullText, pl.config.Fetch.FullText) == feed.FullTextNever {
		b.State.Reports = nil
		return nil
	}
	now := p.now()
	reports := slices.DeleteFunc(slices.Clone(b.State.Reports), func(r fetcher.Report) bool {
		return now.Sub(r.Found) > lookAfter && now.Sub(r.Down) > lookAfter
	})
	if res.Outcome == fetcher.Fetched {
		missing(reports, res.Items)
	}
	for i := range reports {
		if r := &reports[i]; slices.ContainsFunc(b.Hits, func(h classifier.Hit) bool { return h.Item.ID == r.Item }) {
			r.Down, r.Absent = time.Time{}, 0 // its publisher wrote it anew, which the store tells
		}
	}
	if i := slices.IndexFunc(reports, func(r fetcher.Report) bool { return dueForLook(r, now) }); i >= 0 {
		r := &reports[i]
		h, err := p.look(ctx, r, now)
		switch {
		case errors.Is(err, store.ErrNotFound): // purged, or swept
			reports = slices.Delete(reports, i, i+1)
		case err != nil:
			return err
		case r.Down.IsZero() && r.Absent >= absences:
			r.Down = now
			b.Hits = append(b.Hits, classifier.Hit{Item: feed.Item{ID: r.Item, FeedID: f.ID}, Found: now, TakenDown: true})
		case !r.Down.IsZero() && r.Absent == 0:
			r.Down = time.Time{}
			b.Hits = append(b.Hits, classifier.Hit{Item: h.Item, Found: now})
		}
	}
	b.State.Reports = remember(reports, b.Hits)
	return nil
}

// look asks a site for the page of a report, and notes whether it is there. Its error
// is the store's, which no longer has a hit that was purged, or the context's.
func (p *poller) look(ctx context.Context, r *fetcher.Report, now time.Time) (classifier.Hit, error) {
	h, err := p.journal.Hit(ctx, r.Item)
	if err != nil {
		return h, err
	}
	absent, err := p.fetch.Absent(ctx, h.Item.Link)
	if ctx.Err() != nil {
		return h, ctx.Err()
	}
	if failure, ok := errors.AsType[*fetcher.Error](err); ok && failure.Reason == fetcher.ReasonHeld {
		return h, nil // it was not asked
	}
	r.Checked = now
	switch {
	case absent:
		r.Absent++
	case err == nil:
		r.Absent = 0
	default:
		p.log.Debug("it could not be told whether a report was taken down", "feed", h.Item.FeedID, "err", err)
	}
	return h, nil
}

// missing notes which reports a document does not list, though it lists older items.
func missing(reports []fetcher.Report, listed []feed.Item) {
	if len(reports) == 0 {
		return
	}
	there := make(map[feed.ItemID]bool, len(listed))
	var oldest time.Time
	for _, it := range listed {
		there[it.ID] = true
		if t := it.Time(); !t.IsZero() && (oldest.IsZero() || t.Before(oldest)) {
			oldest = t
		}
	}
	for i := range reports {
		r := &reports[i]
		unlisted := r.Missing
		r.Missing = !there[r.Item] && !oldest.IsZero() && oldest.Before(r.Published)
		switch {
		case !there[r.Item]:
		case r.Down.IsZero():
			r.Absent = 0
		case unlisted:
			r.Checked = time.Time{} // it may be back: its page tells
		}
	}
}

func dueForLook(r fetcher.Report, now time.Time) bool {
	pause := lookDaily
	if r.Absent > 0 && (r.Down.IsZero() || !r.Missing) {
		pause = lookAgain
	}
	return (r.Missing || !r.Down.IsZero()) && now.Sub(r.Checked) >= pause
}

// remember adds the hits that are reported, the last first.
func remember(reports []fetcher.Report, hits []classifier.Hit) []fetcher.Report {
	for _, h := range hits {
		known := slices.ContainsFunc(reports, func(r fetcher.Report) bool { return r.Item == h.Item.ID })
		if known || h.Quiet || len(h.Rules) == 0 || h.Item.Link == "" {
			continue
		}
		reports = slices.Insert(reports, 0, fetcher.Report{Item: h.Item.ID, Published: h.Item.Time(), Found: h.Found})
	}
	return reports[:min(len(reports), maxReports)]
}
