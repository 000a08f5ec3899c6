package redis_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/store/redis"
)

var t0 = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// proxy stands between a store and its server.
type proxy struct {
	l      net.Listener
	target string
	// lose makes it drop the answer that is so many away, 1 being the next, and the
	// connection: the server has done what it was told, and the store does not know.
	lose atomic.Int32
	lost atomic.Int32
	down atomic.Bool // refuse what comes

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newProxy(t *testing.T, url string) (*proxy, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(url, "redis://"), "/0")
	p := &proxy{l: l, target: host, conns: make(map[net.Conn]bool)}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		p.cut()
		p.wg.Wait()
	})
	return p, "redis://" + l.Addr().String() + "/0"
}

func (p *proxy) serve() {
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", p.target)
		if err != nil || p.down.Load() {
			_ = c.Close()
			if err == nil {
				_ = s.Close()
			}
			continue
		}
		p.mu.Lock()
		p.conns[c], p.conns[s] = true, true
		p.mu.Unlock()
		p.wg.Go(func() {
			_, _ = io.Copy(s, c)
			_ = s.Close()
		})
		p.wg.Go(func() {
			defer c.Close()
			buf := make([]byte, 64<<10)
			for {
				n, err := s.Read(buf)
				if n > 0 && p.lose.Load() > 0 && p.lose.Add(-1) == 0 {
					p.lost.Add(1)
					return
				}
				if _, werr := c.Write(buf[:n]); werr != nil || err != nil {
					return
				}
			}
		})
	}
}

// cut closes every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

func open(t *testing.T, url string) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), url, redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestALostAnswerDoublesNothing loses the answer to every write of a poll and a
// delivery. The client sends each again, and nothing is there twice.
func TestALostAnswerDoublesNothing(t *testing.T) {
	p, url := newProxy(t, server(t))
	s, ctx := open(t, url), t.Context()
	// Every script is new to the server, which says so first; Record and Ack read
	// before that.
	const script, readAndScript = 2, 3
	losing := func(what string, answer int32, write func() error) {
		t.Helper()
		before := p.lost.Load()
		p.lose.Store(answer)
		if err := write(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if p.lost.Load() != before+1 {
			t.Fatalf("%s: no answer was lost", what)
		}
	}
	losing("SyncFeeds", script, func() error { return s.SyncFeeds(ctx, []string{"a"}, t0) })
	losing("Enrol", script, func() error {
		return s.Enrol(ctx, []store.Enrolment{{ID: "desk", Next: t0, Schedule: "x", Since: t0}}, t0)
	})
	cs, err := s.ClaimFeeds(ctx, t0, 1, time.Minute)
	must(t, err)
	losing("MarkParsing", script, func() error { return s.MarkParsing(ctx, cs[0].Lease, true) })

	it := feed.Item{ID: feed.NewItemID("a", "1", "", ""), FeedID: "a", Title: "one"}
	b := store.Batch{Lease: cs[0].Lease, State: cs[0].State, Seen: []store.Sighting{{ID: it.ID}}}
	b.State.LastPoll, b.State.NextCheck = t0, t0.Add(time.Hour)
	b.Items = []store.StoredItem{{Item: it, Stored: t0}}
	b.Hits = []classifier.Hit{{Item: it, Found: t0, Rules: []classifier.RuleMatch{{Rule: "r"}}}}
	losing("Record", readAndScript, func() error {
		fresh, err := s.Record(ctx, b)
		if len(fresh) != 1 || fresh[0].Rules[0].Seq != 1 {
			t.Errorf("new in the log: %+v", fresh)
		}
		return err
	})

	turns, err := s.Claim(ctx, t0, 1, time.Minute)
	must(t, err)
	d := notify.Digest{ID: "d", Subscriber: "desk", To: 1, Until: t0}
	losing("Seal", script, func() error { return s.Seal(ctx, turns[0].Lease, d) })
	losing("Ack", readAndScript, func() error { return s.Ack(ctx, turns[0].Lease, t0, t0.Add(time.Hour)) })

	// A reader that asks and confirms: each change counts once.
	losing("AdmitReader", readAndScript, func() error {
		_, err := s.AdmitReader(ctx, store.Contact{1}, func(r store.Reader) (store.Amendment, error) {
			r.ID, r.Contact, r.State, r.Address = store.ReaderPrefix+"ann", store.Contact{1}, store.ReaderPending, "ann@example.org"
			r.Salt++
			return store.Amendment{Reader: r}, nil
		})
		return err
	})
	losing("AmendReader", script, func() error {
		_, err := s.AmendReader(ctx, store.ReaderPrefix+"ann", func(r store.Reader) (store.Amendment, error) {
			r.State, r.Consent.Given = store.ReaderActive, t0
			r.Salt++
			return store.Amendment{Reader: r, Turn: &store.Enrolment{ID: r.ID, Next: t0, Schedule: "x", Since: t0}}, nil
		})
		return err
	})
	r, err := s.Reader(ctx, store.ReaderPrefix+"ann")
	must(t, err)
	if r.Salt != 2 {
		t.Errorf("changed %d times", r.Salt)
	}
	must(t, s.Erase(ctx, r.ID))

	c, err := s.Counts(ctx)
	must(t, err)
	c.Bytes = 0
	if want := (store.Counts{Feeds: 1, Hits: 1, Items: 1, Seen: 1, Subscribers: 1, Head: 1}); c != want {
		t.Errorf("%+v, want %+v", c, want)
	}
	sent, err := s.Deliveries(ctx, "", 0)
	must(t, err)
	if len(sent) != 1 {
		t.Errorf("%d deliveries", len(sent))
	}
}

func TestAServerThatIsAwayIsUnavailableAndComesBack(t *testing.T) {
	p, url := newProxy(t, server(t))
	s := open(t, url)
	must(t, s.SyncFeeds(t.Context(), []string{"a"}, t0))
	p.down.Store(true)
	p.cut()
	begun := time.Now()
	for what, err := range map[string]error{
		"Ping":      s.Ping(t.Context()),
		"SyncFeeds": s.SyncFeeds(t.Context(), nil, t0),
	} {
		if !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := redis.Open(t.Context(), url, redis.Options{}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Open: %v", err)
	}
	if d := time.Since(begun); d > 10*time.Second {
		t.Errorf("it took %v to say so", d)
	}
	p.down.Store(false)
	cs, err := s.ClaimFeeds(t.Context(), t0, 1, time.Minute)
	if err != nil || len(cs) != 1 {
		t.Errorf("back again: %d claims, %v", len(cs), err)
	}
}

// TestAFrozenServerIsBoundedByTheContext would block for ten seconds without
// ContextTimeoutEnabled.
func TestAFrozenServerIsBoundedByTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never answers
	must(t, err)
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := redis.Open(ctx, "redis://"+l.Addr().String(), redis.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if d := time.Since(begun); d > 8*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestOpenRefusesWhatWouldForget(t *testing.T) {
	for _, policy := range []string{"allkeys-lru", "volatile-ttl"} {
		_, err := redis.Open(t.Context(), server(t, "--maxmemory-policy", policy), redis.Options{})
		if err == nil || !strings.Contains(err.Error(), policy) || !strings.Contains(err.Error(), "noeviction") ||
			!strings.Contains(err.Error(), "store.allow_eviction") || !strings.Contains(err.Error(), "--allow-eviction") {
			t.Errorf("%s: %v", policy, err)
		}
	}
}

func TestOpenNeverTellsThePassword(t *testing.T) {
	url := server(t, "--requirepass", "sesame")
	addr := strings.TrimPrefix(url, "redis://")
	for _, bad := range []string{
		"redis://:wrong-sesame@" + addr, "redis://u:sesame@127.0.0.1:1/x/y", "http://u:sesame@h", "redis://u:sesame@h:port", "redis://u:sesame@%zz",
	} {
		_, err := redis.Open(t.Context(), bad, redis.Options{})
		if err == nil {
			t.Fatalf("%s was opened", bad)
		}
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	s := open(t, "redis://:sesame@"+addr)
	must(t, s.Ping(t.Context()))
}
