package fetcher

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// queueFor is for how long those who queue at a host may take: a feed that would
	// come after them is put off. turnFor is for how long a turn is waited for in
	// spite of that reckoning.
	queueFor = 2 * time.Second
	turnFor  = 5 * time.Second
	// guessedTook is how long a request to a host of which nothing is known is taken
	// to last where it is asked who may queue there.
	guessedTook = 250 * time.Millisecond
	// leastPutOff and mostPutOff bound for how long a feed is put off: not so short
	// that it is claimed and put off without end, and not so long that a host which
	// has got faster is asked hours later.
	leastPutOff = time.Second
	mostPutOff  = 15 * time.Minute
	// missedFor is how long after its time a feed that did not come back keeps its
	// place: another process may have read it.
	missedFor = time.Minute
)

// turnstile lets at most so many requests be under way, at most so many of them
// to one host, and no two to one host begin closer together than spacing. Both
// queues are first come, first served. The turn of the host is waited for first.
//
// A feed for which the queue of its host is too long is put off: who polls it is
// told when to come back, and has his hands free for other hosts. What is put off
// is remembered in line, those first that have been due the longest.
type turnstile struct {
	most    int // under way
	perHost int
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
	// feeds are the users that are visitors, and eldest is whether one of them is
	// the first of the line, who is not put off again.
	feeds  int
	eldest bool
	// next is when the next request may begin.
	next time.Time
	// took is how long a request lasts of late, active how many are under way, and
	// moved when one of them ended, or began while no other was.
	took   time.Duration
	active int
	moved  time.Time
	// held is until when the host wants no requests.
	held   time.Time
	line   []place
	pruned time.Time
	timer  *time.Timer // forgets the host
}

// visitor is a feed for which a turn is wanted.
type visitor struct {
	feed string
	// due is since when, and again whether it was put off since.
	due   time.Time
	again bool
	// patient says that it is not to be put off, unless the host is held.
	patient bool
}

// place is a feed that was put off, and when it is to come back.
type place struct {
	due  time.Time
	feed string
	at   time.Time
}

// delay says that there is no turn now, and for how long.
type delay struct {
	reason Reason
	wait   time.Duration
}

func (d *delay) Error() string { return "no turn for " + d.wait.String() }

// explain puts it into words.
func (d *delay) explain(host string) *Error {
	if d.reason == ReasonHeld {
		return failf(d.reason, d, "%s wants no requests for another %s, as it has answered one", host, d.wait.Round(time.Second))
	}
	return failf(d.reason, d, "%s has no turn for this feed for another %s, since many of its feeds are due", host, d.wait.Round(time.Second))
}

func newTurnstile(all, perHost int, spacing time.Duration) *turnstile {
	return &turnstile{
		most:    all,
		perHost: perHost,
		spacing: spacing,
		all:     semaphore.NewWeighted(int64(all)),
		hosts:   make(map[string]*hostTurns),
	}
}

// enter waits for a turn at the host and returns what ends it, to be called
// once. Whoever has a turn must not wait for another: two that did could wait
// for each other. A *delay is returned where there is no turn for the visitor, or,
// without one, while the host is held.
func (t *turnstile) enter(ctx context.Context, host string, v *visitor) (leave func(), err error) {
	t.mu.Lock()
	h := t.known(host)
	eldest, d := t.admit(host, h, v)
	if d != nil {
		t.settle(host, h)
		t.mu.Unlock()
		return nil, d
	}
	alone := h.users == 0 && !h.next.After(time.Now()) // as most feeds are at their hosts
	h.users++
	t.mu.Unlock()

	waitCtx, cancel := ctx, func() {}
	if v != nil && !v.patient && !eldest && !alone {
		waitCtx, cancel = context.WithTimeout(ctx, turnFor)
	}
	err = t.wait(waitCtx, host, h)
	cancel()

	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	h.eldest = h.eldest && !eldest
	if err != nil {
		h.gone(v)
		_, held := errors.AsType[*delay](err)
		if v != nil && ctx.Err() == nil && (held || errors.Is(err, context.DeadlineExceeded)) {
			err = t.putOff(host, h, v, now)
		}
		t.settle(host, h)
		return nil, err
	}
	if h.active++; h.active == 1 {
		h.moved = now
	}
	return func() { t.leave(host, h, v, now) }, nil
}

// admit lets a visitor queue, or puts it off. Called with the lock.
func (t *turnstile) admit(host string, h *hostTurns, v *visitor) (eldest bool, d *delay) {
	now := time.Now()
	switch {
	case v == nil && h.held.After(now):
		return false, &delay{ReasonHeld, h.held.Sub(now)}
	case v == nil:
		return false, nil
	case h.held.After(now):
		return false, t.putOff(host, h, v, now)
	}
	h.prune(now, false)
	i, there := h.find(v)
	room := t.room(host, h, now) - h.feeds
	switch {
	case v.patient:
	case v.again && i == 0 && !h.eldest:
		// The first of the line waits until it has its turn: so nobody is put off for
		// ever, however many come, and whatever is made of the reckoning.
		eldest, h.eldest = true, true
	case v.again && room > 0:
	case i < room: // and those in line find room too, when they come
	default:
		return false, t.putOff(host, h, v, now)
	}
	if there {
		h.line = slices.Delete(h.line, i, i+1)
	}
	h.feeds++
	return eldest, nil
}

