package web

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/newswatch/newswatch/internal/realpart"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// axe is the source of axe-core, which finds what keeps people out of a page.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../tools/axe/node_modules/axe-core/axe.min.js")
	if err != nil {
		const how = "axe-core is not installed: npm ci --prefix tools/axe --ignore-scripts"
		if realpart.InCI() {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	return string(source)
}

// browser starts Chromium and leads it to the pages of a troubled daemon.
func browser(t *testing.T) (ctx context.Context, top string, shared *guarded) {
	t.Helper()
	path := realpart.Require(t, "chromium", "chromium", "chromium-headless-shell")
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
	}
	for _, off := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		opts = append(opts, chromedp.Flag(off, true))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closeTab := chromedp.NewContext(alloc)
	m, st := troubled()
	shared = &guarded{changed: changed{memory: m}}
	begun := time.Now()
	s := serverOf(m, st, func(o *Options) {
		o.Store, o.Now = shared, func() time.Time { return noon.Add(time.Since(begun)) }
	})
	s.eventEvery = 50 * time.Millisecond
	srv := httptest.NewServer(s)
	t.Cleanup(func() {
		closeTab()
		stop()
		srv.CloseClientConnections()
		srv.Close()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx, srv.URL, shared
}

// look sets how the reader likes to see pages.
func look(scheme string, width int64) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(
		chromedp.EmulateViewport(width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}),
	)
}

