// Package subscription is the roll of those who subscribe themselves: what they
// may ask for, the letter by which they confirm it, and the links by which they
// change it and leave.
//
// Whoever asks, for whatever address, gets the same answer after the same work.
// Whether it is known to the roll is told to the address alone.
package subscription

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Consent is the version of the words that a person agrees to; ConsentWords are
// these. Other words need another version: the record of who agreed names it.
const (
	Consent      = "2026-11"
	ConsentWords = "I want newswatch to send me these digests. It keeps my address for this and for nothing else, until I leave."
)

const (
	// lettersADay is how many letters one address can be made to get by those who
	// write it into the page.
	lettersADay = 3
	// idLength is of the random part of a reader's id.
	idLength = 26
)

// The letters that a reader can be owed.
const (
	letterConfirm   = "confirm"   // to a pending one
	letterKnown     = "known"     // to an active one, for whom somebody asked again
	letterChallenge = "challenge" // to a pending webhook
)

// Store is the part of store.Store that the roll needs.
type Store interface {
	store.Readers
	Standings(ctx context.Context) ([]store.Standing, error)
	DeadLetters(ctx context.Context) ([]notify.DeadLetter, error)
	Deliveries(ctx context.Context, subscriber string, limit int) ([]notify.Delivery, error)
}

// Roll is the roll of readers. It is safe for concurrent use.
type Roll struct {
	Store Store
	// PublicURL is how the outside reaches the pages, without a slash at its end.
	PublicURL string
	// FirstWindow is how far back the first digest of a reader reaches.
	FirstWindow func() time.Duration
	// Interrupt breaks off what is being sent to a subscriber and returns when
	// that has ended. It is called when the store has it that nothing is to be
	// sent; nil breaks off nothing.
	Interrupt func(ctx context.Context, id string)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (l *Roll) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

// Ask stores a request that Check let pass, and that a letter is owed. It writes
// the same whether the address is new, known, left, or has had too many letters;
// only the store's failure makes an error.
func (l *Roll) Ask(ctx context.Context, q Request) error {
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return fmt.Errorf("subscription: %w", err)
	}
	now, c := l.now(), contact(key, q.Channel, q.Address)
	// Drawn outside: the change may run again.
	id, salt := store.ReaderPrefix+strings.ToLower(rand.Text()), random()
	_, err = l.Store.AdmitReader(ctx, c, func(r store.Reader) (store.Amendment, error) {
		if r.ID == "" {
			r = store.Reader{ID: id, Contact: c, Channel: q.Channel, Created: now}
		}
		return store.Amendment{Reader: asked(r, q, salt, now)}, nil
	})
	if err != nil {
		return fmt.Errorf("subscription: %w", err)
	}
	return nil
}

// asked is what a request makes of a reader.
func asked(r store.Reader, q Request, salt int64, now time.Time) store.Reader {
	r.Asks++
	if r.Blocked {
		return r
	}
	r.Letters = slices.DeleteFunc(slices.Clone(r.Letters), func(t time.Time) bool { return now.Sub(t) >= 24*time.Hour })
	kind := letterKnown
	if r.State != store.ReaderActive {
		if r.State != store.ReaderPending {
			// Links that went out before are of another subscription.
			r.Salt = salt
		}
		r.State, r.Address, r.Secret, r.Wishes, r.Left = store.ReaderPending, q.Address, q.Secret, q.Wishes, time.Time{}
		r.Consent = store.Consent{Asked: now, Text: Consent, Method: q.Method}
		kind = letterConfirm
	}
	if q.Channel == Webhook {
		if r.State == store.ReaderActive {
			return r // an endpoint reads no letter
		}
		kind = letterChallenge
	}
	if len(r.Letters) < lettersADay {
		r.Letters = append(r.Letters, now)
		r.Letter = &store.Letter{Kind: kind, Due: now}
	}
	return r
}

func random() int64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails: see crypto/rand
	return int64(binary.BigEndian.Uint64(b[:]))
}

// Read returns the reader of a link, or ErrLink. It changes nothing.
func (l *Roll) Read(ctx context.Context, p Purpose, tok string) (store.Reader, error) {
	r, err := l.open(ctx, p, tok)
	if err == nil && p == ToConfirm && !confirmable(r, l.now()) {
		return store.Reader{}, ErrLink
	}
	if err == nil && p == ToChange && r.State != store.ReaderActive {
		return store.Reader{}, ErrLink
	}
	return r, err
}

// confirmable reports whether a reader may confirm now, or has.
func confirmable(r store.Reader, now time.Time) bool {
	return r.State == store.ReaderActive || r.State == store.ReaderPending && now.Before(r.Expires())
}

// Confirm makes the reader of a link active. Who confirms twice has confirmed.
func (l *Roll) Confirm(ctx context.Context, tok string) (store.Reader, error) {
	r, err := l.Read(ctx, ToConfirm, tok)
	if err != nil {
		return r, err
	}
	return l.activate(ctx, r)
}

