package fetcher

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/newswatch/newswatch/netguard"
)

// trusting is a guarded transport that reaches loopback and knows the
// certificate of s.
func trusting(t testing.TB, s *httptest.Server) *http.Transport {
	t.Helper()
	tr := netguard.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}.Transport()
	tr.TLSClientConfig.RootCAs = s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return tr
}

func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		status int
		reason Reason
		text   string
	}{
		{400, ReasonClient, "answered 400 Bad Request"},
		{401, ReasonForbidden, "answered 401 Unauthorized; it wants a user name and password, which the url may carry"},
		{402, ReasonForbidden, "answered 402 Payment Required"},
		{403, ReasonForbidden, "answered 403 Forbidden; it may refuse this User-Agent"},
		{404, ReasonNotFound, "answered 404 Not Found; the feed may have moved"},
		{405, ReasonClient, "answered 405 Method Not Allowed"},
		{406, ReasonClient, "answered 406 Not Acceptable"},
		{407, ReasonForbidden, "answered 407"},
		{408, ReasonClient, "answered 408"},
		{410, ReasonGone, "answered 410 Gone"},
		{418, ReasonClient, "answered 418"},
		{421, ReasonClient, "answered 421"},
		{429, ReasonRateLimited, "answered 429 Too Many Requests; it asks for fewer requests"},
		{451, ReasonForbidden, "answered 451"},
		{500, ReasonServer, "answered 500 Internal Server Error"},
		{502, ReasonServer, "answered 502"},
		{503, ReasonServer, "answered 503"},
		{504, ReasonServer, "answered 504"},
		{520, ReasonServer, "answered 520"},
		{599, ReasonServer, "answered 599"},
		{799, ReasonServer, "answered 799"},
		{226, ReasonServer, "answered 226"},
	} {
		t.Run(fmt.Sprint(tt.status), func(t *testing.T) {
			c, _ := newClient(t, Options{})
			s := newSite(t, "127.0.0.1", answers(tt.status))
			res := check(t, c, feedAt(s.URL), State{}, Failed, tt.reason)
			host := strings.TrimPrefix(s.URL, "http://")
			if want := host + " " + tt.text; !strings.HasPrefix(res.State.LastError, want) {
				t.Errorf("%q, want %q", res.State.LastError, want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		header string
		want   time.Duration // at least; jitter adds up to a quarter
	}{
		{"429 in seconds (RFC 6585 §4)", 429, "3600", time.Hour},
		{"503 in seconds (RFC 9110 §10.2.3)", 503, "7200", 2 * time.Hour},
		{"503 with a date", 503, start.Add(3 * time.Hour).Format(http.TimeFormat), 3 * time.Hour},
		{"a date in the old form of RFC 850", 503, start.Add(3 * time.Hour).Format(time.RFC850), 3 * time.Hour},
		{"a date in the past", 503, start.Add(-time.Hour).Format(http.TimeFormat), 5 * time.Minute},
		{"none", 503, "", 5 * time.Minute},
		{"less than the least interval", 429, "1", 5 * time.Minute},
		{"negative", 429, "-5", 5 * time.Minute},
		{"words", 429, "soon", 5 * time.Minute},
		{"a year", 429, "31536000", 24 * time.Hour},
		{"beyond all numbers", 429, strings.Repeat("9", 40), 24 * time.Hour},
		{"a date beyond all numbers", 429, "Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, clk := newClient(t, Options{})
			s := newSite(t, "127.0.0.1", answers(tt.status, "Retry-After: "+tt.header))
			res, _ := c.Fetch(t.Context(), feedAt(s.URL), State{}, nil)
			got := res.State.NextCheck.Sub(clk.Now())
			if got < tt.want || got > tt.want*5/4 || got > 24*time.Hour {
				t.Errorf("tried again after %s, want %s", got, tt.want)
			}
		})
	}
}

// rawServer answers every connection with what write sends, and reads what comes
// meanwhile. write must end when the context does.
func rawServer(t testing.TB, write func(context.Context, net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				write(ctx, conn)
			}
			stop()
			conn.Close()
		}
	}()
	t.Cleanup(func() { cancel(); l.Close(); <-done })
	return "http://" + l.Addr().String()
}

