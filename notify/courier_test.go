package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/guard"
	"github.com/newswatch/newswatch/lease"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memLog is a hit log for one subscriber. It keeps the contract of HitLog and
// writes down every call, so that a test can say what happened in which order.
type memLog struct {
	hits    []classifier.Hit
	turn    Turn
	next    time.Time
	dead    []DeadLetter
	notices []Notice
	amended []Amendment
	paused  bool
	calls   []string
	fail    map[string]error
	maxSpan int64
}

func newMemLog(hits ...classifier.Hit) *memLog {
	l := &memLog{hits: hits, turn: Turn{Subscriber: "desk", Since: seven.Add(-24 * time.Hour)}}
	for _, h := range hits {
		for _, r := range h.Rules {
			l.turn.Head = max(l.turn.Head, r.Seq)
		}
	}
	return l
}

func (l *memLog) note(call string, args ...any) error {
	l.calls = append(l.calls, strings.TrimSpace(fmt.Sprint(append([]any{call, " "}, args...)...)))
	return l.fail[call]
}

func (l *memLog) Claim(context.Context, time.Time, int, time.Duration) ([]Turn, error) {
	return nil, errors.New("not used")
}

func (l *memLog) Window(_ context.Context, from, to int64) ([]classifier.Hit, error) {
	l.maxSpan = max(l.maxSpan, to-from)
	var out []classifier.Hit
	for _, h := range l.hits {
		if slices.ContainsFunc(h.Rules, func(r classifier.RuleMatch) bool { return r.Seq > from && r.Seq <= to }) {
			out = append(out, h)
		}
	}
	return out, l.fail["window"]
}

func (l *memLog) Notices(_ context.Context, from, to int64) (out []Notice, err error) {
	for _, n := range l.notices {
		if n.Seq > from && n.Seq <= to {
			out = append(out, n)
		}
	}
	return out, l.fail["notices"]
}

func (l *memLog) Amendments(_ context.Context, from, to int64) (out []Amendment, err error) {
	for _, a := range l.amended {
		if a.Seq > from && a.Seq <= to {
			out = append(out, a)
		}
	}
	return out, l.fail["amendments"]
}

func (l *memLog) Seal(_ context.Context, _ lease.Lease, d Digest) error {
	if err := l.note("seal"); err != nil {
		return err
	}
	l.turn.Pending = &d
	return nil
}

func (l *memLog) Advance(_ context.Context, _ lease.Lease, to int64, until, next time.Time) error {
	l.turn.Cursor, l.turn.Since, l.next = to, until, next
	return l.note("advance", to)
}

func (l *memLog) end(ctx context.Context, call string, next time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.next = next
	return l.note(call)
}

func (l *memLog) moveOn() {
	l.turn.Cursor = max(l.turn.Cursor, l.turn.Pending.To)
	if l.turn.Pending.Until.After(l.turn.Since) {
		l.turn.Since = l.turn.Pending.Until
	}
	l.turn.Pending, l.turn.Attempts = nil, 0
}

func (l *memLog) Ack(ctx context.Context, _ lease.Lease, _, next time.Time) error {
	if err := l.end(ctx, "ack", next); err != nil {
		return err
	}
	l.moveOn()
	l.turn.Refusals = 0
	return nil
}

func (l *memLog) Retry(ctx context.Context, _ lease.Lease, _, next time.Time, _ string) error {
	l.turn.Attempts++
	return l.end(ctx, "retry", next)
}

func (l *memLog) Bury(ctx context.Context, _ lease.Lease, now, next time.Time, b Burial) error {
	if err := l.end(ctx, "bury", next); err != nil {
		return err
	}
	l.paused = l.paused || b.Pause
	if b.Refused {
		l.turn.Refusals++
	}
	l.dead = append(l.dead, DeadLetter{Digest: *l.turn.Pending, Reason: b.Reason, Attempts: l.turn.Attempts + 1, Buried: now})
	l.moveOn()
	return nil
}

