package subscription

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/store"
)

// Post hands a reader its letters.
type Post interface {
	// Write sends a mail. An error is or wraps a *notify.DeliveryError.
	Write(ctx context.Context, address string, l email.Letter) error
	// Challenge posts a signed challenge, which the endpoint must answer with the
	// echo.
	Challenge(ctx context.Context, url, secret, id, echo string) error
}

const (
	// letterTimeout bounds one try, and letterHold how long a process that died
	// keeps a letter from the others.
	letterTimeout = 2 * time.Minute
	letterHold    = 3 * time.Minute
	letterHands   = 8
)

// letterLadder is the wait after each failed try. What has not arrived by then
// would come after the request has expired.
var letterLadder = []time.Duration{
	30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
}

// Sent says what became of a letter. It holds no address.
type Sent struct {
	Reader, Kind string
	// Failure is set when it was not accepted, Again when it is tried again.
	Failure notify.Failure
	Reason  string
	Again   bool
}

// Deliver sends the letters that are due, and reports of each. It returns how
// many there were; an error is the store's. A letter is sent at least once: a
// process that dies between the sending and the note of it leaves it to be sent
// again.
func (l *Roll) Deliver(ctx context.Context, post Post, told func(Sent)) (int, error) {
	now := l.now()
	due, err := l.Store.ClaimLetters(ctx, now, letterHands, now.Add(letterHold))
	if err != nil {
		return 0, fmt.Errorf("subscription: %w", err)
	}
	if len(due) == 0 {
		return 0, nil
	}
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return 0, fmt.Errorf("subscription: %w", err)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(due))
	for i, r := range due {
		wg.Go(func() {
			var s Sent
			if s, errs[i] = l.deliver(ctx, key, r, post); errs[i] == nil && ctx.Err() == nil {
				told(s)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return len(due), err
		}
	}
	return len(due), nil
}

func (l *Roll) deliver(ctx context.Context, key []byte, r store.Reader, post Post) (Sent, error) {
	s := Sent{Reader: r.ID, Kind: r.Letter.Kind}
	try, cancel := context.WithTimeout(ctx, letterTimeout)
	defer cancel()
	err := l.try(try, key, r, post)
	if ctx.Err() != nil {
		return s, nil // told to stop: the hold runs out, and the letter is sent then
	}
	if err == nil && r.Letter.Kind == letterChallenge {
		_, err := l.activate(ctx, r)
		if errors.Is(err, ErrLink) {
			err = nil // it left meanwhile
		}
		return s, err
	}
	now := l.now()
	var next *store.Letter
	if err != nil {
		fail := notify.AsDeliveryError(err)
		s.Failure, s.Reason = fail.Failure, fail.Error()
		if !fail.Permanent && r.Letter.Tries < len(letterLadder) {
			wait := max(letterLadder[r.Letter.Tries], min(fail.RetryAfter, letterLadder[len(letterLadder)-1]))
			next = &store.Letter{Kind: r.Letter.Kind, Due: now.Add(wait), Tries: r.Letter.Tries + 1}
			s.Again = true
		}
	}
	claimed := *r.Letter
	_, err = l.amend(ctx, r.ID, func(r store.Reader) (store.Amendment, error) {
		// Another may be owed by now, which is not the one that was sent.
		if r.Letter != nil && r.Letter.Kind == claimed.Kind && r.Letter.Due.Equal(claimed.Due) {
			r.Letter = next
		}
		return store.Amendment{Reader: r}, nil
	})
	if errors.Is(err, ErrLink) {
		err = nil // erased meanwhile
	}
	return s, err
}

// try sends one letter. A panic in the sender costs the try, not the daemon.
func (l *Roll) try(ctx context.Context, key []byte, r store.Reader, post Post) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &notify.DeliveryError{Failure: notify.FailureLocal, Err: fmt.Errorf("panic while sending (%T)", p)}
		}
	}()
	until := r.Expires()
	if r.Letter.Kind == letterChallenge {
		return post.Challenge(ctx, r.Address, r.Secret, letterID(r), token(key, ToEcho, r, until))
	}
	leave := l.PublicURL + "/unsubscribe/" + token(key, ToLeave, r, time.Time{})
	onward := l.PublicURL + "/confirm/" + token(key, ToConfirm, r, until)
	if r.Letter.Kind == letterKnown {
		onward = l.PublicURL + "/preferences/" + token(key, ToChange, r, askedAt(r).Add(store.PendingFor))
	}
	subject, text := letter(r.Wishes.Lang, r.Letter.Kind, l.PublicURL, onward, leave)
	return post.Write(ctx, r.Address, email.Letter{ID: letterID(r), Date: askedAt(r), Subject: subject, Text: text, Leave: leave})
}

// letterID is the same at every try of a letter, so that a receiver that gets it
// twice can tell.
func letterID(r store.Reader) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d", r.ID, r.Letter.Kind, askedAt(r).UnixMilli()))
	return hex.EncodeToString(sum[:16])
}

// askedAt is when the letter that is owed was asked for: its date, the same at every
// try. When it is due is not, which every try that fails puts off.
func askedAt(r store.Reader) time.Time {
	if n := len(r.Letters); n > 0 {
		return r.Letters[n-1]
	}
	return r.Consent.Asked
}
