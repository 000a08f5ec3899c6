package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/netguard"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rooms is one of each service; secrets is what no error may show of them.
var rooms = map[string]string{
	"slack":      "slack://hook:T0AAAAAAA-B0BBBBBBB-s3cretTOKEN@webhook",
	"slack-api":  "slack://xoxb:12-s3cretTOKEN@C0CHANNEL",
	"teams":      "teams://prod-1.logic.azure.com/workflows/s3cretTOKEN/run?sig=s3cretSIG",
	"discord":    "discord://s3cretTOKEN@1234567890",
	"telegram":   "telegram://123456:s3cretTOKEN@telegram?chats=-1001234567890",
	"matrix":     "matrix://:s3cretTOKEN@matrix.example/?rooms=!s3cretROOM:matrix.example",
	"mattermost": "mattermost://chat.example/s3cretTOKEN/desk-room",
	"rocketchat": "rocketchat://chat.example/s3cretTOKEN/s3cretTOKEN2",
	"ntfy":       "ntfy://:s3cretTOKEN@ntfy.example/s3cretTOPIC",
	"gotify":     "gotify://push.example/s3cretTOKEN",
	"generic":    "generic://in.example/s3cretTOKEN?key=s3cretKEY",
}

var secrets = []string{"s3cret", "1234567890", "C0CHANNEL", "desk-room"}

// request is what a service got.
type request struct {
	method, host, path, query string
	header                    http.Header
	body                      object
	raw                       string
}

