package daemon

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/newswatch/newswatch/lease"
)

// testCrew is a crew over a slice of keys, each handed out once.
func testCrew(keys []string, work func(context.Context, string) error) *crew[string] {
	var next atomic.Int64
	return &crew[string]{
		name: "test", hands: 2, ttl: 30 * time.Second, rest: maxPause, log: slog.New(slog.DiscardHandler), lost: func() {},
		claim: func(_ context.Context, n int) ([]job[string], error) {
			var out []job[string]
			for len(out) < n {
				i := int(next.Add(1)) - 1
				if i >= len(keys) {
					break
				}
				out = append(out, job[string]{lease.Lease{Key: keys[i], Token: 1}, keys[i]})
			}
			return out, nil
		},
		renew:   func(_ context.Context, ls []lease.Lease) ([]lease.Lease, error) { return ls, nil },
		work:    func(ctx context.Context, _ lease.Lease, key string) error { return work(ctx, key) },
		release: func(context.Context, lease.Lease) error { return nil },
	}
}

func TestCrewDrainsEverythingWithBoundedHands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var done, now, most atomic.Int64
		c := testCrew([]string{"a", "b", "c", "d", "e"}, func(context.Context, string) error {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
			now.Add(-1)
			done.Add(1)
			return nil
		})
		if err := c.drain(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if done.Load() != 5 || most.Load() != 2 {
			t.Errorf("%d jobs done with %d hands at most, want 5 with 2", done.Load(), most.Load())
		}
	})
}

func TestCrewDrainReturnsWhatTheStoreRefused(t *testing.T) {
	full := errors.New("disk full")
	c := testCrew([]string{"a", "b"}, func(_ context.Context, key string) error {
		if key == "a" {
			return full
		}
		return nil
	})
	if err := c.drain(t.Context(), 0); !errors.Is(err, full) {
		t.Errorf("drain returned %v, want the store's error: a pass that stored nothing must not look well", err)
	}
}

// TestCrewContainsAPanic: what sets off a defect in one feed takes nothing from the
// others, is not claimed again at once, and makes a drain fail at its end.
func TestCrewContainsAPanic(t *testing.T) {
	done, released := 0, 0
	c := testCrew([]string{"a", "b", "c"}, func(_ context.Context, key string) error {
		if key == "a" {
			panic("no such rule")
		}
		done++
		return nil
	})
	c.hands = 1
	c.release = func(context.Context, lease.Lease) error { released++; return nil }
	err := c.drain(t.Context(), 0)
	if !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "no such rule") {
		t.Errorf("drain returned %v", err)
	}
	if done != 2 || released != 0 || c.lastFault() != nil {
		t.Errorf("%d of 2 others done, %d leases given back, the store's fault is %v", done, released, c.lastFault())
	}
}

// TestCrewGivesUpAClaimThatHangs is a store whose server was frozen and replaced:
// what waits for the frozen one gets no answer, and what asks anew does.
func TestCrewGivesUpAClaimThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		c := testCrew([]string{"a"}, func(context.Context, string) error { stop(); return nil })
		begun, claim := time.Now(), c.claim
		c.claim = func(ctx context.Context, n int) ([]job[string], error) {
			if time.Since(begun) == 0 {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			return claim(ctx, n)
		}
		c.run(ctx, 0)
		if took := time.Since(begun); took > c.ttl/2 {
			t.Errorf("the work was done after %v", took)
		}
	})
}

func TestCrewLostLeaseIsNoFault(t *testing.T) {
	c := testCrew([]string{"a"}, func(context.Context, string) error { return lease.ErrLost })
	lost := 0
	c.lost = func() { lost++ }
	if err := c.drain(t.Context(), 0); err != nil || lost != 1 {
		t.Errorf("drain: %v, %d lost; want nil and 1: another has the work", err, lost)
	}
}

func TestCrewCancelsWorkWhoseLeaseIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cancelled atomic.Bool
		c := testCrew([]string{"a"}, func(ctx context.Context, _ string) error {
			<-ctx.Done()
			cancelled.Store(true)
			return ctx.Err()
		})
		c.renew = func(context.Context, []lease.Lease) ([]lease.Lease, error) { return nil, nil }
		if err := c.drain(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if !cancelled.Load() {
			t.Error("the work went on without a lease")
		}
	})
}

func TestCrewStopLetsWorkEndWithinGrace(t *testing.T) {
	for _, tc := range []struct {
		name      string
		takes     time.Duration
		cancelled bool
	}{
		{"work that ends within the grace ends well", 3 * time.Second, false},
		{"work that does not is cancelled", time.Minute, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var cancelled atomic.Bool
				c := testCrew([]string{"a"}, func(ctx context.Context, _ string) error {
					select {
					case <-ctx.Done():
						cancelled.Store(true)
					case <-time.After(tc.takes):
					}
					return nil
				})
				ctx, stop := context.WithCancel(t.Context())
				time.AfterFunc(time.Second, stop)
				begun := time.Now()
				c.run(ctx, 5*time.Second)
				if cancelled.Load() != tc.cancelled {
					t.Errorf("cancelled: %v, want %v", cancelled.Load(), tc.cancelled)
				}
				if took := time.Since(begun); took > 6*time.Second {
					t.Errorf("the stop took %v, longer than the grace allows", took)
				}
			})
		})
	}
}

