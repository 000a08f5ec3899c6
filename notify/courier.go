package notify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/story"
)

// Courier takes one subscriber's turn from its claim to its end: what is pending
// is sent again as it is; otherwise the window is read, built and sealed; then it
// is sent, and the turn ends with the cursor moved, the next try set, or a dead
// letter.
type Courier struct {
	Log HitLog
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Recipient looks a subscriber up in the configuration that is in force, or
	// among the readers that subscribed themselves.
	Recipient func(ctx context.Context, id string) (to Recipient, ok bool, err error)
	// Coverage tells how the watch was kept between two times. It runs only for a
	// digest that is about to be sealed.
	Coverage func(ctx context.Context, since, until time.Time) (Coverage, error)
	// Past gives the reports among which the beginnings of cases are looked for. It
	// runs only where a hit is of a case that has begun; nil looks nowhere.
	Past func(ctx context.Context) (*story.Archive, error)
	// MoreURL is where a reader finds what a digest's cap left out; it may be
	// empty.
	MoreURL string
	// TryTimeout bounds one call of a Notifier, beside the deadlines that it keeps
	// itself; zero is DefaultTryTimeout. The holder of the turn's lease renews it
	// for as long as Take runs.
	TryTimeout time.Duration
	// Ladder is the wait after each failed try; nil is DefaultLadder. After one
	// try more than it has steps, the digest becomes a dead letter.
	Ladder []time.Duration
	// Jitter returns a number in [0, 1) that spreads the waits; nil is random.
	Jitter func() float64
}

// Recipient is a subscriber and the way to it.
type Recipient struct {
	Subscriber Subscriber
	Notifier   Notifier
}

// DefaultTryTimeout leaves room for the slowest phase of SMTP: ten minutes for
// the answer to the message's final dot (RFC 5321 §4.5.3.2.6).
const DefaultTryTimeout = 20 * time.Minute

// DefaultLadder is the schedule that the Standard Webhooks specification
// proposes: ten tries within 75.6 hours.
var DefaultLadder = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

const (
	// MaxRetryAfter bounds what a receiver may ask for.
	MaxRetryAfter = 24 * time.Hour
	// jitterSpan is how much longer or shorter a wait may become: a tenth each
	// way, so that a receiver that comes back is not met by everyone at once.
	jitterSpan = 0.2
	// minUntried is the least time until a turn in which nothing could be tried
	// comes again, so that it does not come without an end.
	minUntried = time.Second
	// endTimeout bounds the write that ends a turn after the daemon was told to
	// stop: a digest that was accepted must not be sent again for want of it.
	endTimeout = 10 * time.Second
	// absentPause is when the turn of a subscriber that left the configuration is
	// looked at again; by then the store was told.
	absentPause = 10 * time.Minute

	// A turn reads the log by pages of pageSeqs places, at most maxPages of them
	// and until it has maxNews reports, so that its memory and time are bounded
	// however long the daemon was away.
	pageSeqs = 1000
	maxPages = 100
	maxNews  = 2000
)

// Outcome is the closed set of ends that a turn can have.
type Outcome string

const (
	// Accepted: the receiver took the digest.
	Accepted Outcome = "accepted"
	// Nothing: there was nothing to send.
	Nothing Outcome = "nothing"
	// Retried: the receiver did not take the digest; there will be another try.
	Retried Outcome = "retried"
	// Buried: the digest became a dead letter.
	Buried Outcome = "buried"
	// Released: nothing was tried, or the daemon was told to stop; the turn comes
	// again.
	Released Outcome = "released"
	// Lost: another holder has the turn by now.
	Lost Outcome = "lost"
	// Broken: the store failed; the turn comes again when its lease has run out.
	Broken Outcome = "broken"
)

// Result is what became of a turn. Outcome and Failure are closed sets, fit to
// label metrics.
type Result struct {
	Subscriber string
	Outcome    Outcome
	// Digest is the id of what was sent or tried; empty when there was nothing.
	Digest        string
	Hits, Entries int
	// Tries counts those of this digest, this one included.
	Tries int
	// Failure and Reason are set with Retried and Buried. Reason holds neither an
	// address nor a secret.
	Failure Failure
	Reason  string
	// Paused is set with Buried: the subscriber gets nothing more until an operator
	// resumes it.
	Paused bool
	// Untried is set with Released where nothing could be tried just now, as when
	// the receiver has as many deliveries as it is given at a time.
	Untried bool
	// Next is when the subscriber's next turn is.
	Next time.Time
}

