package notify

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Gates keep one receiver that hangs from taking the time of all others. Each
// receiver, which many subscribers may share, is given a bounded number of
// deliveries at a time; and when several on end could not reach it, it is left
// alone for a while, and then asked by one. It is safe for concurrent use; nil lets
// everything through.
type Gates struct {
	mu sync.Mutex
	at map[string]*gate
}

// gate is one receiver's.
type gate struct {
	inside chan struct{} // one for each delivery under way
	users  int           // those inside or about to be
	failed int           // deliveries on end that did not reach it
	closed time.Time     // until when it is left alone
}

const (
	// gateWidth is how many deliveries a receiver is given at a time.
	gateWidth = 2
	// gatePatience is how long a delivery waits for its place. It keeps one of the
	// daemon's hands meanwhile.
	gatePatience = 4 * time.Second
	// gateAgain is when one that got no place comes again.
	gateAgain = 15 * time.Second
	// gateFailures on end close a gate, for gateRest the first time, and then for
	// twice as long each time, up to gateMaxRest.
	gateFailures = 4
	gateRest     = 30 * time.Second
	gateMaxRest  = 10 * time.Minute
)

var (
	errBusy  = errors.New("the receiver has as many deliveries as it is given at a time")
	errAlone = errors.New("the receiver could not be reached several times on end, and is left alone for a while")
)

// NewGates returns gates that are open.
func NewGates() *Gates { return &Gates{at: make(map[string]*gate)} }

// Through runs one delivery to a receiver, which is named by what subscribers of
// it share, such as its host. Where it may not run now, the error says Untried.
func (g *Gates) Through(ctx context.Context, receiver string, deliver func() error) error {
	if g == nil {
		return deliver()
	}
	one, wait := g.approach(receiver)
	if wait > 0 {
		return &DeliveryError{Failure: FailureDeferred, Untried: true, RetryAfter: wait, Err: errAlone}
	}
	defer g.leave(receiver, one)
	patience := time.NewTimer(gatePatience)
	defer patience.Stop()
	select {
	case one.inside <- struct{}{}:
	case <-patience.C:
		return &DeliveryError{Failure: FailureDeferred, Untried: true, RetryAfter: gateAgain, Err: errBusy}
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-one.inside }()
	err := deliver()
	if ctx.Err() == nil {
		g.learn(one, err)
	}
	return err
}

// approach returns a receiver's gate, and how long it stays closed. When it has
// been closed long enough, the first to come goes through, and the others wait
// for what becomes of it.
func (g *Gates) approach(receiver string) (*gate, time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.at[receiver]
	if one == nil {
		one = &gate{inside: make(chan struct{}, gateWidth)}
		g.at[receiver] = one
	}
	if one.failed >= gateFailures {
		now := time.Now()
		if wait := one.closed.Sub(now); wait > 0 {
			return one, wait
		}
		one.closed = now.Add(one.rest())
	}
	one.users++
	return one, 0
}

// rest is how long a gate with so many failures is closed.
func (o *gate) rest() time.Duration {
	rest := gateRest
	for i := gateFailures; i < o.failed && rest < gateMaxRest; i++ {
		rest *= 2
	}
	return min(rest, gateMaxRest)
}

// learn counts a delivery that could not reach its receiver; any answer, even
// "not now", shows that somebody is there.
func (g *Gates) learn(one *gate, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch de := AsDeliveryError(err); {
	case err == nil:
		one.failed = 0
	case de.Failure == FailureConnect || de.Failure == FailureTimeout || de.Failure == FailureTLS:
		one.failed++
		if one.failed >= gateFailures {
			one.closed = time.Now().Add(one.rest())
		}
	default:
		one.failed = 0
	}
}

// leave forgets a gate that nobody is at and nothing is known against.
func (g *Gates) leave(receiver string, one *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one.users--
	if one.users == 0 && one.failed == 0 {
		delete(g.at, receiver)
	}
}