func TestCrewPausesWhileTheStoreIsAwayAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := time.Now().Add(10 * time.Minute)
		var calls, done atomic.Int64
		var c *crew[string]
		ctx, stop := context.WithCancel(t.Context())
		c = testCrew([]string{"a"}, func(context.Context, string) error {
			done.Add(1)
			stop()
			return nil
		})
		claim := c.claim
		c.claim = func(ctx context.Context, n int) ([]job[string], error) {
			if time.Now().Before(away) {
				calls.Add(1)
				return nil, errors.New("connection refused")
			}
			return claim(ctx, n)
		}
		c.run(ctx, time.Second)
		if done.Load() != 1 {
			t.Fatal("the work was not done after the store came back")
		}
		if late := time.Since(away); late > maxPause+time.Second {
			t.Errorf("the work went on %v after the store was back, want at most %v", late, maxPause)
		}
		if calls.Load() > 310 {
			t.Errorf("%d tries in ten minutes: that hammers a store in trouble", calls.Load())
		}
		if c.lastFault() != nil {
			t.Error("the fault stands although the store is back: /readyz would stay red")
		}
	})
}

// TestCrewIsDoneWhenItsLeaseEnds cuts a holder off from the store: nobody tells
// it that its lease is lost, and another begins the work at its end.
func TestCrewIsDoneWhenItsLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		var worked time.Duration
		c := testCrew([]string{"a"}, func(ctx context.Context, _ string) error {
			<-ctx.Done()
			worked = time.Since(begun)
			return ctx.Err()
		})
		renewals := 0
		c.renew = func(_ context.Context, ls []lease.Lease) ([]lease.Lease, error) {
			if renewals++; renewals == 1 {
				return ls, nil
			}
			return nil, errors.New("no route to the store")
		}
		if err := c.drain(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		// The first renewal is at a third of the lease, and the last that came through.
		if want := c.ttl/3 + c.ttl*9/10; worked != want {
			t.Errorf("it worked for %v, want %v", worked, want)
		}
	})
}

// TestCrewWorksOffWhatItClaimedInAStop stops the crew while a claim is under way:
// what was claimed must not wait for its lease to run out.
func TestCrewWorksOffWhatItClaimedInAStop(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	done := 0
	c := testCrew([]string{"a"}, func(context.Context, string) error { done++; return nil })
	claim := c.claim
	c.claim = func(ctx context.Context, n int) ([]job[string], error) {
		jobs, err := claim(ctx, n)
		stop()
		return jobs, err
	}
	c.run(ctx, time.Second)
	if done != 1 {
		t.Errorf("%d jobs done, want the one that was claimed", done)
	}
}

// TestCrewStaysFaultyWhileNothingIsTaken has a store that answers claims and
// takes no outcome, as one on a full disk does.
func TestCrewStaysFaultyWhileNothingIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		freed := time.Now().Add(5 * time.Second)
		ctx, stop := context.WithCancel(t.Context())
		c := testCrew([]string{"a", "b"}, func(_ context.Context, key string) error {
			if key == "b" {
				time.Sleep(10 * time.Second) //nolint:forbidigo // the bubble's clock
				defer stop()
			}
			if time.Now().Before(freed) {
				return full
			}
			return nil
		})
		c.release = func(context.Context, lease.Lease) error {
			if time.Now().Before(freed) {
				return full
			}
			return nil
		}
		ended := make(chan struct{})
		go func() { defer close(ended); c.run(ctx, time.Minute) }()
		time.Sleep(4 * time.Second) //nolint:forbidigo // the bubble's clock
		if !errors.Is(c.lastFault(), full) {
			t.Errorf("after claims that worked the fault is %v, want that of the outcome that was not taken", c.lastFault())
		}
		<-ended
		if c.lastFault() != nil {
			t.Errorf("the fault stands although an outcome was taken: %v", c.lastFault())
		}
	})
}

// TestCrewGivesBackWhatTheStoreDidNotTake: a store that refuses writes for an hour
// gets the lease back within two seconds of the cure, not when the lease is over,
// and the crew is well again then, though nothing else was due.
func TestCrewGivesBackWhatTheStoreDidNotTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cure := time.Now().Add(time.Hour)
		full := errors.New("disk full")
		write := func() error {
			if time.Now().Before(cure) {
				return full
			}
			return nil
		}
		c := testCrew([]string{"a"}, func(context.Context, string) error { return write() })
		var back time.Duration
		ctx, stop := context.WithCancel(t.Context())
		tries := 0
		c.release = func(context.Context, lease.Lease) error {
			tries++
			if c.lastFault() == nil {
				t.Error("the crew looks well before the store took anything")
			}
			err := write()
			if err == nil {
				back = time.Since(cure)
				time.AfterFunc(time.Second, stop)
			}
			return err
		}
		c.run(ctx, 0)
		if back > maxPause || c.lastFault() != nil {
			t.Errorf("given back %v after the cure, and the fault is then %v", back, c.lastFault())
		}
		if tries > int(time.Hour/maxPause)+10 {
			t.Errorf("%d tries in an hour", tries)
		}
	})
}

// TestCrewStopsWithAStoreThatIsAway: the lease is tried to be given back once, and
// not for the whole grace.
func TestCrewStopsWithAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		c := testCrew([]string{"a"}, func(context.Context, string) error { return away })
		c.release = func(context.Context, lease.Lease) error { return away }
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, stop)
		begun := time.Now()
		c.run(ctx, time.Hour)
		if took := time.Since(begun); took > time.Minute+maxPause {
			t.Errorf("the stop took %v", took-time.Minute)
		}
	})
}
