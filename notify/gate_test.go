package notify

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func failing(f Failure) func() error {
	return func() error { return &DeliveryError{Failure: f, Err: errors.New("no")} }
}

func TestGateIsNarrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGates()
		var inside, most, done, untried atomic.Int64
		slow := func() error {
			most.Store(max(most.Load(), inside.Add(1)))
			defer inside.Add(-1)
			time.Sleep(20 * time.Second) //nolint:forbidigo // the bubble's clock
			done.Add(1)
			return nil
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				begun := time.Now()
				err := g.Through(t.Context(), "slow.example", slow)
				if err == nil {
					return
				}
				if de := AsDeliveryError(err); !de.Untried || de.Permanent || de.RetryAfter <= 0 || time.Since(begun) > gatePatience {
					t.Errorf("after %s: %v", time.Since(begun), err)
				}
				untried.Add(1)
			})
		}
		synctest.Wait()
		// Another receiver has nothing to do with it.
		if err := g.Through(t.Context(), "good.example", func() error { return nil }); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if most.Load() != gateWidth || done.Load() != gateWidth || untried.Load() != 8 {
			t.Errorf("%d at a time, %d done, %d not tried", most.Load(), done.Load(), untried.Load())
		}
		if len(g.at) != 0 {
			t.Errorf("%d gates are kept", len(g.at))
		}
	})
}

func TestGateLeavesTheDeadAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGates()
		calls := 0
		down := func() error { calls++; return failing(FailureTimeout)() }
		pass := func(want bool, deliver func() error) {
			t.Helper()
			before := calls
			err := g.Through(t.Context(), "dead.example", deliver)
			if tried := calls > before; tried != want || want == (err != nil && AsDeliveryError(err).Untried) {
				t.Fatalf("tried %t, want %t: %v", tried, want, err)
			}
		}
		for range gateFailures {
			pass(true, down)
		}
		rest := gateRest
		for range 7 {
			pass(false, down)
			time.Sleep(rest - time.Second) //nolint:forbidigo // the bubble's clock
			pass(false, down)
			time.Sleep(time.Second) //nolint:forbidigo // the bubble's clock
			pass(true, down)
			rest = min(2*rest, gateMaxRest)
		}
		time.Sleep(rest) //nolint:forbidigo // the bubble's clock
		// One asks; the others wait for what becomes of it.
		pass(true, func() error { calls++; pass(false, down); return nil })
		pass(true, down)
		pass(true, func() error { calls++; return nil })
		if len(g.at) != 0 {
			t.Errorf("%d gates are kept", len(g.at))
		}
	})
}

// Any answer shows that somebody is there, and a stop says nothing.
func TestGateCountsWhatCannotBeReached(t *testing.T) {
	g := NewGates()
	for _, answer := range []Failure{FailureRejected, FailureDeferred, FailureGone, FailureAuth} {
		for range 3 * gateFailures {
			if AsDeliveryError(g.Through(t.Context(), "x", failing(answer))).Untried {
				t.Fatalf("%s closed the gate", answer)
			}
		}
	}
	for range 3 * gateFailures {
		ctx, cancel := context.WithCancel(t.Context())
		err := g.Through(ctx, "x", func() error { cancel(); return failing(FailureConnect)() })
		if AsDeliveryError(err).Untried {
			t.Fatal("a stop closed the gate")
		}
	}
	var none *Gates
	if err := none.Through(t.Context(), "x", failing(FailureTLS)); AsDeliveryError(err).Failure != FailureTLS {
		t.Error(err)
	}
}

// What was not tried is no try: the digest waits as it was.
func TestTurnUntried(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1")))
	for _, wait := range []time.Duration{time.Minute, 0} {
		b.answer = func(context.Context, Digest) error {
			return &DeliveryError{Failure: FailureDeferred, Untried: true, RetryAfter: wait, Err: errors.New("busy")}
		}
		res := b.take(t, Released)
		least := max(wait, minUntried)
		if got := res.Next.Sub(b.now); got < least*9/10 || got > least*11/10 || res.Tries != 0 || !res.Untried || b.log.turn.Attempts != 0 || b.log.turn.Pending == nil {
			t.Errorf("next in %s, %d tries, %d attempts", got, res.Tries, b.log.turn.Attempts)
		}
	}
	b.answer = nil
	if res := b.take(t, Accepted); res.Tries != 1 {
		t.Errorf("accepted at try %d", res.Tries)
	}
}
