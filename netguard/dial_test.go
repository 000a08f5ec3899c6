package netguard

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inside is a server on loopback, IPv4 and, where the machine has it, IPv6, on
// one port. It counts the connections that reach it.
func inside(t *testing.T) (port string, arrived *atomic.Int64) {
	t.Helper()
	arrived = new(atomic.Int64)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "secret") })
	count := func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			arrived.Add(1)
		}
	}
	four := httptest.NewUnstartedServer(handler)
	four.Config.ConnState = count
	four.Start()
	t.Cleanup(four.Close)
	_, port, err := net.SplitHostPort(four.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if l, err := net.Listen("tcp6", "[::1]:"+port); err == nil {
		six := httptest.NewUnstartedServer(handler)
		six.Listener.Close()
		six.Listener = l
		six.Config.ConnState = count
		six.Start()
		t.Cleanup(six.Close)
	}
	return port, arrived
}

// forms are ways to write an address inside, as they stand in a URL. Those that
// are names to Go are resolved by a name server that answers every name with
// loopback, which is what the C library makes of many of them.
var forms = []string{
	// dotted, shortened, padded
	"127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "127.000.000.001", "0127.0.0.1",
	"127.0.0.01", "127.0.0.1.", "127.0.0.1..", ".127.0.0.1", "127..0.1", "127.0.0.1.nip.io",
	// one number
	"2130706433", "02130706433", "017700000001", "0x7f000001", "0X7F000001", "0x7f000001.", "4294967295", "0", "00", "0x0",
	// octal and hexadecimal parts, mixed
	"0177.0.0.1", "0177.0.0.01", "0x7f.0.0.1", "0x7f.1", "0x7f.0x0.0x0.0x1", "0177.0x0.0.1", "00000177.00000000.1", "127.0x1", "0x7f.0.1",
	// overflow
	"383.0.0.1", "127.0.0.257", "4294967296", "6425673729",
	// the unspecified address, which connects to this machine
	"0.0.0.0", "0.0.0.0.", "0.0.0", "[::]", "[0:0:0:0:0:0:0:0]", "[::0]",
	// IPv6
	"[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::0001]", "[0::1]",
	"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:0.0.0.0]",
	"[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[2002:7f00:0001::1]",
	"[::ffff:0:127.0.0.1]", "[fe80::1]", "[fe80::1%25lo]", "[fe80::1%25eth0]", "[::1%25lo]", "[::1%251]", "[ff01::1]", "[fec0::1]", "[fd00::1]",
	"[::ffff:127.0.0.1%25lo]",
	// names
	"localhost", "LOCALHOST", "LocalHost", "localhost.", "localhost.localdomain", "ip6-localhost", "ip6-loopback",
	"foo.localhost", "127.0.0.1.example.org", "loopback.example.org", "metadata.google.internal", "metadata",
	// other scripts and forms, some of which IDNA maps to ASCII
	"１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "①②⑦.⓪.⓪.①", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "١٢٧.٠.٠.١",
	"ｌｏｃａｌｈｏｓｔ", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "𝓵𝓸𝓬𝓪𝓵𝓱𝓸𝓼𝓽", "loc\u00adalhost", "xn--localhost-",
	// escapes and user info
	"%6c%6f%63%61%6c%68%6f%73%74", "%31%32%37.0.0.1", "user@127.0.0.1", "example.org@127.0.0.1", "user:pass@localhost",
	"example.org:80@127.0.0.1", "127.0.0.1%2e", "127%2e0%2e0%2e1",
	// other inner networks
	"169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1", "172.16.0.1", "100.100.100.200", "[::ffff:169.254.169.254]",
	"2852039166", "0xA9FEA9FE", "169.254.43518", "0251.0376.0251.0376",
}

var loopback = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")}

func TestNoFormReachesLoopback(t *testing.T) {
	if len(forms) < 70 {
		t.Fatalf("only %d forms", len(forms))
	}
	port, arrived := inside(t)
	dns := newNameServer(t, func(string, int64) []netip.Addr { return loopback })
	client := &http.Client{Transport: transport(t, Policy{Resolver: dns.resolver})}
	for _, form := range forms {
		resp, err := client.Get("http://" + form + ":" + port + "/")
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s: answered %s", form, resp.Status)
			continue
		}
		// What is dialled at all must have been refused by the guard and not by
		// chance. Go takes names that end in a number for no names.
		var refused *RefusedError
		var name *net.DNSError
		var dial *net.OpError
		if errors.As(err, &dial) && !errors.As(err, &refused) && !(errors.As(err, &name) && name.IsNotFound) {
			t.Errorf("%s: failed, but not for the guard: %v", form, err)
		}
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d connections arrived", n)
	}
}

