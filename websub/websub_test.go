package websub

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const topic = "https://news.example/feed.xml"

var t0 = time.Date(2026, 11, 26, 7, 0, 0, 0, time.UTC)

type call struct {
	feed string
	at   time.Time
}

// receiver serves as the web package does, with a clock that stands.
func receiver(t *testing.T) (*Receiver, http.Handler, *[]call) {
	t.Helper()
	var calls []call
	rc := &Receiver{
		Keys:  NewKeyring([]byte("0123456789abcdef0123456789abcdef")),
		Known: func(feed string) bool { return feed == "paper" },
		PollAt: func(_ context.Context, feed string, at time.Time) error {
			calls = append(calls, call{feed, at})
			return nil
		},
		MaxBody: 1000,
		Now:     func() time.Time { return t0 },
	}
	mux := http.NewServeMux()
	mux.Handle("/websub/{token}", rc)
	return rc, mux, &calls
}

func ask(h http.Handler, token string, q url.Values) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/websub/"+token+"?"+q.Encode(), nil))
	return w
}

func tell(h http.Handler, token, signature, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/websub/"+token, strings.NewReader(body))
	if signature != "" {
		r.Header.Set("X-Hub-Signature", signature)
	}
	h.ServeHTTP(w, r)
	return w
}

func sign(method string, f func() hash.Hash, secret, body string) string {
	m := hmac.New(f, []byte(secret))
	m.Write([]byte(body))
	return method + "=" + hex.EncodeToString(m.Sum(nil))
}

// TestConfirm: only what was asked for is confirmed.
func TestConfirm(t *testing.T) {
	rc, h, _ := receiver(t)
	good := rc.Keys.Token("paper", topic)
	question := func(mode, topic, challenge string) url.Values {
		return url.Values{"hub.mode": {mode}, "hub.topic": {topic}, "hub.challenge": {challenge}, "hub.lease_seconds": {"864000"}}
	}
	for name, tt := range map[string]struct {
		token  string
		q      url.Values
		status int
	}{
		"asked for":         {good, question("subscribe", topic, "<script>x"), http.StatusOK},
		"another topic":     {good, question("subscribe", "https://evil.example/", "x"), http.StatusNotFound},
		"an end":            {good, question("unsubscribe", topic, "x"), http.StatusNotFound},
		"no challenge":      {good, question("subscribe", topic, ""), http.StatusNotFound},
		"a huge challenge":  {good, question("subscribe", topic, strings.Repeat("x", maxChallenge+1)), http.StatusNotFound},
		"denied":            {good, url.Values{"hub.mode": {"denied"}, "hub.topic": {topic}}, http.StatusNoContent},
		"a feed that left":  {rc.Keys.Token("gone", topic), question("subscribe", topic, "x"), http.StatusNotFound},
		"a forged token":    {good[:len(good)-2] + "xx", question("subscribe", topic, "x"), http.StatusNotFound},
		"another feed's":    {"cGFwZXIy" + strings.TrimPrefix(good, encode([]byte("paper"))), question("subscribe", topic, "x"), http.StatusNotFound},
		"another keyring's": {NewKeyring([]byte("k")).Token("paper", topic), question("subscribe", topic, "x"), http.StatusNotFound},
		"no token at all":   {"x", question("subscribe", topic, "x"), http.StatusNotFound},
		"a long token":      {strings.Repeat("a", 5000), question("subscribe", topic, "x"), http.StatusNotFound},
	} {
		w := ask(h, tt.token, tt.q)
		if w.Code != tt.status {
			t.Errorf("%s: %d, want %d", name, w.Code, tt.status)
		}
		if w.Code == http.StatusOK && (w.Body.String() != "<script>x" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain")) {
			t.Errorf("%s: %q as %s", name, w.Body, w.Header().Get("Content-Type"))
		}
		if tt.status == http.StatusNotFound && strings.Contains(w.Body.String(), "script") {
			t.Errorf("%s: echoed", name)
		}
	}
}