func (l *memLog) Release(ctx context.Context, _ lease.Lease, next time.Time) error {
	return l.end(ctx, "release", next)
}

// notifyFunc is a Notifier.
type notifyFunc func(context.Context, Digest) error

func (f notifyFunc) Notify(ctx context.Context, d Digest) error { return f(ctx, d) }

// bench is a courier with everything that a test wants to turn.
type bench struct {
	*Courier
	log  *memLog
	now  time.Time
	sub  Subscriber
	sent []Digest
	// answer is what the receiver says; nil accepts.
	answer func(context.Context, Digest) error
	gone   bool
}

func newBench(log *memLog) *bench {
	b := &bench{log: log, now: seven, sub: sub(func(s *Subscriber) { s.Schedule = mustDaily() })}
	b.Courier = &Courier{
		Log: log,
		Now: func() time.Time { return b.now },
		Recipient: func(context.Context, string) (Recipient, bool, error) {
			return Recipient{b.sub, notifyFunc(func(ctx context.Context, d Digest) error {
				b.sent = append(b.sent, d)
				if b.answer != nil {
					return b.answer(ctx, d)
				}
				return nil
			})}, !b.gone, log.fail["recipient"]
		},
		Coverage: func(context.Context, time.Time, time.Time) (Coverage, error) {
			return Coverage{Feeds: 3}, log.fail["coverage"]
		},
		Jitter: func() float64 { return 0.5 },
	}
	return b
}

// mustDaily is 07:00 in Kolkata, which is when the tests' turns are.
func mustDaily() Schedule {
	tz, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		panic(err)
	}
	s, err := ParseSchedule("0 7 * * *", tz)
	if err != nil {
		panic(err)
	}
	return s
}

func (b *bench) take(t *testing.T, want Outcome) Result {
	t.Helper()
	res, err := b.Take(t.Context(), b.log.turn)
	if err != nil {
		t.Fatal(err)
	}
	if res.Outcome != want {
		t.Fatalf("outcome %s (%s), want %s", res.Outcome, res.Reason, want)
	}
	if !res.Next.Equal(b.log.next) {
		t.Errorf("the result says next %s, the log %s", res.Next, b.log.next)
	}
	return res
}

func TestTurnAccepted(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1"), hit(t, "y", "b:high:2")))
	b.MoreURL = "https://nw.example/"
	res := b.take(t, Accepted)
	if got := strings.Join(b.log.calls, ", "); got != "seal, ack" {
		t.Errorf("calls: %s", got)
	}
	if res.Hits != 2 || res.Entries != 2 || res.Tries != 1 || res.Digest != b.sent[0].ID || res.Subscriber != "desk" {
		t.Errorf("result %+v", res)
	}
	if want := seven.Add(24 * time.Hour); !res.Next.Equal(want) {
		t.Errorf("next turn %s, want %s", res.Next, want)
	}
	if b.log.turn.Cursor != 2 || !b.log.turn.Since.Equal(seven) {
		t.Errorf("cursor %d since %s", b.log.turn.Cursor, b.log.turn.Since)
	}
	if b.sent[0].Coverage.Feeds != 3 {
		t.Errorf("coverage %+v", b.sent[0].Coverage)
	}
}

func TestTurnNothing(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1")))
	b.sub.Selection.Rules = []string{"other"}
	res := b.take(t, Nothing)
	if got := strings.Join(b.log.calls, ", "); got != "advance 1" {
		t.Errorf("calls: %s", got)
	}
	if !res.Next.Equal(seven.Add(24 * time.Hour)) {
		t.Errorf("next %s", res.Next)
	}
	b.sub.WhenEmpty = Send
	b.take(t, Accepted)
	if len(b.sent) != 1 || !b.sent[0].Empty() {
		t.Errorf("sent %+v", b.sent)
	}
	// A turn of `immediate` with nothing new reads nothing at all.
	b.sub.Schedule = immediate{DefaultHold}
	b.log.fail = map[string]error{"window": errors.New("read"), "coverage": errors.New("read")}
	if res := b.take(t, Nothing); !res.Next.Equal(seven.Add(DefaultHold)) {
		t.Errorf("next %s", res.Next)
	}
}