// TestBrowser drives the pages as people do, in one browser.
func TestBrowser(t *testing.T) {
	source := axe(t)
	ctx, top, shared := browser(t)
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if err := chromedp.Do(within, steps...); err != nil {
			t.Fatal(err)
		}
	}
	eval := func(js string) string {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		out, err := chromedp.Run(within, chromedp.Evaluate[string](js, chromedp.EvalAwaitPromise))
		if err != nil {
			t.Fatalf("%s: %v", cut(js, 80), err)
		}
		return out
	}
	click := func(css string) {
		t.Helper()
		within, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		if _, err := chromedp.RunResponse(within, chromedp.Click(chromedp.CSS(css))); err != nil {
			t.Fatalf("%s: %v", css, err)
		}
	}

	// everyone looks at a page in both schemes, on a desk and on a telephone.
	everyone := func(t *testing.T, address string) {
		t.Helper()
		for _, v := range []struct {
			scheme string
			width  int64
		}{{"light", 1200}, {"dark", 360}} {
			do(look(v.scheme, v.width), chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
			// Everything that can be opened is looked at, too.
			eval(`document.querySelectorAll("details").forEach(d => d.open = true); ""`)
			eval(source + `; ""`)
			found := eval(`axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join(" | ")).join("\n"))`)
			if found != "" {
				t.Errorf("%s, %s, %d wide:\n%s", address, v.scheme, v.width, found)
			}
			if wide := eval(fmt.Sprintf(`document.documentElement.scrollWidth > %d ? "wide" : ""`, v.width)); wide != "" {
				t.Errorf("%s is wider than a screen of %d", address, v.width)
			}
		}
	}
	t.Run("for everyone", func(t *testing.T) {
		item := shared.reports[0].Item.ID.String()
		for _, path := range []string{
			"/", "/stories", "/stories?since=never", "/purge?id=" + item, "/feeds?done=polled", "/rules", "/subscribers", "/preview?subscriber=desk", "/deliveries", "/notices", "/settings", "/no/such",
		} {
			everyone(t, top+path)
		}
	})

	t.Run("subscription", func(t *testing.T) {
		l := newLobby(t)
		srv := httptest.NewServer(l)
		defer srv.Close()
		defer srv.CloseClientConnections()
		text := func() string { return eval(`document.querySelector("main").innerText`) }

		everyone(t, srv.URL+"/subscribe")
		do(look("light", 1200), chromedp.Navigate(srv.URL+"/subscribe"), chromedp.SendKeys(chromedp.CSS("#email"), "ann@example.org"), chromedp.Click(chromedp.CSS("#agree")))
		click(`form[action=subscribe] button`)
		if !strings.Contains(text(), "Look into your mail") {
			t.Fatalf("after the form:\n%s", text())
		}
		letter := l.letter().Text
		confirm := srv.URL + l.link(letter, "confirm")
		everyone(t, confirm)
		if l.state() != store.ReaderPending {
			t.Fatalf("who only looks at the link is %s", l.state())
		}
		click(`main form button`)
		if !strings.Contains(text(), "You are subscribed") || l.state() != store.ReaderActive {
			t.Fatalf("after the button, %s:\n%s", l.state(), text())
		}
		r, err := l.roll.Find(t.Context(), "ann@example.org")
		if err != nil {
			t.Fatal(err)
		}
		links, err := l.roll.Links(t.Context(), r, l.now)
		if err != nil {
			t.Fatal(err)
		}
		everyone(t, srv.URL+l.link(links.Change, "preferences"))
		leave := srv.URL + l.link(links.Leave, "unsubscribe")
		everyone(t, leave)
		if l.state() != store.ReaderActive {
			t.Fatalf("who only looks at the link to leave is %s", l.state())
		}
		click(`main form button`)
		if !strings.Contains(text(), "You have left") || l.state() != store.ReaderLeft {
			t.Fatalf("after the button, %s:\n%s", l.state(), text())
		}
	})
	do(look("light", 1200))

	t.Run("filter", func(t *testing.T) {
		do(chromedp.Navigate(top+"/stories"), chromedp.Click(chromedp.CSS("summary")), chromedp.SendKeys(chromedp.CSS("#lang"), "ml"))
		click(`form[role=search] button`)
		if got := eval(`String(document.querySelectorAll(".stories li").length)`); got != "1" {
			t.Errorf("%s reports in Malayalam, want 1", got)
		}
		if mark := eval(`document.querySelector("mark").textContent`); !strings.Contains(mark, "ഹണ്ട") {
			t.Errorf("marked: %q", mark)
		}
	})

	t.Run("rule tester", func(t *testing.T) {
		do(chromedp.Navigate(top+"/rules"), chromedp.SendKeys(chromedp.CSS("#title"), "Raids in Operation P-Hunt"))
		click(`form[aria-labelledby=try] button`)
		if got := eval(`document.querySelector("main").innerText`); !strings.Contains(got, "2 rules match of 2.") || !strings.Contains(got, "found P-Hunt") {
			t.Errorf("%s", got)
		}
		// The page that answers a form is where the form was: its links lead home.
		if href := eval(`document.querySelector("th a").href`); !strings.HasPrefix(href, top+"/stories?rule=") {
			t.Errorf("a rule leads to %s", href)
		}
	})

	t.Run("dead letter", func(t *testing.T) {
		do(chromedp.Navigate(top + "/deliveries"))
		click(`form[action="deliveries/resend"] button`)
		at, err := url.Parse(eval(`location.href`))
		if err != nil || at.Path != "/deliveries" || !strings.Contains(eval(`document.querySelector(".done").textContent`), "as it was") {
			t.Errorf("%v, %v", at, err)
		}
		shared.mu.Lock()
		defer shared.mu.Unlock()
		if len(shared.did) != 1 || shared.did[0] != "resend desk-5" {
			t.Errorf("did %q", shared.did)
		}
	})

	t.Run("live", func(t *testing.T) {
		do(chromedp.Navigate(top+"/deliveries"), chromedp.WaitReady(chromedp.CSS("#live:not(:empty)")))
		shared.mu.Lock()
		shared.letters = append(shared.letters, notify.DeadLetter{Digest: notify.Digest{ID: "new-1", Subscriber: "newcomer"}, Buried: noon})
		shared.mu.Unlock()
		do(chromedp.WaitReady(chromedp.CSS(`input[value="new-1"]`)))
	})
}
