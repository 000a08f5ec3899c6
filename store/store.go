// Package store is the contract of newswatch's memory: two queues of due work,
// feeds and subscribers, the items that were seen, and the log of hits. It
// holds no driver. What does not depend on one, such as how an edited item's hit
// is merged with the stored one, is here as pure functions, so that no two
// engines can differ in it; storetest checks that every engine keeps the
// contract.
package store

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
)

var (
	// ErrNotFound is returned where a single thing was asked for by its id and
	// is not there.
	ErrNotFound = errors.New("store: not found")
	// ErrUnavailable wraps failures of the engine that may pass: the server is
	// away, the disk is full. What was asked for did not happen, or may have
	// happened once; every write may be repeated.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrPending is returned by Seal and Advance while another digest waits to be
	// accepted, and ErrNoPending by Ack, Retry and Bury when none does.
	ErrPending   = errors.New("store: a digest is pending")
	ErrNoPending = errors.New("store: no digest is pending")
	// ErrPurged is returned by Seal for a digest that mentions an item which was
	// purged after the digest was built. The next turn builds it without.
	ErrPurged = errors.New("store: the digest mentions a purged item")
	// ErrTooLarge is returned for a value whose encoding is beyond MaxValue;
	// nothing was written.
	ErrTooLarge = errors.New("store: value too large")
)

// MaxValue bounds the encoding of one state, item, hit or digest, in bytes. It
// is beyond everything that the fetcher lets through, so that only a mistake
// meets it.
const MaxValue = 16 << 20

// Store is everything the daemon remembers. Times are passed in, never read
// from a clock. Those by which the store orders its work (when something is
// due, found, stored, buried, accepted) are kept in UTC to the millisecond;
// those inside a State, an Item or a Digest come back as the same instants. A
// Store is safe for concurrent use, and any number of processes may use one at
// the same time. Every method that writes is atomic, Sweep excepted: after a
// kill at any instant, all of it happened or none.
//
// A method whose context has ended returns an error that wraps the context's.
// Where that happens while a write is under way, the write may still happen.
type Store interface {
	Feeds
	Items
	notify.HitLog
	Notices
	Subscribers
	Readers
	// Ping reports whether the engine can be written to.
	Ping(ctx context.Context) error
	// Sweep deletes what has outlived its retention, in small steps, each of
	// them atomic, so that it never keeps others from writing for long.
	Sweep(ctx context.Context, now time.Time, keep Retention) (Swept, error)
	Close() error
}

// Warner is a Store that can tell of a setup that may lose what is written: a
// line each, for the log and the status page.
type Warner interface {
	Warnings(ctx context.Context) ([]string, error)
}

// FeedKey is the Key of the leases of a feed.
func FeedKey(id string) string { return feedKeyPrefix + id }

// SubscriberKey is the Key of the leases of a subscriber. Feeds and subscribers
// may have equal names, and Renew takes leases of both.
func SubscriberKey(id string) string { return subscriberKeyPrefix + id }

const (
	feedKeyPrefix       = "feed/"
	subscriberKeyPrefix = "subscriber/"
)

// SplitKey is the inverse of FeedKey and SubscriberKey: it returns the id, and
// whether it is a feed's. ok is false for a key that neither of them made.
func SplitKey(key string) (id string, isFeed, ok bool) {
	if id, ok = strings.CutPrefix(key, feedKeyPrefix); ok {
		return id, true, true
	}
	id, ok = strings.CutPrefix(key, subscriberKeyPrefix)
	return id, false, ok
}

// Claim is a feed that is due, leased to whoever claimed it.
type Claim struct {
	Lease lease.Lease
	State fetcher.State
}