// TestTurnTellsOperators: an operator hears of each notice once, with news or
// alone, and nobody else does.
func TestTurnTellsOperators(t *testing.T) {
	notice := Notice{ID: "n", Seq: 2, At: seven.Add(-time.Hour), Kind: SourceLost, Subject: "europol", Text: "Europol is lost."}
	log := func() *memLog {
		l := newMemLog(hit(t, "x", "a:low:1"))
		l.notices, l.turn.Head = []Notice{notice}, 2
		return l
	}
	b := newBench(log())
	b.sub.Operator, b.sub.Schedule = true, immediate{DefaultHold}
	b.sub.Selection.Rules = []string{"other"}
	b.take(t, Accepted)
	if d := b.sent[0]; len(d.Notices) != 1 || d.Notices[0] != notice || d.Entries != 0 || d.Empty() {
		t.Errorf("sent %+v", d)
	}
	b.take(t, Nothing) // its place is behind the cursor now

	b = newBench(log())
	b.take(t, Accepted)
	if d := b.sent[0]; len(d.Notices) != 0 || d.Entries != 1 {
		t.Errorf("one who is no operator got %+v", d)
	}

	// More than a digest lists is counted.
	b = newBench(log())
	b.sub.Operator = true
	for i := range MaxNotices + 4 {
		b.log.notices = append(b.log.notices, Notice{ID: fmt.Sprint(i), Seq: int64(3 + i), At: seven, Kind: SourceLost, Text: strings.Repeat("x", 9999)})
		b.log.turn.Head++
	}
	b.take(t, Accepted)
	if d := b.sent[0]; len(d.Notices) != MaxNotices || d.NoticesMore != 5 || len(d.Notices[9].Text) > 2*maxTitle {
		t.Errorf("%d notices of %d bytes, %d more", len(d.Notices), len(d.Notices[9].Text), d.NoticesMore)
	}
}

// TestTurnTellsCorrections: who was sent a report hears once that its headline
// changed, or that it was withdrawn; with news or alone, and nobody else does.
func TestTurnTellsCorrections(t *testing.T) {
	told, other := hit(t, "x", "a:low:1"), hit(t, "y", "other:low:2")
	later, linked := hit(t, "z", "a:low:3"), hit(t, "w", "a:low:1")
	linked.Rules[0].Show = classifier.ShowLink
	amend := func(seq int64, h classifier.Hit, was, title string) Amendment {
		h.Item.Title = title
		return Amendment{Seq: seq, At: seven, Hit: h, Was: was, Withdrawn: title == ""}
	}
	down := func(seq int64, h classifier.Hit, title string) Amendment {
		h.Item.Title = title
		return Amendment{Seq: seq, At: seven, Hit: h, TakenDown: true}
	}
	back := func(seq int64, h classifier.Hit, was, title string) Amendment {
		h.Item.Title = title
		return Amendment{Seq: seq, At: seven, Hit: h, Was: was, Back: true}
	}
	for name, tt := range map[string]struct {
		begin, cursor int64
		amended       []Amendment
		want          []string // was → now
	}{
		"a headline":                            {0, 2, []Amendment{amend(4, told, "Old", "New")}, []string{"Old → New"}},
		"changed twice, told once":              {0, 2, []Amendment{amend(4, told, "Old", "Newer"), amend(5, told, "Newer", "Newest")}, []string{"Old → Newest"}},
		"changed back":                          {0, 2, []Amendment{amend(4, told, "Old", "New"), amend(5, told, "New", "Old")}, nil},
		"taken down, and back under another":    {0, 2, []Amendment{down(4, told, "Old"), amend(5, told, "Old", "New")}, []string{"Old → New"}},
		"changed, taken down, and back again":   {0, 2, []Amendment{amend(4, told, "Old", "New"), down(5, told, "New"), amend(6, told, "New", "Newer")}, []string{"Old → Newer"}},
		"taken down":                            {0, 2, []Amendment{down(4, told, "Old")}, []string{" → Old, taken down"}},
		"changed and taken down":                {0, 2, []Amendment{amend(4, told, "Old", "New"), down(5, told, "New")}, []string{"Old → New, taken down"}},
		"back":                                  {0, 2, []Amendment{back(4, told, "", "Old")}, []string{" → Old, back"}},
		"back, under another":                   {0, 2, []Amendment{back(4, told, "Old", "New")}, []string{"Old → New, back"}},
		"back, under another and then the old":  {0, 2, []Amendment{back(4, told, "Old", "New"), amend(5, told, "New", "Old")}, []string{" → Old, back"}},
		"taken down and back":                   {0, 2, []Amendment{down(4, told, "Old"), back(5, told, "", "Old")}, nil},
		"taken down and back under another":     {0, 2, []Amendment{down(4, told, "Old"), back(5, told, "Old", "New")}, []string{"Old → New"}},
		"back and taken down":                   {0, 2, []Amendment{back(4, told, "Old", "New"), down(5, told, "New")}, nil},
		"taken down, back and taken down":       {0, 2, []Amendment{down(4, told, "Old"), back(5, told, "", "Old"), down(6, told, "Old")}, []string{" → Old, taken down"}},
		"withdrawn":                             {0, 2, []Amendment{amend(4, told, "Old", "New"), amend(5, told, "", "")}, []string{"Old → withdrawn"}},
		"of what this digest tells":             {0, 0, []Amendment{amend(4, told, "Old", "New")}, nil},
		"of what this one does not follow":      {0, 2, []Amendment{amend(4, other, "Old", "New")}, nil},
		"of what was there before it":           {1, 2, []Amendment{amend(4, told, "Old", "New")}, nil},
		"of a report whose words are not shown": {0, 2, []Amendment{amend(4, linked, "Old", "New")}, []string{" → "}},
		"of a name that is withheld":            {0, 2, []Amendment{amend(4, told, "Girl, 9, of St Mary's School in Aluva abused", "New")}, []string{guard.Headline + " → New"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newMemLog(told, other, later)
			l.amended, l.turn.Begin, l.turn.Cursor, l.turn.Head = tt.amended, tt.begin, tt.cursor, 9
			b := newBench(l)
			b.sub.Selection.Rules = []string{"a"}
			b.take(t, Accepted) // z is news in any case
			var got []string
			for _, c := range b.sent[0].Corrections {
				now := c.Title
				if c.Withdrawn {
					now = "withdrawn"
					if c.Title != "" || c.Was != "" {
						t.Errorf("a withdrawal tells %q and %q", c.Was, c.Title)
					}
					c.Was = "Old"
				}
				switch {
				case c.TakenDown:
					now += ", taken down"
				case c.Back:
					now += ", back"
				}
				got = append(got, c.Was+" → "+now)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("told %q, want %q", got, tt.want)
			}
		})
	}

	// Alone it is worth a digest; and its place is behind the cursor then.
	l := newMemLog(told)
	l.amended, l.turn.Cursor, l.turn.Head = []Amendment{amend(4, told, "Old", "New")}, 1, 4
	b := newBench(l)
	b.sub.Schedule = immediate{DefaultHold}
	b.take(t, Accepted)
	if d := b.sent[0]; d.Entries != 0 || len(d.Corrections) != 1 || d.Empty() {
		t.Errorf("sent %+v", d)
	}
	b.take(t, Nothing)

	// More than a digest lists is counted.
	l = newMemLog()
	for i := range MaxCorrections + 4 {
		h := hit(t, fmt.Sprint(i), "a:low:1")
		l.amended = append(l.amended, amend(int64(2+i), h, strings.Repeat("x", 9999), "New"))
	}
	l.turn.Cursor, l.turn.Head = 1, 99
	b = newBench(l)
	b.take(t, Accepted)
	if d := b.sent[0]; len(d.Corrections) != MaxCorrections || d.CorrectionsMore != 4 || len(d.Corrections[9].Was) > 2*maxTitle {
		t.Errorf("%d corrections, %d more", len(d.Corrections), d.CorrectionsMore)
	}
}

