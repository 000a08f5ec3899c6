package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
	"github.com/newswatch/newswatch/subscription"
	"github.com/newswatch/newswatch/web/desk"
)

// lobby is the public pages on a real store.
type lobby struct {
	*testing.T
	*Server
	st   *sqlite.Store
	roll *subscription.Roll
	now  time.Time
	log  *bytes.Buffer

	mu      sync.Mutex
	letters []email.Letter
	ips     int
}

func newLobby(t *testing.T) *lobby {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "newswatch.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() }) // a test closes it before
	l := &lobby{T: t, st: st, now: noon, log: new(bytes.Buffer)}
	l.roll = &subscription.Roll{
		Store: st, PublicURL: "https://news.example.org", FirstWindow: func() time.Duration { return time.Hour },
		Now: func() time.Time { return l.now },
	}
	l.Server = New(Options{
		Desk: desk.Desk{
			Store: &memory{}, Status: func() desk.Status { return desk.Status{Ready: true} }, Now: func() time.Time { return l.now },
		},
		PublicURL: "https://news.example.org", ProxyNetworks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
		Log: slog.New(slog.NewTextHandler(l.log, nil)),
		Subscriptions: &Subscriptions{Roll: l.roll, Catalogue: func() subscription.Catalogue {
			return subscription.Catalogue{
				Rules: []subscription.Choice{{ID: "p-hunt", Name: "Operation P-Hunt"}}, Tags: []string{"kerala"}, Languages: []string{"en", "ml"}, Timezone: "Asia/Kolkata",
			}
		}},
	})
	return l
}

func (l *lobby) Write(_ context.Context, _ string, letter email.Letter) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.letters = append(l.letters, letter)
	return nil
}

func (l *lobby) Challenge(context.Context, string, string, string, string) error { return nil }

// ask answers one request, which comes from an address of its own.
func (l *lobby) ask(method, path, contentType, body string, header ...string) *httptest.ResponseRecorder {
	l.Helper()
	r := httptest.NewRequestWithContext(l.Context(), method, path, strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	l.ips++
	r.RemoteAddr = fmt.Sprintf("198.51.%d.%d:4000", l.ips/250, l.ips%250+1)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	l.ServeHTTP(w, r)
	return w
}

const urlencoded = "application/x-www-form-urlencoded"

var stampField = regexp.MustCompile(`name="stamp" value="([^"]*)"`)

// subscribe fills the form in and sends it.
func (l *lobby) subscribe(fields ...string) *httptest.ResponseRecorder {
	l.Helper()
	page := l.ask("GET", "/subscribe", "", "")
	m := stampField.FindStringSubmatch(page.Body.String())
	if page.Code != http.StatusOK || m == nil {
		l.Fatalf("the form: %d %s", page.Code, page.Body)
	}
	v := url.Values{
		"stamp": {m[1]}, "channel": {"email"}, "email": {"ann@example.org"}, "severity": {"low"}, "often": {"daily"}, "hour": {"7"},
		"timezone": {"Asia/Kolkata"}, "agree": {"1"},
	}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Set(fields[i], fields[i+1])
	}
	return l.ask("POST", "/subscribe", urlencoded, v.Encode())
}

// letter delivers what is owed and returns the last.
func (l *lobby) letter() email.Letter {
	l.Helper()
	if _, err := l.roll.Deliver(l.Context(), l, func(subscription.Sent) {}); err != nil {
		l.Fatal(err)
	}
	if len(l.letters) == 0 {
		l.Fatal("no letter")
	}
	return l.letters[len(l.letters)-1]
}

func (l *lobby) link(text, page string) string {
	l.Helper()
	m := regexp.MustCompile(`https://news\.example\.org(/` + page + `/\S+)`).FindStringSubmatch(text)
	if m == nil {
		l.Fatalf("no link to %s in %q", page, text)
	}
	return m[1]
}

func (l *lobby) state() store.ReaderState {
	l.Helper()
	r, err := l.roll.Find(l.Context(), "ann@example.org")
	if err != nil {
		l.Fatal(err)
	}
	return r.State
}

