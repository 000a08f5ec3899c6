package store

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/newswatch/newswatch/feed"
)

var t0 = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

func sighting(n int) Sighting {
	return Sighting{ID: feed.NewItemID("f", fmt.Sprint(n), "", ""), Fingerprint: uint64(n) * 0x9e3779b97f4a7c15}
}

func sightings(from, to int) []Sighting {
	var out []Sighting
	for n := from; n < to; n++ {
		out = append(out, sighting(n))
	}
	return out
}

func TestSeenTakes8BytesForAnItemThatIsListed(t *testing.T) {
	s := Seen{}.After(sightings(0, 50), t0)
	if n := len(s.Bytes()); n != 2+50*8 {
		t.Errorf("50 listed items take %d bytes", n)
	}
	s = s.After(sightings(10, 60), t0)
	if n := len(s.Bytes()); n != 2+50*8+10*12 {
		t.Errorf("with 10 that are gone: %d bytes", n)
	}
}

func TestSeenForgetsTheLongestGoneFirst(t *testing.T) {
	var s Seen
	for i := range 4 {
		s = s.After(sightings(i, i+1), t0.Add(time.Duration(i)*time.Minute))
	}
	// 0 is gone since minute 1, 1 since 2, 2 since 3; 3 is listed.
	if at, ok := s.OldestGone(); !ok || !at.Equal(t0.Add(time.Minute)) {
		t.Errorf("oldest: %v, %v", at, ok)
	}
	s, n := s.Forget(t0.Add(2 * time.Minute))
	if n != 1 || s.Has(sighting(0).ID) || !s.Has(sighting(1).ID) {
		t.Errorf("forgot %d", n)
	}
	s, n = s.Forget(t0.Add(time.Hour))
	if n != 2 || !s.Has(sighting(3).ID) {
		t.Errorf("forgot %d", n)
	}
}

// A clock that is set back must not break the order by which Forget stops at the
// first that is young enough.
func TestSeenBearsAClockThatGoesBack(t *testing.T) {
	var s Seen
	s = s.After(sightings(0, 1), t0)
	s = s.After(sightings(1, 2), t0.Add(time.Hour)) // 0 is gone now
	s = s.After(sightings(2, 3), t0)                // 1 is gone an hour before
	if _, n := s.Forget(t0.Add(time.Minute)); n != 0 {
		t.Errorf("forgot %d of which none was gone in the order of time", n)
	}
	if _, n := s.Forget(t0.Add(2 * time.Hour)); n != 2 {
		t.Errorf("forgot %d of 2", n)
	}
}

func TestSeenOfAFeedThatRenumbersItselfIsBounded(t *testing.T) {
	var s Seen
	for i := range 30 {
		s = s.After(sightings(i*1000, (i+1)*1000), t0.Add(time.Duration(i)*time.Minute))
	}
	if s.Len() != maxGone+1000 {
		t.Errorf("%d ids", s.Len())
	}
	if s.Has(sighting(0).ID) || !s.Has(sighting(29_500).ID) || !s.Has(sighting(28_000).ID) {
		t.Error("not the longest gone were forgotten")
	}
}

func TestAnEmptyDocumentForgetsNothing(t *testing.T) {
	s := Seen{}.After(sightings(0, 3), t0)
	if got := s.After(nil, t0); !bytes.Equal(got.Bytes(), s.Bytes()) {
		t.Error("changed")
	}
}

// An id that collides with another's in the bits that are kept is an edit of
// that, and not something that was seen.
func TestSeenReportsAnItemWhoseIDCollides(t *testing.T) {
	a := sighting(1)
	b := a
	b.ID[idSize]++
	b.Fingerprint++
	s := Seen{}.After([]Sighting{a}, t0)
	if got := s.Compare([]Sighting{a, b}); got[0] != Known || got[1] != Edited {
		t.Errorf("%v", got)
	}
}

func TestListedBytesBeginTheBytesOfAnUnchangedSet(t *testing.T) {
	s := Seen{}.After(sightings(0, 5), t0).After(sightings(2, 9), t0)
	if !bytes.HasPrefix(s.Bytes(), ListedBytes(sightings(2, 9))) {
		t.Error("not of the document that was read last")
	}
	for _, other := range [][]Sighting{sightings(2, 8), sightings(2, 10), {sighting(3), sighting(2)}} {
		if bytes.HasPrefix(s.Bytes(), ListedBytes(other)) {
			t.Errorf("of another document, of %d", len(other))
		}
	}
}

func FuzzParseSeen(f *testing.F) {
	s := Seen{}.After(sightings(0, 3), t0)
	f.Add(s.Bytes())
	f.Add(s.After(sightings(2, 5), t0).Bytes())
	f.Add([]byte{})
	f.Add([]byte{seenVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSeen(b)
		if err != nil {
			return
		}
		again, err := ParseSeen(s.Bytes())
		if err != nil || again.Len() != s.Len() || !bytes.Equal(again.Bytes(), s.Bytes()) {
			t.Fatalf("%x does not come back: %v", b, err)
		}
	})
}