// TestTurnRetries sends one digest through a whole ladder: the same digest at
// every try, the waits of the ladder, then a dead letter, and news after it.
func TestTurnRetries(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1")))
	b.answer = func(context.Context, Digest) error {
		return &DeliveryError{Failure: FailureDeferred, Err: errors.New("not now")}
	}
	for i, wait := range DefaultLadder {
		res := b.take(t, Retried)
		if res.Tries != i+1 || res.Failure != FailureDeferred || !res.Next.Equal(b.now.Add(wait)) {
			t.Fatalf("try %d: %+v", i+1, res)
		}
		b.now = res.Next
	}
	b.log.hits = append(b.log.hits, hit(t, "y", "a:low:2"))
	b.log.turn.Head = 2
	res := b.take(t, Buried)
	if len(b.sent) != 10 || len(b.log.dead) != 1 || b.log.dead[0].Attempts != 10 || b.log.dead[0].Reason != "notify: not now" {
		t.Errorf("sent %d, dead %+v", len(b.sent), b.log.dead)
	}
	for _, d := range b.sent {
		if d.ID != b.sent[0].ID || d.Hits != 1 {
			t.Errorf("a retry sent another digest: %+v", d)
		}
	}
	if total := b.now.Sub(seven); total < 75*time.Hour || total > 76*time.Hour {
		t.Errorf("gave up after %s", total)
	}
	// Turns of the schedule went by meanwhile: what is new since comes at once.
	if !res.Next.Equal(b.now) {
		t.Errorf("next %s, want %s", res.Next, b.now)
	}
	b.answer = nil
	if res := b.take(t, Accepted); res.Hits != 1 || b.log.turn.Cursor != 2 || !res.Next.After(b.now) {
		t.Errorf("after the dead letter: %+v", res)
	}
}

func TestTurnRetryAfter(t *testing.T) {
	for _, tt := range []struct{ asked, want time.Duration }{
		{0, 5 * time.Second}, {time.Second, 5 * time.Second}, {time.Hour, time.Hour}, {100 * time.Hour, MaxRetryAfter}, {-time.Hour, 5 * time.Second},
	} {
		b := newBench(newMemLog(hit(t, "x", "a:low:1")))
		b.answer = func(context.Context, Digest) error {
			return fmt.Errorf("wrapped: %w", &DeliveryError{Failure: FailureDeferred, RetryAfter: tt.asked, Err: errors.New("busy")})
		}
		if res := b.take(t, Retried); res.Next.Sub(seven) != tt.want {
			t.Errorf("asked for %s: next in %s, want %s", tt.asked, res.Next.Sub(seven), tt.want)
		}
	}
}

func TestTurnJitter(t *testing.T) {
	for _, tt := range []struct {
		r    float64
		want time.Duration
	}{{0, 4500 * time.Millisecond}, {0.5, 5 * time.Second}, {0.999999999, 5500 * time.Millisecond}} {
		b := newBench(newMemLog(hit(t, "x", "a:low:1")))
		b.Jitter = func() float64 { return tt.r }
		b.answer = func(context.Context, Digest) error { return errors.New("no") }
		if got := b.take(t, Retried).Next.Sub(seven); (got - tt.want).Abs() > time.Microsecond {
			t.Errorf("jitter %v: %s, want %s", tt.r, got, tt.want)
		}
	}
}

