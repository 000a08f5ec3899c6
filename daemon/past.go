package daemon

import (
	"context"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/export"
	"github.com/newswatch/newswatch/story"
)

const (
	// pastSpan is how far back the first report of a case is looked for, and pastHits
	// how many reports, the newest ones, are looked at.
	pastSpan = 365 * 24 * time.Hour
	pastHits = 5000
	// pastFor is how long what was read serves every subscriber. A purge must not be
	// older than the reports for long: a digest that mentions what was purged is
	// refused, and built again a lease later.
	pastFor = time.Minute
)

// past keeps the reports among which the beginnings of cases are looked for: at
// seven in the morning many subscribers' digests ask for the same ones.
type past struct {
	store store.Items
	now   func() time.Time
	// turn is held by whoever reads. Others wait for what it finds, no longer than
	// their contexts let them.
	turn    chan struct{}
	read    time.Time
	archive *story.Archive
}

func newPast(st store.Items, now func() time.Time) *past {
	return &past{store: st, now: now, turn: make(chan struct{}, 1)}
}

func (p *past) get(ctx context.Context) (*story.Archive, error) {
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	now := p.now()
	if p.archive != nil && now.Sub(p.read) < pastFor && !now.Before(p.read) {
		return p.archive, nil
	}
	archive, err := readPast(ctx, p.store, now)
	if err != nil {
		return nil, err
	}
	p.read, p.archive = now, archive
	return archive, nil
}

// readPast reads the newest hits.
func readPast(ctx context.Context, st store.Items, now time.Time) (*story.Archive, error) {
	var hits []classifier.Hit
	for h, err := range export.Hits(ctx, st, store.HitQuery{Since: now.Add(-pastSpan)}, pastHits) {
		if err != nil {
			return nil, err
		}
		hits = append(hits, h)
	}
	return story.NewArchive(hits), nil
}
