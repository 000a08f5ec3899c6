package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/newswatch/newswatch/lease"
)

const (
	// defaultLease is how long a killed process keeps its work from others. It is
	// short, since leases are renewed while the work goes on.
	defaultLease = 30 * time.Second
	// idleWait is how long a crew rests when nothing is due. Other processes put
	// work into the queues too (a second replica, "deadletters resend"), so it
	// looks again and does not wait for a signal.
	idleWait = time.Second
	// claimWait bounds a claim.
	claimWait = defaultLease / 3
	// gatherWait is how long a crew with few free hands waits for more of them before
	// it claims.
	gatherWait = 10 * time.Millisecond
	// minPause and maxPause bound the wait between two tries of a store that is
	// away, and with it how long work rests after the store is back.
	minPause, maxPause = 250 * time.Millisecond, 2 * time.Second
	// releaseTimeout bounds one try to give a lease back, after a stop too.
	releaseTimeout = 2 * time.Second
)

// errNoAnswer is a claim that took longer than claimWait.
var errNoAnswer = errors.New("no answer in time")

// job is one piece of due work, with the right to do it.
type job[T any] struct {
	lease lease.Lease
	due   T
}

// crew claims due work in batches and works it off with a bounded number of
// hands, renewing the leases of what is in hand. There is one for feeds and one
// for subscribers.
type crew[T any] struct {
	name  string
	hands int
	ttl   time.Duration // of a lease
	rest  time.Duration // the longest between two tries of a store that is away
	claim func(ctx context.Context, max int) ([]job[T], error)
	renew func(ctx context.Context, ls []lease.Lease) ([]lease.Lease, error)
	// work does one job. It returns an error only when the store failed; what
	// is wrong with a feed or a receiver is recorded, not returned.
	work func(ctx context.Context, l lease.Lease, due T) error
	// release gives a lease back; its work is due again at once.
	release func(ctx context.Context, l lease.Lease) error
	lost    func() // counts a lease that another holder took
	log     *slog.Logger

	mu    sync.Mutex
	held  map[string]holding // by lease key
	fault error              // the last failure of the store, nil after a success
	first error              // the first outcome that the store did not take
	// defect is the last panic of a job. A drain goes on with the other jobs, and
	// returns it at the end.
	defect error
	// refused is whether the last outcome was not taken.
	refused bool
}

// holding is a job in hand; cancel stops it when its lease is lost. So does end,
// when no renewal came through until the lease is nearly over: a holder that
// cannot reach the store must be done by the time that another may begin.
type holding struct {
	lease  lease.Lease
	cancel context.CancelFunc
	end    *time.Timer
	done   chan struct{} // closed when the job has ended
}

// run works until ctx ends. Then nothing more is claimed, and what is in hand
// may go on for grace before it is cancelled; run returns when all of it has
// ended.
func (c *crew[T]) run(ctx context.Context, grace time.Duration) {
	// What the store did not take was logged when it happened, and is done again.
	_ = c.serve(ctx, grace, false)
}

// drain works until nothing is due and nothing is in hand, or until ctx ends.
// It returns the first failure of the store.
func (c *crew[T]) drain(ctx context.Context, grace time.Duration) error {
	return c.serve(ctx, grace, true)
}

func (c *crew[T]) serve(ctx context.Context, grace time.Duration, once bool) error {
	// Work has a context of its own, so that a stop lets it finish.
	workCtx, cancelWork := context.WithCancel(context.WithoutCancel(ctx))
	defer cancelWork()

	c.mu.Lock()
	c.held = map[string]holding{}
	c.first, c.defect = nil, nil
	c.mu.Unlock()

	var renewing, working sync.WaitGroup
	stopRenew := make(chan struct{})
	renewing.Go(func() { c.keepLeases(workCtx, stopRenew) })

	err := c.loop(ctx, workCtx, &working, once)

	done := make(chan struct{})
	go func() { working.Wait(); close(done) }()
	if ctx.Err() != nil {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-done:
		case <-timer.C:
			c.log.Warn("grace is over: cancelling what is in flight", "crew", c.name)
			cancelWork()
		}
	}
	<-done
	close(stopRenew)
	renewing.Wait()
	if err == nil {
		err = c.firstFailure()
	}
	if err == nil {
		c.mu.Lock()
		err = c.defect
		c.mu.Unlock()
	}
	return err
}

