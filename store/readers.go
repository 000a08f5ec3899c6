package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
)

// Reader is a subscriber that subscribed itself, where the others stand in the
// configuration. It is a subscriber under its ID like these, and has a turn in
// their queue as long as it is active.
type Reader struct {
	// ID is ReaderPrefix and random letters: nothing of the address is in it.
	ID string `json:"id"`
	// Contact is a keyed hash of the channel and the address. No two readers have
	// the same, and it stays when the address is gone.
	Contact Contact     `json:"contact"`
	State   ReaderState `json:"state"`
	Channel string      `json:"channel"` // email or webhook
	// Address is empty once the reader has left.
	Address string `json:"address,omitempty"`
	// Secret signs what is posted to a webhook.
	Secret  string  `json:"secret,omitempty"`
	Wishes  Wishes  `json:"wishes"`
	Consent Consent `json:"consent"`
	// Salt is in every link that the reader is sent. Another one makes the links
	// that went before it worthless.
	Salt    int64     `json:"salt"`
	Created time.Time `json:"created"`
	Changed time.Time `json:"changed,omitzero"`
	Left    time.Time `json:"left,omitzero"`
	// Blocked is set of one who left and wants no letter again, not even when its
	// address is written into the page.
	Blocked bool `json:"blocked,omitempty"`
	// Letter is owed to the reader beside its digests; nil when none is.
	Letter *Letter `json:"letter,omitempty"`
	// Asks counts the requests for this address. It changes with each, also where
	// nothing else does: an engine that is told to write what is there already is
	// done sooner, and the time of an answer would tell who is known.
	Asks int `json:"asks,omitempty"`
	// Letters are when letters were asked for lately, so that nobody can have one
	// address written to again and again.
	Letters []time.Time `json:"letters,omitempty"`
}

// String keeps the address out of whatever is printed by mistake.
func (r Reader) String() string { return r.ID }

// GoString does so for %#v.
func (r Reader) GoString() string { return r.ID }

// ReaderPrefix begins the ids of readers. No id in a configuration can begin so,
// which is how the two kinds stay apart in one queue.
const ReaderPrefix = "r:"

// IsReader reports whether a subscriber's id is a reader's.
func IsReader(id string) bool { return strings.HasPrefix(id, ReaderPrefix) }

// ReaderState says where a reader is between asking and leaving.
type ReaderState string

const (
	// ReaderPending has asked, or somebody has in its name, and not confirmed.
	ReaderPending ReaderState = "pending"
	// ReaderActive has confirmed, and is sent digests.
	ReaderActive ReaderState = "active"
	// ReaderLeft has left. Its address is gone.
	ReaderLeft ReaderState = "left"
)

const (
	// PendingFor is how long an address is kept that nobody confirmed.
	PendingFor = 48 * time.Hour
	// LeftFor is how long the record is kept that somebody left, by a hash; that
	// somebody wants no letters is kept until it is erased.
	LeftFor = 90 * 24 * time.Hour
)

// Expires is when Sweep deletes the reader; the zero time means never.
func (r Reader) Expires() time.Time {
	switch {
	case r.State == ReaderPending:
		return r.Consent.Asked.Add(PendingFor)
	case r.State == ReaderLeft && !r.Blocked:
		return r.Left.Add(LeftFor)
	}
	return time.Time{}
}

// Wishes are what a reader chose. Schedule is in the words of
// notify.ParseSchedule, Timezone a name of the IANA database.
type Wishes struct {
	Rules     []string            `json:"rules,omitempty"`
	Tags      []string            `json:"tags,omitempty"`
	Languages []string            `json:"languages,omitempty"`
	Severity  classifier.Severity `json:"severity"`
	Schedule  string              `json:"schedule"`
	Timezone  string              `json:"timezone"`
	WhenEmpty notify.WhenEmpty    `json:"when_empty"`
	// Lang is the language that the reader is written to in.
	Lang string `json:"lang,omitempty"`
}

// Consent is what can be shown of a reader's own will to be written to.
type Consent struct {
	Asked time.Time `json:"asked"`
	Given time.Time `json:"given,omitzero"`
	// Text is the version of the words that were agreed to.
	Text string `json:"text"`
	// Method is page or api.
	Method string `json:"method"`
}

// Letter is a message to one reader that is no digest.
type Letter struct {
	Kind string `json:"kind"`
	// Due is when it is to be sent. Who claimed it since is not told here.
	Due   time.Time `json:"due"`
	Tries int       `json:"tries,omitempty"`
}

