package storetest

import (
	"cmp"
	"slices"
	"time"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

// modelReader is a reader, and when its letter may be claimed.
type modelReader struct {
	store.Reader
	letter time.Time
}

func (m *model) readerOf(c store.Contact) *modelReader {
	for _, r := range m.readers {
		if r.Contact == c {
			return r
		}
	}
	return nil
}

// amend stores what becomes of a reader.
func (m *model) amend(a store.Amendment) {
	r := &modelReader{Reader: a.Reader}
	if r.Letter != nil {
		r.letter = r.Letter.Due
	}
	m.readers[r.ID] = r
	if r.State != store.ReaderActive {
		m.unlist(r.ID)
	}
	if a.Turn != nil {
		m.enlist(*a.Turn)
	}
}

// unlist takes a subscriber's place away, with all that waits to be sent.
func (m *model) unlist(id string) bool {
	had := m.subs[id] != nil
	delete(m.subs, id)
	n := len(m.letters)
	m.letters = slices.DeleteFunc(m.letters, func(l *modelLetter) bool { return l.subscriber == id })
	return had || len(m.letters) < n
}

func (m *model) erase(id string) error {
	had := m.unlist(id) || m.readers[id] != nil
	delete(m.readers, id)
	n := len(m.sent)
	m.sent = slices.DeleteFunc(m.sent, func(d notify.Delivery) bool { return d.Subscriber == id })
	if !had && len(m.sent) == n {
		return store.ErrNotFound
	}
	return nil
}

func (m *model) claimLetters(now time.Time, most int, until time.Time) []store.Reader {
	var due []*modelReader
	for _, r := range m.readers {
		if r.Letter != nil && !r.letter.After(now) {
			due = append(due, r)
		}
	}
	slices.SortFunc(due, func(a, b *modelReader) int { return cmp.Or(a.letter.Compare(b.letter), cmp.Compare(a.ID, b.ID)) })
	var out []store.Reader
	for _, r := range due[:min(most, len(due))] {
		r.letter = until
		out = append(out, r.Reader)
	}
	return out
}

func (m *model) allReaders() []store.Reader {
	var out []store.Reader
	for _, r := range m.readers {
		out = append(out, r.Reader)
	}
	slices.SortFunc(out, func(a, b store.Reader) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
