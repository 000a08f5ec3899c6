package redis

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/newswatch/newswatch/store"
)

// maxBundle is how many requests make one round trip at most, so that the answers
// of one do not wait for those of too many others.
const maxBundle = 128

// errSlow is a round trip that took longer than ioTimeout.
var errSlow = errors.New("no answer in time")

// patience is how long what a poll asks for is kept from its round trip at most,
// where it holds up nothing but that poll. A poll takes many times longer, and the
// next one of its feed is minutes away.
const patience = 10 * time.Millisecond

// bundle sends in one round trip what many goroutines ask for at the same time:
// while one is under way, requests gather for the next. So a slow server gets fewer
// and larger ones.
//
// A patient request waits for company too, as long as other feeds that were claimed
// have not come to their end: it goes as soon as all of them wait, or somebody
// asks who is in a hurry, or its patience is over. So polls that end together, or
// nearly, share a round trip, and one that is alone goes at once.
type bundle struct {
	c        redis.UniversalClient
	patience time.Duration
	life     context.Context // ends with the store
	end      context.CancelFunc
	wg       sync.WaitGroup // of fly

	mu      sync.Mutex
	flying  bool
	waiting []*request
	// underWay has the feeds that were claimed here and not given back. One whose
	// lease went to another may stay in it: it costs others their patience, and no
	// more, until it is claimed here again.
	underWay map[string]struct{}
	// leave is full when what waits is to go at once.
	leave chan struct{}
}

// request is what one goroutine asks for: add puts its commands into a pipeline.
type request struct {
	ctx  context.Context
	add  func(redis.Pipeliner)
	err  error // of the round trip; those of the commands are their own
	done chan struct{}
}

func newBundle(c redis.UniversalClient) *bundle {
	b := &bundle{c: c, patience: patience, underWay: make(map[string]struct{}), leave: make(chan struct{}, 1)}
	b.life, b.end = context.WithCancel(context.Background())
	return b
}

// begin notes that feeds are in hand.
func (b *bundle) begin(claims []store.Claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range claims {
		b.underWay[c.State.FeedID] = struct{}{}
	}
}

// finish notes that a feed is in hand no more, whatever became of it.
func (b *bundle) finish(feedID string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.underWay, feedID)
	b.depart(false)
}

// depart sends off what waits, if that is urgent or nobody is left to wait for.
func (b *bundle) depart(urgent bool) {
	if len(b.waiting) == 0 || !urgent && len(b.waiting) < min(len(b.underWay), maxBundle) {
		return
	}
	select {
	case b.leave <- struct{}{}:
	default:
	}
}

// do returns when the commands were answered, or ctx has ended: then they may yet
// be sent if they are under way, and must not be looked at.
func (b *bundle) do(ctx context.Context, patient bool, add func(redis.Pipeliner)) error {
	r := &request{ctx: ctx, add: add, done: make(chan struct{})}
	b.mu.Lock()
	b.waiting = append(b.waiting, r)
	b.depart(!patient)
	if !b.flying {
		b.flying = true
		b.wg.Go(b.fly)
	}
	b.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// fly makes round trips until nobody waits.
func (b *bundle) fly() {
	for b.gather() {
		if aboard := b.board(); len(aboard) > 0 {
			b.trip(aboard)
		}
	}
}

// gather returns true when it is time for a round trip, and false, which ends fly,
// when nobody waits.
func (b *bundle) gather() bool {
	b.mu.Lock()
	if len(b.waiting) == 0 {
		b.flying, b.waiting = false, nil
		b.mu.Unlock()
		return false
	}
	b.mu.Unlock()
	timer := time.NewTimer(b.patience)
	defer timer.Stop()
	select {
	case <-b.leave:
	case <-timer.C:
	case <-b.life.Done():
	}
	runtime.Gosched() // those that are about to ask come along
	return true
}

// board takes the requests of the next round trip, and leaves out those that
// nobody waits for any more.
func (b *bundle) board() []*request {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.leave:
	default:
	}
	var aboard []*request
	for len(b.waiting) > 0 && len(aboard) < maxBundle {
		r := b.waiting[0]
		b.waiting = b.waiting[1:]
		if r.ctx.Err() == nil {
			aboard = append(aboard, r)
		}
	}
	if len(b.waiting) > 0 {
		b.depart(true) // some of those that found no place may be in a hurry
	}
	return aboard
}

// trip makes one round trip.
func (b *bundle) trip(aboard []*request) {
	ctx, cancel := context.WithTimeout(b.life, ioTimeout)
	defer cancel()
	pipe := b.c.Pipeline()
	for _, r := range aboard {
		r.add(pipe)
	}
	_, err := pipe.Exec(ctx)
	if _, answered := errors.AsType[redis.Error](err); answered {
		err = nil // each command has its own answer
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = errSlow
	}
	for _, r := range aboard {
		r.err = err
		close(r.done)
	}
}

// close waits for the round trip that is under way. The client must be closed
// before.
func (b *bundle) close() {
	b.end()
	b.wg.Wait()
}

// run runs a script as one of a bundle.
func (b *bundle) run(ctx context.Context, patient bool, sc *redis.Script, args []any) (any, error) {
	var cmd *redis.Cmd
	err := b.do(ctx, patient, func(p redis.Pipeliner) { cmd = sc.EvalSha(b.life, p, []string{prefix}, args...) })
	if err == nil && redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		err = b.do(ctx, false, func(p redis.Pipeliner) { cmd = sc.Eval(b.life, p, []string{prefix}, args...) })
	}
	if err != nil {
		return nil, err
	}
	return cmd.Result()
}
