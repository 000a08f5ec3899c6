package web

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/newswatch/newswatch/internal/browsertest"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// troubledSite serves the pages of a troubled daemon.
func troubledSite(t *testing.T) (top string, shared *guarded) {
	t.Helper()
	m, st := troubled()
	shared = &guarded{changed: changed{memory: m}}
	begun := time.Now()
	s := serverOf(m, st, func(o *Options) {
		o.Store, o.Now = shared, func() time.Time { return noon.Add(time.Since(begun)) }
	})
	s.eventEvery = 50 * time.Millisecond
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL, shared
}

// TestBrowser drives the pages as people do, in one browser.
func TestBrowser(t *testing.T) {
	axe := browsertest.Axe(t)
	top, shared := troubledSite(t)
	b := browsertest.Start(t, nil)

	t.Run("for everyone", func(t *testing.T) {
		item := shared.reports[0].Item.ID.String()
		for _, path := range []string{
			"/", "/stories", "/stories?since=never", "/purge?id=" + item, "/feeds?done=polled", "/rules", "/subscribers", "/preview?subscriber=desk", "/deliveries", "/notices", "/settings", "/no/such",
		} {
			b := b.In(t)
			b.Open(top + path)
			b.ForEveryone(axe)
		}
	})

	t.Run("subscription", func(t *testing.T) {
		b := b.In(t)
		l := newLobby(t)
		srv := httptest.NewServer(l)
		defer srv.Close()
		defer srv.CloseClientConnections()
		b.Open(srv.URL + "/subscribe")
		b.ForEveryone(axe)
		b.Do(chromedp.SendKeys(chromedp.CSS("#email"), "ann@example.org"))
		b.Click(`form[action=subscribe] button`)
		if !strings.Contains(b.Text(), "say that you want to be sent digests") {
			t.Fatalf("without a tick:\n%s", b.Text())
		}
		b.ForEveryone(axe)
		b.Do(chromedp.Click(chromedp.CSS("#agree")))
		b.Click(`form[action=subscribe] button`)
		if !strings.Contains(b.Text(), "Look into your mail") {
			t.Fatalf("after the form:\n%s", b.Text())
		}
		letter := l.letter().Text
		confirm := srv.URL + l.link(letter, "confirm")
		b.Open(confirm)
		b.ForEveryone(axe)
		if l.state() != store.ReaderPending {
			t.Fatalf("who only looks at the link is %s", l.state())
		}
		b.Click(`main form button`)
		if !strings.Contains(b.Text(), "You are subscribed") || l.state() != store.ReaderActive {
			t.Fatalf("after the button, %s:\n%s", l.state(), b.Text())
		}
		r, err := l.roll.Find(t.Context(), "ann@example.org")
		if err != nil {
			t.Fatal(err)
		}
		links, err := l.roll.Links(t.Context(), r, l.now)
		if err != nil {
			t.Fatal(err)
		}
		b.Open(srv.URL + l.link(links.Change, "preferences"))
		b.ForEveryone(axe)
		leave := srv.URL + l.link(links.Leave, "unsubscribe")
		b.Open(leave)
		b.ForEveryone(axe)
		if l.state() != store.ReaderActive {
			t.Fatalf("who only looks at the link to leave is %s", l.state())
		}
		b.Click(`main form button`)
		if !strings.Contains(b.Text(), "You have left") || l.state() != store.ReaderLeft {
			t.Fatalf("after the button, %s:\n%s", l.state(), b.Text())
		}
	})

	t.Run("filter", func(t *testing.T) {
		b := b.In(t)
		b.Do(chromedp.Navigate(top+"/stories"), chromedp.Click(chromedp.CSS("summary")), chromedp.SendKeys(chromedp.CSS("#lang"), "ml"))
		b.Click(`form[role=search] button`)
		if got := b.Eval(`String(document.querySelectorAll(".stories li").length)`); got != "1" {
			t.Errorf("%s reports in Malayalam, want 1", got)
		}
		if mark := b.Eval(`document.querySelector("mark").textContent`); !strings.Contains(mark, "ഹണ്ട") {
			t.Errorf("marked: %q", mark)
		}
		b.ForEveryone(axe)
	})

	t.Run("rule tester", func(t *testing.T) {
		b := b.In(t)
		b.Do(chromedp.Navigate(top+"/rules"), chromedp.SendKeys(chromedp.CSS("#title"), "Raids in Operation P-Hunt"))
		b.Click(`form[aria-labelledby=try] button`)
		if got := b.Text(); !strings.Contains(got, "2 rules match of 2.") || !strings.Contains(got, "found P-Hunt") {
			t.Errorf("%s", got)
		}
		// The page that answers a form is where the form was: its links lead home.
		if href := b.Eval(`document.querySelector("th a").href`); !strings.HasPrefix(href, top+"/stories?rule=") {
			t.Errorf("a rule leads to %s", href)
		}
		b.ForEveryone(axe)
	})

	t.Run("dead letter", func(t *testing.T) {
		b := b.In(t)
		b.Do(chromedp.Navigate(top + "/deliveries"))
		b.Click(`form[action="deliveries/resend"] button`)
		at, err := url.Parse(b.Eval(`location.href`))
		if err != nil || at.Path != "/deliveries" || !strings.Contains(b.Eval(`document.querySelector(".done").textContent`), "as it was") {
			t.Errorf("%v, %v", at, err)
		}
		shared.mu.Lock()
		defer shared.mu.Unlock()
		if len(shared.did) != 1 || shared.did[0] != "resend desk-5" {
			t.Errorf("did %q", shared.did)
		}
	})

	t.Run("live", func(t *testing.T) {
		b := b.In(t)
		b.Do(chromedp.Navigate(top+"/deliveries"), chromedp.WaitReady(chromedp.CSS("#live:not(:empty)")))
		shared.mu.Lock()
		shared.letters = append(shared.letters, notify.DeadLetter{Digest: notify.Digest{ID: "new-1", Subscriber: "newcomer"}, Buried: noon})
		shared.mu.Unlock()
		b.Do(chromedp.WaitReady(chromedp.CSS(`input[value="new-1"]`)))
	})
	t.Run("many tabs", func(t *testing.T) {
		// Headless tabs are all in front: the test says which are not.
		show := func(tab *browsertest.Browser, state string) {
			tab.Eval(`Object.defineProperty(document, "visibilityState", {value: "` + state + `", configurable: true});
				document.dispatchEvent(new Event("visibilitychange")); ""`)
		}
		b := b.In(t)
		var tabs []*browsertest.Browser
		for range 8 {
			tab := b.Tab()
			tab.Open(top + "/deliveries")
			tab.Do(chromedp.WaitReady(chromedp.CSS("#live:not(:empty)")))
			show(tab, "hidden")
			tabs = append(tabs, tab)
		}
		shared.mu.Lock()
		shared.letters = append(shared.letters, notify.DeadLetter{Digest: notify.Digest{ID: "new-2", Subscriber: "newcomer"}, Buried: noon})
		shared.mu.Unlock()
		show(tabs[0], "visible")
		tabs[0].Do(chromedp.WaitReady(chromedp.CSS(`input[value="new-2"]`)))
	})
}