// join has ann subscribed, and returns her links.
func (l *lobby) join() (leave, change string) {
	l.Helper()
	l.subscribe("rule", "p-hunt")
	text := l.letter().Text
	if w := l.ask("POST", l.link(text, "confirm"), urlencoded, ""); w.Code != http.StatusOK {
		l.Fatalf("confirm: %d %s", w.Code, w.Body)
	}
	r, err := l.roll.Find(l.Context(), "ann@example.org")
	if err != nil {
		l.Fatal(err)
	}
	links, err := l.roll.Links(l.Context(), r, l.now)
	if err != nil {
		l.Fatal(err)
	}
	return l.link(links.Leave, "unsubscribe"), l.link(links.Change, "preferences")
}

func want(t *testing.T, w *httptest.ResponseRecorder, code int, text string) {
	t.Helper()
	if w.Code != code || !strings.Contains(w.Body.String(), text) {
		t.Errorf("%d, want %d and %q in\n%s", w.Code, code, text, w.Body)
	}
}

func TestSubscribeConfirmAndLeaveOnPages(t *testing.T) {
	l := newLobby(t)
	want(t, l.subscribe("rule", "p-hunt", "often", "weekly", "day", "3"), http.StatusAccepted, "Look into your mail")
	text := l.letter().Text
	confirm := l.link(text, "confirm")
	for _, method := range []string{"GET", "HEAD", "GET"} {
		if w := l.ask(method, confirm, "", ""); w.Code != http.StatusOK || l.state() != store.ReaderPending {
			t.Fatalf("%s: %d, and the reader is %s", method, w.Code, l.state())
		}
	}
	want(t, l.ask("GET", confirm, "", ""), http.StatusOK, "Every Wednesday at 07:00, Asia/Kolkata time.")
	for range 2 {
		want(t, l.ask("POST", confirm, urlencoded, ""), http.StatusOK, "You are subscribed")
	}
	want(t, l.ask("GET", confirm, "", ""), http.StatusOK, "You are subscribed")
	if l.state() != store.ReaderActive {
		t.Fatal(l.state())
	}
	leave := l.link(text, "unsubscribe")
	for _, method := range []string{"GET", "HEAD"} {
		if w := l.ask(method, leave, "", ""); w.Code != http.StatusOK || l.state() != store.ReaderActive {
			t.Fatalf("%s: %d, and the reader is %s", method, w.Code, l.state())
		}
	}
	for range 2 {
		want(t, l.ask("POST", leave, urlencoded, ""), http.StatusOK, "You have left")
	}
	want(t, l.ask("GET", leave, "", ""), http.StatusOK, "You have left")
	if l.state() != store.ReaderLeft {
		t.Fatal(l.state())
	}
	if strings.Contains(l.log.String(), "@") || strings.Contains(l.log.String(), "unsubscribe/") {
		t.Errorf("logged: %s", l.log)
	}
}

// RFC 8058 §3.2: a POST of List-Unsubscribe=One-Click without a cookie, from
// wherever a mail reader runs, answered without a redirect; the body is a form of
// either kind.
func TestOneClick(t *testing.T) {
	var parts bytes.Buffer
	mw := multipart.NewWriter(&parts)
	if err := mw.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	if err := mw.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		contentType, body string
		header            []string
	}{
		"urlencoded":             {urlencoded, "List-Unsubscribe=One-Click", nil},
		"multipart":              {mw.FormDataContentType(), parts.String(), nil},
		"from another site":      {urlencoded, "List-Unsubscribe=One-Click", []string{"Origin", "https://mail.example", "Sec-Fetch-Site", "cross-site"}},
		"no body":                {"", "", nil},
		"a body that is no form": {"text/plain", "\x00\xff", nil},
		"a body too large":       {urlencoded, "a=" + strings.Repeat("x", 1<<20), nil},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLobby(t)
			leave, _ := l.join()
			for range 2 {
				w := l.ask("POST", leave, c.contentType, c.body, c.header...)
				if w.Code != http.StatusOK || w.Header().Get("Location") != "" || len(w.Header().Values("Set-Cookie")) > 0 {
					t.Errorf("%d %v", w.Code, w.Header())
				}
			}
			if l.state() != store.ReaderLeft {
				t.Error(l.state())
			}
		})
	}
}

