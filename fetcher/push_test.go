package fetcher

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/newswatch/newswatch/fetcher/document"
)

// TestAnnounced: a hub is found as W3C WebSub §4 says, headers before the document,
// and nothing that is not an address on the web is ever asked.
func TestAnnounced(t *testing.T) {
	from, err := url.Parse("https://news.example/feed.xml")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		links      []string
		hints      document.Hints
		hub, topic string
	}{
		"none":             {},
		"in the headers":   {links: []string{`<https://hub.example/>; rel="hub", <https://news.example/a>; rel="self"`}, hub: "https://hub.example/", topic: "https://news.example/a"},
		"on two lines":     {links: []string{`<https://hub.example/>; rel=hub`, `<https://news.example/a>; rel=self`}, hub: "https://hub.example/", topic: "https://news.example/a"},
		"without a self":   {links: []string{`<https://hub.example/>; rel="hub"`}, hub: "https://hub.example/", topic: "https://news.example/feed.xml"},
		"relative":         {links: []string{`</hub>; rel="alternate HUB"`}, hub: "https://news.example/hub", topic: "https://news.example/feed.xml"},
		"in the document":  {hints: document.Hints{Hubs: []string{"https://hub.example/"}, Self: "https://news.example/b"}, hub: "https://hub.example/", topic: "https://news.example/b"},
		"header wins":      {links: []string{`<https://one.example/>; rel="hub"`}, hints: document.Hints{Hubs: []string{"https://two.example/"}, Self: "https://two.example/b"}, hub: "https://one.example/", topic: "https://news.example/feed.xml"},
		"comma in quotes":  {links: []string{`<https://x.example/>; title="a, <https://evil.example/>; rel=hub"; rel="next", <https://hub.example/>; rel="hub"`}, hub: "https://hub.example/", topic: "https://news.example/feed.xml"},
		"comma in a link":  {links: []string{`<https://hub.example/a,b>; rel="hub"`}, hub: "https://hub.example/a,b", topic: "https://news.example/feed.xml"},
		"not the web":      {links: []string{`<file:///etc/passwd>; rel="hub"`}},
		"javascript":       {links: []string{`<javascript:alert(1)>; rel="hub"`}},
		"too long":         {links: []string{`<https://hub.example/` + strings.Repeat("x", 2000) + `>; rel="hub"`}},
		"never closed":     {links: []string{`<https://hub.example/; rel="hub`}},
		"behind very many": {links: []string{strings.Repeat(`<https://x.example/>; rel="next", `, 1000) + `<https://hub.example/>; rel="hub"`}},
	} {
		var st State
		st.announced(http.Header{"Link": tt.links}, from, tt.hints)
		if st.Push.Hub != tt.hub || st.Push.Topic != tt.topic {
			t.Errorf("%s: %+v, want %q and %q", name, st.Push, tt.hub, tt.topic)
		}
	}
}

// TestAnnouncedKeeps: a subscription stands as long as the feed names the same hub,
// and is asked for anew when it names another.
func TestAnnouncedKeeps(t *testing.T) {
	from, err := url.Parse("https://news.example/feed.xml")
	if err != nil {
		t.Fatal(err)
	}
	st := State{Push: Push{Hub: "https://hub.example/", Topic: from.String(), Asked: start}}
	st.announced(http.Header{"Link": {`<https://hub.example/>; rel="hub"`}}, from, document.Hints{})
	if !st.Push.Asked.Equal(start) {
		t.Error("the same hub is asked again")
	}
	st.announced(http.Header{"Link": {`<https://other.example/>; rel="hub"`}}, from, document.Hints{})
	if !st.Push.Asked.IsZero() || st.Push.Hub != "https://other.example/" {
		t.Errorf("another hub: %+v", st.Push)
	}
	st.announced(nil, from, document.Hints{})
	if st.Push != (Push{}) {
		t.Errorf("no hub any more: %+v", st.Push)
	}
}

// FuzzLinkHeader: a Link header is read to its end, and what comes out of it is an
// address or nothing.
func FuzzLinkHeader(f *testing.F) {
	f.Add(`<https://hub.example/>; rel="hub", </a>; rel=self`)
	f.Add(`<a,b>;rel="hub\",";,<`)
	from, err := url.Parse("https://news.example/feed.xml")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var st State
		st.announced(http.Header{"Link": {line}}, from, document.Hints{})
		for _, raw := range []string{st.Push.Hub, st.Push.Topic} {
			if raw != "" && (len(raw) > maxPushURL || !strings.HasPrefix(raw, "http")) {
				t.Errorf("%q gives %q", line, raw)
			}
		}
		if (st.Push.Hub == "") != (st.Push.Topic == "") {
			t.Errorf("%q gives a half: %+v", line, st.Push)
		}
	})
}

// hangs is a server that takes every request and never answers.
type hangs struct{}

func (hangs) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestAHubThatHangsHoldsUpFew: what a feed brought lies in hand while its hub is
// asked. However many feeds have the same hub, none waits for the others' asking.
func TestAHubThatHangsHoldsUpFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := newClient(t, Options{Transport: hangs{}, HostSpacing: 250 * time.Millisecond})
		began := time.Now()
		var late, untold atomic.Int64
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				err := c.Subscribe(t.Context(), "https://hub.example/", url.Values{})
				if time.Since(began) > pushTimeout+turnPatience {
					late.Add(1)
				}
				if errors.Is(err, ErrNoTurn) {
					untold.Add(1)
				}
			})
		}
		wg.Wait()
		if late.Load() > 0 || untold.Load() != 98 {
			t.Errorf("%d of 100 waited for longer than one asking; %d were told that they had no turn, want 98", late.Load(), untold.Load())
		}
	})
}