// putOff gives a visitor its place in line, behind those that have been due for
// longer, and says when it has its turn as things stand. Called with the lock.
func (t *turnstile) putOff(host string, h *hostTurns, v *visitor, now time.Time) *delay {
	i, there := h.find(v)
	if !there {
		h.line = slices.Insert(h.line, i, place{due: v.due, feed: v.feed})
	}
	d := &delay{ReasonBusy, leastPutOff}
	if left := h.held.Sub(now); left > 0 {
		d = &delay{ReasonHeld, left}
	}
	d.wait += min(time.Duration(h.feeds+i)*t.step(host, h, now), mostPutOff)
	h.line[i].at = now.Add(d.wait)
	return d
}

// step is how long one who queues at the host keeps the next waiting.
func (t *turnstile) step(host string, h *hostTurns, now time.Time) time.Duration {
	took := h.took
	if h.active > 0 {
		took = max(took, now.Sub(h.moved)) // it is slower than it was
	}
	d := max(took/time.Duration(t.perHost), time.Millisecond)
	if !isLoopback(host) {
		d = max(d, t.spacing)
	}
	return d
}

// room is how many visitors may be at the host or queue there: as many as have
// their turn soon, and no more than leave hands for other hosts.
func (t *turnstile) room(host string, h *hostTurns, now time.Time) int {
	step := t.step(host, h, now)
	if h.took == 0 {
		step = max(step, guessedTook/time.Duration(t.perHost))
	}
	return min(t.perHost+int(queueFor/step), max(t.perHost, t.most/4))
}

// wait waits for the host's turn, and then for everybody's. It returns a *delay when
// the host has come to be held meanwhile.
func (t *turnstile) wait(ctx context.Context, host string, h *hostTurns) error {
	if err := h.sem.Acquire(ctx, 1); err != nil {
		return err
	}
	err := t.space(ctx, host, h)
	if err == nil {
		err = t.all.Acquire(ctx, 1)
	}
	if err != nil {
		h.sem.Release(1)
		return err
	}
	t.mu.Lock()
	left := time.Until(h.held)
	t.mu.Unlock()
	if left > 0 {
		t.all.Release(1)
		h.sem.Release(1)
		return &delay{ReasonHeld, left}
	}
	return nil
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

// leave ends a turn that began at a time.
func (t *turnstile) leave(host string, h *hostTurns, v *visitor, began time.Time) {
	t.all.Release(1)
	h.sem.Release(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if took := now.Sub(began); h.took == 0 {
		h.took = took
	} else {
		h.took += (took - h.took) / 4
	}
	h.active--
	h.moved = now
	h.gone(v)
	t.settle(host, h)
}

// gone takes one user off the host.
func (h *hostTurns) gone(v *visitor) {
	h.users--
	if v != nil {
		h.feeds--
	}
}

// hold keeps everybody from the host for some time. Who has a turn keeps it.
func (t *turnstile) hold(host string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.known(host)
	h.held = later(h.held, time.Now().Add(d))
	t.settle(host, h)
}

// waiting counts those that are put off and have been due since before a time.
func (t *turnstile) waiting(before time.Time) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, h := range t.hosts {
		h.prune(time.Now(), true)
		i, _ := h.find(&visitor{due: before})
		n += i
	}
	return n
}

// known returns the host's turns. Called with the lock.
func (t *turnstile) known(host string) *hostTurns {
	h := t.hosts[host]
	if h == nil {
		h = &hostTurns{sem: semaphore.NewWeighted(int64(t.perHost))}
		t.hosts[host] = h
	}
	return h
}

// settle sees to it that a host without users is forgotten as soon as there is
// nothing to be known of it. Called with the lock.
func (t *turnstile) settle(host string, h *hostTurns) {
	if h.users > 0 || h.timer != nil {
		return
	}
	until := later(h.next, h.held)
	for _, p := range h.line {
		until = later(until, p.at.Add(missedFor))
	}
	left := time.Until(until)
	if left <= 0 {
		delete(t.hosts, host)
		return
	}
	h.timer = time.AfterFunc(left, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		h.timer = nil
		h.prune(time.Now(), true)
		t.settle(host, h)
	})
}

// find returns the place in line of a visitor, and whether it has it. It is the
// number of those that have been due for longer.
func (h *hostTurns) find(v *visitor) (i int, there bool) {
	return slices.BinarySearchFunc(h.line, v, func(p place, v *visitor) int {
		return cmp.Or(p.due.Compare(v.due), cmp.Compare(p.feed, v.feed))
	})
}

// prune takes those out of the line that did not come back. Every tenth of a
// minute is often enough, or a long line would be gone through for each of it.
func (h *hostTurns) prune(now time.Time, must bool) {
	if !must && now.Sub(h.pruned) < missedFor/10 {
		return
	}
	h.pruned = now
	h.line = slices.DeleteFunc(h.line, func(p place) bool { return now.Sub(p.at) > missedFor })
}
