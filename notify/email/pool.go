package email

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/newswatch/newswatch/notify"
)

const (
	// DefaultConnections is about what public servers allow one client.
	DefaultConnections = 6
	// DefaultIdle is long enough for the next digest of a full hour, and well below
	// the five minutes that a server waits for a command (RFC 5321 §4.5.3.2.7).
	DefaultIdle = 20 * time.Second
	// maxMessages is how many messages one connection carries: many servers end
	// it after a hundred, some with an error.
	maxMessages = 50
	// patience is how long a message waits for a connection; again is when one that
	// got none comes again.
	patience = 10 * time.Second
	again    = 20 * time.Second
)

// pool keeps connections to one server open between messages, and bounds how many
// there are: a server that is met by everyone's digest at seven o'clock refuses
// the seventh connection and may refuse the address.
type pool struct {
	slots chan struct{}
	idle  time.Duration

	mu      sync.Mutex
	waiting []*kept // the last used at the end
	closed  bool
	work    sync.WaitGroup // good-byes that are being said
}

type kept struct {
	*session
	timer *time.Timer
}

func newPool(connections int, idle time.Duration) *pool {
	return &pool{slots: make(chan struct{}, connections), idle: idle}
}

// enter waits for the right to a connection. One that gets none soon has not been
// tried: a server that hangs must not hold up who is reached another way.
func (p *pool) enter(ctx context.Context) error {
	patience := time.NewTimer(patience)
	defer patience.Stop()
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-patience.C:
		return &notify.DeliveryError{Failure: notify.FailureDeferred, Untried: true, RetryAfter: again, Err: errBusy}
	case <-ctx.Done():
		return failed(phaseConnect, ctx.Err())
	}
}

var errBusy = errors.New("email: every connection to the server is in use")

func (p *pool) leave() { <-p.slots }

// take returns the connection that was used last, which is the likeliest to be
// good; nil when there is none.
func (p *pool) take() *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.waiting) > 0 {
		k := p.waiting[len(p.waiting)-1]
		p.waiting = p.waiting[:len(p.waiting)-1]
		if k.timer.Stop() {
			p.work.Done()
			return k.session
		}
	}
	return nil
}

// put keeps a connection, or ends it.
func (p *pool) put(s *session) {
	p.mu.Lock()
	if p.closed || s.over || s.sent >= maxMessages {
		p.mu.Unlock()
		s.quit()
		return
	}
	defer p.mu.Unlock()
	k := &kept{session: s}
	p.work.Add(1)
	k.timer = time.AfterFunc(p.idle, func() {
		defer p.work.Done()
		p.mu.Lock()
		p.waiting = slices.DeleteFunc(p.waiting, func(o *kept) bool { return o == k })
		p.mu.Unlock()
		s.quit()
	})
	p.waiting = append(p.waiting, k)
}

// close ends what waits, and waits until it has ended.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	waiting := p.waiting
	p.waiting = nil
	p.mu.Unlock()
	for _, k := range waiting {
		if k.timer.Stop() {
			k.quit()
			p.work.Done()
		}
	}
	p.work.Wait()
}
