package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/newswatch/newswatch/feed"
)

// Seen is what is remembered of the items that one feed listed, packed to 8
// bytes for each that its last document held and 12 for each that it ceased to
// list: 40 bits of the item's id, 24 of its fingerprint, and the second at which
// it was gone.
//
// A new item is taken for one that is known only when all 64 bits are those of
// another of the same feed: at the most ids that are kept, 25,000, once in 10^15
// items. When the 40 of its id alone are, it counts as edited, and is matched and
// recorded like a new one. An edit is overlooked once in 16 million. Who
// publishes a feed can make its own items collide, and leaves out only these.
type Seen struct {
	listed []seenItem // in the document's order
	gone   []seenItem // the longest gone first
}

type seenItem struct {
	id   uint64 // 40 bits
	mark uint32 // 24 bits
	gone uint32 // seconds since 1970; zero in listed
}

// maxGone bounds how many ids of one feed are remembered after it ceased to list
// them, so that a feed with new ids in every document cannot fill the store. The
// longest gone are forgotten first.
const maxGone = 20_000

const (
	seenVersion = 2
	idSize      = 5
	markBits    = 24
	listedSize  = idSize + markBits/8
	goneSize    = listedSize + 4
)

var errSeen = errors.New("store: damaged set of seen items")

// ParseSeen reads what Bytes wrote. Empty bytes are the empty set.
func ParseSeen(b []byte) (Seen, error) {
	var s Seen
	if len(b) == 0 {
		return s, nil
	}
	if b[0] != seenVersion {
		return s, fmt.Errorf("%w: version %d", errSeen, b[0])
	}
	n, w := binary.Uvarint(b[1:])
	if w <= 0 || n > uint64(len(b))/listedSize {
		return s, errSeen
	}
	b = b[1+w:]
	if uint64(len(b)) < n*listedSize || (uint64(len(b))-n*listedSize)%goneSize != 0 {
		return s, errSeen
	}
	s.listed = make([]seenItem, n)
	for i := range s.listed {
		s.listed[i] = unpackSeen(b)
		b = b[listedSize:]
	}
	s.gone = make([]seenItem, len(b)/goneSize)
	for i := range s.gone {
		s.gone[i] = unpackSeen(b)
		s.gone[i].gone = binary.BigEndian.Uint32(b[listedSize:])
		b = b[goneSize:]
	}
	return s, nil
}

// Bytes packs the set. Equal sets have equal bytes.
func (s Seen) Bytes() []byte {
	b := make([]byte, 0, 1+binary.MaxVarintLen32+len(s.listed)*listedSize+len(s.gone)*goneSize)
	b = s.appendListed(b)
	for _, e := range s.gone {
		b = binary.BigEndian.AppendUint64(b, e.packed())
		b = binary.BigEndian.AppendUint32(b, e.gone)
	}
	return b
}

func (s Seen) appendListed(b []byte) []byte {
	b = append(b, seenVersion)
	b = binary.AppendUvarint(b, uint64(len(s.listed)))
	for _, e := range s.listed {
		b = binary.BigEndian.AppendUint64(b, e.packed())
	}
	return b
}

// ListedBytes is how the Bytes of a set begin whose feed's last document listed
// exactly these items: one that begins so is not changed by After.
func ListedBytes(sightings []Sighting) []byte {
	return Seen{}.After(sightings, time.Time{}).appendListed(nil)
}

// SeenPart is in the Bytes of every set that Has the item, and of some others.
func SeenPart(id feed.ItemID) []byte { return id[:idSize] }

func (e seenItem) packed() uint64 { return e.id<<markBits | uint64(e.mark) }

func unpackSeen(b []byte) seenItem {
	v := binary.BigEndian.Uint64(b)
	return seenItem{id: v >> markBits, mark: uint32(v & (1<<markBits - 1))}
}

// Len is the number of ids.
func (s Seen) Len() int { return len(s.listed) + len(s.gone) }

// Has reports whether the item was seen.
func (s Seen) Has(id feed.ItemID) bool {
	want := short(id)
	for _, part := range [...][]seenItem{s.listed, s.gone} {
		for _, e := range part {
			if e.id == want {
				return true
			}
		}
	}
	return false
}

// Compare says what each sighting is to the set: Known, Edited or New.
func (s Seen) Compare(sightings []Sighting) []Novelty {
	marks := make(map[uint64]uint32, s.Len())
	for _, part := range [...][]seenItem{s.gone, s.listed} {
		for _, e := range part {
			marks[e.id] = e.mark
		}
	}
	out := make([]Novelty, len(sightings))
	for i, g := range sightings {
		mark, ok := marks[short(g.ID)]
		switch {
		case !ok:
			out[i] = New
		case mark != fold(g.Fingerprint):
			out[i] = Edited
		}
	}
	return out
}

// After returns the set after a document that lists these items was read at now.
// What was listed before and is no more counts as gone from now on. An empty
// document changes nothing: a 304 lists what its predecessor did, and an empty
// one is more often a publisher's accident than the end of every item.
func (s Seen) After(sightings []Sighting, now time.Time) Seen {
	if len(sightings) == 0 {
		return s
	}
	here := make(map[uint64]bool, len(sightings))
	next := Seen{listed: make([]seenItem, 0, len(sightings))}
	for _, g := range sightings {
		id := short(g.ID)
		if here[id] {
			continue
		}
		here[id] = true
		next.listed = append(next.listed, seenItem{id: id, mark: fold(g.Fingerprint)})
	}
	for _, e := range s.gone {
		if !here[e.id] {
			next.gone = append(next.gone, e)
		}
	}
	at := second(now)
	if n := len(next.gone); n > 0 {
		// A clock that was set back must not put the newest before the oldest.
		at = max(at, next.gone[n-1].gone)
	}
	for _, e := range s.listed {
		if !here[e.id] {
			e.gone = at
			next.gone = append(next.gone, e)
		}
	}
	if n := len(next.gone); n > maxGone {
		next.gone = next.gone[n-maxGone:]
	}
	return next
}

// Forget returns the set without the ids that were gone before the time given,
// and how many these were. Ids that the feed still lists are never forgotten:
// they would be read as new.
func (s Seen) Forget(before time.Time) (Seen, int) {
	limit, n := second(before), 0
	for n < len(s.gone) && s.gone[n].gone < limit {
		n++
	}
	s.gone = s.gone[n:]
	return s, n
}

// OldestGone is when the id that is longest gone was; ok is false when the feed
// lists all of them.
func (s Seen) OldestGone() (at time.Time, ok bool) {
	if len(s.gone) == 0 {
		return time.Time{}, false
	}
	return time.Unix(int64(s.gone[0].gone), 0).UTC(), true
}

func short(id feed.ItemID) uint64 { return binary.BigEndian.Uint64(id[:8]) >> markBits }

// fold takes from every bit of the fingerprint.
func fold(fingerprint uint64) uint32 {
	return uint32(fingerprint^fingerprint>>markBits^fingerprint>>(2*markBits)) & (1<<markBits - 1)
}

func second(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }
