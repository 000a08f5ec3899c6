package fetcher

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// turnstile lets at most so many requests be under way, and at most so many of
// them to one host. Both queues are first come, first served. The turn of the
// host is waited for first: a host with a thousand feeds then fills its own
// queue and not everybody's.
type turnstile struct {
	perHost int64
	all     *semaphore.Weighted

	mu    sync.Mutex
	hosts map[string]*hostTurns
}

// hostTurns exists as long as somebody has a turn at the host or waits for one.
type hostTurns struct {
	sem   *semaphore.Weighted
	users int
}

func newTurnstile(all, perHost int) *turnstile {
	return &turnstile{
		perHost: int64(perHost),
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
	if err := t.all.Acquire(ctx, 1); err != nil {
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

// forget takes one user off the host and the host off the map with the last.
func (t *turnstile) forget(host string, h *hostTurns) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if h.users--; h.users == 0 {
		delete(t.hosts, host)
	}
}