// Feeds is the queue of feeds and what is remembered of each.
//
// A lease ends with Record or ReleaseFeeds, or when another holder claims the
// feed after the lease's time has run out. Until one of these, a holder that is
// late may still write: nobody else has begun the work.
type Feeds interface {
	// SyncFeeds makes the queue hold exactly these feeds. One that is new to it
	// is due at now. One that left keeps its state and its seen items until Sweep
	// takes them, so that a feed that comes back is not read as new; it is due
	// when it was. A poll of it that is under way can still be recorded.
	SyncFeeds(ctx context.Context, ids []string, now time.Time) error
	// ClaimFeeds leases at most max feeds whose next check is not after now, the
	// longest due first, until now+ttl. A feed that is leased to another is
	// passed over until that lease has run out, and counts as due since then.
	// Feeds that are due since the same millisecond come in the order of their
	// ids. The State's NextCheck is what the queue says.
	ClaimFeeds(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]Claim, error)
	// Renew extends leases of feeds or subscribers to until. It returns the
	// leases that are still held, with their new end, in the order given. A lease
	// is never made shorter.
	Renew(ctx context.Context, ls []lease.Lease, until time.Time) ([]lease.Lease, error)
	// NextDue returns when the next feed or subscriber is due, whichever is the
	// sooner; the zero time when there is neither. One that is leased is due when
	// its lease runs out, one that is paused is not due.
	NextDue(ctx context.Context) (time.Time, error)
	// PollNow makes feeds due at now: all of the queue when ids is empty. Ids
	// that are not in the queue are passed over. A feed that is leased is due
	// again at now when that lease ends, whatever Record says: what is being
	// read may be the old URL.
	PollNow(ctx context.Context, ids []string, now time.Time) error
	// MarkParsing notes that the holder of the lease is about to parse a
	// document, or that the parse came back. Record and ReleaseFeeds clear the
	// mark too. A feed that is claimed with the mark still set has killed its last
	// reader: its State.Poisoned is one higher. The mark stands for the time of
	// the parse alone, or a process that is killed again and again would lay it
	// to feeds that were only waiting to be recorded. It returns lease.ErrLost as
	// Record does.
	MarkParsing(ctx context.Context, l lease.Lease, parsing bool) error
	// ReleaseFeeds gives leases back untouched: their feeds are due as before.
	// Those that are no longer held are passed over.
	ReleaseFeeds(ctx context.Context, ls []lease.Lease) error
	// PauseFeeds takes feeds out of the queue, or puts them back in. One that is
	// paused is not claimed; its State tells since when. A poll of it that is under
	// way can still be recorded, and when it is put back it is due when it was. Ids
	// that are not in the queue are passed over.
	PauseFeeds(ctx context.Context, ids []string, paused bool, now time.Time) error
	// States lists the states of feeds in the queue, ordered by id.
	States(ctx context.Context, q StateQuery) ([]fetcher.State, error)
	// Census counts the feeds in the queue, and how many of them might have been
	// claimed before late and were not.
	Census(ctx context.Context, late time.Time) (Census, error)
	// Reads counts the feeds in the queue by their last good poll. It may look at
	// every feed.
	Reads(ctx context.Context) (Reads, error)
	// State returns one feed's state, or ErrNotFound.
	State(ctx context.Context, id string) (fetcher.State, error)
}

// Sighting is one item of a document: its id and the fingerprint of its words.
type Sighting struct {
	ID          feed.ItemID
	Fingerprint uint64
}

// Novelty says what a sighting is to the store.
type Novelty int

const (
	// Known items were seen before with the same words.
	Known Novelty = iota
	// Edited items were seen before with other words.
	Edited
	// New items were never seen.
	New
	// Purged items were removed by an operator and must not come back.
	Purged
)

// StoredItem is an item with its whole text, kept for some days so that a new
// rule can be tried on it.
type StoredItem struct {
	Item     feed.Item           `json:"item"`
	Searched classifier.Searched `json:"searched"`
	Stored   time.Time           `json:"stored"`
}

// Batch is all that one poll leaves behind. Record writes it as one: an item
// counts as seen only in the write that stores its hit. See Batch.Normal for
// what makes one whole.
type Batch struct {
	Lease lease.Lease
	// State.LastPoll is the time of the batch. A State that is Retired may have
	// no NextCheck: its feed is not due again until PollNow.
	State fetcher.State
	// Seen is every item of the document; empty when nothing was parsed.
	Seen []Sighting
	// Items are the new and the edited ones, hits and others alike.
	Items []StoredItem
	// Hits of new or edited items. A hit that is already stored is updated and
	// keeps its Found, and for each rule that it had its Seq. A rule that is new
	// to it, and does not come Quiet, is given the log's next seq. A rule that
	// matches no more stays behind those that do, as it was: it may be in a
	// window that is yet to be sent. A hit without rules is of an edited item that
	// matches no more, or of one that was taken down and is back: of a stored hit it
	// changes the item alone, where there is none it is nothing, and it need not be
	// among those seen. One that is TakenDown has no rules either, and leaves of a
	// stored hit all but that as it was. A quiet hit is quiet until a rule of it is given a seq.
	// A hit that stood in the log and has another headline now, is taken down, or is
	// back, leaves an amendment, in the place of the log that comes after those of its
	// new rules.
	Hits []classifier.Hit
	// Notices are what the poll has the operator hear of. Each takes a place in
	// the log after those of the hits, unless a notice with its id is there.
	Notices []notify.Notice
}

