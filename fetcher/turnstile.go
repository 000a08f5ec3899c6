package fetcher

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// turnstile lets at most so many requests be under way, at most so many of them
// to one host, and no two to one host begin closer together than spacing. Both
// queues are first come, first served. The turn of the host is waited for first:
// a host with a thousand feeds then fills its own queue and not everybody's.
type turnstile struct {
	perHost int64
	spacing time.Duration
	all     *semaphore.Weighted

	mu    sync.Mutex
	hosts map[string]*hostTurns
}

// hostTurns exists as long as somebody has a turn at the host, or waits for one,
// or would have to.
type hostTurns struct {
	sem   *semaphore.Weighted
	users int
	// next is when the next request may begin.
	next time.Time
}

func newTurnstile(all, perHost int, spacing time.Duration) *turnstile {
	return &turnstile{
		perHost: int64(perHost),
		spacing: spacing,
		all:     semaphore.NewWeighted(int64(all)),
		hosts:   make(map[string]*hostTurns),
	}
}

// enter waits for a turn at the host and returns what ends it, to be called
// once. Whoever has a turn must not wait for another: two that did could wait
// for each other.
func (t *turnstile) enter(ctx context.Context, host string) (leave func(), err error) {
	t.mu.Lock()
	h := t.hosts[host]
	if h == nil {
		h = &hostTurns{sem: semaphore.NewWeighted(t.perHost)}
		t.hosts[host] = h
	}
	h.users++
	t.mu.Unlock()

	if err := h.sem.Acquire(ctx, 1); err != nil {
		t.forget(host, h)
		return nil, err
	}
	err = t.space(ctx, host, h)
	if err == nil {
		err = t.all.Acquire(ctx, 1)
	}
	if err != nil {
		h.sem.Release(1)
		t.forget(host, h)
		return nil, err
	}
	return func() {
		t.all.Release(1)
		h.sem.Release(1)
		t.forget(host, h)
	}, nil
}

// space waits until the next request to the host may begin. This machine is owed
// no such politeness: who has a thousand feeds at a bridge of his own would wait
// for nobody's sake.
func (t *turnstile) space(ctx context.Context, host string, h *hostTurns) error {
	if t.spacing == 0 || isLoopback(host) {
		return nil
	}
	t.mu.Lock()
	now := time.Now()
	begin := later(now, h.next)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(begin) {
		t.mu.Unlock()
		return context.DeadlineExceeded // and nobody's place is taken
	}
	h.next = begin.Add(t.spacing)
	t.mu.Unlock()
	if begin.Equal(now) {
		return nil
	}
	timer := time.NewTimer(begin.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// forget takes one user off the host, and the host off the map with the last, as
// soon as another would not have to wait.
func (t *turnstile) forget(host string, h *hostTurns) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h.users--
	if left := time.Until(h.next); h.users == 0 && left > 0 {
		time.AfterFunc(left, func() { t.drop(host, h) })
	} else if h.users == 0 {
		delete(t.hosts, host)
	}
}

// drop takes a host off the map unless it is in use again.
func (t *turnstile) drop(host string, h *hostTurns) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.users == 0 && !h.next.After(time.Now()) && t.hosts[host] == h {
		delete(t.hosts, host)
	}
}
