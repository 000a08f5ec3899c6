package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestLimits(t *testing.T) {
	l := newLobby(t)
	from := func(addr, forwarded string) int {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/subscriptions", strings.NewReader(`{}`))
		r.Header.Set("Content-Type", "application/json")
		r.RemoteAddr = addr
		if forwarded != "" {
			r.Header.Set("X-Forwarded-For", forwarded)
		}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		return w.Code
	}
	for i := range limitClient + 1 {
		code := from(fmt.Sprintf("[2001:db8:1:2::%x]:99", i), fmt.Sprintf("203.0.113.%d", i)) // claims are not believed
		if (code == http.StatusTooManyRequests) != (i == limitClient) {
			t.Fatalf("request %d of one network: %d", i, code)
		}
	}
	if code := from("[2001:db8:1:3::1]:99", ""); code == http.StatusTooManyRequests {
		t.Error("its neighbour is refused too")
	}
	for i := range limitClient + 1 {
		code := from("10.1.1.1:99", fmt.Sprintf("192.0.2.%d, 203.0.113.9, 10.2.2.2", i))
		if (code == http.StatusTooManyRequests) != (i == limitClient) {
			t.Fatalf("request %d through a proxy: %d", i, code)
		}
	}
	if code := from("10.1.1.1:99", "203.0.113.10"); code == http.StatusTooManyRequests {
		t.Error("another client of the proxy is refused too")
	}
	l.now = l.now.Add(limitWindow)
	if code := from("[2001:db8:1:2::1]:99", ""); code == http.StatusTooManyRequests {
		t.Error("refused after an hour")
	}
	for i := range limitAll {
		from(fmt.Sprintf("[2001:db8:%x::1]:99", i+16), "")
	}
	if code := from("203.0.113.77:99", ""); code != http.StatusTooManyRequests {
		t.Errorf("request %d of everybody: %d", limitAll+2, code)
	}
}

// TestLimitsOfTheAPI: behind a proxy that is trusted each client has a limit of its own,
// and who is not that proxy cannot choose one.
func TestLimitsOfTheAPI(t *testing.T) {
	m, st := kept()
	s := serverOf(m, st, func(o *Options) { o.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	refused := func(addr, forwarded string) (n int) {
		for i := range 12 {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/match", strings.NewReader(`{"title":"x"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Host, r.RemoteAddr = "localhost:8080", addr
			r.Header.Set("X-Forwarded-For", strings.ReplaceAll(forwarded, "*", fmt.Sprint(i)))
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			switch w.Code {
			case http.StatusTooManyRequests:
				n++
			case http.StatusOK:
			default:
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
		return n
	}
	for _, c := range []struct {
		addr, forwarded string
		want            int
	}{
		{"10.1.1.1:99", "203.0.113.9", 2},
		{"10.1.1.1:99", "203.0.113.10", 2}, // another client of the proxy
		{"10.1.1.2:99", "203.0.113.9", 12}, // the first again, through another proxy
		{"192.0.2.1:99", "203.0.113.*", 2}, // claims are not believed
		{"10.1.1.1:99", "", 2},
	} {
		if got := refused(c.addr, c.forwarded); got != c.want {
			t.Errorf("%s for %q: %d of 12 are refused, want %d", c.addr, c.forwarded, got, c.want)
		}
	}
}

func TestClient(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.1:80", "198.51.100.1", "203.0.113.1"},
		{"10.0.0.1:80", "", "10.0.0.1"},
		{"10.0.0.1:80", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:80", "1.1.1.1, 198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:80", "1.1.1.1, 198.51.100.1, fd00::7", "198.51.100.1"},
		{"[::ffff:10.0.0.1]:80", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:80", "198.51.100.1, nonsense", "10.0.0.1"},
		{"10.0.0.1:80", "10.0.0.2", "10.0.0.2"},
		{"@", "198.51.100.1", "invalid IP"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := client(r, trusted).String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// An endpoint's host is not knocked at under one path after another.
func TestOneHostIsChallengedAFewTimesAnHour(t *testing.T) {
	l := newLobby(t)
	ask := func(url string) int {
		return l.ask("POST", "/api/v1/subscriptions", "application/json",
			fmt.Sprintf(`{"channel":"webhook","address":%q,"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","agree":true}`, url)).Code
	}
	for i := range limitHost + 1 {
		code := ask(fmt.Sprintf("https://EXAMPLE.org:%d/%d", 8000+i, i))
		if (code == http.StatusTooManyRequests) != (i == limitHost) {
			t.Errorf("request %d: %d", i, code)
		}
	}
	if code := ask("https://other.example.org/"); code != http.StatusAccepted {
		t.Errorf("another host: %d", code)
	}
}