func TestTurnPermanent(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1")))
	b.answer = func(context.Context, Digest) error {
		return &DeliveryError{Failure: FailureGone, Permanent: true, Err: errors.New("gone")}
	}
	res := b.take(t, Buried)
	// Not at once again: with when_empty: send that would bury digests without end.
	if res.Failure != FailureGone || len(b.sent) != 1 || !res.Next.Equal(seven.Add(24*time.Hour)) || b.log.turn.Cursor != 1 {
		t.Errorf("%+v after %d tries, cursor %d", res, len(b.sent), b.log.turn.Cursor)
	}
}

// A receiver that refuses the subscriber, and not the message, is believed after
// as many digests on end as the failure says.
func TestTurnPauses(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1"), hit(t, "y", "a:low:2")))
	b.sub.WhenEmpty = Send
	refuse := func(after int, permanent bool) func(context.Context, Digest) error {
		return func(context.Context, Digest) error {
			return &DeliveryError{Failure: FailureRejected, Permanent: permanent, PauseAfter: after, Err: errors.New("no")}
		}
	}
	for i, tt := range []struct {
		answer func(context.Context, Digest) error
		want   Outcome
		paused bool
		count  int
	}{
		{refuse(3, true), Buried, false, 1},
		{refuse(0, true), Buried, false, 1}, // the message's own fault
		{refuse(3, true), Buried, false, 2},
		{nil, Accepted, false, 0},
		{refuse(3, true), Buried, false, 1},
		{refuse(3, true), Buried, false, 2},
		{refuse(3, true), Buried, true, 3},
	} {
		b.answer = tt.answer
		if res := b.take(t, tt.want); res.Paused != tt.paused || b.log.paused != tt.paused || b.log.turn.Refusals != tt.count {
			t.Errorf("turn %d: paused %t, in the log %t after %d refusals", i, res.Paused, b.log.paused, b.log.turn.Refusals)
		}
		b.now = b.now.Add(24 * time.Hour)
	}

	b = newBench(newMemLog(hit(t, "x", "a:low:1")))
	b.answer = refuse(1, false)
	if res := b.take(t, Retried); res.Paused || b.log.turn.Refusals != 0 {
		t.Error("a failure that passes paused the subscriber")
	}
	b.answer = refuse(1, true)
	if res := b.take(t, Buried); !res.Paused || !b.log.paused {
		t.Error("one refusal of a kind that ends at once did not pause")
	}
}

// A dead letter that an operator sends again lies behind the cursor. It makes no
// extra turn afterwards.
func TestTurnResend(t *testing.T) {
	b := newBench(newMemLog())
	old, _ := Build(b.sub, Window{From: 0, To: 1, Since: seven.Add(-99 * time.Hour), Until: seven.Add(-98 * time.Hour), Hits: []classifier.Hit{hit(t, "x", "a:low:1")}},
		BuildOptions{Sealed: seven.Add(-98 * time.Hour)})
	b.log.turn.Cursor, b.log.turn.Head, b.log.turn.Since, b.log.turn.Pending = 5, 5, seven.Add(-time.Hour), &old
	res := b.take(t, Accepted)
	if b.sent[0].ID != old.ID || b.log.turn.Cursor != 5 || !res.Next.Equal(seven.Add(24*time.Hour)) {
		t.Errorf("cursor %d, next %s", b.log.turn.Cursor, res.Next)
	}
}

// What was due while the daemon was down is one digest, and the next turn is in
// the future.
func TestTurnAfterOutage(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1"), hit(t, "y", "a:low:2")))
	b.now = seven.Add(5*24*time.Hour + 3*time.Hour)
	res := b.take(t, Accepted)
	if len(b.sent) != 1 || b.sent[0].Hits != 2 || !res.Next.Equal(seven.Add(6*24*time.Hour)) {
		t.Errorf("%d digests, next %s", len(b.sent), res.Next)
	}
}

