package storetest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/fetcher"
	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// model is the store as the contract describes it, in plain maps: no engine
// shares a line with it. A zero time stands for "never" and "none".
type model struct {
	feeds   map[string]*modelFeed
	items   map[feed.ItemID]store.StoredItem
	hits    map[feed.ItemID]*classifier.Hit
	purged  map[feed.ItemID]bool
	subs    map[string]*modelSub
	letters []*modelLetter
	sent    []notify.Delivery
	notices []notify.Notice    // in the order of the log
	amended []notify.Amendment // likewise
	readers map[string]*modelReader
	head    int64
}

type modelFeed struct {
	id              string
	in              bool
	left            time.Time
	due             turnQueue
	recorded        int64
	recFrom, recTo  int64
	marked          bool
	paused          time.Time
	state           fetcher.State
	listed          map[feed.ItemID]uint64
	gone            map[feed.ItemID]time.Time
	goneFingerprint map[feed.ItemID]uint64
}

// turnQueue is what feeds and subscribers have in common.
type turnQueue struct {
	next, asked, until time.Time
	token              int64
}

func (q *turnQueue) at() time.Time {
	if !q.until.IsZero() {
		return q.until
	}
	return q.next
}

func (q *turnQueue) held(l lease.Lease) bool { return q.token == l.Token && !q.until.IsZero() }

func (q *turnQueue) ask(now time.Time) {
	q.next = sooner(q.next, now)
	if !q.until.IsZero() {
		q.asked = sooner(q.asked, now)
	}
}

// end gives the lease back; the next turn is as given or as asked.
func (q *turnQueue) end(next time.Time) {
	q.next = next
	if !q.asked.IsZero() {
		q.next = sooner(next, q.asked)
	}
	q.asked, q.until = time.Time{}, time.Time{}
}

// sooner is the sooner of two times of which the first may be never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func newModel() *model {
	return &model{
		feeds: make(map[string]*modelFeed), items: make(map[feed.ItemID]store.StoredItem),
		hits: make(map[feed.ItemID]*classifier.Hit), purged: make(map[feed.ItemID]bool), subs: make(map[string]*modelSub),
		readers: make(map[string]*modelReader),
	}
}

func (m *model) syncFeeds(ids []string, now time.Time) {
	for _, id := range ids {
		f := m.feeds[id]
		if f == nil {
			f = &modelFeed{
				id: id, state: fetcher.State{FeedID: id}, listed: make(map[feed.ItemID]uint64),
				gone: make(map[feed.ItemID]time.Time), goneFingerprint: make(map[feed.ItemID]uint64),
			}
			f.due.next = now
			m.feeds[id] = f
		}
		f.in, f.left = true, time.Time{}
	}
	for id, f := range m.feeds {
		if f.in && !slices.Contains(ids, id) {
			f.in, f.left = false, now
		}
	}
}

// claimable are the feeds that may be claimed, in order.
func (m *model) claimable(now time.Time) []*modelFeed {
	var fs []*modelFeed
	for _, f := range m.feeds {
		if at := f.due.at(); f.queued() && !at.IsZero() && !at.After(now) {
			fs = append(fs, f)
		}
	}
	slices.SortFunc(fs, func(a, b *modelFeed) int {
		return cmp.Or(a.due.at().Compare(b.due.at()), cmp.Compare(a.id, b.id))
	})
	return fs
}

func (m *model) claimFeed(f *modelFeed, l lease.Lease) {
	if f.marked {
		f.state.Poisoned++
	}
	f.marked = false
	f.due.token, f.due.until, f.due.asked = l.Token, l.Until, time.Time{}
}

func (f *modelFeed) queued() bool { return f.in && f.paused.IsZero() }

func (f *modelFeed) shown() fetcher.State {
	st := f.state
	st.NextCheck, st.Paused = f.due.next, f.paused
	return st
}

