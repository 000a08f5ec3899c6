package storetest

import (
	"errors"
	"time"

	"pgregory.net/rapid"

	"github.com/newswatch/newswatch/store"
)

var readerNames = []string{"ann", "ben"}

// reader does one thing with a reader: it asks, confirms, changes its mind,
// leaves, or is owed a letter.
func (h *history) reader(rt *rapid.T) {
	name, now := rapid.SampledFrom(readerNames).Draw(rt, "name"), h.tick(rt)
	var turn *store.Enrolment
	var old, r store.Reader
	if m := h.model.readerOf(contact(name)); m != nil {
		old, r = m.Reader, m.Reader
	} else {
		r = pending(name, now)
	}
	r.Salt++
	switch step := rapid.SampledFrom([]string{"ask", "confirm", "confirm", "change", "leave", "letter"}).Draw(rt, "step"); {
	case step == "ask" && r.State != store.ReaderActive:
		r = pending(name, now)
	case step == "confirm" || step == "change":
		r = confirmed(r, now)
		r.Wishes.Schedule = rapid.SampledFrom([]string{"daily", "hourly"}).Draw(rt, "schedule")
		turn = &store.Enrolment{
			ID: r.ID, Schedule: r.Wishes.Schedule, Since: now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(rt, "since")) * time.Minute),
			Next: now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "next")) * time.Minute),
		}
	case step == "leave":
		r = gone(r, now)
		r.Blocked = rapid.Bool().Draw(rt, "blocked")
	case step == "letter" && r.State != store.ReaderLeft:
		r.Letter = &store.Letter{Kind: "known", Due: now.Add(time.Minute), Tries: 1}
	}
	want, err := store.Amendment{Reader: r, Turn: turn}.Normal(old)
	if err != nil {
		rt.Fatal(err)
	}
	got, err := h.AdmitReader(h.ctx, contact(name), func(is store.Reader) (store.Amendment, error) {
		if is.ID != old.ID || is.Salt != old.Salt {
			return store.Amendment{}, errors.New("what is stored is another")
		}
		return want, nil
	})
	h.errs(rt, "AdmitReader", err, nil)
	h.equal(rt, "reader", got, want.Reader)
	h.model.amend(want)
}

func (h *history) claimLetters(rt *rapid.T) {
	n, now := rapid.IntRange(1, 2).Draw(rt, "max"), h.tick(rt)
	got, err := h.ClaimLetters(h.ctx, now, n, now.Add(ttl))
	h.errs(rt, "ClaimLetters", err, nil)
	h.equal(rt, "ClaimLetters", got, h.model.claimLetters(now, n, now.Add(ttl)))
}

func (h *history) erase(rt *rapid.T) {
	if rapid.IntRange(0, 3).Draw(rt, "rarely") > 0 {
		return
	}
	id := rapid.SampledFrom([]string{"desk", readerID("ann"), readerID("ben")}).Draw(rt, "id")
	h.errs(rt, "Erase", h.Erase(h.ctx, id), h.model.erase(id))
}

func (h *history) checkReaders(rt *rapid.T) {
	var got []store.Reader
	for r, err := range h.Readers(h.ctx) {
		h.errs(rt, "Readers", err, nil)
		got = append(got, r)
	}
	h.equal(rt, "Readers", got, h.model.allReaders())
	for _, name := range readerNames {
		r, err := h.ReaderOf(h.ctx, contact(name))
		var want store.Reader
		var wantErr error = store.ErrNotFound
		if m := h.model.readerOf(contact(name)); m != nil {
			want, wantErr = m.Reader, nil
		}
		h.errs(rt, "ReaderOf", err, wantErr)
		h.equal(rt, "ReaderOf", r, want)
	}
}
