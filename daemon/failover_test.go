package daemon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/newswatch/newswatch/internal/redistest"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
)

// TestSentinelFailover kills the primary under a running daemon while feeds
// publish and digests go out. store.wait_replicas is 1, so that what was confirmed
// is in the replica that is promoted whenever the primary dies.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	db := redistest.StartWatched(t, nil)
	failOver(t, fmt.Sprintf("{url: %q, wait_replicas: 1}", db.URL), db.URL, func(n *newsstand) {
		db.Primary.Kill()
		n.forgetTold()
	})
}

// TestClusterFailover kills the primary that holds the store. It has one replica,
// and a promise could not be kept when that is the primary and alone; so nothing is
// waited for, and the primary is killed at a moment when all that was told is
// acknowledged and the replica is in step.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	db := redistest.StartCluster(t, nil)
	failOver(t, fmt.Sprintf("{url: %q}", db.URL), db.URL, func(n *newsstand) {
		n.pause(true)
		st := openRedis(t, db.URL)
		n.site.eventually("every digest is acknowledged", func() bool { return n.toldAll() && acknowledged(t, st) })
		holder := db.Primaries[db.Holder("newswatch:1:{nw}:totals")]
		n.site.eventually("the replica is in step", func() bool { return holder.Replicated(1) })
		holder.Kill()
		n.forgetTold()
		n.pause(false)
	})
}

func openRedis(t *testing.T, url string) *redis.Store {
	t.Helper()
	st, err := redis.Open(t.Context(), url, redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// acknowledged reports whether no subscriber has anything to be told.
func acknowledged(t *testing.T, st *redis.Store) bool {
	t.Helper()
	counts, err := st.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all, err := st.Standings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return !slices.ContainsFunc(all, func(s store.Standing) bool { return s.Pending != "" || s.Cursor < counts.Head })
}

// failOver runs a daemon on a store whose primary is killed. At the end every
// hit is stored once and each subscriber was told of it in one digest, although
// what they had been told before the kill was published by no feed afterwards:
// only the store can have kept it.
func failOver(t *testing.T, setting, url string, kill func(*newsstand)) {
	t.Helper()
	s := newSite(t)
	n := newNewsstand(t, s, 8, 3)
	s.write("newswatch.yaml", "data: data\nhttp: {listen: \"127.0.0.1:0\"}\nstore: "+setting+"\n"+
		"fetch: {allow_networks: [127.0.0.0/8], full_text: never, per_host: 8, min_interval: 1s}\ndigest: {cap: 1000}\n")
	// What was being claimed when the primary died is leased to nobody, until that is
	// over.
	s.start(3 * time.Second)
	ready := func() bool { code, _ := s.get("/readyz"); return code == http.StatusOK }
	s.eventually("all subscribers are told of something", func() bool { return n.told(10) })
	s.eventually("/readyz is green before the outage", ready)

	kill(n)
	killed, before := time.Now(), n.published()
	s.eventually("/readyz is red, and says why", func() bool {
		code, text := s.get("/readyz")
		return code == http.StatusServiceUnavailable && strings.Contains(text, "store does not answer")
	})
	if code, _ := s.get("/healthz"); code != http.StatusOK {
		t.Errorf("/healthz answers %d in the outage: a restart would not help", code)
	}
	s.eventually("/readyz is green again", ready)
	back, during := time.Now(), n.published()
	if during == before {
		t.Error("nothing was published during the outage: the test is too quick to show anything")
	}
	s.eventually("what was published in the outage is told", func() bool { return n.toldAllOf(during) })
	took := time.Since(back)
	n.pause(true)
	s.eventually("every subscriber is told of everything", n.toldAll)
	s.end()

	st := openRedis(t, url)
	hits, err := st.Hits(t.Context(), store.HitQuery{Limit: 5000})
	if err != nil {
		t.Fatal(err)
	}
	stored := map[string]int{}
	for _, h := range hits {
		stored[h.Item.Title]++
	}
	n.verify(stored)
	wrong, err := store.Check(t.Context(), st, time.Now())
	if err != nil || len(wrong) > 0 {
		t.Errorf("after the failover the store is not sound: %v %v", wrong, err)
	}
	t.Logf("not ready for %v; what was published meanwhile was told %v later; %d planted, %d of them before the kill; %d digests in %d calls",
		back.Sub(killed).Round(10*time.Millisecond), took.Round(10*time.Millisecond), n.published(), len(n.forgotten), len(n.digests), n.calls)
}

// newsstand is feeds that publish until they are paused, whether or not they are
// polled, and the receivers of subscribers.
type newsstand struct {
	t           *testing.T
	site        *site
	subscribers int
	server      *httptest.Server

	mu        sync.Mutex
	paused    bool
	planted   []string            // titles that the rule matches
	listed    map[string][]string // by feed
	forgotten map[string]bool     // no longer listed
	calls     int
	digests   map[string][]byte            // by webhook-id
	heard     map[string]map[string]string // by subscriber and title, the digest
}

// newNewsstand writes the feeds and subscribers of a site. It publishes an item
// every 50 milliseconds until the test ends, in one feed after the other.
func newNewsstand(t *testing.T, s *site, feeds, subscribers int) *newsstand {
	t.Helper()
	n := &newsstand{
		t: t, site: s, subscribers: subscribers,
		listed: map[string][]string{}, forgotten: map[string]bool{}, digests: map[string][]byte{}, heard: map[string]map[string]string{},
	}
	n.server = httptest.NewServer(n)
	t.Cleanup(n.server.Close)
	var list, subs strings.Builder
	list.WriteString("feeds:\n")
	for i := range feeds {
		fmt.Fprintf(&list, "  - {url: \"%s/feeds/f%d\", id: f%d, every: 1s}\n", n.server.URL, i, i)
	}
	subs.WriteString("subscribers:\n")
	for i := range subscribers {
		fmt.Fprintf(&subs, "  - {id: desk-%d, webhook: {url: \"%s/hook/desk-%d\"}, schedule: immediate 1s}\n", i, n.server.URL, i)
	}
	s.write("feeds.yaml", list.String())
	s.write("subscribers.yaml", subs.String())

	stop, stopped := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-stopped })
	go func() {
		defer close(stopped)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				n.publish(fmt.Sprintf("f%d", i%feeds), i)
			}
		}
	}()
	return n
}