func (m *model) renew(ls []lease.Lease, until time.Time) []lease.Lease {
	var held []lease.Lease
	for _, l := range ls {
		id, isFeed, _ := store.SplitKey(l.Key)
		var q *turnQueue
		if f := m.feeds[id]; isFeed && f != nil {
			q = &f.due
		}
		if sub := m.subs[id]; !isFeed && sub != nil {
			q = &sub.due
		}
		if q == nil || !q.held(l) {
			continue
		}
		if until.After(q.until) {
			q.until = until
		}
		l.Until = q.until
		held = append(held, l)
	}
	return held
}

func (m *model) unseen(feedID string, seen []store.Sighting) []store.Novelty {
	out := make([]store.Novelty, len(seen))
	for i, g := range seen {
		out[i] = store.New
		if f := m.feeds[feedID]; f != nil {
			fp, ok := f.listed[g.ID]
			if !ok {
				fp, ok = f.goneFingerprint[g.ID]
			}
			if ok && fp == g.Fingerprint {
				out[i] = store.Known
			} else if ok {
				out[i] = store.Edited
			}
		}
		if m.purged[g.ID] {
			out[i] = store.Purged
		}
	}
	return out
}

func (m *model) record(b store.Batch) ([]classifier.Hit, error) {
	f := m.feeds[b.State.FeedID]
	if f == nil {
		return nil, lease.ErrLost
	}
	if f.due.token == b.Lease.Token && f.recorded == b.Lease.Token {
		return m.inLog(b, f.recFrom, f.recTo), nil
	}
	if !f.due.held(b.Lease) {
		return nil, lease.ErrLost
	}
	if len(b.Seen) > 0 {
		f.list(b)
	}
	f.recFrom = m.head
	for _, it := range b.Items {
		if !m.purged[it.Item.ID] {
			m.items[it.Item.ID] = it
		}
	}
	for _, h := range b.Hits {
		if !m.purged[h.Item.ID] {
			m.hit(h, b.State.LastPoll)
		}
	}
	for _, n := range b.Notices {
		m.post(n)
	}
	f.recTo = m.head
	f.state, f.marked, f.recorded = b.State, false, b.Lease.Token
	f.due.end(b.State.NextCheck)
	return m.inLog(b, f.recFrom, f.recTo), nil
}

func (f *modelFeed) list(b store.Batch) {
	now := b.State.LastPoll.Truncate(time.Second)
	for _, at := range f.gone {
		if at.After(now) {
			now = at // the clock went back
		}
	}
	was := f.listed
	f.listed = make(map[feed.ItemID]uint64)
	for _, g := range b.Seen {
		f.listed[g.ID] = g.Fingerprint
		delete(f.gone, g.ID)
		delete(f.goneFingerprint, g.ID)
	}
	for id, fp := range was {
		if _, still := f.listed[id]; !still {
			f.gone[id], f.goneFingerprint[id] = now, fp
		}
	}
}

func (m *model) hit(h classifier.Hit, now time.Time) {
	h.Item.Content = ""
	old := m.hits[h.Item.ID]
	switch {
	case old == nil && len(h.Rules) == 0:
		return
	case h.TakenDown:
		down := *old
		down.TakenDown = true
		m.hits[h.Item.ID] = &down
		if !old.TakenDown && firstIn(old, 0, m.head) > 0 {
			it := old.Item
			it.Link = ""
			m.head++
			m.amended = append(m.amended, notify.Amendment{Seq: m.head, At: now, Hit: told(*old, it), TakenDown: true})
		}
		return
	case len(h.Rules) == 0:
		kept := *old
		kept.Item, kept.TakenDown = h.Item, false
		h = kept
	default:
		h = m.merge(old, h)
	}
	m.hits[h.Item.ID] = &h
	if old != nil && (old.Item.Title != h.Item.Title || old.TakenDown) && firstIn(old, 0, m.head) > 0 {
		m.head++
		a := notify.Amendment{Seq: m.head, At: now, Hit: told(*old, h.Item), Was: old.Item.Title, Back: old.TakenDown}
		if a.Was == h.Item.Title {
			a.Was = ""
		}
		m.amended = append(m.amended, a)
	}
}