// What is answered is the same to the last byte, whoever the address is.
func TestNoAnswerTellsWhoIsSubscribed(t *testing.T) {
	l := newLobby(t)
	l.join() // ann is active
	for _, who := range []string{"pending", "left", "blocked", "limited"} {
		l.subscribe("email", who+"@example.org")
		text := l.letter().Text
		switch who {
		case "left":
			l.ask("POST", l.link(text, "confirm"), urlencoded, "")
			l.ask("POST", l.link(text, "unsubscribe"), urlencoded, "")
		case "blocked":
			l.ask("POST", l.link(text, "unsubscribe"), urlencoded, "")
		case "limited":
			for range 5 {
				l.subscribe("email", who+"@example.org")
			}
		}
	}
	type answer struct {
		code   int
		header string
		body   string
	}
	answers := func(send func(address string) *httptest.ResponseRecorder) {
		t.Helper()
		var first answer
		for i, who := range []string{"ann", "stranger", "pending", "left", "blocked", "limited"} {
			w := send(who + "@example.org")
			a := answer{w.Code, fmt.Sprint(w.Header()), w.Body.String()}
			if i == 0 {
				first = a
				if w.Code != http.StatusAccepted {
					t.Fatalf("%d %s", w.Code, w.Body)
				}
			}
			if a != first {
				t.Errorf("%s is answered %+v, ann %+v", who, a, first)
			}
		}
	}
	answers(func(address string) *httptest.ResponseRecorder { return l.subscribe("email", address) })
	answers(func(address string) *httptest.ResponseRecorder {
		return l.ask("POST", "/api/v1/subscriptions", "application/json", fmt.Sprintf(`{"channel":"email","address":%q,"agree":true}`, address))
	})
	// Nor does a link that leads nowhere tell why.
	r, err := l.roll.Find(t.Context(), "pending@example.org")
	if err != nil {
		t.Fatal(err)
	}
	known := strings.TrimPrefix(r.ID, store.ReaderPrefix)
	for _, page := range []string{"confirm", "unsubscribe", "preferences"} {
		tag := "." + strings.Repeat("A", 43)
		a := l.ask("GET", "/"+page+"/"+known+".0"+tag, "", "")
		b := l.ask("GET", "/"+page+"/"+strings.Repeat("a", len(known))+".0"+tag, "", "")
		if a.Code != http.StatusNotFound || a.Code != b.Code || a.Body.String() != b.Body.String() {
			t.Errorf("%s: %d and %d", page, a.Code, b.Code)
		}
	}
}

