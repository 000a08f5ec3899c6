package daemon

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/internal/redistest"
)

// TestAnOutageHoldsNothing takes the store from a daemon that is busy with three
// hundred feeds, all of which publish. What the daemon holds does not grow with
// the length of the outage: four times as many vain tries leave no more goroutines
// and no more memory in use. Then the store is back, and so is the work.
func TestAnOutageHoldsNothing(t *testing.T) {
	for _, c := range []struct {
		name        string
		begin, cure func(*redistest.Server)
	}{
		{"dead", (*redistest.Server).Kill, (*redistest.Server).Restart},
		{"frozen", (*redistest.Server).Freeze, (*redistest.Server).Thaw},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := redistest.Start(t, "--appendonly", "yes")
			loaded, feeds, polls := busy(t, db.URL)
			st, err := OpenStore(t.Context(), loaded.Config)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			}()
			// What is in hand at the beginning is given up when its lease is over.
			d, err := New(loaded, st, Options{Lease: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if err := d.enrol(t.Context(), d.plan.Load()); err != nil {
				t.Fatal(err)
			}
			var rounds atomic.Int64
			hurry(d.polls, &rounds)
			hurry(d.turns, new(atomic.Int64))
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan struct{})
			go func() {
				defer close(served)
				d.serve(ctx, loaded, d.now())
			}()
			defer func() {
				stop()
				<-served
			}()
			reach(t, polls, busyFeeds+100)

			c.begin(db)
			feeds.CloseClientConnections() // idle ones would end meanwhile, and hide what grows
			const n = 40
			from := rounds.Load()
			reach(t, &rounds, from+n)
			goroutines, heap := held()
			reach(t, &rounds, from+4*n)
			more, grown := held()
			t.Logf("after %d rounds %d goroutines and %d kB, after %d %d and %d kB", n, goroutines, heap>>10, 4*n, more, grown>>10)
			// The driver has some handshakes with a frozen server under way, as many as it
			// may have connections; what each try left behind would be more.
			if more > goroutines+n {
				t.Errorf("%d goroutines after %d rounds, %d after %d", goroutines, n, more, 4*n)
			}
			if grown > heap+128<<10 {
				t.Errorf("%d bytes in use after %d rounds, %d after %d", heap, n, grown, 4*n)
			}
			c.cure(db)
			reach(t, polls, polls.Load()+busyFeeds)
		})
	}
}

const busyFeeds = 300

// busy is a configuration of feeds that have a new hit at each poll, every second,
// and counts the polls.
func busy(t *testing.T, url string) (*configs.Loaded, *httptest.Server, *atomic.Int64) {
	t.Helper()
	polls := new(atomic.Int64)
	rest := strings.Repeat("<p>The police said on Monday that the bridge is closed for repairs.</p>", 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := polls.Add(1)
		fmt.Fprintf(w, `<rss version="2.0"><channel><title>P</title><item><title>Raid %d of Operation P-Hunt</title><guid>%d</guid>`+
			`<description><![CDATA[%s]]></description></item></channel></rss>`, n, n, rest)
	}))
	t.Cleanup(server.Close)
	var feeds strings.Builder
	feeds.WriteString("feeds:\n")
	for i := range busyFeeds {
		fmt.Fprintf(&feeds, "  - {url: \"%s/%d\", id: f%d, every: 1s}\n", server.URL, i, i)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"newswatch.yaml": fmt.Sprintf("data: data\nstore: {url: %q}\nhttp: {listen: \"\"}\ninclude: {rules: [rules.yaml]}\n"+
			"fetch: {allow_networks: [127.0.0.0/8], full_text: never, concurrency: 32, per_host: 32, min_interval: 1s}\n", url),
		"feeds.yaml":       feeds.String(),
		"rules.yaml":       "rules:\n  - {id: p-hunt, any: [\"operation p-hunt\"]}\n",
		"subscribers.yaml": "subscribers:\n  - {id: files, file: {}, schedule: immediate 1s}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	loaded, _, err := configs.Load(filepath.Join(dir, "newswatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded, server, polls
}

// hurry has a crew try a store that is away every few milliseconds, and counts the
// claims. One that gets no answer is given up soon.
func hurry[T any](c *crew[T], rounds *atomic.Int64) {
	c.rest = time.Millisecond
	claim := c.claim
	c.claim = func(ctx context.Context, n int) ([]job[T], error) {
		defer rounds.Add(1)
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		return claim(ctx, n)
	}
}

// reach waits until a count is reached.
func reach(t *testing.T, count *atomic.Int64, want int64) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	for count.Load() < want {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("it came to %d, want %d", count.Load(), want)
		}
	}
}

// held is what the process holds: its goroutines, and the memory that is in use.
func held() (goroutines int, heap uint64) {
	runtime.GC() // twice, since what is pooled survives the first
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}
