package netguard

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is a name server on loopback. It answers the nth query (from 0)
// with what answer returns; nil means that it does not answer at all.
type nameServer struct {
	resolver *net.Resolver
	queries  atomic.Int64
}

func newNameServer(t *testing.T, answer func(name string, n int64) []netip.Addr) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := s.reply(buf[:n], answer); reply != nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	// A lookup goes on for some seconds after whoever asked for it has left;
	// closing its connections and allowing no more of them ends it.
	var mu sync.Mutex
	var open []net.Conn
	closed := false
	t.Cleanup(func() {
		mu.Lock()
		closed = true
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		conn.Close()
		<-done
	})
	s.resolver = &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if closed {
				return nil, net.ErrClosed
			}
			var d net.Dialer
			c, err := d.DialContext(ctx, "udp4", conn.LocalAddr().String())
			if err == nil {
				open = append(open, c)
			}
			return c, err
		},
	}
	return s
}

func (s *nameServer) reply(query []byte, answer func(string, int64) []netip.Addr) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable = true, true
	m.Additionals = nil
	if q.Type == dnsmessage.TypeA || q.Type == dnsmessage.TypeAAAA {
		n := s.queries.Load()
		if q.Type == dnsmessage.TypeA {
			s.queries.Add(1)
		}
		addrs := answer(q.Name.String(), n)
		if addrs == nil {
			return nil
		}
		for _, a := range addrs {
			h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0}
			switch {
			case a.Is4() && q.Type == dnsmessage.TypeA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
			case a.Is6() && q.Type == dnsmessage.TypeAAAA:
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
			}
		}
	}
	out, err := m.Pack()
	if err != nil {
		return nil
	}
	return out
}
