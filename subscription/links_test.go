package subscription

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestALinkServesItsPurposeAlone(t *testing.T) {
	b := newBench(t)
	r, _ := b.join("ann@example.org")
	other, _ := b.join("ben@example.org")
	key, err := b.st.SigningKey(t.Context())
	b.ok(err)
	purposes := []Purpose{ToConfirm, ToLeave, ToChange, ToEcho}
	for _, made := range purposes {
		tok := token(key, made, r, b.at.Add(time.Hour))
		for _, used := range purposes {
			if _, err := b.open(t.Context(), used, tok); (err == nil) != (made == used) {
				t.Errorf("a link to %s used to %s: %v", made, used, err)
			}
		}
		// Every letter counts.
		for i := range len(tok) {
			forged := []byte(tok)
			forged[i] ^= 1
			if _, err := b.open(t.Context(), made, string(forged)); err == nil {
				t.Errorf("%s with another letter at %d works", made, i)
			}
		}
		for _, bad := range []string{"", ".", "..", tok + "A", tok + ".", tok[:len(tok)-1], strings.ToUpper(tok), strings.Replace(tok, ".", "", 1), tok + "\n"} {
			if _, err := b.open(t.Context(), made, bad); !errors.Is(err, ErrLink) {
				t.Errorf("%q: %v", bad, err)
			}
		}
		b.at = b.at.Add(time.Hour)
		if _, err := b.open(t.Context(), made, tok); !errors.Is(err, ErrLink) {
			t.Errorf("%s after its time: %v", made, err)
		}
	}
	// Another's tag, and a later end than was signed.
	tok, theirs := token(key, ToChange, r, b.at.Add(time.Hour)), token(key, ToChange, other, b.at.Add(time.Hour))
	mixed := tok[:strings.LastIndex(tok, ".")] + theirs[strings.LastIndex(theirs, "."):]
	parts := strings.Split(tok, ".")
	for _, forged := range []string{mixed, parts[0] + ".zzzzzzz." + parts[2], parts[0] + ".0." + parts[2]} {
		if _, err := b.open(t.Context(), ToChange, forged); !errors.Is(err, ErrLink) {
			t.Errorf("forged %q: %v", forged, err)
		}
	}
	if tag := parts[2]; len(tag) != 43 {
		t.Errorf("a tag of %d characters is not of 256 bits", len(tag))
	}
}

func TestLinksOfADigestAreTheSameAtEveryTry(t *testing.T) {
	b := newBench(t)
	r, _ := b.join("ann@example.org")
	first, err := b.Links(t.Context(), r, noon)
	b.ok(err)
	b.at = b.at.Add(30 * time.Hour)
	again, err := b.Links(t.Context(), b.reader("ann@example.org"), noon)
	b.ok(err)
	if first != again {
		t.Errorf("%+v, then %+v", first, again)
	}
	// To leave is always possible, to look at what is held is not.
	b.at = noon.Add(changeFor)
	if _, err := b.Read(t.Context(), ToChange, first.Change[strings.LastIndex(first.Change, "/")+1:]); !errors.Is(err, ErrLink) {
		t.Errorf("a link to change after its time: %v", err)
	}
	b.ok(b.Leave(t.Context(), first.Leave[strings.LastIndex(first.Leave, "/")+1:], false))
}
