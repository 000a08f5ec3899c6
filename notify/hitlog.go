package notify

import (
	"context"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/lease"
)

// Turn is a subscriber whose time has come, claimed under a lease.
type Turn struct {
	Lease      lease.Lease
	Subscriber string
	// Cursor is the last place in the hit log that was dealt with, and Since the
	// time at which it was; Head is the log's end when the turn was claimed.
	Cursor int64
	Since  time.Time
	Head   int64
	// Begin is where the subscriber's log begins: what stands at or before it was
	// never news to it.
	Begin int64
	// Pending is the digest that was sealed and not yet accepted; nil when there
	// is none. It is sent again as it is, before anything new is sealed.
	Pending *Digest
	// Attempts counts the tries to send Pending, FirstTry is when the first was.
	Attempts int
	FirstTry time.Time
	// Refusals counts the digests on end that the receiver refused for good.
	Refusals int
}

// Burial says why a digest is given up, and what follows from it for its
// subscriber.
type Burial struct {
	Reason string
	// Refused: the receiver said no for good. The next turn's Refusals is one
	// higher.
	Refused bool
	// Pause pauses the subscriber as well, by the receiver and for the same
	// reason: what follows would be refused in its turn.
	Pause bool
}

// PausedBy is who wanted that a subscriber gets nothing: a closed set.
type PausedBy string

const (
	ByOperator PausedBy = "operator"
	// ByReceiver is for a mailbox that does not exist, an endpoint that answered
	// 410, and the like.
	ByReceiver PausedBy = "receiver"
)

// Pause is since when, by whom and why a subscriber gets nothing. Why holds
// neither an address nor a secret.
type Pause struct {
	Since time.Time `json:"since"`
	By    PausedBy  `json:"by"`
	Why   string    `json:"why,omitempty"`
}

// HitLog is what delivery needs of a store. Every write takes the turn's lease
// and fails with lease.ErrLost when another holder has it by now.
type HitLog interface {
	// Claim leases at most max subscribers that are due at now, until now+ttl.
	Claim(ctx context.Context, now time.Time, max int, ttl time.Duration) ([]Turn, error)
	// Window returns the hits that have a rule reported at from < seq <= to,
	// ordered by the first such seq.
	Window(ctx context.Context, from, to int64) ([]classifier.Hit, error)
	// Notices returns the notices at from < seq <= to, in order.
	Notices(ctx context.Context, from, to int64) ([]Notice, error)
	// Amendments returns the amendments at from < seq <= to, in order.
	Amendments(ctx context.Context, from, to int64) ([]Amendment, error)
	// Seal stores d as the subscriber's pending digest. After it, the digest is
	// either accepted or ends as a dead letter; it is never built again.
	Seal(ctx context.Context, l lease.Lease, d Digest) error
	// Advance moves the cursor to a place up to which there was nothing to send,
	// and ends the turn.
	Advance(ctx context.Context, l lease.Lease, to int64, until, next time.Time) error
	// Ack ends the turn: the pending digest was accepted at now, and refusals are
	// counted from nothing again. The cursor moves to its To, and the turn's Since
	// to its Until, unless they are beyond already, as they are when a dead letter
	// is sent again.
	Ack(ctx context.Context, l lease.Lease, now, next time.Time) error
	// Retry ends the turn: the pending digest was not accepted, for the reason
	// given, and is tried again at next.
	Retry(ctx context.Context, l lease.Lease, now, next time.Time, reason string) error
	// Bury ends the turn: the pending digest becomes a dead letter, and the
	// cursor moves on as after Ack, so that it does not block what follows. In the
	// same write the subscriber is paused, if the burial says so and it is not yet.
	Bury(ctx context.Context, l lease.Lease, now, next time.Time, b Burial) error
	// Release ends the turn without a change, as when the daemon stops; the
	// subscriber is due again at next.
	Release(ctx context.Context, l lease.Lease, next time.Time) error
}

// Notifier hands one digest to one subscriber's receiver. It returns nil only
// when the receiver has accepted the digest. An error that is or wraps a
// *DeliveryError says whether to try again.
type Notifier interface {
	Notify(ctx context.Context, d Digest) error
}

// DeadLetter is a digest that could not be delivered.
type DeadLetter struct {
	Digest   Digest    `json:"digest"`
	Reason   string    `json:"reason"`
	Attempts int       `json:"attempts"`
	Buried   time.Time `json:"buried"`
	// Resending is set when an operator asked for it to be sent again.
	Resending bool `json:"resending,omitempty"`
}

// Delivery is one digest that was accepted.
type Delivery struct {
	Digest     string    `json:"digest"`
	Subscriber string    `json:"subscriber"`
	Entries    int       `json:"entries"`
	Hits       int       `json:"hits"`
	Attempts   int       `json:"attempts"`
	Accepted   time.Time `json:"accepted"`
}