func TestTheFormSaysWhatIsWrong(t *testing.T) {
	l := newLobby(t)
	for text, fields := range map[string][]string{
		"want an address such as": {"email", "ann@"},
		"say that you want":       {"agree", ""},
		"is not a time zone":      {"timezone", "Kolkata"},
		"choose low, medium":      {"severity", "x"},
		"schedule":                {"often", "never"},
		"want https":              {"channel", "webhook", "url", "http://example.org", "secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
		"too long":                {"stamp", "forged"},
		"cannot be chosen here":   {"rule", `<script>alert(1)</script>`},
	} {
		w := l.subscribe(fields...)
		want(t, w, http.StatusUnprocessableEntity, text)
		if strings.Contains(w.Body.String(), "<script") {
			t.Errorf("not escaped: %s", w.Body)
		}
	}
	if _, err := l.roll.Find(t.Context(), "ann@example.org"); err == nil {
		t.Error("a form with a fault was taken")
	}
	// A form that lay open for a day.
	page := l.ask("GET", "/subscribe", "", "")
	stamp := stampField.FindStringSubmatch(page.Body.String())[1]
	l.now = noon.Add(13 * time.Hour)
	want(t, l.subscribe("stamp", stamp), http.StatusUnprocessableEntity, "too long")
	want(t, l.ask("POST", "/subscribe", urlencoded, strings.Repeat("a=b&", 1<<16)), http.StatusRequestEntityTooLarge, "cannot be read")
	if w := l.ask("POST", "/subscribe", urlencoded, "", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("from another site: %d", w.Code)
	}
}

func TestPreferences(t *testing.T) {
	l := newLobby(t)
	leave, change := l.join()
	w := l.ask("GET", change, "", "")
	want(t, w, http.StatusOK, `value="p-hunt" checked`)
	if !strings.Contains(w.Body.String(), leave) || strings.Contains(w.Body.String(), "ann@") {
		t.Errorf("the page has no link to leave, or an address:\n%s", w.Body)
	}
	v := url.Values{"severity": {"high"}, "often": {"twice"}, "hour": {"19"}, "timezone": {"Europe/Berlin"}, "lang": {"ml"}, "empty": {"1"}}
	want(t, l.ask("POST", change, urlencoded, v.Encode()), http.StatusOK, "Every day at 07:00 and 19:00, Europe/Berlin time, also when there is no news.")
	v.Set("timezone", "Berlin")
	want(t, l.ask("POST", change, urlencoded, v.Encode()), http.StatusUnprocessableEntity, "is not a time zone")
	w = l.ask("GET", change+"/export", "", "")
	var held subscription.Held
	if err := json.Unmarshal(w.Body.Bytes(), &held); err != nil || held.Reader.Address != "ann@example.org" || held.Reader.Wishes.Timezone != "Europe/Berlin" {
		t.Errorf("exported %s: %v", w.Body, err)
	}
	want(t, l.ask("POST", change, urlencoded, "erase=1"), http.StatusOK, "All is erased")
	if _, err := l.roll.Find(t.Context(), "ann@example.org"); err == nil {
		t.Error("still held")
	}
	want(t, l.ask("GET", change, "", ""), http.StatusNotFound, "leads nowhere")
}

func TestAStoreThatFailsIsNotAYes(t *testing.T) {
	l := newLobby(t)
	leave, change := l.join()
	page := l.ask("GET", "/subscribe", "", "")
	v := url.Values{"stamp": {stampField.FindStringSubmatch(page.Body.String())[1]}, "channel": {"email"}, "email": {"ben@example.org"}, "agree": {"1"}}
	if err := l.st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*httptest.ResponseRecorder{
		l.ask("GET", "/subscribe", "", ""), l.ask("POST", "/subscribe", urlencoded, v.Encode()), l.ask("POST", leave, urlencoded, ""), l.ask("GET", change, "", ""),
		l.ask("POST", "/api/v1/subscriptions", "application/json", `{"channel":"email","address":"ben@example.org","agree":true}`),
	} {
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		// A stranger is shown no way to the operator's pages, nor what is kept where.
		if strings.Contains(w.Body.String(), "store.url") || strings.Contains(w.Body.String(), "/deliveries") {
			t.Errorf("a stranger is told: %s", w.Body)
		}
	}
	if strings.Contains(l.log.String(), "@") || strings.Contains(l.log.String(), strings.TrimPrefix(leave, "/unsubscribe/")) {
		t.Errorf("logged: %s", l.log)
	}
}

// TestPublicTroubleIsPublic: what goes wrong on a page for everyone leads to none of
// the operator's.
func TestPublicTroubleIsPublic(t *testing.T) {
	l := newLobby(t)
	leave, change := l.join()
	for _, path := range []string{"/subscribe", "/confirm/x", leave, change, change + "/export", "/confirm/", "/unsubscribe/", "/preferences/"} {
		for _, w := range []*httptest.ResponseRecorder{
			l.ask("PUT", path, "", ""),
			l.ask("POST", path, urlencoded, "", "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"),
		} {
			body := w.Body.String()
			if strings.Contains(body, `aria-label="Pages"`) || strings.Contains(body, "operator") || !strings.Contains(body, "<h1>") {
				t.Errorf("%s: %d:\n%s", path, w.Code, body)
			}
		}
	}
	want(t, l.ask("PUT", "/subscribe", "", ""), http.StatusMethodNotAllowed, "takes GET and HEAD and POST only")
	want(t, l.ask("POST", "/subscribe", urlencoded, "", "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, "came from another site")
	for _, path := range []string{"/confirm/", "/unsubscribe/", change + "/"} {
		want(t, l.ask("GET", path, "", ""), http.StatusNotFound, "This link leads nowhere")
	}
	l.o.Subscriptions.Catalogue = func() subscription.Catalogue { panic("the cause") }
	if w := l.ask("GET", "/subscribe", "", ""); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), `aria-label="Pages"`) {
		t.Errorf("a defect: %d:\n%s", w.Code, w.Body)
	}
}
