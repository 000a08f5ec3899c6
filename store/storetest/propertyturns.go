package storetest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func (h *history) enrol(rt *rapid.T) {
	now := h.tick(rt)
	var subs []store.Enrolment
	for _, id := range subset(rt, subIDs) {
		subs = append(subs, store.Enrolment{
			ID: id, Schedule: rapid.SampledFrom([]string{"daily", "hourly"}).Draw(rt, "schedule"),
			Next:  now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "next")) * time.Minute),
			Since: now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(rt, "since")) * time.Minute),
		})
	}
	h.model.enrol(subs, now)
	h.errs(rt, "Enrol", h.Enrol(h.ctx, subs, now), nil)
}

func (h *history) sendNow(rt *rapid.T) {
	ids, now := subset(rt, subIDs), h.tick(rt)
	h.errs(rt, "SendNow", h.SendNow(h.ctx, ids, now), nil)
	for _, s := range h.model.subs {
		if s.in && (len(ids) == 0 || slices.Contains(ids, s.id)) {
			s.due.ask(now)
		}
	}
}

func (h *history) claimTurns(rt *rapid.T) {
	n, now := rapid.IntRange(1, 2).Draw(rt, "max"), h.tick(rt)
	got, err := h.Claim(h.ctx, now, n, ttl)
	h.errs(rt, "Claim", err, nil)
	want := h.model.turnable(now)
	want = want[:min(n, len(want))]
	if len(got) != len(want) {
		rt.Fatalf("Claim: %d, the model has %d", len(got), len(want))
	}
	for i, s := range want {
		l := lease.Lease{Key: store.SubscriberKey(s.id), Token: got[i].Lease.Token, Until: now.Add(ttl)}
		if l.Token <= s.due.token {
			rt.Fatalf("token %d after %d", l.Token, s.due.token)
		}
		h.equal(rt, "turn", got[i], h.model.claimTurn(s, l))
		h.turns = append(h.turns, got[i].Lease)
	}
}

// turn does one step of a turn, a recent one as a rule.
func (h *history) turn(rt *rapid.T) {
	if len(h.turns) == 0 {
		return
	}
	last := len(h.turns) - 1
	l := h.turns[rapid.IntRange(max(0, last-3), last).Draw(rt, "turn")]
	now := h.tick(rt)
	next := now.Add(time.Duration(rapid.IntRange(0, 15).Draw(rt, "next")) * time.Minute)
	switch step := rapid.SampledFrom([]string{"seal", "seal", "seal", "advance", "ack", "ack", "retry", "bury", "bury", "release"}).Draw(rt, "step"); step {
	case "seal":
		id, _, _ := store.SplitKey(l.Key)
		h.digests++
		to := int64(rapid.IntRange(0, int(h.model.head)).Draw(rt, "to"))
		d := digest(notify.Turn{Subscriber: id, Since: t0, Head: to}, h.model.window(0, h.model.head), now)
		d.ID = fmt.Sprintf("digest-%d", h.digests)
		if h.built.ID != "" && rapid.IntRange(0, 5).Draw(rt, "late") == 0 {
			id, sub := d.ID, d.Subscriber
			d = h.built // before whatever was purged since
			d.ID, d.Subscriber = id, sub
		} else {
			h.built = d
		}
		if s := h.model.subs[id]; s != nil && s.pending != nil && rapid.Bool().Draw(rt, "again") {
			d = *s.pending
		}
		h.errs(rt, "Seal", h.Seal(h.ctx, l, d), h.model.seal(l, d))
	case "advance":
		to := int64(rapid.IntRange(0, int(h.model.head)).Draw(rt, "to"))
		h.errs(rt, "Advance", h.Advance(h.ctx, l, to, now, next), h.model.advance(l, to, now, next))
	case "ack":
		h.errs(rt, "Ack", h.Ack(h.ctx, l, now, next), h.model.ack(l, now, next))
	case "retry":
		h.errs(rt, "Retry", h.Retry(h.ctx, l, now, next, "why"), h.model.retry(l, now, next, "why"))
	case "bury":
		b := notify.Burial{Reason: "why", Refused: rapid.Bool().Draw(rt, "refused"), Pause: rapid.IntRange(0, 4).Draw(rt, "pause") == 0}
		h.errs(rt, "Bury", h.Bury(h.ctx, l, now, next, b), h.model.bury(l, now, next, b))
	case "release":
		h.errs(rt, "Release", h.Release(h.ctx, l, next), h.model.end(l, next, func(*modelSub) error { return nil }))
	}
}

func (h *history) letter(rt *rapid.T) {
	id := "digest-0"
	if n := len(h.model.letters); n > 0 {
		id = h.model.letters[rapid.IntRange(0, n-1).Draw(rt, "letter")].Digest.ID
	}
	now := h.tick(rt)
	if rapid.IntRange(0, 4).Draw(rt, "drop") == 0 {
		h.errs(rt, "Drop", h.Drop(h.ctx, id), h.model.drop(id))
		return
	}
	h.errs(rt, "Resend", h.Resend(h.ctx, id, now), h.model.resend(id, now))
}

// pause pauses a subscriber, or, twice as often, resumes it.
func (h *history) pause(rt *rapid.T) {
	id, now := rapid.SampledFrom(append([]string{"nobody"}, subIDs...)).Draw(rt, "subscriber"), h.tick(rt)
	if rapid.IntRange(0, 2).Draw(rt, "pause") > 0 {
		h.errs(rt, "Resume", h.Resume(h.ctx, id, now), h.model.resume(id, now))
		return
	}
	p := notify.Pause{Since: now, By: notify.ByOperator, Why: rapid.SampledFrom([]string{"", "on leave"}).Draw(rt, "why")}
	h.errs(rt, "Pause", h.Pause(h.ctx, id, p), h.model.pause(id, p))
}

func (h *history) checkTurns(rt *rapid.T) {
	standings, err := h.Standings(h.ctx)
	h.errs(rt, "Standings", err, nil)
	h.equal(rt, "Standings", standings, h.model.standings())
	letters, err := h.DeadLetters(h.ctx)
	h.errs(rt, "DeadLetters", err, nil)
	h.equal(rt, "DeadLetters", letters, h.model.deadLetters())
	sent, err := h.Deliveries(h.ctx, "", 1000)
	h.errs(rt, "Deliveries", err, nil)
	h.equal(rt, "Deliveries", sent, h.model.deliveries())
}