// HitQuery selects hits, the newest first. Zero fields select everything.
type HitQuery struct {
	Since, Until time.Time // of Found: Since <= Found < Until
	Rule         string
	Feed         string
	// Tag is one that a rule of the hit has, or its feed.
	Tag string
	// Outlet is the name of who published it, whatever its case; see OutletKey.
	Outlet string
	// Lang is a BCP 47 tag: en asks for en-IN as well. A hit whose language nobody
	// named has none that was asked for.
	Lang string
	// Severity is the least that a rule of the hit must have.
	Severity classifier.Severity
	// Text is words, each of which must begin a word of the hit's title, summary
	// or excerpts; see Words for what a word is.
	Text  string
	Quiet bool // quiet hits too
	// BeforeTime and BeforeID continue a listing: the Found and ID of the last
	// hit of the page before.
	BeforeTime time.Time
	BeforeID   feed.ItemID
	Limit      int // at most 1,000; 0 means 100
}

// Tally is how many hits were found in each of some stretches of time, quiet
// ones left out.
type Tally struct {
	Hits []int
	// Rules counts the hits of each rule that has some. A hit of several rules
	// counts for each of them.
	Rules map[string][]int
}

// PageSize is the number of rows that a limit asks for, in every listing.
func PageSize(limit int) int {
	if limit <= 0 {
		return 100
	}
	return min(limit, maxPage)
}

const maxPage = 1000

// Items is what was seen, what it said, and which of it are hits.
type Items interface {
	// Unseen compares the items of a document with those that were seen; the
	// answer has one Novelty for each sighting, in order.
	Unseen(ctx context.Context, feedID string, seen []Sighting) ([]Novelty, error)
	// Record writes a poll's batch, puts the feed's next check into the queue,
	// and ends the lease. It returns lease.ErrLost, and writes nothing, when
	// another holder has claimed the feed by now. A lease is good for one batch:
	// a second Record under it is the same batch after a lost answer, changes
	// nothing, and answers as the first did. Items that were purged are left
	// out. It returns the hits that are new in the log, with their seqs.
	Record(ctx context.Context, b Batch) ([]classifier.Hit, error)
	// Hits lists stored hits, the newest first.
	Hits(ctx context.Context, q HitQuery) ([]classifier.Hit, error)
	// Tally counts the hits found between each of the edges, which ascend, and the
	// next: a hit belongs to the stretch i where edges[i] <= Found < edges[i+1].
	Tally(ctx context.Context, edges []time.Time) (Tally, error)
	// Hit returns one hit, or ErrNotFound.
	Hit(ctx context.Context, id feed.ItemID) (classifier.Hit, error)
	// StoredItems yields the items that are kept with their text, stored at or
	// after since, oldest first.
	StoredItems(ctx context.Context, since time.Time) iter.Seq2[StoredItem, error]
	// Stored returns one item that is kept with its text, or ErrNotFound.
	Stored(ctx context.Context, id feed.ItemID) (StoredItem, error)
	// Purge removes an item and its hit, takes it out of pending digests and
	// dead letters, and keeps it from coming back; Seal refuses a digest that
	// still mentions it. Where the hit stood in the log, its withdrawal takes the
	// place of its amendments. ErrNotFound when the item was never seen, or when
	// that was forgotten. A second Purge changes nothing.
	Purge(ctx context.Context, id feed.ItemID, now time.Time) error
	// Counts is for the status page and for metrics.
	Counts(ctx context.Context) (Counts, error)
}

// Notices are what the operator is told of how the watch is kept. They have
// places in the log, and HitLog's Notices reads them by these.
type Notices interface {
	// Post gives a notice the log's next place, unless one with its id is there.
	Post(ctx context.Context, n notify.Notice) error
	// LatestNotices lists notices, the last in the log first: those before a
	// place in it, or all when before is 0. limit is at most 1,000; 0 means 100.
	LatestNotices(ctx context.Context, before int64, limit int) ([]notify.Notice, error)
}

// Enrolment tells the store of a subscriber.
type Enrolment struct {
	ID string
	// Next is when the subscriber's first turn is, if it is new to the store,
	// or if its schedule is another than at the last enrolment.
	Next time.Time
	// Schedule is the canonical text of the schedule; a change of it replaces
	// the stored next turn, unless a digest is pending. A turn that is under way
	// may end with a next turn of the old schedule: the sooner of both is kept.
	Schedule string
	// Since is from which time on hits are news to a new subscriber: its cursor
	// begins before the first place in the log of a hit found, or a notice
	// posted, at Since or later.
	Since time.Time
}

