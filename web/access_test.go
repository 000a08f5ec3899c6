package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/web/desk"
)

const token = "correct-horse-battery-staple"

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// TestAccess is the whole matrix of who gets what: how the listener stands, what
// the request carries, and what each class of route answers.
func TestAccess(t *testing.T) {
	behind := func(o *Options) { o.PublicURL = "https://watch.example/desk" }
	world := func(o *Options) { o.Loopback = false }
	withToken := func(o *Options) { o.AdminToken = token }
	// The tests' requests come from 192.0.2.1.
	proxied := func(o *Options) {
		o.ProxyHeader, o.ProxyNetworks = "Remote-User", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	}
	elsewhere := func(o *Options) { o.ProxyNetworks = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} }
	for _, tt := range []struct {
		name    string
		options []func(*Options)
		headers []string
		// What a page, /metrics and POST /-/reload answer. Probes answer always.
		page, metrics, reload int
	}{
		{"this machine by localhost", nil, nil, 200, 200, 200},
		{"this machine by address", nil, []string{"Host", "127.0.0.1:8080"}, 200, 200, 200},
		{"this machine by another loopback address", nil, []string{"Host", "127.5.5.5"}, 200, 200, 200},
		{"this machine by IPv6", nil, []string{"Host", "[::1]:8080"}, 200, 200, 200},
		{"this machine by IPv6 without a port", nil, []string{"Host", "[::1]"}, 200, 200, 200},
		{"this machine in capitals", nil, []string{"Host", "LOCALHOST:8080"}, 200, 200, 200},
		{"DNS rebinding", nil, []string{"Host", "evil.example:8080"}, 403, 403, 403},
		{"rebinding that begins like localhost", nil, []string{"Host", "localhost.evil.example"}, 403, 403, 403},
		{"rebinding that begins like an address", nil, []string{"Host", "127.0.0.1.nip.example"}, 403, 403, 403},
		{"no host", nil, []string{"Host", ""}, 403, 403, 403},
		{"address of the network", nil, []string{"Host", "192.168.1.5:8080"}, 403, 403, 403},
		{"the public host without having one", nil, []string{"Host", "watch.example"}, 403, 403, 403},
		{"the public host", []func(*Options){behind}, []string{"Host", "watch.example"}, 200, 200, 200},
		{"the public host with a port", []func(*Options){behind}, []string{"Host", "Watch.Example:443"}, 200, 200, 200},
		{"below the public host", []func(*Options){behind}, []string{"Host", "x.watch.example"}, 403, 403, 403},

		{"network, no token", []func(*Options){world}, nil, 403, 403, 403},
		{"network, no token set, one given", []func(*Options){world}, []string{"Authorization", "Bearer "}, 403, 403, 403},
		{"network, token missing", []func(*Options){world, withToken}, nil, 401, 401, 401},
		{"network, bearer", []func(*Options){world, withToken}, []string{"Authorization", "Bearer " + token}, 200, 200, 200},
		{"network, any name", []func(*Options){world, withToken}, []string{"Host", "any.example", "Authorization", "bearer " + token}, 200, 200, 200},
		{"network, basic", []func(*Options){world, withToken}, []string{"Authorization", basic("desk", token)}, 200, 200, 200},
		{"network, basic without a name", []func(*Options){world, withToken}, []string{"Authorization", basic("", token)}, 200, 200, 200},
		{"network, token as the name", []func(*Options){world, withToken}, []string{"Authorization", basic(token, "")}, 401, 401, 401},
		{"network, wrong bearer", []func(*Options){world, withToken}, []string{"Authorization", "Bearer " + token + "x"}, 401, 401, 401},
		{"network, part of the token", []func(*Options){world, withToken}, []string{"Authorization", "Bearer " + token[:5]}, 401, 401, 401},
		{"network, empty bearer", []func(*Options){world, withToken}, []string{"Authorization", "Bearer "}, 401, 401, 401},
		{"network, empty password", []func(*Options){world, withToken}, []string{"Authorization", basic("x", "")}, 401, 401, 401},
		{"network, broken basic", []func(*Options){world, withToken}, []string{"Authorization", "Basic !!!"}, 401, 401, 401},
		{"network, another scheme", []func(*Options){world, withToken}, []string{"Authorization", "Digest " + token}, 401, 401, 401},
		{"network, bare token", []func(*Options){world, withToken}, []string{"Authorization", token}, 401, 401, 401},
		{"network, token in the cookie", []func(*Options){world, withToken}, []string{"Cookie", "token=" + token}, 401, 401, 401},

		{"proxy, signed in", []func(*Options){world, proxied}, []string{"Host", "watch.example", "Remote-User", "desk"}, 200, 200, 200},
		{"proxy, not signed in", []func(*Options){world, proxied}, []string{"Host", "watch.example"}, 403, 403, 403},
		{"proxy, an empty name", []func(*Options){world, proxied}, []string{"Host", "watch.example", "Remote-User", ""}, 403, 403, 403},
		{"proxy, another header", []func(*Options){world, proxied}, []string{"X-Remote-User", "desk"}, 403, 403, 403},
		{"proxy, from elsewhere", []func(*Options){world, proxied, elsewhere}, []string{"Remote-User", "desk"}, 403, 403, 403},
		{"proxy on this machine, not signed in", []func(*Options){proxied}, nil, 403, 200, 403},
		{"proxy and token, by the token", []func(*Options){world, proxied, withToken}, []string{"Authorization", "Bearer " + token}, 200, 200, 200},
		{"proxy and token, by neither", []func(*Options){world, proxied, withToken}, nil, 401, 401, 401},
		{"no proxy, its header", []func(*Options){world}, []string{"Remote-User", "desk"}, 403, 403, 403},

		{"this machine, token set and missing", []func(*Options){withToken}, nil, 401, 200, 401},
		{"this machine, token set and given", []func(*Options){withToken}, []string{"Authorization", "Bearer " + token}, 200, 200, 200},
		{"through a proxy on this machine, token missing", []func(*Options){withToken, behind}, []string{"Host", "watch.example"}, 401, 401, 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, st := kept()
			s := serverOf(m, st, tt.options...)
			for _, a := range []struct {
				method, path string
				want         int
			}{
				{"GET", "/", tt.page},
				{"GET", "/stories", tt.page},
				{"GET", "/feeds", tt.page},
				{"GET", "/rules", tt.page},
				{"GET", "/subscribers", tt.page},
				{"GET", "/preview?subscriber=desk", tt.page},
				{"GET", "/deliveries", tt.page},
				{"GET", "/notices", tt.page},
				{"GET", "/settings", tt.page},
				{"GET", "/stories.csv", tt.page},
				{"GET", "/stories.jsonl", tt.page},
				{"HEAD", "/events", tt.page},
				{"GET", "/purge?id=" + m.reports[0].Item.ID.String(), tt.page},
				{"GET", "/api/v1/openapi.yaml", tt.page},
				{"GET", "/api/v1/notices", tt.page},
				{"GET", "/feeds.atom", tt.page},
				{"GET", "/feeds/operation-p-hunt.json", tt.page},
				{"GET", "/feeds/tag/kerala.atom", tt.page},
				{"GET", "/metrics", tt.metrics},
				{"POST", "/-/reload", tt.reload},
				{"GET", "/healthz", 200},
				{"GET", "/readyz", 200},
				{"GET", "/style.css", 200},
				{"GET", "/live.js", 200},
			} {
				w := ask(s, a.method, a.path, tt.headers...)
				if w.Code != a.want {
					t.Errorf("%s %s: %d, want %d", a.method, a.path, w.Code, a.want)
				}
				if challenge := w.Header().Values("WWW-Authenticate"); (w.Code == 401) != (len(challenge) == 2) {
					t.Errorf("%s %s: %d with the challenges %q", a.method, a.path, w.Code, challenge)
				}
				if w.Code == 403 && !strings.Contains(w.Body.String(), "http.admin_token_file") && !strings.Contains(w.Body.String(), "http.proxy_header") {
					t.Errorf("%s %s: the refusal does not say what to set", a.method, a.path)
				}
				if w.Code >= 400 && strings.Contains(w.Body.String(), "Operation P-Hunt") {
					t.Errorf("%s %s: a refusal shows what it refuses", a.method, a.path)
				}
				if problem := w.Header().Get("Content-Type") == "application/problem+json"; w.Code >= 400 && problem != strings.HasPrefix(a.path, "/api/") {
					t.Errorf("%s %s: %d is %s", a.method, a.path, w.Code, w.Header().Get("Content-Type"))
				}
			}
			// What is not there is no secret from the operator, and is one from others.
			if w := ask(s, "GET", "/no/such", tt.headers...); tt.page != 200 && w.Code != tt.page {
				t.Errorf("a stranger learns what is there: %d", w.Code)
			}
		})
	}
}

