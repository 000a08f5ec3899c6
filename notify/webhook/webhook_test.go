package webhook

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/netguard"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secretPath = "/hooks/T0p-s3cret-token"
	rawSecret  = "a raw secret of enough length"
)

var (
	encoded = "whsec_" + base64.StdEncoding.EncodeToString([]byte("twenty-four random bytes"))
	secrets = []string{secretPath, "T0p-s3cret", rawSecret, encoded, "key=also-secret"}
)

// hook is an endpoint at a test server.
func hook(t *testing.T, h http.HandlerFunc, change ...func(*Config)) *Hook {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	tr := srv.Client().Transport.(*http.Transport)
	t.Cleanup(func() { tr.CloseIdleConnections(); srv.Close() })
	cfg := Config{URL: srv.URL + secretPath + "?key=also-secret", Secrets: []string{encoded}, Transport: tr}
	for _, c := range change {
		c(&cfg)
	}
	w, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestSignature lets the specification's own library verify what is sent, with a
// secret of either kind, and with two while they are changed.
func TestSignature(t *testing.T) {
	var (
		header http.Header
		body   []byte
	)
	receive := func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != secretPath || r.URL.RawQuery != "key=also-secret" {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		w.WriteHeader(http.StatusNoContent)
	}
	for name, keys := range map[string][]string{"encoded": {encoded}, "raw": {rawSecret}, "two": {rawSecret, encoded}} {
		t.Run(name, func(t *testing.T) {
			w := hook(t, receive, func(c *Config) { c.Secrets = keys })
			d := notifytest.Digest()
			if err := w.Notify(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			for _, key := range keys {
				verify, err := standardwebhooks.NewWebhook(key)
				if key == rawSecret {
					verify, err = standardwebhooks.NewWebhookRaw([]byte(key))
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := verify.Verify(body, header); err != nil {
					t.Errorf("%s: %v", key, err)
				}
				if err := verify.Verify(append(bytes.Clone(body), ' '), header); err == nil {
					t.Error("a changed body verifies")
				}
			}
			if header.Get("webhook-id") != d.ID || header.Get("Content-Type") != "application/json" || header.Get("User-Agent") != "newswatch" {
				t.Errorf("header %v", header)
			}
		})
	}
	w := hook(t, receive, func(c *Config) { c.Secrets = nil })
	if err := w.Notify(t.Context(), notifytest.Digest()); err != nil || header.Get("webhook-signature") != "" || header.Get("webhook-id") == "" {
		t.Errorf("without a secret: %v, %v", header, err)
	}
}

func TestBody(t *testing.T) {
	d := notifytest.Digest()
	b, err := Body(d)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte(`{"type":"digest","version":1,"timestamp":"2026-11-23T01:30:00Z","data":{"id":"0123`)) {
		t.Errorf("begins %.100s", b)
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, m.Data); diff != "" {
		t.Errorf("what is read is not what was sent:\n%s", diff)
	}
	again, _ := Body(d)
	if !bytes.Equal(b, again) {
		t.Error("a retry has another body")
	}
}

func TestBodySize(t *testing.T) {
	d := notifytest.Digest()
	e := d.Groups[0].Entries[0]
	for range 1000 {
		e.Link = "https://news.example/" + strings.Repeat("x", 1500)
		d.Groups[0].Entries = append(d.Groups[0].Entries, e)
		d.Entries++
	}
	b, err := Body(d)
	if err != nil || len(b) > MaxBody || len(b) < MaxBody*3/4 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil || m.Data.Shown()+m.Data.More != d.Entries {
		t.Errorf("shows %d and %d more of %d, %v", m.Data.Shown(), m.Data.More, d.Entries, err)
	}
}

func TestAnswers(t *testing.T) {
	now := time.Now().UTC()
	for _, tt := range []struct {
		status     int
		retryAfter string
		want       notify.Failure // "" is accepted
		permanent  bool
		wait       time.Duration
	}{
		{status: 200},
		{status: 201},
		{status: 202},
		{status: 204},
		{status: 299},
		{status: 301, want: notify.FailureRejected},
		{status: 302, want: notify.FailureRejected},
		{status: 307, want: notify.FailureRejected},
		{status: 308, want: notify.FailureRejected},
		{status: 304, want: notify.FailureRejected},
		{status: 400, want: notify.FailureRejected},
		{status: 404, want: notify.FailureRejected},
		{status: 405, want: notify.FailureRejected},
		{status: 413, want: notify.FailureRejected},
		{status: 422, want: notify.FailureRejected},
		{status: 401, want: notify.FailureAuth},
		{status: 403, want: notify.FailureAuth},
		{status: 410, want: notify.FailureGone, permanent: true},
		{status: 408, want: notify.FailureDeferred},
		{status: 425, want: notify.FailureDeferred},
		{status: 500, want: notify.FailureDeferred},
		{status: 502, want: notify.FailureDeferred},
		{status: 504, want: notify.FailureDeferred},
		{status: 429, want: notify.FailureDeferred, retryAfter: "120", wait: 2 * time.Minute},
		{status: 503, want: notify.FailureDeferred, retryAfter: now.Add(time.Hour).Format(http.TimeFormat), wait: time.Hour},
		{status: 503, want: notify.FailureDeferred, retryAfter: now.Add(-time.Hour).Format(http.TimeFormat)},
		{status: 503, want: notify.FailureDeferred, retryAfter: "999999999", wait: notify.MaxRetryAfter},
		{status: 503, want: notify.FailureDeferred, retryAfter: "99999999999999999999"},
		{status: 503, want: notify.FailureDeferred, retryAfter: "-5"},
		{status: 503, want: notify.FailureDeferred, retryAfter: "soon"},
		{status: 503, want: notify.FailureDeferred, retryAfter: now.Add(1000 * time.Hour).Format(http.TimeFormat), wait: notify.MaxRetryAfter},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.retryAfter), func(t *testing.T) {
			calls := 0
			w := hook(t, func(w http.ResponseWriter, r *http.Request) {
				calls++
				w.Header().Set("Location", "https://elsewhere.example"+secretPath)
				w.Header().Set("Retry-After", tt.retryAfter)
				w.WriteHeader(tt.status)
				fmt.Fprint(w, secretPath, rawSecret)
			}, func(c *Config) { c.Now = func() time.Time { return now } })
			err := w.Notify(t.Context(), notifytest.Digest())
			if calls != 1 {
				t.Errorf("%d requests: a redirect was followed", calls)
			}
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			notifytest.Failed(t, err, tt.want, tt.permanent, secrets...)
			if got := notify.AsDeliveryError(err).RetryAfter; (got - tt.wait).Abs() > time.Second {
				t.Errorf("wait %s, want %s", got, tt.wait)
			}
		})
	}
}

