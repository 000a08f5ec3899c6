package api

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace is how often one client may ask for something.
type pace int

const (
	// asking is for what costs a look into the store.
	asking pace = iota
	// trying is for what runs rules, reads a page or a configuration.
	trying
)

// paces are the lasting rate, and how many requests may come at once.
var paces = [...]struct {
	rate  rate.Limit
	burst int
}{asking: {20, 60}, trying: {1, 10}}

// maxClients bounds the clients that are remembered. When there are more, all of
// them begin anew: who can send from so many addresses is not stopped by a limit
// for each.
const maxClients = 4096

// limits counts the requests of each client by where it is.
type limits struct {
	now     func() time.Time
	mu      sync.Mutex
	clients map[netip.Prefix]*[len(paces)]*rate.Limiter
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, clients: map[netip.Prefix]*[len(paces)]*rate.Limiter{}}
}

// take returns how long the client has to wait, or zero.
func (l *limits) take(client netip.Prefix, p pace) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := l.clients[client]
	if of == nil {
		if len(l.clients) >= maxClients {
			clear(l.clients)
		}
		of = new([len(paces)]*rate.Limiter)
		for i, p := range paces {
			of[i] = rate.NewLimiter(p.rate, p.burst)
		}
		l.clients[client] = of
	}
	now := l.now()
	res := of[p].ReserveN(now, 1)
	wait := res.DelayFrom(now)
	if wait > 0 {
		res.CancelAt(now)
	}
	return wait
}
