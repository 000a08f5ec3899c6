package daemon

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// OnceOptions say what one pass does beyond polling.
type OnceOptions struct {
	// Send makes every subscriber's digest due now.
	Send bool
	// Polled is told of every poll, one at a time; it may be nil.
	Polled func(Poll)
}

// Summary is what one pass came to.
type Summary struct {
	Feeds       int `json:"feeds"`
	Fetched     int `json:"fetched"`
	NotModified int `json:"not_modified"`
	Failed      int `json:"failed"`
	// PutOff counts the feeds that were not asked, since their hosts want no requests
	// for now.
	PutOff int `json:"put_off"`
	// Items counts those in the documents that were read, NewItems those of them
	// that were never seen.
	Items    int `json:"items"`
	NewItems int `json:"new_items"`
	// Hits counts new hits; Quiet those of them that are kept and not reported.
	Hits          int     `json:"hits"`
	Quiet         int     `json:"quiet"`
	DigestsSent   int     `json:"digests_sent"`
	DigestsFailed int     `json:"digests_failed"`
	Seconds       float64 `json:"seconds"`
}

func (s *Summary) add(p Poll) {
	switch p.Outcome {
	case fetcher.Fetched:
		s.Fetched++
	case fetcher.NotModified:
		s.NotModified++
	case fetcher.Failed:
		s.Failed++
	case fetcher.PutOff:
		s.PutOff++
	}
	s.Items += p.Items
	s.NewItems += p.New
	s.Hits += len(p.Hits)
	for _, h := range p.Hits {
		if h.Quiet {
			s.Quiet++
		}
	}
}

// pass is what one pass has polled. A feed whose next check falls due while the pass
// goes on is claimed again, and kept from being polled again until the end of it.
type pass struct {
	mu     sync.Mutex
	polled map[string]bool // by feed
	kept   []lease.Lease
}

func (p *pass) done(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.polled[id] = true
}

// left returns what of the claims is still to be polled.
func (p *pass) left(claims []store.Claim) []store.Claim {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.DeleteFunc(claims, func(c store.Claim) bool {
		again := p.polled[c.State.FeedID]
		if again {
			p.kept = append(p.kept, c.Lease)
		}
		return again
	})
}

// claimFeeds leases feeds that are due; in a pass, those that it has not polled.
func (d *Daemon) claimFeeds(ctx context.Context, n int) ([]store.Claim, error) {
	for {
		claims, err := d.store.ClaimFeeds(ctx, d.now(), n, d.opt.Lease)
		if err != nil || d.pass == nil || len(claims) == 0 {
			return claims, err
		}
		if claims = d.pass.left(claims); len(claims) > 0 {
			return claims, nil
		}
	}
}

// Once polls every feed now, and none twice, delivers what is due, and returns. It
// fails only when the store does, or when ctx ends.
func (d *Daemon) Once(ctx context.Context, opt OnceOptions) (Summary, error) {
	begun := d.now()
	pl := d.plan.Load()
	sum := Summary{Feeds: len(pl.feeds)}
	var mu sync.Mutex
	d.pass = &pass{polled: make(map[string]bool, len(pl.feeds))}
	d.polled = func(p Poll) {
		d.pass.done(p.Feed.ID)
		mu.Lock()
		defer mu.Unlock()
		sum.add(p)
		if opt.Polled != nil {
			opt.Polled(p)
		}
	}
	var later time.Time // when what could not be tried comes again
	d.sent = func(r notify.Result) {
		mu.Lock()
		defer mu.Unlock()
		switch r.Outcome {
		case notify.Released:
			later = r.Next
		case notify.Accepted:
			sum.DigestsSent++
		case notify.Retried, notify.Buried:
			sum.DigestsFailed++
		}
	}
	if err := d.enrol(ctx, pl); err != nil {
		return sum, err
	}
	if err := d.store.PollNow(ctx, nil, begun); err != nil {
		return sum, err
	}
	polled := func() int {
		mu.Lock()
		defer mu.Unlock()
		return sum.Fetched + sum.NotModified + sum.Failed + sum.PutOff
	}
	census, err := d.store.Census(ctx, begun)
	if err != nil {
		return sum, err
	}
	err = d.pollAll(ctx, len(pl.feeds)-census.Grades[fetcher.Paused], polled)
	if kept := d.pass.kept; len(kept) > 0 {
		// After a stop too: they are due, and another may poll them.
		err = errors.Join(err, d.store.ReleaseFeeds(context.WithoutCancel(ctx), kept))
	}
	if err != nil {
		return sum, err
	}
	if err := d.sendNow(ctx, pl, opt.Send); err != nil {
		return sum, err
	}
	if err := d.sendAll(ctx, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		at := later
		later = time.Time{}
		return at
	}); err != nil {
		return sum, err
	}
	if err := d.owedLetters(ctx); err != nil {
		return sum, err
	}
	sum.Seconds = d.now().Sub(begun).Seconds()
	return sum, ctx.Err()
}

// pollAll works the queue off until all feeds were polled but those that are
// paused. Feeds that another process holds are waited for: it may be a daemon at work, or one that was
// killed, whose leases run out.
func (d *Daemon) pollAll(ctx context.Context, all int, polled func() int) error {
	said := false
	for patience := d.now().Add(d.opt.Lease + time.Second); ; {
		if err := d.polls.drain(ctx, d.opt.Grace); err != nil {
			return err
		}
		left := all - polled()
		if ctx.Err() != nil || left <= 0 || d.now().After(patience) {
			return ctx.Err()
		}
		if !said {
			d.log.Warn("waiting for feeds that another process holds", "feeds", left, "at_most", d.opt.Lease)
			said = true
		}
		wait(ctx, nil, idleWait)
	}
}

// untriedPatience bounds how long a pass waits for a receiver that has as many
// deliveries as it is given at a time.
const untriedPatience = 2 * time.Minute

// sendAll works the queue of subscribers off. later says when a turn in which
// nothing could be tried comes again: there may be no next pass for an hour.
func (d *Daemon) sendAll(ctx context.Context, later func() time.Time) error {
	for end := d.now().Add(untriedPatience); ; {
		if err := d.turns.drain(ctx, d.opt.Grace); err != nil {
			return err
		}
		at := later()
		if at.IsZero() || at.After(end) || !wait(ctx, nil, at.Sub(d.now())) {
			return nil
		}
	}
}

// sendNow makes every subscriber due, or those who want to hear at once: for
// them, what this pass found is due.
func (d *Daemon) sendNow(ctx context.Context, pl *plan, all bool) error {
	var ids []string
	for id, s := range pl.subscribers {
		if all || notify.IsImmediate(s.Subscriber.Schedule) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return d.store.SendNow(ctx, ids, d.now())
}