// TestFaults plays a server that misbehaves.
func TestFaults(t *testing.T) {
	hijack := func(f func(net.Conn)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			f(conn)
		}
	}
	ended := make(chan struct{})
	for _, tt := range []struct {
		name string
		h    http.HandlerFunc
		want notify.Failure
	}{
		{"cut", hijack(func(net.Conn) {}), notify.FailureConnect},
		{"nonsense", hijack(func(c net.Conn) { fmt.Fprint(c, secretPath, "\r\n\r\n") }), notify.FailureConnect},
		{"endless header", hijack(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := fmt.Fprint(c, "X: ", strings.Repeat("x", 1000), "\r\n"); err != nil {
					return
				}
			}
		}), notify.FailureConnect},
		// Not until the client leaves: an answer could then overtake its timeout.
		{"no answer", func(http.ResponseWriter, *http.Request) { <-ended }, notify.FailureTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := hook(t, tt.h, func(c *Config) {
				c.Timeout = 5 * time.Second
				if tt.want == notify.FailureTimeout {
					c.Timeout = 100 * time.Millisecond
				}
			})
			if tt.want == notify.FailureTimeout {
				defer close(ended) // before the server waits for its handlers
			}
			notifytest.Failed(t, w.Notify(t.Context(), notifytest.Digest()), tt.want, false, secrets...)
		})
	}
}