// told is what an amendment tells of a hit.
func told(h classifier.Hit, it feed.Item) classifier.Hit {
	it.GUID, it.Summary, it.Content, it.Authors, it.Categories = "", "", "", nil, nil
	s := classifier.Hit{Item: it, Source: h.Source, FeedTags: h.FeedTags, Found: h.Found}
	for _, r := range h.Rules {
		if r.Seq > 0 {
			r.Matches, r.Excerpt = nil, classifier.Excerpt{}
			s.Rules = append(s.Rules, r)
		}
	}
	return s
}

func (m *model) merge(old *classifier.Hit, h classifier.Hit) classifier.Hit {
	h.Rules = slices.Clone(h.Rules)
	quiet := h.Quiet
	if old != nil {
		h.Found, h.Quiet = old.Found, old.Quiet
	}
	for i := range h.Rules {
		r := &h.Rules[i]
		if old != nil {
			if j := slices.IndexFunc(old.Rules, func(o classifier.RuleMatch) bool { return o.Rule == r.Rule }); j >= 0 {
				r.Seq = old.Rules[j].Seq
				continue
			}
		}
		if !quiet {
			m.head++
			r.Seq = m.head
			h.Quiet = false
		}
	}
	if old != nil {
		for _, o := range old.Rules {
			if !slices.ContainsFunc(h.Rules, func(r classifier.RuleMatch) bool { return o.Rule == r.Rule }) {
				h.Rules = append(h.Rules, o)
			}
		}
	}
	return h
}

func (m *model) amendments(from, to int64) []notify.Amendment {
	return slices.DeleteFunc(slices.Clone(m.amended), func(a notify.Amendment) bool { return a.Seq <= from || a.Seq > to })
}

// inLog are the stored hits of a batch with a rule in a stretch of the log.
func (m *model) inLog(b store.Batch, from, to int64) []classifier.Hit {
	var out []classifier.Hit
	for _, h := range b.Hits {
		if got := m.hits[h.Item.ID]; got != nil && firstIn(got, from, to) > 0 {
			out = append(out, *got)
		}
	}
	return out
}

func firstIn(h *classifier.Hit, from, to int64) int64 {
	var first int64
	for _, r := range h.Rules {
		if r.Seq > from && r.Seq <= to && (first == 0 || r.Seq < first) {
			first = r.Seq
		}
	}
	return first
}

func (m *model) window(from, to int64) []classifier.Hit {
	var out []classifier.Hit
	for _, h := range m.hits {
		if firstIn(h, from, to) > 0 {
			out = append(out, *h)
		}
	}
	slices.SortFunc(out, func(a, b classifier.Hit) int { return cmp.Compare(firstIn(&a, from, to), firstIn(&b, from, to)) })
	return out
}

func (m *model) tally(edges []time.Time) store.Tally {
	t := store.Tally{Hits: make([]int, len(edges)-1), Rules: make(map[string][]int)}
	for i := range t.Hits {
		for _, h := range m.hits {
			if h.Quiet || h.Found.Before(edges[i]) || !h.Found.Before(edges[i+1]) {
				continue
			}
			t.Hits[i]++
			for _, r := range h.Rules {
				if t.Rules[r.Rule] == nil {
					t.Rules[r.Rule] = make([]int, len(t.Hits))
				}
				t.Rules[r.Rule][i]++
			}
		}
	}
	return t
}

func (m *model) post(n notify.Notice) {
	if slices.ContainsFunc(m.notices, func(o notify.Notice) bool { return o.ID == n.ID }) {
		return
	}
	m.head++
	n.Seq = m.head
	m.notices = append(m.notices, n)
}

func (m *model) noticesIn(from, to int64) []notify.Notice {
	return slices.DeleteFunc(slices.Clone(m.notices), func(n notify.Notice) bool { return n.Seq <= from || n.Seq > to })
}

