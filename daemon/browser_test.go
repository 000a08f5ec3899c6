package daemon_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/newswatch/newswatch/internal/browsertest"
	"github.com/newswatch/newswatch/internal/mailtest"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/sqlite"
)

// TestSubscriptionInABrowser is a reader's whole way, walked with a browser and a
// mailbox: the form, the letter, a digest, and out. The browser opens the links as
// they are written, through a reverse proxy with TLS that passes on what
// docs/subscriptions.md says; the mail goes through a mail server.
func TestSubscriptionInABrowser(t *testing.T) {
	post := mailtest.Start(t)
	press := newPress(t, "Bridge closes for repairs")
	s := startOn(t, press.url, fmt.Sprintf("http: {listen: \"127.0.0.1:0\", public_url: \"https://news.example.org\", admin_token: 0123456789abcdef, proxy_networks: [127.0.0.1/32]}\n"+
		"fetch: {allow_networks: [127.0.0.0/8], full_text: never}\n"+
		"smtp: {host: 127.0.0.1, port: %d, tls: none, from: news@example.org}\n"+
		"subscriptions: {enabled: true}\n", post.Port), "immediate")
	b := browsertest.Start(t, map[string]any{
		"host-resolver-rules": "MAP news.example.org " + frontDoor(t, s.url), "ignore-certificate-errors": true,
	})
	b.Look("dark", 360)
	s.eventually("the feed is read", func() bool {
		_, m := s.get("/metrics")
		return strings.Contains(m, `newswatch_items_total{novelty="new"} 1`)
	})

	b.Open("https://news.example.org/subscribe")
	if styled := b.Eval(`getComputedStyle(document.querySelector("form")).paddingTop`); styled == "0px" {
		t.Error("the stylesheet does not come through the proxy")
	}
	b.Do(chromedp.SendKeys(chromedp.CSS("#email"), "ann@"+mailtest.Domain), chromedp.SetValue(chromedp.CSS("#often"), "immediate"), chromedp.Click(chromedp.CSS("#agree")))
	b.Click(`form[action=subscribe] button`)
	shows(t, b, "Look into your mail")
	b.Open(link(t, post.Await("ann", 1), "confirm"))
	shows(t, b, "Confirm that you want these digests")
	shows(t, b, "As it happens")
	if state := s.reader().State; state != store.ReaderPending {
		t.Fatalf("who only looks at the link is %s", state)
	}
	b.Click("main form button")
	shows(t, b, "You are subscribed")

	press.publish("Five held in Operation P-Hunt")
	s.digested(1, 2)
	digest := post.Await("ann", 2)
	if text := bodyOf(t, digest); !strings.Contains(text, "Five held in Operation P-Hunt") || strings.Contains(text, "Bridge") {
		t.Errorf("the digest is\n%s", text)
	}
	b.Open(link(t, digest, "unsubscribe"))
	shows(t, b, "Leave?")
	if state := s.reader().State; state != store.ReaderActive {
		t.Fatalf("who only looks at the link to leave is %s", state)
	}
	b.Click("main form button")
	shows(t, b, "You have left")

	// Digests still go out, to the subscriber of the configuration alone.
	press.publish("Twelve more held in Operation P-Hunt")
	s.digested(2, 3)
	s.end()
	if n := len(post.Mail("ann")); n != 2 {
		t.Errorf("%d messages to one who has left, want the letter and the digest", n)
	}
}