func TestTurnUnknownSubscriber(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", "a:low:1")))
	d := Digest{ID: "pending"}
	b.gone, b.log.turn.Pending = true, &d
	b.take(t, Released)
	if len(b.sent) != 0 || b.log.turn.Pending == nil || !b.log.next.After(seven) {
		t.Errorf("sent %d, pending %v, next %s", len(b.sent), b.log.turn.Pending, b.log.next)
	}
}

// When the daemon is told to stop, an unfinished try is given back, and one that
// was accepted is written down all the same.
func TestTurnStops(t *testing.T) {
	for _, accepted := range []bool{false, true} {
		b := newBench(newMemLog(hit(t, "x", "a:low:1")))
		ctx, cancel := context.WithCancel(t.Context())
		b.answer = func(ctx context.Context, _ Digest) error {
			cancel()
			if accepted {
				return nil
			}
			return ctx.Err()
		}
		res, err := b.Take(ctx, b.log.turn)
		want := map[bool]Outcome{false: Released, true: Accepted}[accepted]
		if err != nil || res.Outcome != want || (b.log.turn.Pending == nil) != accepted {
			t.Errorf("accepted %t: outcome %s, pending %v, %v", accepted, res.Outcome, b.log.turn.Pending, err)
		}
		if !accepted && b.log.turn.Attempts != 0 {
			t.Error("a try that was cut short counts as one")
		}
	}
}

// A notifier that never returns by itself, and one that panics, cost a try.
func TestTurnBadNotifier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(newMemLog(hit(t, "x", "a:low:1")))
		b.TryTimeout = time.Minute
		b.answer = func(ctx context.Context, _ Digest) error {
			<-ctx.Done()
			return ctx.Err()
		}
		begun := time.Now()
		if res := b.take(t, Retried); res.Failure != FailureTimeout {
			t.Errorf("failure %s", res.Failure)
		}
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("took %s", took)
		}
	})
	b := newBench(newMemLog(hit(t, "x", "a:low:1")))
	b.answer = func(context.Context, Digest) error { panic("secret@example.org") }
	if res := b.take(t, Retried); res.Failure != FailureLocal || strings.Contains(res.Reason, "secret") {
		t.Errorf("%+v", res)
	}
}

func TestTurnStoreFails(t *testing.T) {
	for call, want := range map[string]string{"window": "", "coverage": "", "seal": "seal", "ack": "seal, ack"} {
		b := newBench(newMemLog(hit(t, "x", "a:low:1")))
		b.log.fail = map[string]error{call: fmt.Errorf("store: %w", lease.ErrLost)}
		res, err := b.Take(t.Context(), b.log.turn)
		if !errors.Is(err, lease.ErrLost) || res.Outcome != Lost {
			t.Errorf("%s: outcome %s, %v", call, res.Outcome, err)
		}
		if got := strings.Join(b.log.calls, ", "); got != want {
			t.Errorf("%s: calls %s, want %s", call, got, want)
		}
		// Nothing is sent that was not sealed.
		if sent := len(b.sent) > 0; sent != (call == "ack") {
			t.Errorf("%s: sent %t", call, sent)
		}
		b.log.fail[call] = errors.New("disk full")
		if res, err := b.Take(t.Context(), b.log.turn); err == nil || res.Outcome != Broken {
			t.Errorf("%s: outcome %s, %v", call, res.Outcome, err)
		}
	}
}

// A long log is read in pieces, each report is told once, and no turn holds more
// than its share.
func TestTurnLongLog(t *testing.T) {
	var hits []classifier.Hit
	for i := range int64(5500) {
		hits = append(hits, hit(t, fmt.Sprint("n", i), fmt.Sprintf("a:low:%d", i+1)))
	}
	b := newBench(newMemLog(hits...))
	b.sub.Cap = 10
	told := 0
	for range 10 {
		if b.log.turn.Cursor == b.log.turn.Head {
			break
		}
		res := b.take(t, Accepted)
		if res.Hits > maxNews+pageSeqs {
			t.Errorf("a digest of %d", res.Hits)
		}
		told += res.Hits
		b.now = res.Next
	}
	if told != 5500 || b.log.maxSpan > pageSeqs {
		t.Errorf("told %d of 5500, by pages of up to %d", told, b.log.maxSpan)
	}
}