func (m *model) purge(id feed.ItemID, now time.Time) error {
	known := m.purged[id] || m.hits[id] != nil
	if _, ok := m.items[id]; ok {
		known = true
	}
	for _, f := range m.feeds {
		_, listed := f.listed[id]
		_, gone := f.gone[id]
		known = known || listed || gone
	}
	if !known {
		return store.ErrNotFound
	}
	if !m.purged[id] {
		m.amended = slices.DeleteFunc(m.amended, func(a notify.Amendment) bool { return a.Hit.Item.ID == id })
	}
	if h := m.hits[id]; h != nil && firstIn(h, 0, m.head) > 0 {
		it := h.Item
		it.Title, it.Link = "", ""
		m.head++
		m.amended = append(m.amended, notify.Amendment{Seq: m.head, At: now, Hit: told(*h, it), Withdrawn: true})
	}
	m.purged[id] = true
	delete(m.items, id)
	delete(m.hits, id)
	for _, s := range m.subs {
		if s.pending != nil {
			s.pending = without(*s.pending, id)
		}
	}
	for _, l := range m.letters {
		l.Digest = *without(l.Digest, id)
	}
	return nil
}

// without drops entries that are of the item; the model's digests have one group
// and no entries of several reports.
func without(d notify.Digest, id feed.ItemID) *notify.Digest {
	var groups []notify.Group
	d.Entries = 0
	for _, g := range d.Groups {
		n := len(g.Entries)
		g.Entries = slices.DeleteFunc(slices.Clone(g.Entries), func(e notify.Entry) bool { return e.Item == id })
		d.Hits -= n - len(g.Entries)
		d.Entries += len(g.Entries)
		if len(g.Entries) > 0 {
			groups = append(groups, g)
		}
	}
	d.Groups = groups
	return &d
}

func (m *model) sweep(now time.Time, keep store.Retention) store.Swept {
	var sw store.Swept
	old := func(at time.Time, age time.Duration) bool { return age > 0 && at.Before(now.Add(-age)) }
	maps.DeleteFunc(m.hits, func(_ feed.ItemID, h *classifier.Hit) bool { return counted(old(h.Found, keep.Hits), &sw.Hits) })
	m.amended = slices.DeleteFunc(m.amended, func(a notify.Amendment) bool { return counted(old(a.At, keep.Hits), &sw.Amendments) })
	m.notices = slices.DeleteFunc(m.notices, func(n notify.Notice) bool { return counted(old(n.At, keep.Hits), &sw.Notices) })
	maps.DeleteFunc(m.items, func(_ feed.ItemID, it store.StoredItem) bool { return counted(old(it.Stored, keep.Items), &sw.Items) })
	if excess := len(m.items) - keep.MaxItems; keep.MaxItems > 0 && excess > 0 {
		oldest := slices.SortedFunc(maps.Values(m.items), func(a, b store.StoredItem) int { return a.Stored.Compare(b.Stored) })
		for _, it := range oldest[:excess] {
			delete(m.items, it.Item.ID)
		}
		sw.Items += excess
	}
	m.letters = slices.DeleteFunc(m.letters, func(l *modelLetter) bool {
		return counted(!l.Resending && old(l.Buried, keep.Hits), &sw.DeadLetters)
	})
	maps.DeleteFunc(m.readers, func(_ string, r *modelReader) bool {
		at := r.Expires()
		return counted(!at.IsZero() && !at.After(now), &sw.Readers)
	})
	m.sent = slices.DeleteFunc(m.sent, func(d notify.Delivery) bool { return counted(old(d.Accepted, keep.Hits), &sw.Deliveries) })
	for id, f := range m.feeds {
		if !f.in && old(f.left, keep.Seen) {
			delete(m.feeds, id)
			sw.Feeds++
			sw.Seen += len(f.listed) + len(f.gone)
			continue
		}
		for id, at := range f.gone {
			// To the second, as they are kept.
			if keep.Seen > 0 && at.Before(now.Add(-keep.Seen).Truncate(time.Second)) {
				delete(f.gone, id)
				delete(f.goneFingerprint, id)
				sw.Seen++
			}
		}
	}
	for id, s := range m.subs {
		if !s.in && old(s.left, keep.Seen) {
			delete(m.subs, id)
			sw.Subscribers++
		}
	}
	return sw
}

func counted(yes bool, n *int) bool {
	if yes {
		*n++
	}
	return yes
}
