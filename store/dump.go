package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/notify"
)

// Portable is a Store whose content can be moved to another engine. Leases are
// left behind: what moves is what is known, not who is at work on it.
type Portable interface {
	Store
	// Dump yields everything, dead letters and deliveries in the order in which
	// they came. What is written meanwhile may be in it or not.
	Dump(ctx context.Context) iter.Seq2[Row, error]
	// Restore puts rows in the place of those with the same keys. It may be
	// repeated, and may stop between two rows, never within one. Nobody else may
	// be at work on the store.
	Restore(ctx context.Context, rows []Row) error
	// Inspect returns a line for everything within the engine that does not
	// agree with the rest of it: what Dump cannot show.
	Inspect(ctx context.Context) ([]string, error)
}

// Row is one thing that a store keeps: exactly one field is set.
type Row struct {
	Counters   *Counters         `json:"counters,omitempty"`
	Feed       *FeedRow          `json:"feed,omitempty"`
	Item       *StoredItem       `json:"item,omitempty"`
	Hit        *classifier.Hit   `json:"hit,omitempty"` // with its places in the log
	Amendment  *notify.Amendment `json:"amendment,omitempty"`
	Notice     *notify.Notice    `json:"notice,omitempty"`
	Purged     *PurgedRow        `json:"purged,omitempty"`
	Subscriber *SubscriberRow    `json:"subscriber,omitempty"`
	Letter     *LetterRow        `json:"letter,omitempty"`
	Delivery   *notify.Delivery  `json:"delivery,omitempty"`
	Reader     *Reader           `json:"reader,omitempty"`
	SigningKey []byte            `json:"signing_key,omitempty"`
}

// Counters are the last place in the log, and the last fencing token.
type Counters struct {
	Head  int64 `json:"head"`
	Token int64 `json:"token"`
}

// FeedRow is a feed. NextCheck and Poisoned in State are what the queue says.
type FeedRow struct {
	State fetcher.State `json:"state"`
	Seen  []byte        `json:"seen,omitempty"` // for ParseSeen
	Left  time.Time     `json:"left,omitzero"`  // when it left the queue
}

// PurgedRow is an item that must not come back.
type PurgedRow struct {
	Feed string      `json:"feed"`
	Item feed.ItemID `json:"item"`
}

// SubscriberRow is a subscriber.
type SubscriberRow struct {
	ID        string         `json:"id"`
	Schedule  string         `json:"schedule"`
	Cursor    int64          `json:"cursor"`
	Begin     int64          `json:"begin,omitempty"`
	Since     time.Time      `json:"since"`
	Next      time.Time      `json:"next"`
	Left      time.Time      `json:"left,omitzero"`
	Pending   *notify.Digest `json:"pending,omitempty"`
	Attempts  int            `json:"attempts,omitempty"`
	FirstTry  time.Time      `json:"first_try,omitzero"`
	LastError string         `json:"last_error,omitempty"`
	LastSent  time.Time      `json:"last_sent,omitzero"`
	Paused    *notify.Pause  `json:"paused,omitempty"`
	Refusals  int            `json:"refusals,omitempty"`
}

// LetterRow is a dead letter; Asked is since when it waits to be sent again.
type LetterRow struct {
	notify.DeadLetter
	Subscriber string    `json:"subscriber"`
	Asked      time.Time `json:"asked,omitzero"`
}

// Kinds are what rows are of, in the order in which they are told of.
var Kinds = []string{"counters", "feeds", "items", "hits", "purged", "subscribers", "dead letters", "deliveries", "notices", "readers", "signing keys", "amendments"}

// Kind is the row's, one of Kinds, and Key is what tells it from the others of
// its kind.
func (r Row) Kind() (kind, key string) {
	switch {
	case r.Counters != nil:
		return Kinds[0], ""
	case r.Feed != nil:
		return Kinds[1], r.Feed.State.FeedID
	case r.Item != nil:
		return Kinds[2], r.Item.Item.ID.String()
	case r.Hit != nil:
		return Kinds[3], r.Hit.Item.ID.String()
	case r.Purged != nil:
		return Kinds[4], r.Purged.Item.String()
	case r.Subscriber != nil:
		return Kinds[5], r.Subscriber.ID
	case r.Letter != nil:
		return Kinds[6], r.Letter.Digest.ID
	case r.Delivery != nil:
		return Kinds[7], fmt.Sprintf("%s %d", r.Delivery.Digest, r.Delivery.Accepted.UnixMilli())
	case r.Notice != nil:
		return Kinds[8], r.Notice.ID
	case r.Reader != nil:
		return Kinds[9], r.Reader.ID
	case r.SigningKey != nil:
		return Kinds[10], ""
	case r.Amendment != nil:
		return Kinds[11], strconv.FormatInt(r.Amendment.Seq, 10)
	}
	return "", ""
}

// RowKey is a hash of a row's kind and key, and RowSum of all of it.
type (
	RowKey [16]byte
	RowSum [16]byte
)

// Sums is what a store holds, to be compared with another: 32 bytes a row.
type Sums struct {
	Rows   map[RowKey]RowSum
	Counts map[string]int // by kind
}

// Same reports whether the two hold the same rows.
func (s Sums) Same(o Sums) bool { return len(s.Rows) == len(o.Rows) && s.Total() == o.Total() }

// Total is one hash of all rows, whatever their order.
func (s Sums) Total() (total RowSum) {
	for k, v := range s.Rows {
		h := sha256.Sum256(append(k[:], v[:]...))
		for i := range total {
			total[i] ^= h[i]
		}
	}
	return total
}

// SumRow hashes a row.
func SumRow(r Row) (kind string, key RowKey, sum RowSum, err error) {
	kind, name := r.Kind()
	j, err := json.Marshal(r)
	if err != nil {
		return kind, key, sum, fmt.Errorf("store: %w", err)
	}
	k, v := sha256.Sum256([]byte(kind+"\x00"+name)), sha256.Sum256(j)
	copy(key[:], k[:])
	copy(sum[:], v[:])
	return kind, key, sum, nil
}

// Sum hashes everything; seen, if not nil, is told of each row.
func Sum(ctx context.Context, p Portable, seen func()) (Sums, error) {
	s := Sums{Rows: make(map[RowKey]RowSum), Counts: make(map[string]int)}
	for r, err := range p.Dump(ctx) {
		if err != nil {
			return s, err
		}
		kind, key, sum, err := SumRow(r)
		if err != nil {
			return s, err
		}
		s.Rows[key] = sum
		s.Counts[kind]++
		if seen != nil {
			seen()
		}
	}
	return s, nil
}
