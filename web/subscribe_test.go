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
	"github.com/newswatch/newswatch/web/api"
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
		l.ask("POST", "/subscribe", urlencoded, v.Encode()), l.ask("POST", leave, urlencoded, ""), l.ask("GET", change, "", ""),
		l.ask("POST", "/api/v1/subscriptions", "application/json", `{"channel":"email","address":"ben@example.org","agree":true}`),
	} {
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	if strings.Contains(l.log.String(), "@") || strings.Contains(l.log.String(), strings.TrimPrefix(leave, "/unsubscribe/")) {
		t.Errorf("logged: %s", l.log)
	}
}

func TestSubscribeByAPI(t *testing.T) {
	l := newLobby(t)
	post := func(contentType, body string) (int, api.Problem) {
		t.Helper()
		w := l.ask("POST", "/api/v1/subscriptions", contentType, body)
		var p api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil && w.Code >= 400 {
			t.Error(err)
		}
		if w.Code >= 400 && (w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Title == "") {
			t.Errorf("%s is answered %s %+v", body, w.Header().Get("Content-Type"), p)
		}
		return w.Code, p
	}
	const good = `{"channel":"email","address":"ann@example.org","agree":true,"rules":["p-hunt"],"schedule":"0 9 * * 1","severity":"high","lang":"hi"}`
	for body, code := range map[string]int{
		good: http.StatusAccepted, "": http.StatusBadRequest, "[]": http.StatusBadRequest, `{"chanel":"email"}`: http.StatusBadRequest,
		good + good:             http.StatusBadRequest,
		`{"channel":"email"}`:   http.StatusUnprocessableEntity,
		`{"severity":"severe"}`: http.StatusBadRequest,
		`{"address":"` + strings.Repeat("a", 1<<17) + `"}`: http.StatusRequestEntityTooLarge,
	} {
		if got, _ := post("application/json; charset=utf-8", body); got != code {
			t.Errorf("%.60s is answered %d, want %d", body, got, code)
		}
	}
	if code, _ := post("text/plain", good); code != http.StatusUnsupportedMediaType {
		t.Errorf("as text/plain: %d", code)
	}
	if _, p := post("application/json", `{"channel":"email","address":"x"}`); len(p.Faults) != 2 {
		t.Errorf("faults %q", p.Faults)
	}
	r, err := l.roll.Find(t.Context(), "ann@example.org")
	if err != nil || r.Wishes.Schedule != "0 9 * * 1" || r.Wishes.Lang != "hi" || r.Consent.Method != "api" {
		t.Errorf("%+v, %v", r.Wishes, err)
	}
}

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

func TestSchedulesInPlainWordsComeBack(t *testing.T) {
	for _, o := range oftens {
		for _, hour := range []string{"0", "7", "12", "23"} {
			f := form{Often: o.ID, Hour: hour, Day: "6", Severity: "low", Timezone: "UTC"}
			var back form
			back.often(f.schedule())
			if back.schedule() != f.schedule() {
				t.Errorf("%s at %s is %q, and comes back as %q", o.ID, hour, f.schedule(), back.schedule())
			}
			if back.Often == "custom" {
				t.Errorf("%q is not said in plain words", f.schedule())
			}
		}
	}
	for _, spec := range []string{"30 7 * * 1-3", "0 7,8 * * *", "@every 2h"} {
		f := form{}
		if f.often(spec); f.schedule() != spec {
			t.Errorf("%q comes back as %q", spec, f.schedule())
		}
	}
}

// FuzzForm: whatever is posted, a form comes of it that Check takes or refuses, and
// that a page can show without letting any of it out of its place.
func FuzzForm(f *testing.F) {
	f.Add("channel=email&email=ann%40example.org&often=daily&hour=7&timezone=UTC&agree=1&severity=low&rule=p-hunt&rule=x")
	f.Add("often=custom&custom=%00&hour=-1&rule=%ff&tag=%3Cscript%3E&often=weekly&day=9")
	f.Add("often=weekly&day=%22%3E%3Cscript%3E&timezone=../../x&channel=webhook&url=https://x&secret=whsec_")
	cat := subscription.Catalogue{Rules: []subscription.Choice{{ID: "p-hunt", Name: "P-Hunt"}}, Tags: []string{"kerala"}, Languages: []string{"ml"}, Timezone: "UTC"}
	f.Fuzz(func(t *testing.T, body string) {
		v, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		fm := decode(v)
		q, faults := subscription.Check(fm.request(), cat)
		if len(faults) == 0 {
			if back := formOf(q.Wishes); back.schedule() != q.Wishes.Schedule {
				t.Errorf("%q comes back as %q", q.Wishes.Schedule, back.schedule())
			}
			describe(q.Wishes)
		}
		var page bytes.Buffer
		err = subscribePage.ExecuteTemplate(&page, "main", bare{subscribeBody{Faults: faults, Form: fm, Choices: offers(cat, fm)}})
		if err != nil || bytes.Contains(page.Bytes(), []byte("<script")) {
			t.Errorf("%v: %s", err, page.Bytes())
		}
	})
}

// bare is a page without a frame.
type bare struct{ Body any }
