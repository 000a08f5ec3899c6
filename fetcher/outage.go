package fetcher

import (
	"sync"
	"time"
)

// outageHosts is how many hosts in a row must be out of reach, and none in reach
// between them, before it is the network here that is held to be down.
const outageHosts = 5

// outage tells a network that is down here from hosts that are down there: when
// everything fails, it is us.
type outage struct {
	mu     sync.Mutex
	missed map[string]bool // hosts that were out of reach since something was not
	first  time.Time       // when the first of them was
}

// reached notes that a host has answered, whatever it said.
func (o *outage) reached() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.missed) > 0 {
		o.missed = nil
	}
}

// miss notes at now that a host could not be reached, and reports whether nothing
// can be.
func (o *outage) miss(host string, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.missed == nil {
		o.missed, o.first = make(map[string]bool), now
	}
	if len(o.missed) < outageHosts {
		o.missed[host] = true
	}
	return len(o.missed) >= outageHosts
}

// since is when the outage began; down is false when there is none.
func (o *outage) since() (at time.Time, down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.first, len(o.missed) >= outageHosts
}

// Waiting counts the feeds that are put off and have been due since before a time.
func (c *Client) Waiting(before time.Time) int { return c.turns.waiting(before) }

// Offline reports whether nothing that was tried of late can be reached, and since
// when.
func (c *Client) Offline() (since time.Time, offline bool) { return c.outage.since() }

// unreached are the reasons of which a network that is down is one cause.
func (r Reason) unreached() bool {
	return r == ReasonDNS || r == ReasonConnect || r == ReasonTimeout
}