func (n *newsstand) publish(feed string, i int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.paused {
		return
	}
	title := fmt.Sprintf("Report %d of %s tells of Operation P-Hunt", i, feed)
	n.planted = append(n.planted, title)
	n.listed[feed] = append(n.listed[feed], title)
}

func (n *newsstand) pause(on bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.paused = on
}

func (n *newsstand) published() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.planted)
}

// forgetTold has the feeds list nothing more of what everybody was told.
func (n *newsstand) forgetTold() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for feed, titles := range n.listed {
		n.listed[feed] = slices.DeleteFunc(titles, func(title string) bool {
			gone := n.knows(title)
			if gone {
				n.forgotten[title] = true
			}
			return gone
		})
	}
}

// knows reports whether every subscriber was told of a title.
func (n *newsstand) knows(title string) bool {
	if len(n.heard) < n.subscribers {
		return false
	}
	for _, heard := range n.heard {
		if heard[title] == "" {
			return false
		}
	}
	return true
}

// told reports whether there are so many titles that everybody knows of.
func (n *newsstand) told(atLeast int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	known := 0
	for _, title := range n.planted {
		if n.knows(title) {
			known++
		}
	}
	return known >= atLeast
}

// toldAllOf reports whether everybody knows of the first so many titles.
func (n *newsstand) toldAllOf(first int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !slices.ContainsFunc(n.planted[:first], func(title string) bool { return !n.knows(title) })
}

func (n *newsstand) toldAll() bool { return n.toldAllOf(n.published()) }

// ServeHTTP serves /feeds/NAME, and takes digests at /hook/SUBSCRIBER.
func (n *newsstand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if kind == "hook" {
		n.hook(name, r.Header.Get("webhook-id"), body)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/rss+xml")
	fmt.Fprintf(w, `<rss version="2.0"><channel><title>%s</title>`, name)
	for _, title := range n.listed[name] {
		fmt.Fprintf(w, `<item><title>%s</title><guid>%s</guid></item>`, title, title)
	}
	fmt.Fprint(w, `</channel></rss>`)
}

// hook takes a digest. One that comes again must be the same.
func (n *newsstand) hook(subscriber, id string, body []byte) {
	n.calls++
	if before, again := n.digests[id]; again {
		if !bytes.Equal(before, body) {
			n.t.Errorf("digest %s came again with other bytes", id)
		}
		return
	}
	n.digests[id] = body
	var m struct{ Data notify.Digest }
	if err := json.Unmarshal(body, &m); err != nil || m.Data.More > 0 {
		n.t.Errorf("digest %s is not whole: %v", id, err)
	}
	if n.heard[subscriber] == nil {
		n.heard[subscriber] = map[string]string{}
	}
	one := func(title string) {
		if other := n.heard[subscriber][title]; other != "" {
			n.t.Errorf("%s was told of %q in digest %s and in %s", subscriber, title, other, id)
		}
		n.heard[subscriber][title] = id
	}
	for _, g := range m.Data.Groups {
		for _, e := range g.Entries {
			one(e.Title)
			for _, a := range e.Also {
				one(a.Title)
			}
		}
	}
}

// verify compares what was planted with what is stored.
func (n *newsstand) verify(stored map[string]int) {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, title := range n.planted {
		if stored[title] != 1 {
			n.t.Errorf("%q is stored as %d hits, want 1 (forgotten by its feed: %t)", title, stored[title], n.forgotten[title])
		}
	}
	if len(stored) != len(n.planted) {
		n.t.Errorf("%d hits are stored and %d were planted", len(stored), len(n.planted))
	}
	if len(n.forgotten) == 0 {
		n.t.Error("nothing was told before the outage")
	}
	for subscriber, heard := range n.heard {
		if len(heard) != len(n.planted) {
			n.t.Errorf("%s was told of %d items, and %d were planted", subscriber, len(heard), len(n.planted))
		}
	}
}