// TestFormsWouldReachLoopback shows that the test above can fail: with loopback
// allowed, most of the same forms arrive.
func TestFormsWouldReachLoopback(t *testing.T) {
	port, arrived := inside(t)
	dns := newNameServer(t, func(string, int64) []netip.Addr { return loopback })
	client := &http.Client{Transport: transport(t, Policy{
		Resolver: dns.resolver,
		Allow:    []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("0.0.0.0/32")},
	})}
	reached := 0
	for _, form := range forms {
		resp, err := client.Get("http://" + form + ":" + port + "/")
		if err == nil {
			resp.Body.Close()
			reached++
		}
	}
	if arrived.Load() == 0 || reached < 50 {
		t.Errorf("only %d of %d forms reach loopback when it is allowed", reached, len(forms))
	}
	t.Logf("%d of %d forms reach loopback when it is allowed", reached, len(forms))
}

func transport(t *testing.T, p Policy) *http.Transport {
	t.Helper()
	tr := p.Transport()
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// get makes a request whose answer does not matter.
func get(tr http.RoundTripper, url string) error {
	resp, err := (&http.Client{Transport: tr}).Get(url)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// TestRebinding lets a name lead to a public address when it is looked at, and
// to loopback when it is dialled.
func TestRebinding(t *testing.T) {
	port, arrived := inside(t)
	public := netip.MustParseAddr("93.184.216.34")
	dns := newNameServer(t, func(_ string, n int64) []netip.Addr {
		if n == 0 {
			return []netip.Addr{public}
		}
		return loopback
	})
	p := Policy{Resolver: dns.resolver}
	addrs, err := dns.resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.org")
	if err != nil || len(addrs) != 1 || p.Check(netip.AddrPortFrom(addrs[0], 80)) != nil {
		t.Fatalf("a check beforehand sees %v, %v: it should see a public address", addrs, err)
	}
	err = get(transport(t, p), "http://rebind.example.org:"+port+"/")
	var refused *RefusedError
	if !errors.As(err, &refused) {
		t.Errorf("got %v, want a refusal", err)
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d connections arrived", n)
	}
}

// TestEveryRedirectIsJudged starts at a server that is allowed.
func TestEveryRedirectIsJudged(t *testing.T) {
	port, arrived := inside(t)
	outside := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:"+port+"/", http.StatusFound)
	}))
	outside.Listener.Close()
	var err error
	if outside.Listener, err = net.Listen("tcp4", "127.0.0.9:0"); err != nil {
		t.Fatal(err)
	}
	outside.Start()
	defer outside.Close()
	err = get(transport(t, Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}}), outside.URL)
	var refused *RefusedError
	if !errors.As(err, &refused) || refused.Addr != "127.0.0.1:"+port {
		t.Errorf("got %v, want a refusal of 127.0.0.1", err)
	}
	if n := arrived.Load(); n != 0 {
		t.Errorf("%d connections arrived", n)
	}
}

// TestManyAddresses has a name with as many inner addresses as fit into an
// answer: all are refused, and soon.
func TestManyAddresses(t *testing.T) {
	port, arrived := inside(t)
	var addrs []netip.Addr
	for i := range 70 {
		addrs = append(addrs, netip.AddrFrom4([4]byte{127, 0, 1, byte(i)}))
	}
	dns := newNameServer(t, func(string, int64) []netip.Addr { return addrs })
	began := time.Now()
	err := get(transport(t, Policy{Resolver: dns.resolver}), "http://many.example.org:"+port+"/")
	var refused *RefusedError
	if !errors.As(err, &refused) || arrived.Load() != 0 {
		t.Errorf("got %v and %d connections", err, arrived.Load())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestSilentNameServer shows that the dialer's bound covers resolving. The bound
// is lowered for it; that of the policy is fixed.
func TestSilentNameServer(t *testing.T) {
	dns := newNameServer(t, func(string, int64) []netip.Addr { return nil })
	d := Policy{Resolver: dns.resolver}.Dialer()
	if d.Timeout <= 0 || d.Timeout > 10*time.Second {
		t.Errorf("a dial may take %s", d.Timeout)
	}
	d.Timeout = 100 * time.Millisecond
	began := time.Now()
	_, err := d.DialContext(t.Context(), "tcp", "silent.example.org:80")
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want a timeout", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %s", took)
	}
}

// TestNoProxy: a proxy would dial in our place. (That the environment names one
// cannot be tried: net/http reads it once in a process.)
func TestNoProxy(t *testing.T) {
	if transport(t, Policy{}).Proxy != nil {
		t.Error("requests may go through a proxy")
	}
}

func TestHeadersAreBounded(t *testing.T) {
	for _, tls := range []bool{false, true} {
		t.Run(fmt.Sprintf("http2=%v", tls), func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for i := range 200 {
					w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
				}
			}))
			s.EnableHTTP2 = tls
			if tls {
				s.StartTLS()
			} else {
				s.Start()
			}
			defer s.Close()
			tr := transport(t, Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			if tls {
				tr.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
			}
			resp, err := (&http.Client{Transport: tr}).Get(s.URL)
			if err == nil {
				resp.Body.Close()
				t.Errorf("200 kB of headers were read (%s)", resp.Proto)
			}
		})
	}
}

func TestTransportSpeaksHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	defer s.Close()
	tr := transport(t, Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	tr.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	resp, err := (&http.Client{Transport: tr}).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "HTTP/2.0" {
		t.Errorf("spoke %s", body)
	}
}