func (l *Roll) activate(ctx context.Context, r store.Reader) (store.Reader, error) {
	now, salt := l.now(), r.Salt
	return l.amend(ctx, r.ID, func(r store.Reader) (store.Amendment, error) {
		switch {
		case r.Salt != salt || !confirmable(r, now):
			return store.Amendment{}, ErrLink
		case r.State == store.ReaderActive:
			return store.Amendment{Reader: r}, nil
		}
		r.State, r.Consent.Given, r.Letter = store.ReaderActive, now, nil
		return l.enrolled(r, now)
	})
}

// enrolled adds the turn that a reader's wishes ask for.
func (l *Roll) enrolled(r store.Reader, now time.Time) (store.Amendment, error) {
	sub, err := Subscriber(r)
	if err != nil {
		return store.Amendment{}, err
	}
	return store.Amendment{Reader: r, Turn: &store.Enrolment{
		ID: r.ID, Next: sub.Schedule.Next(now), Schedule: sub.Schedule.String(), Since: now.Add(-l.FirstWindow()),
	}}, nil
}

// Change replaces the wishes of the reader of a link by others that CheckWishes
// let pass.
func (l *Roll) Change(ctx context.Context, tok string, w store.Wishes) (store.Reader, error) {
	r, err := l.Read(ctx, ToChange, tok)
	if err != nil {
		return r, err
	}
	now, salt := l.now(), r.Salt
	return l.amend(ctx, r.ID, func(r store.Reader) (store.Amendment, error) {
		if r.State != store.ReaderActive || r.Salt != salt {
			return store.Amendment{}, ErrLink
		}
		r.Wishes, r.Changed = w, now
		return l.enrolled(r, now)
	})
}

// Leave makes the reader of a link leave; who leaves twice has left. Its address
// is deleted at once. never refuses letters for all time; so does who leaves
// before it has confirmed, since somebody else must have asked.
//
// When Leave returns without an error, nothing is being sent to the reader by
// this process, and nothing will be by any: what another has begun at that very
// moment ends with its lease.
func (l *Roll) Leave(ctx context.Context, tok string, never bool) error {
	r, err := l.open(ctx, ToLeave, tok)
	if err != nil {
		return err
	}
	now := l.now()
	_, err = l.amend(ctx, r.ID, func(r store.Reader) (store.Amendment, error) {
		if r.State == store.ReaderLeft {
			r.Blocked = r.Blocked || never
			return store.Amendment{Reader: r}, nil
		}
		return store.Amendment{Reader: left(r, now, never)}, nil
	})
	if err != nil {
		return err
	}
	l.interrupt(ctx, r.ID)
	return nil
}

// left is a reader that has left: what is kept says that it did, and when it had
// agreed, by a hash of its address.
func left(r store.Reader, now time.Time, never bool) store.Reader {
	return store.Reader{
		ID: r.ID, Contact: r.Contact, State: store.ReaderLeft, Channel: r.Channel, Consent: r.Consent, Salt: r.Salt,
		Created: r.Created, Left: now, Blocked: never || r.State == store.ReaderPending, Letters: r.Letters, Asks: r.Asks,
	}
}

// Erase deletes all that is held of the reader of a link, that it was ever there
// included.
func (l *Roll) Erase(ctx context.Context, tok string) error {
	r, err := l.Read(ctx, ToChange, tok)
	if err != nil {
		return err
	}
	if err := l.Store.Erase(ctx, r.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("subscription: %w", err)
	}
	l.interrupt(ctx, r.ID)
	return nil
}

func (l *Roll) interrupt(ctx context.Context, id string) {
	if l.Interrupt != nil {
		l.Interrupt(ctx, id)
	}
}

// Find returns the reader of an address in either channel, for an operator.
func (l *Roll) Find(ctx context.Context, address string) (store.Reader, error) {
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return store.Reader{}, fmt.Errorf("subscription: %w", err)
	}
	for channel, read := range map[string]func(string) (string, string){Email: mailbox, Webhook: endpoint} {
		if addr, why := read(address); why == "" {
			r, err := l.Store.ReaderOf(ctx, contact(key, channel, addr))
			if !errors.Is(err, store.ErrNotFound) {
				return r, err
			}
		}
	}
	return store.Reader{}, store.ErrNotFound
}

func (l *Roll) amend(ctx context.Context, id string, change func(store.Reader) (store.Amendment, error)) (store.Reader, error) {
	r, err := l.Store.AmendReader(ctx, id, change)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, ErrLink
	case err != nil && !errors.Is(err, ErrLink):
		return r, fmt.Errorf("subscription: %w", err)
	}
	return r, err
}

// Subscriber is what delivery needs to know of an active reader. The cap is the
// caller's.
func Subscriber(r store.Reader) (notify.Subscriber, error) {
	w := r.Wishes
	tz, err := zone(w.Timezone)
	if err != nil {
		return notify.Subscriber{}, fmt.Errorf("subscription: reader %s: the time zone is not known", r.ID)
	}
	sched, err := notify.ParseSchedule(w.Schedule, tz)
	if err != nil {
		return notify.Subscriber{}, fmt.Errorf("subscription: reader %s: %w", r.ID, err)
	}
	return notify.Subscriber{
		ID: r.ID, Schedule: sched, Timezone: tz, WhenEmpty: w.WhenEmpty, Lang: w.Lang,
		Selection: notify.Selection{Rules: w.Rules, Tags: w.Tags, Languages: w.Languages, Severity: w.Severity},
	}, nil
}
