package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
)

// rememberedFor is how long an item that was found must still be among its
// feed's seen ids: a day less than any Sweep keeps them.
const rememberedFor = 89 * 24 * time.Hour

// Check proves what every store promises, and returns a sentence for each thing
// that is wrong. Nobody should be at work on the store meanwhile.
func Check(ctx context.Context, p Portable, now time.Time) ([]string, error) {
	wrong, err := p.Inspect(ctx)
	if err != nil {
		return nil, err
	}
	c := checker{
		now: now, seen: make(map[string]Seen), purged: make(map[feed.ItemID]bool), places: make(map[int64]string),
		found: make(map[feed.ItemID]sighted), readers: make(map[string]Reader),
	}
	for r, err := range p.Dump(ctx) {
		if err != nil {
			return nil, err
		}
		c.row(r)
	}
	c.finish()
	slices.Sort(c.wrong)
	return append(wrong, c.wrong...), nil
}

type sighted struct {
	feed string
	what string
	at   time.Time
}

type checker struct {
	now     time.Time
	head    int64
	seen    map[string]Seen
	purged  map[feed.ItemID]bool
	places  map[int64]string // in the log: who stands there
	found   map[feed.ItemID]sighted
	amended []feed.ItemID
	cursors []SubscriberRow
	digests []notify.Digest
	readers map[string]Reader
	keys    int
	wrong   []string
}

func (c *checker) say(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Sprintf(format, args...))
}

func (c *checker) row(r Row) {
	switch {
	case r.Counters != nil:
		c.head = r.Counters.Head
	case r.Feed != nil:
		st := r.Feed.State
		seen, err := ParseSeen(r.Feed.Seen)
		if err != nil {
			c.say("feed %s: %v", st.FeedID, err)
			return
		}
		c.seen[st.FeedID] = seen
		if st.NextCheck.IsZero() && !st.Retired && r.Feed.Left.IsZero() {
			c.say("feed %s has no next check, so it is never read again", st.FeedID)
		}
	case r.Item != nil:
		c.found[r.Item.Item.ID] = sighted{r.Item.Item.FeedID, "item", r.Item.Stored}
	case r.Hit != nil:
		c.hit(*r.Hit)
	case r.Amendment != nil:
		c.amendment(*r.Amendment)
	case r.Notice != nil:
		c.place(r.Notice.Seq, "notice "+r.Notice.ID)
	case r.Purged != nil:
		c.purged[r.Purged.Item] = true
	case r.Subscriber != nil:
		c.cursors = append(c.cursors, *r.Subscriber)
		if d := r.Subscriber.Pending; d != nil {
			c.digests = append(c.digests, *d)
		}
	case r.Letter != nil:
		c.digests = append(c.digests, r.Letter.Digest)
	case r.Reader != nil:
		c.readers[r.Reader.ID] = *r.Reader
	case r.SigningKey != nil:
		c.keys++
	}
}

func (c *checker) hit(h classifier.Hit) {
	c.found[h.Item.ID] = sighted{h.Item.FeedID, "hit", h.Found}
	if len(h.Rules) == 0 {
		c.say("hit %s names no rule", h.Item.ID)
	}
	reported := false
	for _, r := range h.Rules {
		if r.Seq == 0 {
			continue
		}
		reported = true
		c.place(r.Seq, "hit "+h.Item.ID.String())
	}
	if !reported && !h.Quiet {
		c.say("hit %s is not quiet and has no place in the log, so no digest tells of it", h.Item.ID)
	}
}

func (c *checker) amendment(a notify.Amendment) {
	c.place(a.Seq, "an amendment of "+a.Hit.Item.ID.String())
	if !a.Withdrawn {
		c.amended = append(c.amended, a.Hit.Item.ID)
	}
}

func (c *checker) place(seq int64, who string) {
	if other, taken := c.places[seq]; taken {
		c.say("place %d of the log is taken by %s and %s", seq, other, who)
	}
	c.places[seq] = who
}

func (c *checker) finish() {
	for id, s := range c.found {
		if c.purged[id] {
			c.say("%s %s was purged and is there", s.what, id)
		}
		seen, ok := c.seen[s.feed]
		if ok && !seen.Has(id) && c.now.Sub(s.at) < rememberedFor && len(seen.gone) < maxGone {
			c.say("%s %s is not among the items seen of feed %s, so it would be read as new", s.what, id, s.feed)
		}
	}
	for _, id := range c.amended {
		if c.purged[id] {
			c.say("item %s was purged, and an amendment tells what it said", id)
		}
	}
	for seq, who := range c.places {
		if seq < 1 || seq > c.head {
			c.say("%s is at place %d of the log, which ends at %d", who, seq, c.head)
		}
	}
	for _, s := range c.cursors {
		if s.Cursor < 0 || s.Cursor > c.head {
			c.say("the cursor of subscriber %s is at %d, and the log ends at %d", s.ID, s.Cursor, c.head)
		}
		if s.Begin < 0 || s.Begin > s.Cursor {
			c.say("the log of subscriber %s begins at %d, and its cursor is at %d", s.ID, s.Begin, s.Cursor)
		}
		if s.Pending != nil && s.Pending.Subscriber != s.ID {
			c.say("the digest that is pending for subscriber %s is of %s", s.ID, s.Pending.Subscriber)
		}
	}
	c.finishReaders()
	for _, d := range c.digests {
		if d.To > c.head {
			c.say("digest %s reaches to %d, and the log ends at %d", d.ID, d.To, c.head)
		}
		for _, id := range Mentions(d) {
			if c.purged[id] {
				c.say("digest %s mentions item %s, which was purged", d.ID, id)
			}
		}
	}
}

// finishReaders looks for those who would be sent nothing, or what they no longer
// want, or of whom more is kept than they were told.
func (c *checker) finishReaders() {
	enrolled := make(map[string]bool)
	for _, s := range c.cursors {
		if IsReader(s.ID) {
			enrolled[s.ID] = true
			if c.readers[s.ID].State != ReaderActive {
				c.say("subscriber %s has a turn and is no active reader", s.ID)
			}
		}
	}
	contacts := make(map[Contact]string)
	for id, r := range c.readers {
		if r.State == ReaderActive && !enrolled[id] {
			c.say("reader %s is active and has no turn, so it is sent nothing", id)
		}
		if r.State == ReaderLeft && r.Address != "" {
			c.say("reader %s has left and its address is kept", id)
		}
		if other, taken := contacts[r.Contact]; taken {
			c.say("readers %s and %s are one", min(id, other), max(id, other))
		}
		contacts[r.Contact] = id
	}
	if len(c.readers) > 0 && c.keys == 0 {
		c.say("there are readers and no signing key, so no link of theirs works")
	}
}