// TestOperatorInABrowser signs in with the token, sends a refused digest again, and
// looks for what was found and for what would be.
func TestOperatorInABrowser(t *testing.T) {
	const ann = "ann@reader.example"
	tn := newTown(t)
	tn.join(ann)
	tn.eventually("the hit is counted", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_hits_total{rule="p-hunt"} 1`)
	})
	tn.sink.mu.Lock()
	tn.sink.refuse = 1
	tn.sink.mu.Unlock()
	tn.sendNow()
	tn.eventually("the digest is a dead letter", func() bool {
		_, m := tn.get("/metrics")
		return strings.Contains(m, `newswatch_deliveries_total{failure="rejected",result="buried"} 1`)
	})
	b := browsertest.Start(t, nil)
	b.Look("light", 1200)

	b.Open(strings.Replace(tn.url, "://", "://operator:0123456789abcdef@", 1) + "/deliveries")
	shows(t, b, "the server answered 554 5.6.0")
	b.Click(`form[action="deliveries/resend"] button`)
	shows(t, b, "The digest is the subscriber's next, as it was.")
	tn.eventually("the digest arrives", func() bool { return len(tn.sink.to(ann)) == 3 })
	if mails := tn.sink.to(ann); !bytes.Equal(mails[1].raw, mails[2].raw) {
		t.Errorf("refused was\n%s\nand then came\n%s", mails[1].raw, mails[2].raw)
	}
	b.Open(tn.url + "/deliveries")
	if left := b.Eval(`String(document.querySelectorAll('form[action="deliveries/drop"]').length)`); left != "0" {
		t.Errorf("%s dead letters are left", left)
	}

	b.Click(`nav a[href$="stories"]`)
	for words, want := range map[string]string{"bridge": "0", "p-hunt": "1"} {
		b.Do(chromedp.SetValue(chromedp.CSS("#words"), words))
		b.Click("form[role=search] button")
		if got := b.Eval(`String(document.querySelectorAll(".stories li").length)`); got != want {
			t.Errorf("%s reports with %q, want %s", got, words, want)
		}
	}
	b.Click(`nav a[href$="rules"]`)
	b.Do(chromedp.SendKeys(chromedp.CSS("#title"), "Arrests in Operation P-Hunt"))
	b.Click("form[aria-labelledby=try] button")
	shows(t, b, "matches p-hunt")
}

// shows fails unless the page says something.
func shows(t *testing.T, b *browsertest.Browser, want string) {
	t.Helper()
	if got := b.Text(); !strings.Contains(got, want) {
		t.Fatalf("the page says\n%s\nand not %q", got, want)
	}
}

// link is where a mail leads to.
func link(t *testing.T, raw []byte, page string) string {
	t.Helper()
	return "https://news.example.org" + path(t, bodyOf(t, raw), page)
}

// digested has the feed read, until it has brought so many hits, and everyone
// served, until so many digests were accepted.
func (s *site) digested(hits, accepted int) {
	s.t.Helper()
	counted := func(what string, n int) {
		s.t.Helper()
		line := fmt.Sprintf("%s %d\n", what, n)
		s.eventually("/metrics has "+line, func() bool {
			_, m := s.get("/metrics")
			return strings.Contains(m, line)
		})
	}
	s.pollNow()
	counted(`newswatch_hits_total{rule="p-hunt"}`, hits)
	s.sendNow()
	counted(`newswatch_deliveries_total{failure="",result="accepted"}`, accepted)
}

// reader is the one who subscribed.
func (s *site) reader() (one store.Reader) {
	s.t.Helper()
	s.besides(func(st *sqlite.Store) error {
		for r, err := range st.Readers(s.t.Context()) {
			one = r
			return err
		}
		return store.ErrNotFound
	})
	return one
}

// frontDoor is a reverse proxy for news.example.org, and returns its address. What
// is not for the public stops there.
func frontDoor(t *testing.T, inner string) string {
	t.Helper()
	to, err := url.Parse(inner)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.SetXForwarded()
	}}
	mux := http.NewServeMux()
	for _, public := range []string{"/subscribe", "/confirm/", "/unsubscribe/", "/preferences/", "/style.css", "/api/v1/subscriptions"} {
		mux.Handle(public, proxy)
	}
	srv := httptest.NewTLSServer(mux)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		transport.CloseIdleConnections()
	})
	return srv.Listener.Addr().String()
}

// press is a feed to which a test adds.
type press struct {
	url string

	mu     sync.Mutex
	titles []string
}

func newPress(t *testing.T, titles ...string) *press {
	t.Helper()
	p := &press{titles: titles}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *press) publish(title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.titles = append(p.titles, title)
}

func (p *press) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(w, `<rss version="2.0"><channel><title>P</title>`)
	for i, title := range p.titles {
		fmt.Fprintf(w, "<item><guid>%d</guid><title>", i)
		_ = xml.EscapeText(w, []byte(title))
		_, _ = io.WriteString(w, "</title></item>")
	}
	_, _ = io.WriteString(w, "</channel></rss>")
}
