package storetest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/newswatch/newswatch/lease"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
)

func readerID(name string) string { return store.ReaderPrefix + name }

func contact(name string) store.Contact { return sha256.Sum256([]byte(name)) }

// pending is a reader that asked at now.
func pending(name string, now time.Time) store.Reader {
	return store.Reader{
		ID: readerID(name), Contact: contact(name), State: store.ReaderPending, Channel: "email", Address: name + "@example.org",
		Wishes:  store.Wishes{Rules: []string{"p-hunt"}, Schedule: "@hourly", Timezone: "Asia/Kolkata", WhenEmpty: "send", Lang: "ml"},
		Consent: store.Consent{Asked: now, Text: "1", Method: "page"}, Created: now, Salt: 1,
		Letter: &store.Letter{Kind: "confirm", Due: now}, Letters: []time.Time{now},
	}
}

func confirmed(r store.Reader, now time.Time) store.Reader {
	r.State, r.Consent.Given, r.Address, r.Left, r.Blocked, r.Letter = store.ReaderActive, now, "a@example.org", time.Time{}, false, nil
	return r
}

func gone(r store.Reader, now time.Time) store.Reader {
	r.State, r.Address, r.Secret, r.Letter, r.Left = store.ReaderLeft, "", "", nil, now
	return r
}

func (s *suite) admit(r store.Reader, turn *store.Enrolment) store.Reader {
	s.Helper()
	got, err := s.AdmitReader(s.ctx(), r.Contact, func(store.Reader) (store.Amendment, error) {
		return store.Amendment{Reader: r, Turn: turn}, nil
	})
	s.ok(err)
	return got
}

// join makes a reader that is active and due at now.
func (s *suite) join(name string, now time.Time) store.Reader {
	s.Helper()
	return s.admit(confirmed(pending(name, now), now), &store.Enrolment{ID: readerID(name), Next: now, Schedule: "@hourly", Since: t0})
}

func (s *suite) allReaders() []store.Reader {
	s.Helper()
	var all []store.Reader
	for r, err := range s.Readers(s.ctx()) {
		s.ok(err)
		all = append(all, r)
	}
	return all
}

func ids(rs []store.Reader) []string {
	var out []string
	for _, r := range rs {
		out = append(out, r.ID)
	}
	return out
}