// drip sends one piece after the other until the connection ends.
func drip(piece string, every time.Duration) func(context.Context, net.Conn) {
	return func(ctx context.Context, conn net.Conn) {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			if _, err := io.WriteString(conn, piece); err != nil {
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

const okHeader = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\n"

// TestBadServers has one row for each thing that a server can do wrong on the
// wire. Each costs one failed poll, and no more than its timeout.
func TestBadServers(t *testing.T) {
	after := func(head string, more func(context.Context, net.Conn)) func(context.Context, net.Conn) {
		return func(ctx context.Context, conn net.Conn) {
			io.WriteString(conn, head)
			if more != nil {
				more(ctx, conn)
			}
		}
	}
	for _, tt := range []struct {
		name   string
		write  func(context.Context, net.Conn)
		reason Reason
	}{
		{"hangs up at once", func(context.Context, net.Conn) {}, ReasonConnect},
		{"hangs up in the headers", after("HTTP/1.1 200 OK\r\nContent-", nil), ReasonConnect},
		{"is silent", func(ctx context.Context, _ net.Conn) { <-ctx.Done() }, ReasonTimeout},
		{"speaks something else", after("220 mail.example.org ESMTP\r\n", nil), ReasonConnect},
		{"speaks HTTP/0.9", after(rss("a"), nil), ReasonConnect},
		{"sends a status that is none", after("HTTP/1.1 abc OK\r\n\r\n", nil), ReasonConnect},
		{"sends headers without end", after("HTTP/1.1 200 OK\r\n", drip("X-A: "+strings.Repeat("a", 8<<10)+"\r\n", time.Microsecond)), ReasonTooLarge},
		{"sends one header without end", after("HTTP/1.1 200 OK\r\nX-A: ", drip(strings.Repeat("a", 8<<10), time.Microsecond)), ReasonTooLarge},
		{"sends interim answers without end", drip("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", time.Microsecond), ReasonTooLarge},
		{"drips headers", after("HTTP/1.1 200 OK\r\n", drip("X-A: a\r\n", 10*time.Millisecond)), ReasonTimeout},
		{"drips a body", after(okHeader+"\r\n", drip("<", 10*time.Millisecond)), ReasonTimeout},
		{"sends no body", after(okHeader+"\r\n", func(ctx context.Context, _ net.Conn) { <-ctx.Done() }), ReasonTimeout},
		{"sends a byte of a body", after(okHeader+"Transfer-Encoding: chunked\r\n\r\n1\r\n<\r\n", func(ctx context.Context, _ net.Conn) { <-ctx.Done() }), ReasonTimeout},
		{"drips a chunked body", after(okHeader+"Transfer-Encoding: chunked\r\n\r\n", drip("1\r\n<\r\n", 10*time.Millisecond)), ReasonTimeout},
		{"sends a body without end", after(okHeader+"\r\n", drip(strings.Repeat(" ", 64<<10), time.Microsecond)), ReasonTooLarge},
		{"sends chunk extensions without end", after(okHeader+"Transfer-Encoding: chunked\r\n\r\n1;", drip(strings.Repeat("a", 8<<10), time.Microsecond)), ReasonBody},
		{"sends trailers without end", after(okHeader+"Transfer-Encoding: chunked\r\n\r\n0\r\n", drip("X-A: "+strings.Repeat("a", 8<<10)+"\r\n", time.Microsecond)), ReasonBody},
		{"announces too much", after(okHeader+"Content-Length: 99999999999\r\n\r\n", nil), ReasonTooLarge},
		{"sends less than it announces", after(okHeader+"Content-Length: 9999\r\n\r\n"+rss("a"), nil), ReasonBody},
		{"announces nonsense", after(okHeader+"Content-Length: -1\r\n\r\n"+rss("a"), nil), ReasonConnect},
		{"announces two lengths", after(okHeader+"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"+rss("a"), nil), ReasonConnect},
		{"cuts a chunk off", after(okHeader+"Transfer-Encoding: chunked\r\n\r\nff\r\n<rss>", nil), ReasonBody},
		{"sends no last chunk", after(okHeader+"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n", nil), ReasonBody},
		{"sends a chunk of nonsense", after(okHeader+"Transfer-Encoding: chunked\r\n\r\nzz\r\n", nil), ReasonBody},
		{"redirects and drips", after("HTTP/1.1 302 Found\r\nLocation: /x\r\n", drip("X-A: a\r\n", 10*time.Millisecond)), ReasonTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A loaded machine must not make a timeout of what is none.
			timeout := time.Minute
			if tt.reason == ReasonTimeout {
				timeout = 300 * time.Millisecond
			}
			c, _ := newClient(t, Options{Timeout: timeout, MaxBody: 1 << 20})
			began := time.Now()
			res := check(t, c, feedAt(rawServer(t, tt.write)), State{}, Failed, tt.reason)
			if took := time.Since(began); took > timeout+20*time.Second {
				t.Errorf("took %s", took)
			}
			if res.State.Failures != 1 || res.State.LastError == "" || !res.State.NextCheck.After(start) {
				t.Errorf("state %+v", res.State)
			}
			t.Log(res.State.LastError)
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		c, _ := newClient(t, Options{})
		check(t, c, feedAt("http://"+l.Addr().String()), State{}, Failed, ReasonConnect)
	})
	t.Run("no name server", func(t *testing.T) {
		tr := netguard.Policy{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("no name server")}
		}}}.Transport()
		c, _ := newClient(t, Options{Transport: tr})
		check(t, c, feedAt("http://nowhere.invalid/"), State{}, Failed, ReasonDNS)
		err := &net.DNSError{Err: "no such host", Name: "nowhere.invalid", IsNotFound: true}
		if got := explainTransport("nowhere.invalid", time.Second, err); got.Reason != ReasonNoHost {
			t.Errorf("NXDOMAIN is %s", got.Reason)
		}
	})
	t.Run("a private address", func(t *testing.T) {
		c, _ := newClient(t, Options{})
		res := check(t, c, feedAt("http://192.168.1.1/feed"), State{}, Failed, ReasonRefused)
		if !strings.Contains(res.State.LastError, "fetch.allow_networks") {
			t.Errorf("%q does not say what would allow it", res.State.LastError)
		}
	})
	t.Run("an unknown certificate", func(t *testing.T) {
		s := httptest.NewTLSServer(sends(rss("a")))
		defer s.Close()
		s.Config.ErrorLog = nil
		c, _ := newClient(t, Options{})
		check(t, c, feedAt(s.URL), State{}, Failed, ReasonTLS)
	})
	t.Run("a certificate of another host", func(t *testing.T) {
		s := httptest.NewTLSServer(sends(rss("a")))
		defer s.Close()
		tr := trusting(t, s)
		tr.TLSClientConfig.ServerName = "other.example"
		c, _ := newClient(t, Options{Transport: tr})
		check(t, c, feedAt(s.URL), State{}, Failed, ReasonTLS)
	})
	t.Run("an old TLS", func(t *testing.T) {
		s := httptest.NewUnstartedServer(sends(rss("a")))
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		s.StartTLS()
		defer s.Close()
		c, _ := newClient(t, Options{Transport: trusting(t, s)})
		check(t, c, feedAt(s.URL), State{}, Failed, ReasonTLS)
	})
	t.Run("https to a port of http", func(t *testing.T) {
		s := newSite(t, "127.0.0.1", sends(rss("a")))
		c, _ := newClient(t, Options{})
		check(t, c, feedAt(strings.Replace(s.URL, "http:", "https:", 1)), State{}, Failed, ReasonTLS)
	})
}

func TestBackoffGrowsAndIsForgotten(t *testing.T) {
	c, clk := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", answers(500))
	var st State
	last := time.Duration(0)
	for i := range 20 {
		st = check(t, c, feedAt(s.URL), st, Failed, ReasonServer).State
		wait := st.NextCheck.Sub(clk.Now())
		if wait < last || wait > 24*time.Hour || st.Failures != i+1 {
			t.Fatalf("failure %d waits %s after %s", i+1, wait, last)
		}
		last = wait
	}
	if last < 20*time.Hour {
		t.Errorf("after 20 failures it is tried every %s", last)
	}
	s.serve(sends(rss("a")))
	st = check(t, c, feedAt(s.URL), st, Fetched, "").State
	if wait := st.NextCheck.Sub(clk.Now()); wait > 20*time.Minute {
		t.Errorf("after a success it waits %s", wait)
	}
}