// TestTokenIsNotKept: the token stands in no field that could be printed.
func TestTokenIsNotKept(t *testing.T) {
	m, st := kept()
	var out bytes.Buffer
	s := serverOf(m, st, func(o *Options) {
		o.AdminToken = token
		o.Log = slog.New(slog.NewTextHandler(&out, nil))
	})
	if s.o.AdminToken != "" {
		t.Error("the server keeps the token beside its hash")
	}
	m.err = errAway
	ask(s, "GET", "/", "Authorization", "Bearer "+token)
	ask(s, "GET", "/?token="+token)
	if out.Len() == 0 || strings.Contains(out.String(), token) {
		t.Errorf("the log: %s", out.String())
	}
}

// TestCrossSite: a page of another site cannot make a browser reload newswatch,
// though the browser adds the credentials that it remembers.
func TestCrossSite(t *testing.T) {
	for _, tt := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"a program", nil, 200},
		{"own page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}, 200},
		{"typed", []string{"Sec-Fetch-Site", "none"}, 200},
		{"another site", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"another port of this machine", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://localhost:3000"}, 403},
		{"an older browser, own page", []string{"Origin", "http://localhost:8080"}, 200},
		{"an older browser, another site", []string{"Origin", "https://evil.example"}, 403},
		{"an older browser, a sandboxed frame", []string{"Origin", "null"}, 403},
		{"an older browser, own page behind a proxy that rewrites Host", []string{"Origin", "https://watch.example"}, 200},
	} {
		m, st := kept()
		reloads := 0
		s := serverOf(m, st, func(o *Options) {
			o.AdminToken, o.PublicURL = token, "https://watch.example/desk"
			o.Reload = func(context.Context) error { reloads++; return nil }
		})
		w := ask(s, "POST", "/-/reload", append(slices.Clone(tt.headers), "Authorization", basic("desk", token))...)
		if w.Code != tt.want || (reloads == 1) != (tt.want == 200) {
			t.Errorf("%s: %d and %d reloads, want %d", tt.name, w.Code, reloads, tt.want)
		}
	}
}