// The answer's status counts; a body without end costs little and changes nothing.
func TestEndlessBody(t *testing.T) {
	written := make(chan int, 1)
	w := hook(t, func(w http.ResponseWriter, r *http.Request) {
		n := 0
		for range 1 << 14 {
			m, err := w.Write(bytes.Repeat([]byte("x"), 4096))
			n += m
			if err != nil {
				break
			}
		}
		written <- n
	})
	if err := w.Notify(t.Context(), notifytest.Digest()); err != nil {
		t.Error(err)
	}
	if n := <-written; n >= 32<<20 {
		t.Errorf("the server could write %d bytes", n)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	closed := func(c *Config) { c.URL = "https://" + l.Addr().String() + secretPath }
	err = hook(t, nil, closed).Notify(t.Context(), notifytest.Digest())
	notifytest.Failed(t, err, notify.FailureConnect, false, secrets...)
	if !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("the cause is lost: %v", err)
	}

	ok := func(http.ResponseWriter, *http.Request) { t.Error("a digest was sent") }
	unknown := &http.Transport{}
	notifytest.Failed(t, hook(t, ok, func(c *Config) { c.Transport = unknown }).Notify(t.Context(), notifytest.Digest()), notify.FailureTLS, false, secrets...)

	refused := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &netguard.RefusedError{Addr: "127.0.0.1:443", Why: "a loopback address"}}
	}}
	notifytest.Failed(t, hook(t, ok, func(c *Config) { c.Transport = refused }).Notify(t.Context(), notifytest.Digest()), notify.FailureRefused, false, secrets...)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	notifytest.Failed(t, hook(t, ok).Notify(ctx, notifytest.Digest()), notify.FailureConnect, false, secrets...)
}

func TestTimestampIsOfTheTry(t *testing.T) {
	var stamps []string
	now := time.Unix(1_800_000_000, 0)
	w := hook(t, func(_ http.ResponseWriter, r *http.Request) {
		stamps = append(stamps, r.Header.Get("webhook-timestamp"))
	},
		func(c *Config) { c.Now = func() time.Time { return now } })
	for range 2 {
		if err := w.Notify(t.Context(), notifytest.Digest()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	// A receiver refuses what is older than five minutes, so a retry is signed anew.
	if strings.Join(stamps, " ") != "1800000000 "+strconv.Itoa(1_800_003_600) {
		t.Errorf("got %v", stamps)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []Config{
		{URL: ""},
		{URL: "hooks.example/x"},
		{URL: "ftp://hooks.example/x"},
		{URL: "https:///x"},
		{URL: "https://:443/x"},
		{URL: "http://hooks.example" + secretPath},
		{URL: "https://user:T0p-s3cret@hooks.example/"},
		{URL: "https://hooks.example/%zz" + secretPath},
		{URL: "javascript:alert(1)"},
		{URL: "https://hooks.example/", Secrets: []string{""}},
		{URL: "https://hooks.example/", Secrets: []string{rawSecret, "whsec_!" + rawSecret}},
		{URL: "https://hooks.example/", Secrets: []string{"whsec_"}},
	} {
		_, err := New(cfg)
		if err == nil || !strings.HasPrefix(err.Error(), "webhook: ") {
			t.Errorf("%+v: %v", cfg, err)
			continue
		}
		for _, s := range secrets {
			if strings.Contains(err.Error(), s) {
				t.Errorf("%v shows %s", err, s)
			}
		}
	}
	if _, err := New(Config{URL: "http://hooks.example/x", AllowHTTP: true}); err != nil {
		t.Error(err)
	}
}