// Contact is a keyed hash of a channel and an address.
type Contact [32]byte

// MarshalText writes hexadecimal digits.
func (c Contact) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, c[:]), nil }

// UnmarshalText is the inverse of MarshalText.
func (c *Contact) UnmarshalText(b []byte) error {
	if n, err := hex.Decode(c[:], b); err != nil || n != len(c) || len(b) != 2*len(c) {
		return errors.New("store: not a contact")
	}
	return nil
}

// Amendment is what becomes of a reader in one step.
type Amendment struct {
	Reader Reader
	// Turn enrols an active reader, as Enrol does one of the configuration: a
	// reader that becomes active needs one, one that is may have another schedule.
	// Nil leaves its place in the queue as it is. A reader that is not active has
	// no place: with it go its pending digest and its dead letters, and whoever
	// has its turn has lost it.
	Turn *Enrolment
}

// ErrReader is returned for an amendment that no reader can have.
var ErrReader = errors.New("store: no such amendment of a reader")

// Normal returns the amendment as an engine writes it, or says what is wrong.
// old is what is stored, the zero Reader when nothing is.
func (a Amendment) Normal(old Reader) (Amendment, error) {
	r := a.Reader
	bad := func(why string) (Amendment, error) { return a, fmt.Errorf("%w: %s: %s", ErrReader, r.ID, why) }
	switch {
	case !IsReader(r.ID):
		return bad("the id is not a reader's")
	case old.ID != "" && (old.ID != r.ID || old.Contact != r.Contact):
		return bad("the id and the contact are for ever")
	case r.State != ReaderPending && r.State != ReaderActive && r.State != ReaderLeft:
		return bad("the state is not known")
	case r.State == ReaderLeft && (r.Address != "" || r.Secret != "" || r.Letter != nil || r.Left.IsZero()):
		return bad("who left has no address")
	case r.State == ReaderActive && r.Consent.Given.IsZero():
		return bad("who is active has consented")
	case r.State == ReaderActive && old.State != ReaderActive && a.Turn == nil:
		return bad("who becomes active has a turn")
	case r.State != ReaderActive && a.Turn != nil, a.Turn != nil && a.Turn.ID != r.ID:
		return bad("the turn is of another")
	}
	for _, t := range []*time.Time{&r.Created, &r.Changed, &r.Left, &r.Consent.Asked, &r.Consent.Given} {
		if !t.IsZero() {
			*t = Time(*t)
		}
	}
	if r.Letter != nil {
		l := *r.Letter
		l.Due = Time(l.Due)
		r.Letter = &l
	}
	r.Letters = append([]time.Time(nil), r.Letters...)
	for i, t := range r.Letters {
		r.Letters[i] = Time(t)
	}
	a.Reader = r
	return a, nil
}

// Readers keeps those who subscribed themselves.
type Readers interface {
	// SigningKey returns 32 random bytes, made when they are first asked for, and
	// the same to every process ever after: links are signed with keys made of it,
	// and addresses hashed.
	SigningKey(ctx context.Context) ([]byte, error)
	// Reader returns one, or ErrNotFound.
	Reader(ctx context.Context, id string) (Reader, error)
	// ReaderOf returns the one with a contact, or ErrNotFound.
	ReaderOf(ctx context.Context, c Contact) (Reader, error)
	// Readers yields all of them, ordered by id.
	Readers(ctx context.Context) iter.Seq2[Reader, error]
	// AdmitReader stores a reader under a contact. change is given the one that
	// has the contact already, or the zero Reader, and says what is to be stored;
	// an error of it is returned as it is, and nothing changes. change may be
	// called several times, must not use the store, and must not block.
	AdmitReader(ctx context.Context, c Contact, change func(Reader) (Amendment, error)) (Reader, error)
	// AmendReader changes the reader with an id in the same way. ErrNotFound if
	// there is none.
	AmendReader(ctx context.Context, id string, change func(Reader) (Amendment, error)) (Reader, error)
	// ClaimLetters returns at most max readers whose letter is due at now, the
	// longest due first, and puts these letters off until the time given: whoever
	// claims them next will not get the same. An amendment sets when they are due
	// anew, or takes them away.
	ClaimLetters(ctx context.Context, now time.Time, max int, until time.Time) ([]Reader, error)
	// Erase deletes all that is held of a subscriber, a reader or one of the
	// configuration: its place, its digests, dead letters and deliveries, and the
	// reader. It may be repeated. ErrNotFound when nothing is held.
	Erase(ctx context.Context, id string) error
}