// emulate is a service on loopback. The guard is not asked, so any host leads
// there.
func emulate(t *testing.T, room string, answer func(http.ResponseWriter, *request)) *Room {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got := request{r.Method, r.Header.Get("X-Test-Host"), r.URL.EscapedPath(), r.URL.RawQuery, r.Header, nil, string(raw)}
		if err := json.Unmarshal(raw, &got.body); err != nil {
			t.Errorf("no JSON: %v in %s", err, raw)
		}
		answer(w, &got)
	}))
	tr := srv.Client().Transport.(*http.Transport)
	t.Cleanup(func() { tr.CloseIdleConnections(); srv.Close() })
	to := strings.TrimPrefix(srv.URL, "http://")
	r, err := New(Config{URL: rooms[room], UserAgent: "newswatch/test", Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		req = req.Clone(req.Context())
		req.Header.Set("X-Test-Host", req.URL.Scheme+"://"+req.URL.Host)
		req.URL.Scheme, req.URL.Host = "http", to
		return tr.RoundTrip(req)
	})})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func say(status int, body string, header ...string) func(http.ResponseWriter, *request) {
	return func(w http.ResponseWriter, _ *request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// welcome is how each service says that it took a message.
var welcome = map[string]string{
	"slack": "ok", "slack-api": `{"ok":true,"ts":"1.2"}`, "teams": "", "discord": `{"id":"1","type":0}`, "telegram": `{"ok":true,"result":{}}`,
	"matrix": `{"event_id":"$1"}`, "mattermost": "ok", "rocketchat": `{"success":true}`, "ntfy": `{"id":"x","event":"message"}`, "gotify": `{"id":25}`, "generic": "thanks",
}

func TestEveryService(t *testing.T) {
	for room, want := range map[string]struct{ method, host, path, query, auth string }{
		"slack":      {"POST", "https://hooks.slack.com", "/services/T0AAAAAAA/B0BBBBBBB/s3cretTOKEN", "", ""},
		"slack-api":  {"POST", "https://slack.com", "/api/chat.postMessage", "", "Bearer xoxb-12-s3cretTOKEN"},
		"teams":      {"POST", "https://prod-1.logic.azure.com", "/workflows/s3cretTOKEN/run", "sig=s3cretSIG", ""},
		"discord":    {"POST", "https://discord.com", "/api/webhooks/1234567890/s3cretTOKEN", "wait=true", ""},
		"telegram":   {"POST", "https://api.telegram.org", "/bot123456:s3cretTOKEN/sendMessage", "", ""},
		"matrix":     {"PUT", "https://matrix.example", "/_matrix/client/v3/rooms/%21s3cretROOM:matrix.example/send/m.room.message/0123456789abcdef0123456789abcdef", "", "Bearer s3cretTOKEN"},
		"mattermost": {"POST", "https://chat.example", "/hooks/s3cretTOKEN", "", ""},
		"rocketchat": {"POST", "https://chat.example", "/hooks/s3cretTOKEN/s3cretTOKEN2", "", ""},
		"ntfy":       {"POST", "https://ntfy.example", "/", "", "Bearer s3cretTOKEN"},
		"gotify":     {"POST", "https://push.example", "/message", "", ""},
		"generic":    {"POST", "https://in.example", "/s3cretTOKEN", "key=s3cretKEY", ""},
	} {
		t.Run(room, func(t *testing.T) {
			var got []request
			r := emulate(t, room, func(w http.ResponseWriter, req *request) {
				got = append(got, *req)
				say(200, welcome[room])(w, req)
			})
			d := notifytest.Digest()
			for range 2 {
				if err := r.Notify(t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			g := got[0]
			if g.method != want.method || g.host != want.host || g.path != want.path || g.query != want.query || g.header.Get("Authorization") != want.auth {
				t.Errorf("got %s %s%s ? %s, %q", g.method, g.host, g.path, g.query, g.header.Get("Authorization"))
			}
			if g.header.Get("Content-Type") != "application/json" || g.header.Get("User-Agent") != "newswatch/test" {
				t.Errorf("header %v", g.header)
			}
			if got[1].raw != g.raw || got[1].path != g.path {
				t.Error("a retry differs from the first try")
			}
			// Titles are told in every script, with the way to each report.
			text := strings.ReplaceAll(strings.ReplaceAll(g.raw, joiner, ""), `\\`, "")
			for _, s := range []string{"Kerala police arrest 41", "ഓപ്പറേഷൻ", "ऑपरेशन", "https://news.example/kerala/p-hunt?id=1", "Other Daily", "503"} {
				if !strings.Contains(text, s) {
					t.Errorf("no %q in %s", s, text)
				}
			}
		})
	}
}

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden shows what each service is sent. A joiner is written as ·.
func TestGolden(t *testing.T) {
	for room := range rooms {
		r, err := New(Config{URL: rooms[room]})
		if err != nil {
			t.Fatal(err)
		}
		body, err := r.Body(notifytest.Digest())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := json.Indent(&b, body, "", "  "); err != nil {
			t.Fatal(err)
		}
		got := strings.ReplaceAll(b.String(), joiner, "·") + "\n"
		file := filepath.Join("testdata", room+".json")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", room, diff)
		}
	}
}

// TestNoPreviews: each service is told, in its own words, to show no picture of
// what a link leads to and to alarm nobody.
func TestNoPreviews(t *testing.T) {
	for room, want := range map[string][]string{
		"slack":      {`"unfurl_links":false`, `"unfurl_media":false`, `"link_names":false`},
		"discord":    {`"flags":4`, `"allowed_mentions":{"parse":[]}`},
		"telegram":   {`"link_preview_options":{"is_disabled":true}`},
		"matrix":     {`"m.mentions":{}`},
		"mattermost": {`{"attachments":[`},
		"rocketchat": {`"parseUrls":false`},
		"gotify":     {`"contentType":"text/plain"`},
	} {
		r, err := New(Config{URL: rooms[room]})
		if err != nil {
			t.Fatal(err)
		}
		body, err := r.Body(notifytest.Digest())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(body), w) {
				t.Errorf("%s: no %s in %s", room, w, body)
			}
		}
	}
}

func TestAnswers(t *testing.T) {
	type end struct {
		failure    notify.Failure
		permanent  bool
		pauseAfter int
		retryAfter time.Duration
	}
	const (
		r, d, a, g = notify.FailureRejected, notify.FailureDeferred, notify.FailureAuth, notify.FailureGone
	)
	later := func(wait time.Duration) end { return end{d, false, 0, wait} }
	leak := `s3cretTOKEN -1001234567890 s3cretTOPIC`
	// what a network that fends off robots says in a service's place
	page := `<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head><body><h1>Sorry, you have been blocked</h1>` + leak
	for _, tt := range []struct {
		room   string
		answer func(http.ResponseWriter, *request)
		want   end
	}{
		{"slack", say(403, "invalid_token"), end{a, true, 1, 0}},
		{"slack", say(404, "no_service"), end{g, true, 1, 0}},
		{"slack", say(404, "channel_not_found"), end{g, true, 1, 0}},
		{"slack", say(410, "channel_is_archived"), end{g, true, 1, 0}},
		{"slack", say(400, "invalid_payload"), end{r, true, 0, 0}},
		{"slack", say(400, "invalid_blocks "+leak), end{r, true, 0, 0}},
		{"slack", say(429, "rate_limited", "Retry-After", "30"), later(30 * time.Second)},
		{"slack", say(500, "rollup_error"), later(0)},
		{"slack", say(503, leak), later(0)},
		{"slack", say(302, leak, "Location", "https://evil.example/"), end{r, false, 0, 0}},
		{"slack-api", say(200, `{"ok":false,"error":"channel_not_found"}`), end{g, true, 1, 0}},
		{"slack-api", say(200, `{"ok":false,"error":"is_archived"}`), end{g, true, 1, 0}},
		{"slack-api", say(200, `{"ok":false,"error":"invalid_auth"}`), end{a, true, 1, 0}},
		{"slack-api", say(200, `{"ok":false,"error":"msg_too_long"}`), end{r, true, 0, 0}},
		{"slack-api", say(200, `{"ok":false,"error":"something_new"}`), end{r, false, 0, 0}},
		{"slack-api", say(429, `{"ok":false,"error":"ratelimited"}`, "Retry-After", "7"), later(7 * time.Second)},
		{"teams", say(400, `{"error":{"code":"WorkflowTriggerIsNotEnabled","message":"`+leak+`"}}`), end{r, true, 0, 0}},
		{"teams", say(401, `{"error":{"code":"DirectApiAuthorizationRequired"}}`), end{a, true, 1, 0}},
		{"teams", say(404, `{"error":{"code":"WorkflowNotFound"}}`), end{g, true, 1, 0}},
		{"teams", say(413, "too big"), end{r, true, 0, 0}},
		{"teams", say(429, "", "Retry-After", "12"), later(12 * time.Second)},
		{"teams", say(502, leak), later(0)},
		{"discord", say(404, `{"message":"Unknown Webhook","code":10015}`), end{g, true, 1, 0}},
		{"discord", say(400, `{"message":"Unknown Channel `+leak+`","code":10003}`), end{g, true, 1, 0}},
		{"discord", say(401, `{"message":"401: Unauthorized","code":0}`), end{a, true, 1, 0}},
		{"discord", say(403, `{"message":"Missing Permissions","code":50013}`), end{a, true, 1, 0}},
		{"discord", say(400, `{"code":50035,"errors":{}}`), end{r, true, 0, 0}},
		{"discord", say(429, `{"message":"You are being rate limited.","retry_after":1.5,"global":false}`), later(1500 * time.Millisecond)},
		{"discord", say(429, `{"retry_after":1e300}`), later(notify.MaxRetryAfter)},
		{"discord", say(429, `{"retry_after":-5}`), later(0)},
		{"telegram", say(400, `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`), end{g, true, 1, 0}},
		{"telegram", say(400, `{"ok":false,"error_code":400,"description":"Bad Request: group chat was upgraded to a supergroup chat","parameters":{"migrate_to_chat_id":-1001234567890}}`), end{g, true, 1, 0}},
		{"telegram", say(400, `{"ok":false,"description":"Bad Request: message is too long"}`), end{r, true, 0, 0}},
		{"telegram", say(401, `{"ok":false,"description":"Unauthorized"}`), end{a, true, 1, 0}},
		{"telegram", say(403, `{"ok":false,"description":"Forbidden: bot was kicked from the supergroup chat `+leak+`"}`), end{a, true, 1, 0}},
		{"telegram", say(404, `{"ok":false,"description":"Not Found"}`), end{a, true, 1, 0}},
		{"telegram", say(429, `{"ok":false,"description":"Too Many Requests","parameters":{"retry_after":35}}`), later(35 * time.Second)},
		{"telegram", say(200, `{"ok":false}`), end{r, false, 0, 0}},
		{"telegram", say(200, `<html>`+leak), end{r, false, 0, 0}},
		{"matrix", say(401, `{"errcode":"M_UNKNOWN_TOKEN","error":"`+leak+`"}`), end{a, true, 1, 0}},
		{"matrix", say(403, `{"errcode":"M_FORBIDDEN","error":"not in the room"}`), end{a, true, 1, 0}},
		{"matrix", say(404, `{"errcode":"M_NOT_FOUND"}`), end{g, true, 1, 0}},
		{"matrix", say(413, `{"errcode":"M_TOO_LARGE"}`), end{r, true, 0, 0}},
		{"matrix", say(429, `{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":2500}`), later(2500 * time.Millisecond)},
		{"matrix", say(404, "404 page not found"), end{r, false, 0, 0}},
		{"matrix", say(403, "<html>blocked"), end{a, false, 0, 0}},
		{"mattermost", say(404, `{"id":"store.sql_webhooks.get_incoming.app_error","status_code":404}`), end{g, true, 1, 0}},
		{"mattermost", say(403, `{"id":"web.incoming_webhook.disabled.app_error"}`), end{a, true, 1, 0}},
		{"mattermost", say(400, `{"id":"web.incoming_webhook.parse.app_error"}`), end{r, true, 0, 0}},
		{"mattermost", say(404, "not found"), end{r, false, 0, 0}},
		{"mattermost", say(429, "", "Retry-After", "3"), later(3 * time.Second)},
		{"rocketchat", say(404, `{"success":false,"error":"Invalid integration id or token provided."}`), end{g, true, 1, 0}},
		{"rocketchat", say(200, `{"success":false,"error":"error-not-allowed"}`), end{r, false, 0, 0}},
		{"rocketchat", say(401, `login`), end{a, false, 0, 0}},
		{"ntfy", say(403, `{"code":40301,"http":403,"error":"forbidden"}`), end{a, true, 1, 0}},
		{"ntfy", say(401, `{"code":40101,"http":401,"error":"unauthorized"}`), end{a, true, 1, 0}},
		{"ntfy", say(429, `{"code":42901,"http":429,"error":"limit reached"}`), later(0)},
		{"ntfy", say(413, `{"code":41301}`), end{r, true, 0, 0}},
		{"gotify", say(401, `{"error":"Unauthorized","errorCode":401,"errorDescription":"`+leak+`"}`), end{a, true, 1, 0}},
		{"gotify", say(404, `nginx`), end{r, false, 0, 0}},
		{"slack", say(403, page), end{a, false, 0, 0}},
		{"slack", say(404, page), end{r, false, 0, 0}},
		{"slack", say(410, page), end{r, false, 0, 0}},
		{"slack", say(400, page), end{r, false, 0, 0}},
		{"slack", say(403, "Forbidden"), end{a, false, 0, 0}},
		{"slack-api", say(403, page), end{a, false, 0, 0}},
		{"slack-api", say(403, `{"error":"invalid_auth"}`), end{a, false, 0, 0}},
		{"teams", say(403, page), end{a, false, 0, 0}},
		{"teams", say(404, page), end{r, false, 0, 0}},
		{"teams", say(403, `{"error":"blocked"}`), end{a, false, 0, 0}},
		{"discord", say(403, page), end{a, false, 0, 0}},
		{"discord", say(403, "error code: 1020"), end{a, false, 0, 0}},
		{"discord", say(403, `{"message":"blocked","code":403}`), end{a, false, 0, 0}},
		{"discord", say(404, page), end{r, false, 0, 0}},
		{"discord", say(429, page, "Retry-After", "60"), later(time.Minute)},
		{"telegram", say(403, page), end{a, false, 0, 0}},
		{"telegram", say(404, page), end{r, false, 0, 0}},
		{"telegram", say(401, ""), end{a, false, 0, 0}},
		{"mattermost", say(410, page), end{r, false, 0, 0}},
		{"gotify", say(403, page), end{a, false, 0, 0}},
		{"generic", say(410, leak), end{g, true, 1, 0}},
		{"generic", say(404, leak), end{r, false, 0, 0}},
		{"generic", say(408, leak), later(0)},
		{"generic", say(500, `{"retry_after":"soon","error":{}}`, "Retry-After", "NaN"), later(0)},
	} {
		err := emulate(t, tt.room, tt.answer).Notify(t.Context(), notifytest.Digest())
		if unknown := strings.Contains(err.Error(), "not the service's"); unknown && tt.want.permanent {
			t.Errorf("%s: believed, though nobody knows who said it: %v", tt.room, err)
		}
		notifytest.Failed(t, err, tt.want.failure, tt.want.permanent, secrets...)
		if de := notify.AsDeliveryError(err); de.PauseAfter != tt.want.pauseAfter || de.RetryAfter != tt.want.retryAfter {
			t.Errorf("%s: pause after %d, retry after %s; want %+v: %v", tt.room, de.PauseAfter, de.RetryAfter, tt.want, err)
		}
	}
}

func TestNoAnswer(t *testing.T) {
	for room, address := range rooms {
		fail := func(err error) *Room {
			r, cerr := New(Config{URL: address, Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })})
			if cerr != nil {
				t.Fatal(cerr)
			}
			return r
		}
		d := notifytest.Digest()
		u := &url.Error{Op: "Post", URL: address, Err: fmt.Errorf("dial s3cretTOKEN: %w", net.ErrClosed)}
		notifytest.Failed(t, fail(u).Notify(t.Context(), d), notify.FailureConnect, false, secrets...)
		notifytest.Failed(t, fail(&net.OpError{Op: "dial", Err: &netguard.RefusedError{Addr: "127.0.0.1:443", Why: "a loopback address"}}).Notify(t.Context(), d),
			notify.FailureRefused, false, secrets...)
		notifytest.Failed(t, fail(context.DeadlineExceeded).Notify(t.Context(), d), notify.FailureTimeout, false, secrets...)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		notifytest.Failed(t, emulate(t, room, say(200, welcome[room])).Notify(ctx, d), notify.FailureConnect, false, secrets...)
	}
}

// An answer that has no end is read in part, and a slow one ends with the try.
func TestEndlessAnswer(t *testing.T) {
	r := emulate(t, "telegram", func(w http.ResponseWriter, _ *request) {
		for range 10_000 {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<10))); err != nil {
				return
			}
		}
	})
	notifytest.Failed(t, r.Notify(t.Context(), notifytest.Digest()), notify.FailureRejected, false, secrets...)
}