// Subscribers is the queue of subscribers, and what became of their digests.
type Subscribers interface {
	// Enrol makes the queue hold exactly these subscribers, beside the Readers that
	// are active. One that left keeps its cursor, and its pending digest, until
	// Sweep takes it.
	Enrol(ctx context.Context, subs []Enrolment, now time.Time) error
	// SendNow makes subscribers due at now: all of them when ids is empty. It
	// treats the unknown and the leased as PollNow does. One that is paused is due
	// when it is resumed.
	SendNow(ctx context.Context, ids []string, now time.Time) error
	// Pause keeps a subscriber from being claimed until Resume. Its cursor, its
	// pending digest and its dead letters stay; a turn that is under way may end.
	// One that is paused already stays so as it was. ErrNotFound if the store
	// does not know the subscriber; one that left the configuration is known until
	// Sweep takes it, and paused when it comes back.
	Pause(ctx context.Context, id string, p notify.Pause) error
	// Resume ends a pause, and what was refused is forgotten. A digest that is
	// pending is due at now; otherwise the next turn is when it was, at once if
	// that has passed. ErrNotFound as for Pause; a second Resume changes nothing.
	Resume(ctx context.Context, id string, now time.Time) error
	// Standings lists every enrolled subscriber, ordered by id.
	Standings(ctx context.Context) ([]Standing, error)
	// DeadLetters lists the digests that could not be delivered, the oldest
	// first.
	DeadLetters(ctx context.Context) ([]notify.DeadLetter, error)
	// Resend makes a dead letter its subscriber's next pending digest, due at
	// now, as soon as none is pending. Claim takes it out of the dead letters; of
	// several, the one that was asked for first. ErrNotFound if there is no such
	// letter.
	Resend(ctx context.Context, digestID string, now time.Time) error
	// Drop deletes a dead letter. ErrNotFound if there is no such letter.
	Drop(ctx context.Context, digestID string) error
	// Deliveries lists the digests that were accepted, the newest first, of one
	// subscriber or, when id is empty, of all. limit is at most 1,000; 0 means
	// 100.
	Deliveries(ctx context.Context, id string, limit int) ([]notify.Delivery, error)
}

// Standing is where a subscriber is.
type Standing struct {
	Subscriber string `json:"subscriber"`
	Cursor     int64  `json:"cursor"`
	// Begin is where its log began, see notify.Turn.
	Begin int64     `json:"begin,omitempty"`
	Since time.Time `json:"since"`
	Next  time.Time `json:"next"`
	// Pending is the id of the digest that waits to be accepted.
	Pending   string    `json:"pending,omitempty"`
	Attempts  int       `json:"attempts,omitempty"`
	LastError string    `json:"last_error,omitempty"`
	LastSent  time.Time `json:"last_sent,omitzero"`
	// Paused is set while the subscriber is paused.
	Paused *notify.Pause `json:"paused,omitempty"`
	// Refusals counts the digests on end that the receiver refused for good.
	Refusals int `json:"refusals,omitempty"`
}

// Retention says how long things are kept; zero means for ever.
type Retention struct {
	// Hits is for hits, amendments, notices, the log, deliveries, and dead letters
	// that do not wait to be sent again.
	Hits  time.Duration
	Items time.Duration // items with their text
	// MaxItems is how many items are kept with their text at most, whatever their
	// age: the oldest go first. Zero is no bound.
	MaxItems int
	// Seen is how long an id is remembered after its feed ceased to list it,
	// and how long a feed or subscriber that left the configuration is.
	Seen time.Duration
}

// Swept counts what Sweep deleted. The seen ids of a feed that was deleted are
// counted under Seen too.
type Swept struct {
	Hits, Amendments, Notices, Items, Seen, Feeds, Subscribers, DeadLetters, Deliveries int
	// Readers that did not confirm, and records of those that left.
	Readers int
}

// Counts are totals.
type Counts struct {
	Feeds       int   `json:"feeds"`
	Hits        int   `json:"hits"`
	Items       int   `json:"items"`
	Seen        int   `json:"seen"`
	Subscribers int   `json:"subscribers"`
	DeadLetters int   `json:"dead_letters"`
	Head        int64 `json:"head"`  // the last seq of the hit log
	Bytes       int64 `json:"bytes"` // what the engine takes, if it can tell
}