// TestTold: a feed is read when its hub says so with our secret, and not else.
func TestTold(t *testing.T) {
	rc, h, calls := receiver(t)
	token := rc.Keys.Token("paper", topic)
	secret := rc.Keys.Secret(token)
	for name, tt := range map[string]struct {
		token, signature, body string
		status                 int
		polled                 bool
	}{
		"sha1":                {token, sign("sha1", sha1.New, secret, "<rss/>"), "<rss/>", http.StatusAccepted, true},
		"sha512":              {token, sign("sha512", sha512.New, secret, ""), "", http.StatusAccepted, true},
		"in capitals":         {token, sign("SHA512", sha512.New, secret, "x"), "x", http.StatusAccepted, true},
		"unsigned":            {token, "", "<rss/>", http.StatusAccepted, false},
		"of another body":     {token, sign("sha1", sha1.New, secret, "<rss/>"), "<evil/>", http.StatusAccepted, false},
		"another secret":      {token, sign("sha1", sha1.New, "x", "<rss/>"), "<rss/>", http.StatusAccepted, false},
		"no secret":           {token, sign("sha1", sha1.New, "", "<rss/>"), "<rss/>", http.StatusAccepted, false},
		"unknown method":      {token, "md5=00", "<rss/>", http.StatusAccepted, false},
		"no hex":              {token, "sha1=zz", "<rss/>", http.StatusAccepted, false},
		"too large":           {token, sign("sha1", sha1.New, secret, strings.Repeat("x", 2000)), strings.Repeat("x", 2000), http.StatusRequestEntityTooLarge, false},
		"a feed that left":    {rc.Keys.Token("gone", topic), "sha1=00", "x", http.StatusGone, false},
		"a token of no value": {token + "x", "sha1=00", "x", http.StatusNotFound, false},
	} {
		rc.next = nil
		*calls = nil
		w := tell(h, tt.token, tt.signature, tt.body)
		if w.Code != tt.status || (len(*calls) > 0) != tt.polled {
			t.Errorf("%s: %d and polled %v, want %d and %v", name, w.Code, *calls, tt.status, tt.polled)
		}
	}
}

// TestAMadHub: however often a hub tells, a feed is read at most once in the
// spacing, and the last word is not lost.
func TestAMadHub(t *testing.T) {
	rc, h, calls := receiver(t)
	token := rc.Keys.Token("paper", topic)
	for range 50 {
		tell(h, token, sign("sha1", sha1.New, rc.Keys.Secret(token), "x"), "x")
	}
	when := map[time.Time]int{}
	for _, c := range *calls {
		when[c.at]++
	}
	if len(when) != 2 || when[t0] != 1 || when[t0.Add(spacing)] != 49 {
		t.Errorf("due at %v", when)
	}
	rc.Now = func() time.Time { return t0.Add(time.Hour) }
	tell(h, token, sign("sha1", sha1.New, rc.Keys.Secret(token), "x"), "x")
	if last := (*calls)[len(*calls)-1]; !last.at.Equal(t0.Add(time.Hour)) {
		t.Errorf("an hour later: due at %s", last.at)
	}
}

func TestStoreAway(t *testing.T) {
	rc, h, _ := receiver(t)
	rc.PollAt = func(context.Context, string, time.Time) error { return errors.New("away") }
	token := rc.Keys.Token("paper", topic)
	if w := tell(h, token, sign("sha1", sha1.New, rc.Keys.Secret(token), "x"), "x"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("%d: the hub must try again", w.Code)
	}
}

// TestRequest holds the form to §5.1, and that replicas make the same.
func TestRequest(t *testing.T) {
	k := NewKeyring([]byte("key"))
	f := k.Request("paper", topic, "https://watch.example/websub/")
	if f.Encode() != NewKeyring([]byte("key")).Request("paper", topic, "https://watch.example/websub/").Encode() {
		t.Error("another replica asks for something else")
	}
	callback := f.Get("hub.callback")
	if f.Get("hub.mode") != "subscribe" || f.Get("hub.topic") != topic || f.Get("hub.lease_seconds") != "864000" ||
		!strings.HasPrefix(callback, "https://watch.example/websub/") || len(f.Get("hub.secret")) != 64 {
		t.Errorf("%v", f)
	}
	if strings.Contains(callback, f.Get("hub.secret")) {
		t.Error("the secret stands in the callback")
	}
}

// FuzzOpen: no token but those that were made opens, whatever it looks like.
func FuzzOpen(f *testing.F) {
	k := NewKeyring([]byte("key"))
	good := k.Token("paper", topic)
	f.Add(good)
	f.Add(good + ".")
	f.Add("..")
	f.Fuzz(func(t *testing.T, token string) {
		feed, sum, ok := k.open(token)
		if ok && (token != good || feed != "paper" || !bytes.Equal(sum, topicHash(topic))) {
			t.Errorf("%q opens %q", token, feed)
		}
	})
}
