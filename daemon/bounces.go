package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
)

// bounceWindow is how long a report counts: what came back a month ago says little
// about the mailbox of today.
const bounceWindow = 14 * 24 * time.Hour

// Bounces takes in what mail servers report of messages that they had accepted and
// could not deliver. What it knows of earlier reports is in the notices: one for
// each subscriber and day, so the same report handed in twice counts once.
type Bounces struct {
	store store.Store
	now   func() time.Time
	words map[string][]string // and the subscribers whose they are
}

// Bounced is what became of a report for one subscriber.
type Bounced struct {
	Subscriber string `json:"subscriber"`
	Reason     string `json:"reason"`
	// Days is on how many days messages came back lately, and After how many are
	// enough; both are zero where the report says nothing of the mailbox.
	Days  int `json:"days"`
	After int `json:"after"`
	// Paused: the subscriber gets nothing more until it is resumed.
	Paused bool `json:"paused"`
}

// NewBounces learns the words of everyone who is sent mail.
func NewBounces(ctx context.Context, loaded *configs.Loaded, st store.Store) (*Bounces, error) {
	if !loaded.SMTP.VERP {
		return nil, errors.New("daemon: smtp.verp is off, so nothing tells whose a report is; set smtp.verp: true, and reports of what is sent from then on count")
	}
	key, err := st.SigningKey(ctx)
	if err != nil {
		return nil, fmt.Errorf("daemon: %w", err)
	}
	b := &Bounces{store: st, now: time.Now, words: map[string][]string{}}
	add := func(id, address string) {
		if to, err := email.ParseAddress(address); err == nil { // nothing is sent to another
			word := email.BounceWord(key, to)
			b.words[word] = append(b.words[word], id)
		}
	}
	for _, s := range loaded.Subscribers {
		if ch, ok := s.Channel.(configs.EmailChannel); ok {
			add(s.ID, ch.Address.Reveal())
		}
	}
	for r, err := range st.Readers(ctx) {
		if err != nil {
			return nil, fmt.Errorf("daemon: %w", err)
		}
		if r.Channel == subscription.Email && r.State == store.ReaderActive {
			add(r.ID, r.Address)
		}
	}
	return b, nil
}

// Take takes one report in. It returns nothing for one that is about nobody who is
// sent mail, which changes nothing.
func (b *Bounces) Take(ctx context.Context, r email.Report) ([]Bounced, error) {
	var out []Bounced
	done := map[string]bool{}
	for _, word := range r.Words {
		for _, id := range b.words[word] {
			if done[id] {
				continue
			}
			done[id] = true
			one, err := b.count(ctx, id, r)
			if err != nil {
				return out, fmt.Errorf("daemon: subscriber %q: %w", id, err)
			}
			out = append(out, one)
		}
	}
	return out, nil
}

func (b *Bounces) count(ctx context.Context, id string, r email.Report) (Bounced, error) {
	out := Bounced{Subscriber: id, Reason: r.Reason(), After: r.PauseAfter()}
	now := b.now()
	if out.After == 0 || now.Sub(r.Date) > bounceWindow || r.Date.Sub(now) > 24*time.Hour {
		out.After = 0
		return out, nil
	}
	day := r.Date.UTC().Format(time.DateOnly)
	err := b.store.Post(ctx, notify.Notice{
		ID: notify.NoticeID(notify.MailReturned, id, day), At: now, Kind: notify.MailReturned, Subject: id,
		Text: "Mail to the subscriber " + id + " comes back: " + out.Reason + ".",
	})
	if err != nil {
		return out, err
	}
	if out.Days, err = b.days(ctx, id, now); err != nil || out.Days < out.After {
		return out, err
	}
	err = b.store.Pause(ctx, id, notify.Pause{Since: now, By: notify.ByReceiver, Why: out.Reason})
	if errors.Is(err, store.ErrNotFound) { // it was never sent anything by this store
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Paused = true
	return out, b.store.Post(ctx, paused(id, "bounced "+day, out.Reason, now))
}

// days counts those on which messages came back, since the subscriber was paused
// for the last time.
func (b *Bounces) days(ctx context.Context, id string, now time.Time) (n int, err error) {
	for before := int64(0); ; {
		notices, err := b.store.LatestNotices(ctx, before, 1000)
		if err != nil || len(notices) == 0 {
			return n, err
		}
		for _, x := range notices {
			before = x.Seq
			switch {
			case now.Sub(x.At) > bounceWindow, x.Subject == id && x.Kind == notify.SubscriberPaused:
				return n, nil
			case x.Subject == id && x.Kind == notify.MailReturned:
				n++
			}
		}
	}
}