// Take does one turn. A delivery that fails is no error: it is in the Result.
// An error means that the store failed, or that the lease was lost.
func (c *Courier) Take(ctx context.Context, t Turn) (Result, error) {
	res, err := c.turn(ctx, t)
	res.Subscriber = t.Subscriber
	if err != nil {
		res.Outcome = Broken
		if errors.Is(err, lease.ErrLost) {
			res.Outcome = Lost
		}
		return res, fmt.Errorf("notify: turn of %s: %w", t.Subscriber, err)
	}
	return res, nil
}

func (c *Courier) turn(ctx context.Context, t Turn) (Result, error) {
	to, ok, err := c.Recipient(ctx, t.Subscriber)
	if err != nil {
		return Result{}, fmt.Errorf("recipient: %w", err)
	}
	if !ok {
		next := c.now().Add(absentPause)
		return Result{Outcome: Released, Next: next}, c.Log.Release(ctx, t.Lease, next)
	}
	if t.Pending != nil {
		return c.send(ctx, t, to, *t.Pending)
	}
	now := c.now()
	w, whole, err := c.window(ctx, t, to.Subscriber, now)
	if err != nil {
		return Result{}, err
	}
	if w.len() == 0 && !whole {
		// Too much of the log for one turn, and nothing for the subscriber so far:
		// the next turn goes on from here, at once.
		return Result{Outcome: Nothing, Next: now}, c.Log.Advance(ctx, t.Lease, w.To, w.Until, now)
	}
	next := to.Subscriber.Schedule.Next(now)
	if !to.Subscriber.wants(w.len()) {
		return Result{Outcome: Nothing, Next: next}, c.Log.Advance(ctx, t.Lease, w.To, w.Until, next)
	}
	cov, err := c.Coverage(ctx, w.Since, w.Until)
	if err != nil {
		return Result{}, fmt.Errorf("coverage: %w", err)
	}
	var past *story.Archive
	if c.Past != nil && slices.ContainsFunc(w.Hits, story.FollowsUp) {
		if past, err = c.Past(ctx); err != nil {
			return Result{}, fmt.Errorf("past: %w", err)
		}
	}
	d, _ := Build(to.Subscriber, w, BuildOptions{Sealed: now, Coverage: cov, Past: past, MoreURL: c.MoreURL}) // wanted, as was just asked
	if err := c.Log.Seal(ctx, t.Lease, d); err != nil {
		return Result{}, fmt.Errorf("seal: %w", err)
	}
	return c.send(ctx, t, to, d)
}

// window reads the log from the subscriber's cursor on, until it has maxNews reports
// and another page has more of them. whole is false when it stopped before the log's
// head.
func (c *Courier) window(ctx context.Context, t Turn, sub Subscriber, now time.Time) (w Window, whole bool, err error) {
	w = Window{From: t.Cursor, To: t.Cursor, Since: t.Since, Until: t.Since, Begin: t.Begin}
	for range maxPages {
		if w.To >= t.Head {
			break
		}
		more, err := c.page(ctx, w, min(w.To+pageSeqs, t.Head), sub)
		if err != nil {
			return w, false, err
		}
		if w.len() >= maxNews && more.len() > w.len() {
			break
		}
		w = more
	}
	if w.To < t.Head {
		w.Part = true
		return w, false, nil
	}
	w.Until = later(w.Until, now)
	return w, true, nil
}