// loop claims and hands out work. In a drain it ends when all is done, or at the
// first failure of the store.
func (c *crew[T]) loop(ctx, workCtx context.Context, working *sync.WaitGroup, once bool) error {
	free := make(chan struct{}, c.hands)
	for range c.hands {
		free <- struct{}{}
	}
	// The hands outlive their jobs, because their stacks have grown to what a job takes.
	todo := make(chan func())
	defer close(todo)
	for range c.hands {
		working.Go(func() {
			for do := range todo {
				do()
			}
		})
	}
	freed := make(chan struct{}, 1)
	pause, gathered := time.Duration(0), false
	for {
		if ctx.Err() != nil {
			return nil
		}
		n := len(free)
		if n == 0 {
			if !wait(ctx, freed, time.Hour) {
				return nil
			}
			continue
		}
		if n < c.hands/4 && !gathered {
			// Claims of one feed each cost more than their polls. Hands that are about to
			// be free are waited for, once.
			gathered = true
			if !wait(ctx, nil, gatherWait) {
				return nil
			}
			continue
		}
		gathered = false
		asked := time.Now() // the leases are no longer than from here
		// A server that is frozen may have been replaced meanwhile: a new request finds
		// the one in its place, and one that waits does not.
		claimCtx, cancel := context.WithTimeoutCause(ctx, claimWait, errNoAnswer)
		jobs, err := c.claim(claimCtx, n)
		cancel()
		switch {
		case err != nil && ctx.Err() != nil:
			return nil // what was claimed in spite of a stop is worked off below
		case err != nil:
			c.claimFailed(err)
			if once {
				return err
			}
			if pause == 0 {
				c.log.Error("the store cannot be reached: pausing", "crew", c.name, "err", err)
			}
			pause = min(max(2*pause, minPause), c.rest)
			wait(ctx, nil, pause)
			continue
		case pause > 0:
			c.log.Info("the store is back", "crew", c.name)
			pause = 0
		}
		c.claimWorked()
		if len(jobs) == 0 {
			if once && len(free) == c.hands {
				return nil
			}
			wait(ctx, freed, idleWait)
			continue
		}
		for _, j := range jobs {
			<-free
			jobCtx, cancel := context.WithCancel(workCtx)
			done := c.hold(j.lease, asked, cancel)
			todo <- func() {
				defer func() {
					c.drop(j.lease)
					close(done)
					cancel()
					free <- struct{}{}
					select {
					case freed <- struct{}{}:
					default:
					}
				}()
				if !c.do(jobCtx, j) {
					c.giveBack(ctx, jobCtx, j.lease, once)
				}
			}
		}
		if once && c.firstFailure() != nil {
			return nil
		}
	}
}

// errPanic is a job that a defect of newswatch ended.
var errPanic = errors.New("daemon: a defect of newswatch ended the work")

// contained is work, but for its panics: whatever in a feed or a rule sets off a
// defect must not end the work on all others, at every start again.
func (c *crew[T]) contained(ctx context.Context, j job[T]) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, r, debug.Stack())
		}
	}()
	return c.work(ctx, j.lease, j.due)
}

// do works one job off, and reports whether its lease has ended, or must run out. A
// lost lease is no fault: another has the work.
func (c *crew[T]) do(ctx context.Context, j job[T]) (ended bool) {
	err := c.contained(ctx, j)
	switch {
	case err == nil:
		c.recovered()
		return true
	case errors.Is(err, lease.ErrLost):
		c.lost()
		c.log.Warn("another holder took over", "crew", c.name, "key", j.lease.Key)
		return true
	case errors.Is(err, errPanic):
		// It is not given back, or it would be claimed, and panic, again at once.
		c.mu.Lock()
		c.defect = err
		c.mu.Unlock()
		c.log.Error("this is a defect: please report it; the work is tried again when its lease has run out", "crew", c.name, "key", j.lease.Key, "err", err)
		return true
	case ctx.Err() != nil:
	default:
		level := slog.LevelDebug
		if c.fail(err) {
			level = slog.LevelError // one line, not one for each of a thousand feeds
		}
		c.log.Log(ctx, level, "the store did not take the outcome; it will be done again", "crew", c.name, "key", j.lease.Key, "err", err)
	}
	return false
}

