package daemon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/configs"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/story"
)

// previewPage is how many places of the log are read at a time.
const previewPage = 1000

// Preview builds the digest that a subscriber would get now, or, with a time to
// begin at, that it would have got for all since then. Nothing is sent, sealed
// or moved.
func Preview(ctx context.Context, loaded *configs.Loaded, st store.Store, id string, since, now time.Time) (notify.Digest, error) {
	pl, err := newPlan(loaded, noSenders{})
	if err != nil {
		return notify.Digest{}, err
	}
	return preview(ctx, pl, st, id, since, now)
}

// preview is Preview with a plan. The error wraps store.ErrNotFound where there is
// no such subscriber.
func preview(ctx context.Context, pl *plan, st store.Store, id string, since, now time.Time) (notify.Digest, error) {
	recipient, ok := pl.subscribers[id]
	if !ok {
		ids := slices.Sorted(maps.Keys(pl.subscribers))
		return notify.Digest{}, fmt.Errorf("daemon: %w: there is no subscriber %q; there are: %s", store.ErrNotFound, id, strings.Join(ids, ", "))
	}
	sub := recipient.Subscriber

	counts, err := st.Counts(ctx)
	if err != nil {
		return notify.Digest{}, err
	}
	standings, err := st.Standings(ctx)
	if err != nil {
		return notify.Digest{}, err
	}
	w := notify.Window{To: counts.Head, Until: now}
	if i := slices.IndexFunc(standings, func(s store.Standing) bool { return s.Subscriber == id }); i >= 0 {
		w.From, w.Since, w.Begin = standings[i].Cursor, standings[i].Since, standings[i].Begin
	} else if since.IsZero() {
		since = now.Add(-pl.config.Digest.FirstWindow) // as it will be enrolled
	}
	if !since.IsZero() {
		w.From, w.Since = 0, since
	}
	for from := w.From; from < w.To; from += previewPage {
		to := min(from+previewPage, w.To)
		hits, err := st.Window(ctx, from, to)
		if err != nil {
			return notify.Digest{}, err
		}
		amendments, err := st.Amendments(ctx, from, to)
		if err != nil {
			return notify.Digest{}, err
		}
		w.Amendments = append(w.Amendments, amendments...)
		if sub.Operator {
			notices, err := st.Notices(ctx, from, to)
			if err != nil {
				return notify.Digest{}, err
			}
			w.Notices = append(w.Notices, slices.DeleteFunc(notices, func(n notify.Notice) bool { return n.At.Before(since) })...)
		}
		for _, h := range notify.News(sub.Selection, from, to, hits) {
			if since.IsZero() || !h.Found.Before(since) {
				w.Hits = append(w.Hits, h)
			}
		}
	}
	cov := coverage{feeds: st, plan: func() *plan { return pl }, now: func() time.Time { return now }}
	seen, err := cov.between(ctx, w.Since, w.Until)
	if err != nil {
		return notify.Digest{}, err
	}
	o := notify.BuildOptions{Sealed: now, Coverage: seen, MoreURL: moreURL(pl.config.HTTP), Preview: true}
	if slices.ContainsFunc(w.Hits, story.FollowsUp) {
		if o.Past, err = readPast(ctx, st, now); err != nil {
			return notify.Digest{}, err
		}
	}
	d, _ := notify.Build(sub, w, o)
	return d, nil
}

// moreURL is where a digest's reader finds what its cap left out.
func moreURL(c configs.HTTP) string {
	if c.PublicURL == "" {
		return ""
	}
	return c.PublicURL + "/stories"
}

// SendTest mails a digest to an address once, whoever it was built for. It goes
// out under an id of its own: a mail server that had seen the real one's would
// drop that as a copy.
func SendTest(ctx context.Context, c configs.Config, d notify.Digest, to string) error {
	if c.SMTP.Host == "" {
		return errors.New("daemon: no mail server is set: give smtp.host and smtp.from in newswatch.yaml")
	}
	sender, err := newMailer(c)
	if err != nil {
		return err
	}
	defer sender.Close()
	n, err := sender.To(to)
	if err != nil {
		return err
	}
	return n.Notify(ctx, asTest(d))
}

// SendTestItself sends a digest once to the subscriber that it was built for, by
// the subscriber's own channel: whether a room or an endpoint works is seen there.
// It goes out under an id of its own, as with SendTest.
func SendTestItself(ctx context.Context, loaded *configs.Loaded, d notify.Digest, version string) error {
	i := slices.IndexFunc(loaded.Subscribers, func(s configs.Subscriber) bool { return s.ID == d.Subscriber })
	if i < 0 {
		return fmt.Errorf("daemon: subscriber %q is not in the configuration: give an address", d.Subscriber)
	}
	c := newChannels(loaded.Config, version)
	defer c.close()
	n, err := c.notifier(loaded.Config, loaded.Subscribers[i])
	if err != nil {
		return err
	}
	return n.Notify(ctx, asTest(d))
}

func asTest(d notify.Digest) notify.Digest {
	sum := sha256.Sum256([]byte("test\x00" + d.ID + d.Sealed.String()))
	d.ID = hex.EncodeToString(sum[:16])
	return d
}
