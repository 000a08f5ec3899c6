package web

import (
	"testing"
	"time"

	"github.com/newswatch/newswatch/fetcher"
)

// TestNewestItemIsNotTheLastChange: a document can change, by a corrected word
// or at its first reading, without anything new in it.
func TestNewestItemIsNotTheLastChange(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	old := now.AddDate(0, -3, 0)
	if got := newest(fetcher.State{LastChange: now, LastItem: old}); !got.Equal(old) {
		t.Errorf("the newest item is of %v, want %v", got, old)
	}
	if got := newest(fetcher.State{LastChange: now}); !got.Equal(now) {
		t.Errorf("a feed without dates: %v, want its last change %v", got, now)
	}
}