// TestEveryRoute walks the table of routes: each answer carries every defence,
// each route takes its own methods only, and no GET writes.
func TestEveryRoute(t *testing.T) {
	always := map[string]string{
		"Content-Security-Policy":      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"X-Robots-Tag":                 "noindex, nofollow",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	}
	states := map[string]func(*memory, *Options){
		"well":       func(*memory, *Options) {},
		"refused":    func(_ *memory, o *Options) { o.Loopback = false },
		"no token":   func(_ *memory, o *Options) { o.Loopback, o.AdminToken = false, token },
		"store away": func(m *memory, _ *Options) { m.err = errAway },
		"panics":     func(_ *memory, o *Options) { o.Status = func() desk.Status { panic("status") } },
	}
	for state, change := range states {
		m, st := kept()
		reloads := 0
		s := serverOf(m, st, func(o *Options) {
			o.Reload = func(context.Context) error { reloads++; return nil }
			change(m, o)
		})
		if len(s.routes) != 35 {
			t.Fatalf("%d routes: a new one needs a row in TestAccess", len(s.routes))
		}
		for _, rt := range s.routes {
			path := strings.TrimSuffix(rt.path, "{$}")
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"} {
				if path == "/events" && method == "GET" {
					continue // it does not end by itself; see TestEvents
				}
				w := ask(s, method, path)
				for name, want := range always {
					if (path == "/style.css" || path == "/live.js") && name == "Cache-Control" && w.Code == 200 {
						want = "public, max-age=86400"
					}
					if strings.HasPrefix(path, "/feeds.") && name == "Cache-Control" && w.Code == 200 {
						want = "private, max-age=60"
					}
					if got := w.Header().Values(name); len(got) != 1 || got[0] != want {
						t.Errorf("%s: %s %s: %s is %q", state, method, path, name, got)
					}
				}
				if ct := w.Header().Get("Content-Type"); ct == "" && path != "/metrics" {
					t.Errorf("%s: %s %s has no type", state, method, path)
				}
				if rt.methods == nil {
					continue // the API's own test knows its methods
				}
				taken := slices.Contains(rt.methods, method)
				switch {
				case taken && w.Code == 405:
					t.Errorf("%s: %s %s is refused", state, method, path)
				case !taken && path != "/" && w.Code != 405 && w.Code != 401 && w.Code != 403:
					t.Errorf("%s: %s %s: %d, want 405", state, method, path, w.Code)
				case w.Code == 405 && path != "/" && w.Header().Get("Allow") != strings.Join(rt.methods, ", "):
					t.Errorf("%s: %s %s allows %q", state, method, path, w.Header().Get("Allow"))
				}
			}
		}
		if state == "well" && reloads != 2 {
			t.Errorf("%d reloads by one POST to each of two routes", reloads)
		}
	}
}

// TestPanic: a handler that panics costs one answer. The log has the cause, the
// answer has not.
func TestPanic(t *testing.T) {
	m, st := kept()
	var out bytes.Buffer
	s := serverOf(m, st, func(o *Options) {
		o.Status = func() desk.Status { panic("the cause") }
		o.Log = slog.New(slog.NewTextHandler(&out, nil))
		o.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte("half"))
			panic("in the middle")
		})
	})
	w := ask(s, "GET", "/feeds")
	if w.Code != 500 || strings.Contains(w.Body.String(), "the cause") || !strings.Contains(w.Body.String(), "<h1>") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(out.String(), "the cause") || !strings.Contains(out.String(), "access_test.go") {
		t.Errorf("the log does not say where: %s", out.String())
	}
	// An answer that has begun is cut, not ended as if it were whole.
	defer func() {
		if cause, _ := recover().(error); !errors.Is(cause, http.ErrAbortHandler) {
			t.Errorf("recovered %v", cause)
		}
	}()
	ask(s, "GET", "/metrics")
}