// page returns the window with what the log holds up to a place.
func (c *Courier) page(ctx context.Context, w Window, to int64, sub Subscriber) (Window, error) {
	from := w.To
	hits, err := c.Log.Window(ctx, from, to)
	if err != nil {
		return w, fmt.Errorf("window: %w", err)
	}
	w.Hits = append(w.Hits, News(sub.Selection, from, to, hits)...)
	w.Until = later(w.Until, lastFound(hits))
	amendments, err := c.Log.Amendments(ctx, from, to)
	if err != nil {
		return w, fmt.Errorf("amendments: %w", err)
	}
	w.Amendments = Amended(sub.Selection, w.Begin, w.From, slices.Concat(w.Amendments, amendments))
	if sub.Operator {
		notices, err := c.Log.Notices(ctx, from, to)
		if err != nil {
			return w, fmt.Errorf("notices: %w", err)
		}
		w.Notices = append(w.Notices, notices...)
	}
	w.To = to
	return w, nil
}

// len is how much the window holds to tell.
func (w Window) len() int { return len(w.Hits) + len(w.Amendments) + len(w.Notices) }

func lastFound(hits []classifier.Hit) (t time.Time) {
	for _, h := range hits {
		t = later(t, h.Found)
	}
	return t
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// send tries once to hand the sealed digest over, and ends the turn.
func (c *Courier) send(ctx context.Context, t Turn, to Recipient, d Digest) (Result, error) {
	res := Result{Digest: d.ID, Hits: d.Hits, Entries: d.Entries, Tries: 1}
	if t.Pending != nil {
		res.Tries = t.Attempts + 1
	}
	err := c.try(ctx, to.Notifier, d)
	now := c.now()
	// Whatever happened is written down even if the daemon was told to stop.
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err == nil {
		res.Outcome, res.Next = Accepted, c.next(t, to.Subscriber.Schedule, d, now)
		return res, c.Log.Ack(end, t.Lease, now, res.Next)
	}
	if ctx.Err() != nil {
		res.Outcome, res.Next = Released, now
		return res, c.Log.Release(end, t.Lease, now)
	}
	fail := AsDeliveryError(err)
	if fail.Untried {
		res.Outcome, res.Untried, res.Tries, res.Next = Released, true, res.Tries-1, now.Add(c.spread(max(fail.RetryAfter, minUntried)))
		return res, c.Log.Release(end, t.Lease, res.Next)
	}
	res.Failure, res.Reason = fail.Failure, fail.Error()
	ladder := c.Ladder
	if ladder == nil {
		ladder = DefaultLadder
	}
	if fail.Permanent || res.Tries > len(ladder) {
		res.Outcome, res.Next = Buried, c.next(t, to.Subscriber.Schedule, d, now)
		refused := fail.Permanent && fail.PauseAfter > 0
		res.Paused = refused && t.Refusals+1 >= fail.PauseAfter
		return res, c.Log.Bury(end, t.Lease, now, res.Next, Burial{Reason: res.Reason, Refused: refused, Pause: res.Paused})
	}
	wait := max(c.spread(ladder[res.Tries-1]), min(fail.RetryAfter, MaxRetryAfter))
	res.Outcome, res.Next = Retried, now.Add(wait)
	return res, c.Log.Retry(end, t.Lease, now, res.Next, res.Reason)
}

// try calls the notifier. A panic in it costs the try, not the daemon.
func (c *Courier) try(ctx context.Context, n Notifier, d Digest) (err error) {
	timeout := c.TryTimeout
	if timeout <= 0 {
		timeout = DefaultTryTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = &DeliveryError{Failure: FailureLocal, Err: fmt.Errorf("panic while sending (%T)", r)}
		}
	}()
	return n.Notify(ctx, d)
}

// next is the turn after d was dealt with. Where a turn of the schedule passed
// while d was tried again and again, it is made up for at once, and so is what d had
// no room for; a dead letter that an operator sent again, which lies behind the
// cursor, changes nothing.
func (c *Courier) next(t Turn, s Schedule, d Digest, now time.Time) time.Time {
	if d.Part && d.To > t.Cursor {
		return now
	}
	if d.Until.After(t.Since) && !s.Next(d.Sealed).After(now) {
		return now
	}
	return s.Next(now)
}

func (c *Courier) spread(wait time.Duration) time.Duration {
	jitter := c.Jitter
	if jitter == nil {
		jitter = rand.Float64
	}
	return time.Duration(float64(wait) * (1 + jitterSpan*(jitter()-0.5)))
}

func (c *Courier) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}
