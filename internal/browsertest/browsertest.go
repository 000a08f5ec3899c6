// Package browsertest drives pages in a real browser, as people do.
package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/newswatch/newswatch/internal/realpart"
)

// patience is how long a step may take: a browser is many processes, which a busy
// machine lets run now and then.
const patience = time.Minute

// Browser is a tab of Chromium.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Start runs Chromium until the test ends. More says more of its flags.
func Start(t testing.TB, more map[string]any) *Browser {
	t.Helper()
	path := realpart.Require(t, "chromium", "chromium", "chromium-headless-shell")
	opts := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.WSURLReadTimeout(patience),
	}
	for _, off := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync"} {
		opts = append(opts, chromedp.Flag(off, true))
	}
	for name, value := range more {
		opts = append(opts, chromedp.Flag(name, value))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, closeTab := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		closeTab()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return &Browser{t, ctx}
}

// In returns the same tab for a subtest.
func (b *Browser) In(t testing.TB) *Browser { return &Browser{t, b.ctx} }

// Do takes steps, one after the other.
func (b *Browser) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// Open goes to a page.
func (b *Browser) Open(address string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
}

// Click presses what leads to another page, and waits for that.
func (b *Browser) Click(css string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(css))); err != nil {
		b.t.Fatalf("%s: %v", css, err)
	}
}

// Eval returns what a script says, which must be a string or the promise of one.
func (b *Browser) Eval(js string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	out, err := chromedp.Run(ctx, chromedp.Evaluate[string](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.80s: %v", js, err)
	}
	return out
}

// Text is what a reader sees of the page's own part.
func (b *Browser) Text() string {
	b.t.Helper()
	return b.Eval(`document.querySelector("main").innerText`)
}

// Look sets how the reader likes to see pages: light or dark, and how wide.
func (b *Browser) Look(scheme string, width int64) {
	b.t.Helper()
	b.Do(
		chromedp.EmulateViewport(width, 900),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		}),
	)
}

// Axe is the source of axe-core, which finds what keeps people out of a page.
func Axe(t testing.TB) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("..", "tools", "axe", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		const how = "axe-core is not installed: npm ci --prefix tools/axe --ignore-scripts"
		if realpart.InCI() {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	return string(source)
}

// ForEveryone looks at the page that is open as two readers do, one at a desk and in
// the light, one on a telephone and in the dark, and fails where axe finds a fault
// or the page is wider than the screen. It leaves everything opened that can be.
func (b *Browser) ForEveryone(axe string) {
	b.t.Helper()
	b.Eval(`document.querySelectorAll("details").forEach(d => d.open = true); ""`)
	b.Eval(axe + `; ""`)
	at := b.Eval(`location.pathname`)
	for _, v := range []struct {
		scheme string
		width  int64
	}{{"light", 1200}, {"dark", 360}} {
		b.Look(v.scheme, v.width)
		found := b.Eval(`axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.html + " " + n.failureSummary).join(" | ")).join("\n"))`)
		if found != "" {
			b.t.Errorf("%s, %s, %d wide:\n%s", at, v.scheme, v.width, found)
		}
		if b.Eval(fmt.Sprintf(`document.documentElement.scrollWidth > %d ? "wide" : ""`, v.width)) != "" {
			b.t.Errorf("%s is wider than a screen of %d", at, v.width)
		}
	}
}

// Tab opens another tab of the same browser.
func (b *Browser) Tab() *Browser {
	b.t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	b.t.Cleanup(closeTab)
	if err := chromedp.Do(ctx); err != nil {
		b.t.Fatal(err)
	}
	return &Browser{b.t, ctx}
}