// giveBack ends the lease of a job that was not done, so that it is due again as
// soon as the store can write, and not when the lease has run out. It tries until
// then, while the lease is held; after a stop, or in a drain, it tries once. The
// pause comes first: what the store never takes must not go round without one.
func (c *crew[T]) giveBack(stop, job context.Context, l lease.Lease, once bool) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		last := once || stop.Err() != nil || job.Err() != nil || !wait(stop, nil, pause)
		try, cancel := context.WithTimeout(context.WithoutCancel(job), releaseTimeout)
		err := c.release(try, l)
		cancel()
		if err == nil && !last {
			c.recovered()
		}
		if err == nil || last || errors.Is(err, lease.ErrLost) {
			return
		}
	}
}

// keepLeases renews what is in hand three times in each lease's life, and
// cancels the work whose lease is gone: to go on with it would only be refused.
func (c *crew[T]) keepLeases(ctx context.Context, stop <-chan struct{}) {
	tick := time.NewTicker(c.ttl / 3)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		ls := c.leases()
		if len(ls) == 0 {
			continue
		}
		asked := time.Now()
		renewCtx, cancel := context.WithTimeout(ctx, c.ttl/3)
		kept, err := c.renew(renewCtx, ls)
		cancel()
		if err != nil {
			// The store's own trouble shows in claim; the leases are still good until
			// their end.
			continue
		}
		still := make(map[string]bool, len(kept))
		for _, l := range kept {
			still[l.Key] = true
		}
		c.mu.Lock()
		for _, l := range ls {
			h, ok := c.held[l.Key]
			switch {
			case !ok || h.lease.Token != l.Token:
			case still[l.Key]:
				h.end.Reset(time.Until(asked.Add(c.safe())))
			default:
				h.cancel()
			}
		}
		c.mu.Unlock()
	}
}

// hold keeps a job that was claimed with a request of the time given. What it
// returns is to be closed when the job has ended.
func (c *crew[T]) hold(l lease.Lease, asked time.Time, cancel context.CancelFunc) chan struct{} {
	done := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[l.Key] = holding{lease: l, cancel: cancel, end: time.AfterFunc(time.Until(asked.Add(c.safe())), cancel), done: done}
	return done
}

// safe is how long after it asked for a lease a holder that hears nothing more may
// work. The last tenth of the lease is for the work to end in, on a machine that is
// busy too: whoever gets the lease next begins at once.
func (c *crew[T]) safe() time.Duration { return c.ttl - c.ttl/10 }

func (c *crew[T]) drop(l lease.Lease) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h, ok := c.held[l.Key]; ok && h.lease.Token == l.Token {
		h.end.Stop()
		delete(c.held, l.Key)
	}
}

// interrupt cancels the job under a key, if it is in hand, and waits until it has
// ended or ctx has.
func (c *crew[T]) interrupt(ctx context.Context, key string) {
	c.mu.Lock()
	h, ok := c.held[key]
	c.mu.Unlock()
	if !ok {
		return
	}
	h.cancel()
	select {
	case <-h.done:
	case <-ctx.Done():
	}
}

func (c *crew[T]) leases() []lease.Lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	ls := make([]lease.Lease, 0, len(c.held))
	for _, h := range c.held {
		ls = append(ls, h.lease)
	}
	return ls
}

func (c *crew[T]) claimFailed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = err
}

// claimWorked notes that the store answers. Where it does not take what is
// written, as on a full disk, that stays the fault.
func (c *crew[T]) claimWorked() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.refused {
		c.fault = nil
	}
}

// fail notes an outcome that the store did not take, and reports whether the one
// before it was taken.
func (c *crew[T]) fail(err error) (news bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = err
	if c.first == nil {
		c.first = err
	}
	news, c.refused = !c.refused, true
	return news
}

// recovered notes an outcome that the store took.
func (c *crew[T]) recovered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused, c.fault = false, nil
}

func (c *crew[T]) firstFailure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first
}

// lastFault is the store's last failure, nil when it did since what had failed.
func (c *crew[T]) lastFault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.fault
}

// wait sleeps for d, or until a signal or the context's end; it reports whether
// the context still lives.
func wait(ctx context.Context, signal <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-signal:
	case <-timer.C:
	}
	return true
}
