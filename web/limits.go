package web

import (
	"hash/maphash"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// What strangers may ask of the public forms. An address has a limit of its own,
// which the store keeps.
const (
	limitWindow = time.Hour
	limitClient = 20  // requests to subscribe of one network
	limitAll    = 300 // of everybody: each may cost a stranger a letter
	limitHost   = 5   // to challenge endpoints at one host, under whatever paths
)

// limits counts requests by a key, such as the network that they come from, in
// memory that does not grow with their number: keys share counters, of which each
// has one in two tables, and the lesser counts. Two strangers that share both,
// which one in millions does, share their limit.
type limits struct {
	each, most int // of one key, and of all

	mu     sync.Mutex
	begun  time.Time
	all    int
	seed   [2]maphash.Seed
	tables [2][4096]uint16
}

func newLimits(each, most int) *limits {
	return &limits{each: each, most: most, seed: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// take counts one request. When it is one too many it returns how long to wait.
func (l *limits) take(key any, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if since := now.Sub(l.begun); since >= limitWindow || since < 0 {
		l.begun, l.all, l.tables = now, 0, [2][4096]uint16{}
	}
	var at [2]*uint16
	for i := range at {
		at[i] = &l.tables[i][maphash.Comparable(l.seed[i], key)%4096]
	}
	if l.all >= l.most || int(min(*at[0], *at[1])) >= l.each {
		return l.begun.Add(limitWindow).Sub(now), false
	}
	l.all++
	for _, n := range at {
		*n = uint16(min(int(*n)+1, l.each))
	}
	return 0, true
}

// network is what one client can choose its addresses from: an IPv4 address is
// itself, of an IPv6 one the first 64 bits.
func network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero Prefix where there is no address
	return p
}

// network is what a request is counted by: where its client is.
func (s *Server) network(r *http.Request) netip.Prefix {
	return network(client(r, s.o.ProxyNetworks))
}

// client is the address that a request comes from. What a proxy says of it is
// believed only of those that the operator trusts: they are passed over, from the
// nearest on, to the first that is not one of them.
func client(r *http.Request, trusted []netip.Prefix) netip.Addr {
	near, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	from := near.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && within(from, trusted); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break // what a trusted proxy passed on unread
		}
		from = hop.Unmap()
	}
	return from
}

func within(a netip.Addr, nets []netip.Prefix) bool {
	for _, p := range nets {
		if p.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}
