package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// Unseen compares sightings with what the feed listed before.
func (s *Store) Unseen(ctx context.Context, feedID string, sightings []store.Sighting) ([]store.Novelty, error) {
	var ids []byte
	err := s.row(ctx, []any{&ids}, `SELECT ids FROM seen WHERE feed = (SELECT n FROM feeds WHERE id = ?)`, feedID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	seen, err := store.ParseSeen(ids)
	if err != nil {
		return nil, err
	}
	out := seen.Compare(sightings)
	purged := make(map[feed.ItemID]bool)
	err = s.rows(ctx, func(r scanner) error { return scanID(r, purged) }, `SELECT id FROM purged WHERE feed = ?`, feedID)
	if err != nil {
		return nil, err
	}
	if len(purged) > 0 {
		for i, g := range sightings {
			if purged[g.ID] {
				out[i] = store.Purged
			}
		}
	}
	return out, nil
}

func scanID(r scanner, into map[feed.ItemID]bool) error {
	var b []byte
	if err := r.Scan(&b); err != nil {
		return err
	}
	var id feed.ItemID
	copy(id[:], b)
	into[id] = true
	return nil
}

// poll is a batch on its way into the database. What can be encoded before the
// writer's turn comes, is.
type poll struct {
	store.Batch
	state []byte
	items [][]byte
}

// Record writes what one poll leaves behind.
func (s *Store) Record(ctx context.Context, b store.Batch) ([]classifier.Hit, error) {
	b, err := b.Normal()
	if err != nil {
		return nil, err
	}
	p := poll{Batch: b, items: make([][]byte, len(b.Items))}
	if p.state, err = store.EncodeState(&p.State); err != nil {
		return nil, err
	}
	for i := range b.Items {
		if p.items[i], err = store.Marshal(b.Items[i]); err != nil {
			return nil, err
		}
	}
	write := s.w.do
	if p.idle() {
		write = s.w.repeatable
	}
	var fresh []classifier.Hit
	err = write(ctx, func(t *tx) error {
		var err error
		fresh, err = p.record(t)
		return err
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

// idle is whether the poll has brought nothing, as most do.
func (p *poll) idle() bool { return len(p.Seen)+len(p.Items)+len(p.Hits)+len(p.Notices) == 0 }

func (p *poll) record(t *tx) (fresh []classifier.Hit, err error) {
	if p.idle() {
		if ended, err := p.end(t, 0, 0); err != nil || ended {
			return nil, err
		}
	}
	var n, recorded, from, to int64
	var token sql.NullInt64 // of the lease that the feed is under
	err = t.row(`SELECT n, recorded, rec_from, rec_to, token FROM feeds LEFT JOIN leases ON feed = n WHERE id = ?`, p.State.FeedID).
		Scan(&n, &recorded, &from, &to, &token)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, lease.ErrLost
	case err != nil:
		return nil, err
	case !token.Valid && recorded == p.Lease.Token:
		return p.again(t, from, to)
	case token.Int64 != p.Lease.Token:
		return nil, lease.ErrLost
	}

	from, to = 0, 0
	if err := p.see(t, n); err != nil {
		return nil, err
	}
	if len(p.Items)+len(p.Hits) > 0 {
		if fresh, from, to, err = p.fill(t); err != nil {
			return nil, err
		}
	}
	for _, n := range p.Notices {
		if err := t.post(n); err != nil {
			return nil, err
		}
	}
	_, err = p.end(t, from, to)
	return fresh, err
}

// end gives the lease back with the feed's new state, if it is still held.
func (p *poll) end(t *tx, from, to int64) (bool, error) {
	rows, err := t.exec(`UPDATE feeds SET next = coalesce((SELECT min(coalesce(?1, asked), asked) FROM leases WHERE feed = n), ?1),
		recorded = ?9,
		rec_from = ?2, rec_to = ?3, poisoned = ?4, grade = ?5, success = ?6, state = ?7
		WHERE id = ?8 AND EXISTS (SELECT 1 FROM leases WHERE feed = n AND token = ?9)`,
		milli(p.State.NextCheck), from, to, p.State.Poisoned, int(p.State.Health.Grade), milli(p.State.LastSuccess), p.state,
		p.State.FeedID, p.Lease.Token)
	if err != nil || rows == 0 {
		return false, err
	}
	_, err = t.exec(`DELETE FROM leases WHERE `+ofFeed, p.State.FeedID, p.Lease.Token)
	return true, err
}

// fill writes the items and the hits. What it put into the log has the places
// after from, up to to.
func (p *poll) fill(t *tx) (fresh []classifier.Hit, from, to int64, err error) {
	purged := make(map[feed.ItemID]bool)
	if err := t.rows(func(r scanner) error { return scanID(r, purged) }, `SELECT id FROM purged WHERE feed = ?`, p.State.FeedID); err != nil {
		return nil, 0, 0, err
	}
	for i, it := range p.Items {
		if purged[it.Item.ID] {
			continue
		}
		if err := t.putItem(it, p.items[i]); err != nil {
			return nil, 0, 0, err
		}
	}
	var hits []classifier.Hit
	var amendments []*notify.Amendment
	var places []*int64 // in the log, that are to be filled in
	for _, next := range p.Hits {
		if purged[next.Item.ID] {
			continue
		}
		old, err := t.hit(next.Item.ID)
		if err != nil {
			return nil, 0, 0, err
		}
		if old == nil && len(next.Rules) == 0 {
			continue
		}
		h, unnumbered := store.MergeHit(old, next)
		for _, r := range unnumbered {
			places = append(places, &h.Rules[r].Seq)
		}
		if a, ok := store.Amended(old, next, p.State.LastPoll); ok {
			places = append(places, &a.Seq)
			amendments = append(amendments, &a)
		}
		hits = append(hits, h)
		if len(unnumbered) > 0 {
			fresh = append(fresh, h) // its places are those of h, filled in below
		}
	}
	if from, to, err = t.places(len(places)); err != nil {
		return nil, 0, 0, err
	}
	for i, seq := range places {
		*seq = from + 1 + int64(i)
	}
	for _, h := range hits {
		if err := t.writeHit(h); err != nil {
			return nil, 0, 0, err
		}
	}
	for _, a := range amendments {
		if err := t.putAmendment(*a); err != nil {
			return nil, 0, 0, err
		}
	}
	return fresh, from, to, nil
}

// places takes n places in the log: those after from, up to to.
func (t *tx) places(n int) (from, to int64, err error) {
	if n == 0 {
		from, err = t.head()
		return from, from, err
	}
	to, err = t.advance("head", n)
	return to - int64(n), to, err
}

// putItem stores an item, of which plain is the JSON.
func (t *tx) putItem(it store.StoredItem, plain []byte) error {
	_, err := t.exec(`INSERT INTO items (id, stored, body) VALUES (?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET stored = excluded.stored, body = excluded.body`, it.Item.ID[:], it.Stored.UnixMilli(), t.pack(plain))
	return err
}

// again answers a batch that is written already, as the first time.
func (p *poll) again(t *tx, from, to int64) (fresh []classifier.Hit, err error) {
	for _, h := range p.Hits {
		old, err := t.hit(h.Item.ID)
		if err != nil {
			return nil, err
		}
		if old == nil {
			continue // purged or swept since
		}
		if _, ok := store.Reported(*old, from, to); ok {
			fresh = append(fresh, *old)
		}
	}
	return fresh, nil
}

// see remembers what the document listed. Most documents list what the one
// before them did, and then nothing is written.
func (p *poll) see(t *tx, n int64) error {
	if len(p.Seen) == 0 {
		return nil
	}
	var ids []byte
	err := t.row(`SELECT ids FROM seen WHERE feed = ?`, n).Scan(&ids)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	seen, err := store.ParseSeen(ids)
	if err != nil {
		return err
	}
	seen = seen.After(p.Seen, p.State.LastPoll)
	if next := seen.Bytes(); !bytes.Equal(next, ids) {
		return t.putSeen(n, seen)
	}
	return nil
}

func (t *tx) putSeen(n int64, seen store.Seen) error {
	var oldest sql.NullInt64
	if gone, ok := seen.OldestGone(); ok {
		oldest = milli(gone)
	}
	_, err := t.exec(`INSERT INTO seen (feed, ids, count, oldest) VALUES (?, ?, ?, ?)
		ON CONFLICT (feed) DO UPDATE SET ids = excluded.ids, count = excluded.count, oldest = excluded.oldest`,
		n, seen.Bytes(), seen.Len(), oldest)
	return err
}

func (t *tx) head() (int64, error) {
	var head int64
	err := t.row(`SELECT value FROM meta WHERE key = 'head'`).Scan(&head)
	return head, err
}

// hit returns the stored hit of an item, or nil.
func (t *tx) hit(id feed.ItemID) (*classifier.Hit, error) {
	var body []byte
	err := t.row(`SELECT body FROM hits WHERE id = ?`, id[:]).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	h := new(classifier.Hit)
	return h, store.Decode(body, h)
}

// writeHit stores a hit as it is.
func (t *tx) writeHit(h classifier.Hit) error {
	plain, err := store.Marshal(h)
	if err != nil {
		return err
	}
	var n int64
	if err := t.row(`INSERT INTO hits (id, feed, found, quiet, words, tags, outlet, lang, severity, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET quiet = excluded.quiet, words = excluded.words, tags = excluded.tags, outlet = excluded.outlet,
		lang = excluded.lang, severity = excluded.severity, body = excluded.body RETURNING n`,
		h.Item.ID[:], h.Item.FeedID, h.Found.UnixMilli(), h.Quiet, store.HitWords(h), tagLines(store.HitTags(h)...),
		store.OutletKey(h.Outlet()), store.LangKey(h.Item.Lang)+"-", store.HitSeverity(h), t.pack(plain)).Scan(&n); err != nil {
		return err
	}
	for _, r := range h.Rules {
		seq := sql.NullInt64{Int64: r.Seq, Valid: r.Seq > 0}
		if _, err := t.exec(`INSERT INTO hit_rules (hit, rule, seq) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, n, r.Rule, seq); err != nil {
			return err
		}
	}
	return nil
}

// tagLines is a set of tags as text in which each can be found as a whole.
func tagLines(tags ...string) string {
	var b strings.Builder
	b.WriteByte('\n')
	for _, t := range tags {
		b.WriteString(strings.ReplaceAll(t, "\n", " ") + "\n")
	}
	return b.String()
}
