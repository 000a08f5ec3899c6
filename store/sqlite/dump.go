package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

var _ store.Portable = (*Store)(nil)

// Dump yields everything.
func (s *Store) Dump(ctx context.Context) iter.Seq2[store.Row, error] {
	return func(yield func(store.Row, error) bool) {
		for _, table := range dumps {
			if !s.dump(ctx, table.query, table.scan, yield) {
				return
			}
		}
	}
}

// dump yields the rows of one query, and reports whether to go on.
func (s *Store) dump(ctx context.Context, query string, scan func(scanner) (store.Row, error), yield func(store.Row, error) bool) bool {
	rows, err := s.read.QueryContext(ctx, query)
	if err != nil {
		yield(store.Row{}, wrap(ctx, err))
		return false
	}
	defer func() { _ = rows.Close() }() // what is wrong with them, Err said
	for rows.Next() {
		r, err := scan(rows)
		if err != nil {
			yield(r, wrap(ctx, err))
			return false
		}
		if !yield(r, nil) {
			return false
		}
	}
	if err := rows.Err(); err != nil {
		yield(store.Row{}, wrap(ctx, err))
		return false
	}
	return true
}

var dumps = []struct {
	query string
	scan  func(scanner) (store.Row, error)
}{
	{`SELECT (SELECT value FROM meta WHERE key = 'head'), (SELECT value FROM meta WHERE key = 'token')`, func(r scanner) (store.Row, error) {
		c := new(store.Counters)
		return store.Row{Counters: c}, r.Scan(&c.Head, &c.Token)
	}},
	// A mark that is still set is of a reader that died: the next claim would say so.
	{`SELECT ` + stateColumns + `, coalesce(marked, 0), left_at, ids FROM feeds
		LEFT JOIN seen ON seen.feed = n LEFT JOIN leases ON leases.feed = n ORDER BY id`, func(r scanner) (store.Row, error) {
		f := new(store.FeedRow)
		var marked int
		var left sql.NullInt64
		err := newStateRow(&marked, &left, &f.Seen).scan(r, &f.State)
		f.State.Poisoned += marked
		f.Left = at(left)
		return store.Row{Feed: f}, err
	}},
	{`SELECT body FROM items ORDER BY stored, id`, func(r scanner) (store.Row, error) {
		it, err := decoded[store.StoredItem](r)
		return store.Row{Item: it}, err
	}},
	{`SELECT body FROM hits ORDER BY found, id`, func(r scanner) (store.Row, error) {
		h, err := decoded[classifier.Hit](r)
		return store.Row{Hit: h}, err
	}},
	{`SELECT seq, body FROM amendments ORDER BY seq`, func(r scanner) (store.Row, error) {
		a, err := scanAmendment(r)
		return store.Row{Amendment: &a}, err
	}},
	{`SELECT ` + noticeColumns + ` FROM notices ORDER BY seq`, func(r scanner) (store.Row, error) {
		n, err := scanNotice(r)
		return store.Row{Notice: &n}, err
	}},
	{`SELECT feed, id FROM purged ORDER BY feed, id`, func(r scanner) (store.Row, error) {
		p := new(store.PurgedRow)
		var id []byte
		err := r.Scan(&p.Feed, &id)
		copy(p.Item[:], id)
		return store.Row{Purged: p}, err
	}},
	{`SELECT ` + subscriberColumns + ` FROM subscribers ORDER BY id`, func(r scanner) (store.Row, error) {
		var s subscriber
		if err := s.scan(r); err != nil {
			return store.Row{}, err
		}
		pending, err := s.digest()
		return store.Row{Subscriber: &store.SubscriberRow{
			ID: s.id, Schedule: s.schedule, Cursor: s.cursor, Begin: s.begin, Since: store.FromMilli(s.since), Next: store.FromMilli(s.next),
			Left: at(s.leftAt), Pending: pending, Attempts: s.attempts, FirstTry: at(s.firstTry), LastError: s.lastError, LastSent: at(s.lastSent),
			Paused: s.paused(), Refusals: s.refusals,
		}}, err
	}},
	{`SELECT digest, subscriber, reason, attempts, buried, resend FROM letters ORDER BY n`, func(r scanner) (store.Row, error) {
		l := new(store.LetterRow)
		var body []byte
		var buried int64
		var resend sql.NullInt64
		if err := r.Scan(&body, &l.Subscriber, &l.Reason, &l.Attempts, &buried, &resend); err != nil {
			return store.Row{}, err
		}
		l.Buried, l.Asked, l.Resending = store.FromMilli(buried), at(resend), resend.Valid
		return store.Row{Letter: l}, store.Decode(body, &l.Digest)
	}},
	{`SELECT digest, subscriber, entries, hits, attempts, accepted FROM deliveries ORDER BY n`, func(r scanner) (store.Row, error) {
		d := new(notify.Delivery)
		var accepted int64
		err := r.Scan(&d.Digest, &d.Subscriber, &d.Entries, &d.Hits, &d.Attempts, &accepted)
		d.Accepted = store.FromMilli(accepted)
		return store.Row{Delivery: d}, err
	}},
	{`SELECT body FROM readers ORDER BY id`, func(r scanner) (store.Row, error) {
		reader, err := decoded[store.Reader](r)
		return store.Row{Reader: reader}, err
	}},
	{`SELECT key FROM signing`, func(r scanner) (store.Row, error) {
		var row store.Row
		err := r.Scan(&row.SigningKey)
		return row, err
	}},
}

