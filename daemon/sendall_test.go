package daemon

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
)

// A pass waits for turns in which nothing could be tried, and not for ever: there
// may be no next pass for an hour.
func TestAPassWaitsForWhatWasNotTried(t *testing.T) {
	for _, tt := range []struct {
		waits []time.Duration // of what was not tried, after each drain
		want  int             // drains
		took  time.Duration
	}{
		{nil, 1, 0},
		{[]time.Duration{15 * time.Second}, 2, 15 * time.Second},
		{[]time.Duration{15 * time.Second, 14 * time.Second}, 3, 29 * time.Second},
		{[]time.Duration{5 * time.Minute}, 1, 0},
		{[]time.Duration{time.Minute, time.Minute, time.Minute, time.Minute}, 3, 2 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			drains := 0
			d := &Daemon{now: time.Now, turns: &crew[notify.Turn]{
				name: "subscribers", hands: 1, ttl: time.Minute, log: slog.New(slog.DiscardHandler),
				claim: func(context.Context, int) ([]job[notify.Turn], error) { drains++; return nil, nil },
				renew: func(context.Context, []lease.Lease) ([]lease.Lease, error) { return nil, nil },
			}}
			begun := time.Now()
			waits := tt.waits
			err := d.sendAll(t.Context(), func() time.Time {
				if len(waits) == 0 {
					return time.Time{}
				}
				at := time.Now().Add(waits[0])
				waits = waits[1:]
				return at
			})
			if took := time.Since(begun); err != nil || drains != tt.want || took != tt.took {
				t.Errorf("%v: %d drains in %s, %v", tt.waits, drains, took, err)
			}
		})
	}
}
