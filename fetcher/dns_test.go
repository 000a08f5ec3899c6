package fetcher

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/newswatch/newswatch/netguard"
)

// nameServer is a name server on loopback. Its answer to the nth query for IPv4
// addresses, counted from 0, is what answer returns; nothing means that there is
// no such name.
func nameServer(t *testing.T, answer func(n int64) []netip.Addr) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var queries atomic.Int64
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				for _, ip := range answer(queries.Add(1) - 1) {
					m.Answers = append(m.Answers, dnsmessage.Resource{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
						Body:   &dnsmessage.AResource{A: ip.As4()},
					})
				}
				if len(m.Answers) == 0 {
					m.RCode = dnsmessage.RCodeNameError
				}
			}
			if reply, err := m.Pack(); err == nil {
				conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}

// TestNames polls feeds by name: one that is not there, one that leads inside,
// and one that leads there the second time it is asked for.
func TestNames(t *testing.T) {
	inside := newSite(t, "127.0.0.1", sends(rss("a secret")))
	port := mustURL(t, inside.URL).Port()
	loopback := netip.MustParseAddr("127.0.0.1")
	for _, tt := range []struct {
		name   string
		answer func(n int64) []netip.Addr
		reason Reason
	}{
		{"there is no such name", func(int64) []netip.Addr { return nil }, ReasonNoHost},
		{"it leads to this machine", func(int64) []netip.Addr { return []netip.Addr{loopback} }, ReasonRefused},
		{"it leads to the machine's keys", func(int64) []netip.Addr { return []netip.Addr{netip.MustParseAddr("169.254.169.254")} }, ReasonRefused},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := netguard.Policy{Resolver: nameServer(t, tt.answer)}
			c, _ := newClient(t, Options{Transport: policy.Transport()})
			f := feedAt("http://feed.test:" + port + "/")
			st := check(t, c, f, State{}, Failed, tt.reason).State
			check(t, c, f, st, Failed, tt.reason)
			if n := len(inside.taken()); n != 0 {
				t.Errorf("the inside was asked %d times", n)
			}
		})
	}
	t.Run("it leads outside the first time, and inside the second", func(t *testing.T) {
		l, err := net.Listen("tcp4", "127.0.0.2:"+port)
		if err != nil {
			t.Skip("the port is taken at 127.0.0.2")
		}
		l.Close()
		outside := newSiteAt(t, "127.0.0.2:"+port, sends(rss("a"), "Connection: close"))
		policy := netguard.Policy{
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}, // as good as public
			Resolver: nameServer(t, func(n int64) []netip.Addr {
				if n == 0 {
					return []netip.Addr{netip.MustParseAddr("127.0.0.2")}
				}
				return []netip.Addr{loopback}
			}),
		}
		c, _ := newClient(t, Options{Transport: policy.Transport()})
		f := feedAt("http://feed.test:" + port + "/")
		st := check(t, c, f, State{}, Fetched, "").State
		check(t, c, f, st, Failed, ReasonRefused)
		if n := len(outside.taken()); n != 1 {
			t.Errorf("the outside was asked %d times", n)
		}
		if n := len(inside.taken()); n != 0 {
			t.Errorf("the inside was asked %d times", n)
		}
	})
	t.Run("a redirect leads inside", func(t *testing.T) {
		policy := netguard.Policy{
			Allow:    []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
			Resolver: nameServer(t, func(int64) []netip.Addr { return []netip.Addr{loopback} }),
		}
		c, _ := newClient(t, Options{Transport: policy.Transport()})
		for _, to := range []string{inside.URL, "http://feed.test:" + port, "http://2130706433:" + port, "http://0x7f.1:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://localhost:" + port} {
			s := newSite(t, "127.0.0.2", answers(301, "Location: "+to))
			res, err := c.Fetch(t.Context(), feedAt(s.URL), State{}, nil)
			if err == nil || res.State.Reason != ReasonRefused && res.State.Reason != ReasonNoHost {
				t.Errorf("%s: %v", to, err)
			}
		}
		if n := len(inside.taken()); n != 0 {
			t.Errorf("the inside was asked %d times", n)
		}
	})
}
