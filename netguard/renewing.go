package netguard

import (
	"net/http"
	"sync"
)

// renewAfter is how many requests one transport takes. Of each host it keeps most of a
// kilobyte, so that is a quarter of a megabyte at most.
const renewAfter = 250

// Renewing is a RoundTripper for many hosts that are visited rarely: it takes
// another transport now and then. An http.Transport keeps what it knows of a
// request, its context included, until a connection to the same host becomes idle
// (golang/go#50798). Hosts that close their connections, or never answer, are so
// remembered for ever, which at ten thousand of them is half of a small program's
// memory.
type Renewing struct {
	fresh func() *http.Transport

	mu   sync.Mutex
	now  *http.Transport
	left int // requests until the next transport
}

// NewRenewing returns a Renewing of the transports that fresh makes.
func NewRenewing(fresh func() *http.Transport) *Renewing {
	return &Renewing{fresh: fresh}
}

// RoundTrip is http.RoundTripper's.
func (r *Renewing) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.take().RoundTrip(req)
}

// take returns the transport for one more request.
func (r *Renewing) take() *http.Transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 {
		if r.now != nil {
			// Those under way end as they would, and are then closed.
			r.now.CloseIdleConnections()
		}
		r.now, r.left = r.fresh(), renewAfter
	}
	r.left--
	return r.now
}

// CloseIdleConnections closes the connections that are kept for another request.
func (r *Renewing) CloseIdleConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil {
		r.now.CloseIdleConnections()
	}
}
