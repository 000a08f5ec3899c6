package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/newswatch/newswatch/feed"
)

func TestTurnstileBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all, perHost = 8, 2
		ts := newTurnstile(all, perHost, 0)
		var mu sync.Mutex
		at, inside, most, mostAt := make(map[string]int), 0, 0, 0
		var wg sync.WaitGroup
		for i := range 200 {
			host := fmt.Sprintf("host%d.example", i%7)
			wg.Go(func() {
				leave, err := ts.enter(t.Context(), host, nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at[host]++
				inside++
				most, mostAt = max(most, inside), max(mostAt, at[host])
				mu.Unlock()
				<-time.After(time.Second)
				mu.Lock()
				at[host]--
				inside--
				mu.Unlock()
				leave()
			})
		}
		wg.Wait()
		if most != all || mostAt != perHost {
			t.Errorf("at most %d at a time, %d at one host; want %d and %d", most, mostAt, all, perHost)
		}
		if len(ts.hosts) != 0 {
			t.Errorf("%d hosts are still known", len(ts.hosts))
		}
	})
}

// TestTurnstileIsFair: a host with a thousand feeds holds up itself only.
func TestTurnstileIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile(4, 2, 0)
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				leave, err := ts.enter(t.Context(), "busy.example", nil)
				if err != nil {
					t.Error(err)
					return
				}
				<-time.After(time.Second)
				leave()
			})
		}
		synctest.Wait()
		began := time.Now()
		leave, err := ts.enter(t.Context(), "other.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited != 0 {
			t.Errorf("another host waited %s", waited)
		}
		leave()
		wg.Wait()
	})
}

func TestTurnstileContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile(2, 1, 0)
		leave, err := ts.enter(t.Context(), "a.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := ts.enter(ctx, "a.example", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		leaveB, err := ts.enter(t.Context(), "b.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := ts.enter(ctx, "c.example", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		leave()
		leaveB()
		if len(ts.hosts) != 0 {
			t.Errorf("%d hosts are still known", len(ts.hosts))
		}
		if leave, err := ts.enter(t.Context(), "c.example", nil); err != nil {
			t.Error("who gave up waiting took a turn along")
		} else {
			leave()
		}
	})
}

// TestTurnstileSpaces: however many may be under way at a host, they begin apart;
// and who waits for one host keeps nobody from another.
func TestTurnstileSpaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile(2, 8, time.Second)
		began := time.Now()
		var mu sync.Mutex
		var at []time.Duration
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				leave, err := ts.enter(t.Context(), "a.example", nil)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				at = append(at, time.Since(began))
				mu.Unlock()
				leave()
			})
		}
		synctest.Wait()
		for _, host := range []string{"b.example", "127.0.0.1", "127.0.0.1", "localhost"} {
			leave, err := ts.enter(t.Context(), host, nil)
			if err != nil || time.Since(began) != 0 {
				t.Errorf("%s waited %s (%v)", host, time.Since(began), err)
			}
			leave()
		}
		wg.Wait()
		want := []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}
		if slices.Sort(at); !slices.Equal(at, want) {
			t.Errorf("requests began at %v, want %v", at, want)
		}
		<-time.After(time.Minute)
		ts.mu.Lock()
		if len(ts.hosts) != 0 {
			t.Errorf("%d hosts are still known", len(ts.hosts))
		}
		ts.mu.Unlock()
		leave, _ := ts.enter(t.Context(), "a.example", nil)
		leave()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := ts.enter(ctx, "a.example", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// TestTurnstileKeepsNoPlaceForTheImpatient: who cannot begin before his time is up
// takes nobody's place, however many of them come.
func TestTurnstileKeepsNoPlaceForTheImpatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ts := newTurnstile(8, 2, 10*time.Second)
		leave, err := ts.enter(t.Context(), "a.example", nil)
		if err != nil {
			t.Fatal(err)
		}
		leave()
		for range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			if _, err := ts.enter(ctx, "a.example", nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
			cancel()
		}
		began := time.Now()
		if leave, err = ts.enter(t.Context(), "a.example", nil); err != nil {
			t.Fatal(err)
		}
		if waited := time.Since(began); waited > 10*time.Second {
			t.Errorf("who came after them waited %s", waited)
		}
		leave()
		<-time.After(time.Minute) // until the host is forgotten
	})
}

// TestPerHost polls many feeds of one server at once: however they are spelled,
// it sees two requests at a time.
func TestPerHost(t *testing.T) {
	var now, most atomic.Int64
	gate := make(chan struct{}, 1)
	s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == 2 {
			select {
			case gate <- struct{}{}:
			default:
			}
		}
		<-gate // until there are two at a time
		gate <- struct{}{}
		sends(rss("a"))(w, r)
	})
	c, _ := newClient(t, Options{Concurrency: 32})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			res, err := c.Fetch(t.Context(), feed.Feed{ID: fmt.Sprint(i), URL: fmt.Sprintf("%s/%d", s.URL, i)}, State{}, nil)
			if err != nil || res.Outcome != Fetched {
				t.Errorf("%v", err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 2 {
		t.Errorf("the host saw %d requests at a time", most.Load())
	}
}

// TestWaitingIsNotTimedOut: the timeout is the server's, not the queue's.
func TestWaitingIsNotTimedOut(t *testing.T) {
	c, _ := newClient(t, Options{Timeout: 3 * time.Second, PerHost: 1})
	s := newSite(t, "127.0.0.1", sends(rss("a")))
	leave, err := c.turns.enter(t.Context(), "127.0.0.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := c.Fetch(t.Context(), feedAt(s.URL), State{}, nil)
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("polled without a turn: %v", err)
	case <-time.After(3200 * time.Millisecond):
	}
	leave()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestHostKey(t *testing.T) {
	for _, u := range []string{"http://Example.ORG/", "https://example.org:8443/", "http://example.org./", "http://u:p@example.org/"} {
		parsed, err := parseURL(u)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostKey(parsed); got != "example.org" {
			t.Errorf("%s is counted at %q", u, got)
		}
	}
}
