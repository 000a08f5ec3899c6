package subscription

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/store"
)

// ErrLink is returned for a link that leads nowhere: forged, cut off, too old,
// for something else, or of a reader that is forgotten. It does not say which.
var ErrLink = errors.New("subscription: the link leads nowhere")

// Purpose is what a link may be used for, and nothing else.
type Purpose string

const (
	// ToConfirm makes a pending reader active.
	ToConfirm Purpose = "confirm"
	// ToLeave makes a reader leave. It works as long as the reader is known: one
	// who digs out an old digest to leave must be able to.
	ToLeave Purpose = "leave"
	// ToChange shows and changes what is held of a reader, and erases it.
	ToChange Purpose = "change"
	// ToEcho is what an endpoint must answer to a challenge.
	ToEcho Purpose = "echo"
)

// changeFor is how long the link in a digest opens what is held of its reader. A
// digest is passed on more easily than a password; the next has a fresh link.
const changeFor = 60 * 24 * time.Hour

// token makes the secret part of a link: the reader, until when it is good (zero
// is for ever), and a 256-bit tag of both under a key of the purpose's own.
// Nothing of it is stored. It is the same whenever it is made of the same things,
// so a digest that is sent again is the same to the last letter.
func token(key []byte, p Purpose, r store.Reader, until time.Time) string {
	ms := int64(0)
	if !until.IsZero() {
		ms = until.Unix()
	}
	body := strings.TrimPrefix(r.ID, store.ReaderPrefix) + "." + strconv.FormatInt(ms, 36)
	return body + "." + base64.RawURLEncoding.EncodeToString(tag(key, p, r, body))
}

func tag(key []byte, p Purpose, r store.Reader, body string) []byte {
	m := hmac.New(sha256.New, derive(key, "link/"+string(p)))
	if p != ToLeave {
		// Another salt makes what went before it worthless.
		var salt [8]byte
		binary.BigEndian.PutUint64(salt[:], uint64(r.Salt))
		m.Write(salt[:])
	}
	m.Write([]byte(body))
	return m.Sum(nil)
}

// derive makes a key for one use of the signing key.
func derive(key []byte, use string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("newswatch/" + use))
	return m.Sum(nil)
}

// open returns the reader of a link.
func (l *Roll) open(ctx context.Context, p Purpose, tok string) (store.Reader, error) {
	id, rest, _ := strings.Cut(tok, ".")
	until, mac, ok := strings.Cut(rest, ".")
	given, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	seconds, numErr := strconv.ParseInt(until, 36, 64)
	// The decoder passes over line breaks: only one spelling is good.
	if !ok || err != nil || numErr != nil || len(given) != sha256.Size || len(id) != idLength || strings.ContainsAny(mac, "\r\n") {
		return store.Reader{}, ErrLink
	}
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return store.Reader{}, fmt.Errorf("subscription: %w", err)
	}
	r, err := l.Store.Reader(ctx, store.ReaderPrefix+id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return r, fmt.Errorf("subscription: %w", err)
	}
	// The tag is computed for an unknown reader too: how long the answer takes
	// tells nothing.
	genuine := hmac.Equal(given, tag(key, p, r, id+"."+until))
	if err != nil || !genuine || seconds != 0 && l.now().Unix() >= seconds {
		return store.Reader{}, ErrLink
	}
	return r, nil
}

// Links are the addresses that a digest carries to its reader.
type Links struct{ Leave, Change string }

// Links makes those of a digest that was sealed at a time.
func (l *Roll) Links(ctx context.Context, r store.Reader, sealed time.Time) (Links, error) {
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return Links{}, fmt.Errorf("subscription: %w", err)
	}
	return Links{
		Leave:  l.PublicURL + "/unsubscribe/" + token(key, ToLeave, r, time.Time{}),
		Change: l.PublicURL + "/preferences/" + token(key, ToChange, r, sealed.Add(changeFor)),
	}, nil
}

// contact is the keyed hash by which a reader is found whose address is known, or
// was. The case of the local part is ignored, as all servers but a few do, so
// that one mailbox cannot be written to under many spellings.
func contact(key []byte, channel, address string) store.Contact {
	m := hmac.New(sha256.New, derive(key, "contact"))
	m.Write([]byte(channel + "\x00"))
	if channel == Email {
		address = strings.ToLower(address)
	}
	m.Write([]byte(address))
	return store.Contact(m.Sum(nil))
}

// stampFor is how long a form may be open before it is sent.
const stampFor = 12 * time.Hour

// Stamp marks a form that this site made, so that what another site or a script
// sends that never looked at it is told from it.
func (l *Roll) Stamp(ctx context.Context) (string, error) {
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return "", fmt.Errorf("subscription: %w", err)
	}
	at := strconv.FormatInt(l.now().Unix(), 36)
	return at + "." + base64.RawURLEncoding.EncodeToString(stamp(key, at)), nil
}

// Stamped reports whether a stamp is of this site and fresh.
func (l *Roll) Stamped(ctx context.Context, s string) (bool, error) {
	key, err := l.Store.SigningKey(ctx)
	if err != nil {
		return false, fmt.Errorf("subscription: %w", err)
	}
	at, mac, _ := strings.Cut(s, ".")
	given, _ := base64.RawURLEncoding.Strict().DecodeString(mac)
	seconds, err := strconv.ParseInt(at, 36, 64)
	if err != nil || !hmac.Equal(given, stamp(key, at)) {
		return false, nil
	}
	age := l.now().Sub(time.Unix(seconds, 0))
	return age > -time.Minute && age < stampFor, nil
}

func stamp(key []byte, at string) []byte { return derive(key, "form/"+at) }