var readerTests = []testCase{
	{"TheSigningKeyIsTheSameToEveryProcess", func(s *suite) {
		other := s.open()
		keys := make([][]byte, 8)
		var wg sync.WaitGroup
		for i := range keys {
			wg.Go(func() {
				st := s.Store
				if i%2 == 1 {
					st = other
				}
				var err error
				if keys[i], err = st.SigningKey(s.ctx()); err != nil {
					s.Error(err)
				}
			})
		}
		wg.Wait()
		for _, k := range keys {
			if len(k) != 32 || !bytes.Equal(k, keys[0]) || bytes.Equal(k, make([]byte, 32)) {
				s.Fatalf("keys %x and %x", keys[0], k)
			}
		}
	}},
	{"AReaderIsFoundByItsIDAndByItsContact", func(s *suite) {
		_, err := s.Reader(s.ctx(), readerID("ann"))
		s.is(err, store.ErrNotFound)
		_, err = s.ReaderOf(s.ctx(), contact("ann"))
		s.is(err, store.ErrNotFound)
		_, err = s.AmendReader(s.ctx(), readerID("ann"), func(r store.Reader) (store.Amendment, error) {
			return store.Amendment{Reader: r}, nil
		})
		s.is(err, store.ErrNotFound)
		want := s.admit(pending("ann", t0), nil)
		s.admit(pending("ben", t0), nil)
		got, err := s.open().Reader(s.ctx(), readerID("ann"))
		s.ok(err)
		same(s, "by its id", got, want)
		got, err = s.ReaderOf(s.ctx(), contact("ann"))
		s.ok(err)
		same(s, "by its contact", got, want)
		same(s, "all", ids(s.allReaders()), []string{readerID("ann"), readerID("ben")})
	}},
	{"AChangeThatIsRefusedChangesNothing", func(s *suite) {
		want := s.admit(pending("ann", t0), nil)
		refused := errors.New("refused")
		_, err := s.AmendReader(s.ctx(), readerID("ann"), func(r store.Reader) (store.Amendment, error) {
			return store.Amendment{Reader: gone(r, t0)}, refused
		})
		s.is(err, refused)
		for why, change := range map[string]func(store.Reader) store.Amendment{
			"another id":        func(r store.Reader) store.Amendment { r.ID = readerID("x"); return store.Amendment{Reader: r} },
			"an id of the YAML": func(r store.Reader) store.Amendment { r.ID = "desk"; return store.Amendment{Reader: r} },
			"another contact":   func(r store.Reader) store.Amendment { r.Contact = contact("x"); return store.Amendment{Reader: r} },
			"gone with an address": func(r store.Reader) store.Amendment {
				r.State, r.Left = store.ReaderLeft, t0
				return store.Amendment{Reader: r}
			},
			"active without consent": func(r store.Reader) store.Amendment {
				r.State = store.ReaderActive
				return store.Amendment{Reader: r, Turn: &store.Enrolment{ID: r.ID, Next: t0, Schedule: "x", Since: t0}}
			},
			"active without a turn": func(r store.Reader) store.Amendment { return store.Amendment{Reader: confirmed(r, t0)} },
			"another's turn": func(r store.Reader) store.Amendment {
				return store.Amendment{Reader: confirmed(r, t0), Turn: &store.Enrolment{ID: "desk", Next: t0, Schedule: "x", Since: t0}}
			},
		} {
			if _, err := s.AmendReader(s.ctx(), readerID("ann"), func(r store.Reader) (store.Amendment, error) { return change(r), nil }); !errors.Is(err, store.ErrReader) {
				s.Errorf("%s: %v", why, err)
			}
		}
		same(s, "what is stored", s.allReaders(), []store.Reader{want})
	}},
	{"TwoWhoAskAtOnceAreOneReader", func(s *suite) {
		var wg sync.WaitGroup
		other := s.open()
		for i := range 8 {
			wg.Go(func() {
				st := s.Store
				if i%2 == 1 {
					st = other
				}
				_, err := st.AdmitReader(s.ctx(), contact("ann"), func(old store.Reader) (store.Amendment, error) {
					if old.ID == "" {
						old = pending("ann", t0)
						old.ID += string(rune('a' + i))
						old.Salt = 0
					}
					old.Salt++
					return store.Amendment{Reader: old}, nil
				})
				if err != nil {
					s.Error(err)
				}
			})
		}
		wg.Wait()
		all := s.allReaders()
		if len(all) != 1 || all[0].Salt != 8 {
			s.Fatalf("%d readers, of which the first was changed %d times", len(all), all[0].Salt)
		}
	}},
	{"OnlyAnActiveReaderHasATurn", func(s *suite) {
		s.hits(t0, "a", 2, "r")
		s.admit(pending("ann", t0), nil)
		same(s, "turns of one who has not confirmed", len(s.turns(after(1))), 0)
		s.join("ann", after(1))
		tn := s.turn(after(1))
		same(s, "subscriber", tn.Subscriber, readerID("ann"))
		same(s, "its log begins before the hits since t0", tn.Cursor, int64(0))
	}},
	{"EnrolLeavesReadersAlone", func(s *suite) {
		s.join("ann", t0)
		s.enrol(t0, "desk")
		s.ok(s.Enrol(s.ctx(), nil, after(1)))
		tn := s.turn(after(1))
		same(s, "subscriber", tn.Subscriber, readerID("ann"))
		sw, err := s.Sweep(s.ctx(), after(100_000), store.Retention{Seen: time.Hour})
		s.ok(err)
		same(s, "swept", sw.Subscribers, 1)
		same(s, "standing", standing(s, readerID("ann")).Subscriber, readerID("ann"))
	}},
	{"AnotherScheduleMovesTheTurn", func(s *suite) {
		r := s.join("ann", t0)
		s.admit(r, &store.Enrolment{ID: r.ID, Next: after(30), Schedule: "@hourly", Since: t0})
		same(s, "the same schedule", standing(s, r.ID).Next, t0)
		s.admit(r, &store.Enrolment{ID: r.ID, Next: after(30), Schedule: "@daily", Since: t0})
		same(s, "another", standing(s, r.ID).Next, after(30))
		s.admit(r, nil)
		same(s, "none", standing(s, r.ID).Next, after(30))
	}},
	{"NothingIsSentToOneWhoLeft", func(s *suite) {
		s.enrol(t0, "desk")
		r := s.join("ann", t0)
		hits := s.hits(t0, "a", 2, "r")
		s.ok(s.Release(s.ctx(), s.turns(t0)[0].Lease, after(1000))) // the desk's
		before, err := s.Claim(s.ctx(), after(6), 10, ttl)
		s.ok(err)
		tn := before[0]
		s.admit(gone(r, after(7)), nil)
		s.is(s.Seal(s.ctx(), tn.Lease, digest(tn, hits, after(7))), lease.ErrLost)
		kept, err := s.Renew(s.ctx(), []lease.Lease{tn.Lease}, after(60))
		s.ok(err)
		same(s, "leases", len(kept), 0)
		s.is(s.Release(s.ctx(), tn.Lease, after(8)), lease.ErrLost)
		same(s, "turns", len(s.turns(after(500))), 0)
		same(s, "the desk stays", standing(s, "desk").Subscriber, "desk")
		got, err := s.Reader(s.ctx(), r.ID)
		s.ok(err)
		same(s, "address", got.Address, "")
		same(s, "contact", got.Contact, contact("ann"))
	}},
	{"WithOneWhoLeavesGoItsDigests", func(s *suite) {
		r := s.join("ann", t0)
		hits := s.hits(t0, "a", 2, "r")
		tn := s.turn(t0)
		d := digest(tn, hits, t0)
		s.ok(s.Seal(s.ctx(), tn.Lease, d))
		s.ok(s.Bury(s.ctx(), tn.Lease, t0, after(1), notify.Burial{Reason: "no"}))
		s.ok(s.Resend(s.ctx(), d.ID, after(1)))
		tn = s.turn(after(1))
		same(s, "pending", tn.Pending.ID, d.ID)
		s.ok(s.Retry(s.ctx(), tn.Lease, after(1), after(2), "no"))
		s.admit(gone(r, after(2)), nil)
		letters, err := s.DeadLetters(s.ctx())
		s.ok(err)
		same(s, "dead letters", len(letters), 0)
		s.is(s.Resend(s.ctx(), d.ID, after(3)), store.ErrNotFound)
		// One who comes back begins anew.
		s.join("ann", after(4))
		if tn = s.turn(after(4)); tn.Pending != nil || tn.Attempts != 0 {
			s.Fatalf("begins with %v", tn.Pending)
		}
	}},
	{"LeavingAndSendingAtOnce", func(s *suite) {
		hits := s.hits(t0, "a", 2, "r")
		for range 20 {
			r := s.join("ann", t0)
			tn := s.turns(after(1))[0]
			left := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				_, err := s.AmendReader(s.ctx(), r.ID, func(r store.Reader) (store.Amendment, error) {
					return store.Amendment{Reader: gone(r, after(1))}, nil
				})
				close(left)
				if err != nil {
					s.Error(err)
				}
			})
			wg.Go(func() {
				gone := false
				for !gone {
					select {
					case <-left:
						gone = true
					default:
					}
					if err := s.Seal(s.ctx(), tn.Lease, digest(tn, hits, after(1))); gone && !errors.Is(err, lease.ErrLost) {
						s.Errorf("sealed after it left: %v", err)
					}
				}
			})
			wg.Wait()
			same(s, "turns", len(s.turns(after(500))), 0)
		}
	}},
	{"ALetterIsClaimedOnceAtATime", func(s *suite) {
		s.admit(pending("ben", after(1)), nil)
		s.admit(pending("ann", after(2)), nil)
		s.join("cat", after(1))
		claim := func(minute int) []string {
			s.Helper()
			rs, err := s.ClaimLetters(s.ctx(), after(minute), 1, after(minute+10))
			s.ok(err)
			return ids(rs)
		}
		same(s, "before it is due", claim(0), nil)
		same(s, "the longest due first", claim(3), []string{readerID("ben")})
		same(s, "the next", claim(3), []string{readerID("ann")})
		same(s, "none is left", claim(12), nil)
		same(s, "when its sender died", claim(13), []string{readerID("ann")})
		r, err := s.Reader(s.ctx(), readerID("ben"))
		s.ok(err)
		r.Letter = nil
		s.admit(r, nil)
		same(s, "when it was sent", claim(1000), []string{readerID("ann")})
	}},
	{"WhoDoesNotConfirmIsForgotten", func(s *suite) {
		s.admit(pending("ann", t0), nil)
		s.join("ben", t0)
		left := s.admit(gone(pending("cat", t0), t0), nil)
		blocked := gone(pending("dan", t0), t0)
		blocked.Blocked = true
		s.admit(blocked, nil)
		sweep := func(at time.Time) int {
			s.Helper()
			sw, err := s.Sweep(s.ctx(), at, store.Retention{})
			s.ok(err)
			return sw.Readers
		}
		same(s, "before", sweep(t0.Add(store.PendingFor-time.Millisecond)), 0)
		same(s, "who asked", sweep(t0.Add(store.PendingFor)), 1)
		_, err := s.ReaderOf(s.ctx(), contact("ann"))
		s.is(err, store.ErrNotFound)
		letters, err := s.ClaimLetters(s.ctx(), after(1_000_000), 10, after(1_000_001))
		s.ok(err)
		same(s, "letters", len(letters), 0)
		same(s, "who left", sweep(left.Left.Add(store.LeftFor)), 1)
		same(s, "for ever", sweep(after(100_000_000)), 0)
		same(s, "who stays", ids(s.allReaders()), []string{readerID("ben"), readerID("dan")})
	}},
	{"EraseLeavesNothing", func(s *suite) {
		s.is(s.Erase(s.ctx(), "desk"), store.ErrNotFound)
		s.enrol(t0, "desk", "other")
		s.join("ann", t0)
		hits := s.hits(t0, "a", 1, "r")
		for range 2 {
			for _, tn := range s.turns(after(1)) {
				s.ok(s.Seal(s.ctx(), tn.Lease, digest(tn, hits, after(1))))
				if tn.Cursor == 0 {
					s.ok(s.Ack(s.ctx(), tn.Lease, after(1), after(1)))
				} else {
					s.ok(s.Bury(s.ctx(), tn.Lease, after(1), after(1), notify.Burial{Reason: "no"}))
				}
			}
		}
		for _, id := range []string{"desk", readerID("ann")} {
			s.ok(s.Erase(s.ctx(), id))
			s.is(s.Erase(s.ctx(), id), store.ErrNotFound)
			sent, err := s.Deliveries(s.ctx(), id, 0)
			s.ok(err)
			same(s, "deliveries of "+id, len(sent), 0)
		}
		same(s, "readers", len(s.allReaders()), 0)
		sent, err := s.Deliveries(s.ctx(), "", 0)
		s.ok(err)
		same(s, "deliveries", len(sent), 1)
		letters, err := s.DeadLetters(s.ctx())
		s.ok(err)
		same(s, "dead letters", len(letters), 1)
		all, err := s.Standings(s.ctx())
		s.ok(err)
		same(s, "who stays", len(all), 1)
		s.admit(pending("ann", t0), nil)
	}},
}
