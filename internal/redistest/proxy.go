package redistest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Proxy is a network between a client and a server that can be slow, or gone.
type Proxy struct {
	// Addr is where clients connect, and URL redis://Addr/0.
	Addr, URL string

	l      net.Listener
	target string
	gate   sync.RWMutex // held for writing while nothing passes
	delay  atomic.Int64 // of each direction, in nanoseconds

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

// NewProxy serves until the test ends.
func NewProxy(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{
		Addr: l.Addr().String(), URL: "redis://" + l.Addr().String() + "/0",
		l: l, target: target, conns: make(map[net.Conn]bool),
	}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.wg.Wait()
	})
	return p
}

func (p *Proxy) serve() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = c.Close()
			continue
		}
		p.mu.Lock()
		p.conns[c], p.conns[s] = true, true
		p.mu.Unlock()
		p.wg.Go(func() { p.pump(s, c) })
		p.wg.Go(func() { p.pump(c, s) })
	}
}

func (p *Proxy) pump(dst, src net.Conn) {
	defer p.forget(dst, src)
	buf := make([]byte, 64<<10)
	for {
		n, err := src.Read(buf)
		if d := time.Duration(p.delay.Load()); d > 0 && n > 0 {
			<-time.After(d)
		}
		p.gate.RLock()
		_, werr := dst.Write(buf[:n])
		p.gate.RUnlock()
		if err != nil || werr != nil {
			return
		}
	}
}

func (p *Proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		_ = c.Close()
		delete(p.conns, c)
	}
}

// Part lets nothing pass any more, and Join lets all of it pass: no packet is
// lost, as when a route is gone for a while.
func (p *Proxy) Part() { p.gate.Lock() }

// Join ends a Part.
func (p *Proxy) Join() { p.gate.Unlock() }

// Delay holds every packet back for so long.
func (p *Proxy) Delay(d time.Duration) { p.delay.Store(int64(d)) }

// Cut closes every connection.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}