// What one digest has no room for follows at once, and the digest says so; whether
// there is more for its reader is looked for before it is said. A dead letter that is
// sent again has nothing to follow it.
func TestTurnSaysThatMoreFollows(t *testing.T) {
	var hits []classifier.Hit
	for i := range int64(2100) {
		h := hit(t, fmt.Sprint("n", i), fmt.Sprintf("a:low:%d", i+1))
		h.Found = seven.Add(-10 * time.Hour).Add(time.Duration(i) * time.Second)
		hits = append(hits, h)
	}
	for i := range int64(3000) {
		hits = append(hits, hit(t, fmt.Sprint("m", i), fmt.Sprintf("other:low:%d", 2101+i)))
	}
	late := hit(t, "late", "a:low:5101")
	b := newBench(newMemLog(hits...))
	b.sub.Selection.Rules = []string{"a"}
	b.answer = func(context.Context, Digest) error {
		return &DeliveryError{Failure: FailureRejected, Permanent: true, Err: errors.New("no")}
	}
	res := b.take(t, Buried)
	first := b.sent[0]
	if !first.Part || first.Hits != 2000 || !res.Next.Equal(seven) {
		t.Fatalf("%d reports, part %t, next %s", first.Hits, first.Part, res.Next)
	}
	if want := "to 22 Nov 2026, 16:03 UTC; what was found later follows in another message."; !strings.Contains(strings.ReplaceAll(Text(first), "\n", " "), want) {
		t.Errorf("no %q in %s", want, Text(first)[:300])
	}
	b.answer = nil
	b.take(t, Accepted)
	if d := b.sent[1]; d.Part || d.Hits != 100 || d.From != first.To || !d.Since.Equal(first.Until) {
		t.Errorf("then %d reports, part %t", d.Hits, d.Part)
	}
	b.log.turn.Pending = &first // as Resend has it
	if res := b.take(t, Accepted); !res.Next.After(seven) {
		t.Errorf("after a dead letter: %s", res.Next)
	}

	// Nothing follows for this reader, so nothing is said to.
	b = newBench(newMemLog(append(hits[:2000:2000], hits[2100:]...)...))
	b.sub.Selection.Rules = []string{"a"}
	if res := b.take(t, Accepted); b.sent[0].Part || b.sent[0].Hits != 2000 || !res.Next.After(seven) || b.log.turn.Cursor != b.log.turn.Head {
		t.Errorf("nothing follows: part %t, next %s", b.sent[0].Part, res.Next)
	}
	b = newBench(newMemLog(append(append(hits[:2000:2000], hits[2100:]...), late)...))
	b.sub.Selection.Rules = []string{"a"}
	b.take(t, Accepted)
	b.take(t, Accepted)
	if !b.sent[0].Part || b.sent[1].Part || b.sent[0].Hits+b.sent[1].Hits != 2001 {
		t.Errorf("%d and %d reports", b.sent[0].Hits, b.sent[1].Hits)
	}
}

// Where a very long log holds nothing for the subscriber, the turn ends early and
// goes on at once, and says nothing.
func TestTurnLongLogWithNothing(t *testing.T) {
	b := newBench(newMemLog(hit(t, "x", fmt.Sprintf("a:low:%d", 3*maxPages*pageSeqs))))
	b.sub.WhenEmpty = Send
	for i := range 2 {
		if res := b.take(t, Nothing); !res.Next.Equal(seven) || b.log.turn.Cursor != int64((i+1)*maxPages*pageSeqs) {
			t.Fatalf("cursor %d, next %s", b.log.turn.Cursor, res.Next)
		}
	}
	b.take(t, Accepted)
	if len(b.sent) != 1 || b.sent[0].Hits != 1 {
		t.Errorf("sent %+v", b.sent)
	}
}