// decoded scans and decodes a body.
func decoded[T any](r scanner) (*T, error) {
	v := new(T)
	var body []byte
	if err := r.Scan(&body); err != nil {
		return nil, err
	}
	return v, store.Decode(body, v)
}

// Restore puts rows in the place of those with the same keys.
func (s *Store) Restore(ctx context.Context, rows []store.Row) error {
	return s.w.do(ctx, func(t *tx) error {
		for _, r := range rows {
			if err := t.restore(r); err != nil {
				kind, key := r.Kind()
				return fmt.Errorf("%s %s: %w", kind, key, err)
			}
		}
		return nil
	})
}

func (t *tx) restore(r store.Row) error {
	switch {
	case r.Counters != nil:
		_, err := t.exec(`UPDATE meta SET value = CASE key WHEN 'head' THEN ? ELSE ? END WHERE key IN ('head', 'token')`, r.Counters.Head, r.Counters.Token)
		return err
	case r.Feed != nil:
		return t.restoreFeed(*r.Feed)
	case r.Item != nil:
		plain, err := store.Marshal(r.Item)
		if err != nil {
			return err
		}
		return t.putItem(*r.Item, plain)
	case r.Hit != nil:
		if _, err := t.exec(`DELETE FROM hits WHERE id = ?`, r.Hit.Item.ID[:]); err != nil {
			return err
		}
		return t.writeHit(*r.Hit)
	case r.Amendment != nil:
		return t.putAmendment(*r.Amendment)
	case r.Notice != nil:
		return t.putNotice(*r.Notice)
	case r.Purged != nil:
		_, err := t.exec(`INSERT INTO purged (feed, id, at) VALUES (?, ?, 0) ON CONFLICT DO NOTHING`, r.Purged.Feed, r.Purged.Item[:])
		return err
	case r.Subscriber != nil:
		return t.restoreSubscriber(*r.Subscriber)
	case r.Letter != nil:
		l := r.Letter
		body, err := store.Encode(l.Digest)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO letters (id, subscriber, digest, reason, attempts, buried, resend) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, reason = excluded.reason, attempts = excluded.attempts,
			buried = excluded.buried, resend = excluded.resend`,
			l.Digest.ID, l.Subscriber, body, l.Reason, l.Attempts, l.Buried.UnixMilli(), milli(l.Asked))
		return err
	case r.Delivery != nil:
		d := r.Delivery
		if _, err := t.exec(`DELETE FROM deliveries WHERE digest = ? AND accepted = ?`, d.Digest, d.Accepted.UnixMilli()); err != nil {
			return err
		}
		_, err := t.exec(`INSERT INTO deliveries (digest, subscriber, entries, hits, attempts, accepted) VALUES (?, ?, ?, ?, ?, ?)`,
			d.Digest, d.Subscriber, d.Entries, d.Hits, d.Attempts, d.Accepted.UnixMilli())
		return err
	case r.Reader != nil:
		return t.putReader(*r.Reader)
	case r.SigningKey != nil:
		_, err := t.exec(`INSERT INTO signing VALUES (1, ?) ON CONFLICT DO UPDATE SET key = excluded.key`, r.SigningKey)
		return err
	}
	return nil
}

func (t *tx) restoreFeed(f store.FeedRow) error {
	state, err := store.EncodeState(&f.State)
	if err != nil {
		return err
	}
	var n int64
	err = t.row(`INSERT INTO feeds (id, next, left_at, paused, poisoned, grade, success, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET next = excluded.next, left_at = excluded.left_at, paused = excluded.paused,
		poisoned = excluded.poisoned, grade = excluded.grade, success = excluded.success, state = excluded.state RETURNING n`,
		f.State.FeedID, milli(f.State.NextCheck), milli(f.Left), milli(f.State.Paused), f.State.Poisoned,
		int(f.State.Health.Grade), milli(f.State.LastSuccess), state).Scan(&n)
	if err != nil {
		return err
	}
	if _, err := t.exec(`UPDATE leases SET marked = 0 WHERE feed = ?`, n); err != nil || len(f.Seen) == 0 {
		return err
	}
	seen, err := store.ParseSeen(f.Seen)
	if err != nil {
		return err
	}
	return t.putSeen(n, seen)
}

func (t *tx) restoreSubscriber(r store.SubscriberRow) error {
	if _, err := t.exec(`INSERT INTO subscribers (id, schedule, cursor, since, next) VALUES (?, '', 0, 0, 0) ON CONFLICT DO NOTHING`, r.ID); err != nil {
		return err
	}
	s := new(subscriber)
	if err := s.scan(t.row(`SELECT `+subscriberColumns+` FROM subscribers WHERE id = ?`, r.ID)); err != nil {
		return err
	}
	s.schedule, s.cursor, s.begin, s.since, s.next, s.leftAt = r.Schedule, r.Cursor, r.Begin, r.Since.UnixMilli(), r.Next.UnixMilli(), milli(r.Left)
	s.clear()
	s.attempts, s.firstTry, s.lastError, s.lastSent = r.Attempts, milli(r.FirstTry), r.LastError, milli(r.LastSent)
	s.pausedAt, s.pausedBy, s.pausedWhy, s.refusals = sql.NullInt64{}, "", "", r.Refusals
	if r.Paused != nil {
		s.pause(*r.Paused)
	}
	if r.Pending != nil {
		body, err := store.Encode(*r.Pending)
		if err != nil {
			return err
		}
		s.pending, s.pendingID = body, r.Pending.ID
	}
	return t.save(s)
}

// Inspect checks the file, and what is kept twice in it.
func (s *Store) Inspect(ctx context.Context) ([]string, error) {
	var wrong []string
	text := func(r scanner) error {
		var line string
		err := r.Scan(&line)
		if line != "ok" {
			wrong = append(wrong, line)
		}
		return err
	}
	for _, q := range []string{
		`SELECT 'SQLite: ' || integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
		`SELECT 'SQLite: a row of ' || "table" || ' belongs to none of ' || parent FROM pragma_foreign_key_check`,
		`SELECT 'hit ' || lower(hex(id)) || ' stands under no rule' FROM hits WHERE n NOT IN (SELECT hit FROM hit_rules)`,
		`SELECT 'feed ' || id || ' has a token that was never given' FROM feeds LEFT JOIN leases ON feed = n
			WHERE max(recorded, coalesce(token, 0)) > (SELECT value FROM meta WHERE key = 'token')`,
		`SELECT 'subscriber ' || id || ' has a token that was never given' FROM subscribers WHERE token > (SELECT value FROM meta WHERE key = 'token')`,
	} {
		if err := s.rows(ctx, text, q); err != nil {
			return nil, err
		}
	}
	return wrong, nil
}
