// Package email sends digests over SMTP, and renders them as the messages that
// it would send.
package email

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	stdmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/newswatch/newswatch/notify"
)

// MaxMessage is the largest message, in bytes as it is sent. Gmail hides what
// is beyond about 102 kB.
const MaxMessage = 100_000

// fewestBytes is less than any entry takes of a message, with the styles that it
// has in the HTML part. It bounds the search for what fits.
const fewestBytes = 600

// Envelope says from whom a message is and to whom.
type Envelope struct {
	From Address
	// To may be the zero Address: a message that is kept and not sent.
	To Address
	// Layout sets the two parts.
	Layout notify.Layout
	// Sender is who hands the message over where that is not From (RFC 5322
	// §3.6.2), and ReplyTo where answers go; both may be the zero Address.
	Sender, ReplyTo Address
	// Unsubscribe holds mailto: and https: URIs for List-Unsubscribe (RFC 2369);
	// empty leaves the header out.
	Unsubscribe []string
}

// Render returns the digest as an RFC 5322 message: multipart/alternative, the
// text first. It is the same, byte for byte, whenever the same digest is
// rendered for the same envelope, so a retry cannot be told from the first try:
// its Message-ID, Date and boundary come from the digest. A digest that would be
// larger than MaxMessage is cut, and says by how much.
func Render(d notify.Digest, e Envelope) ([]byte, error) {
	raw, err := render(d, e)
	if err != nil || len(raw) <= MaxMessage {
		return raw, err
	}
	// The most entries that fit. The other outlets of a story, corrections and
	// notices go before a story does only when not one story fits beside them all.
	for _, cut := range []struct{ also, names int }{{notify.MaxAlso, notify.MaxCoverageNames}, {3, 3}, {0, 0}} {
		d := d.Brief(cut.names)
		lo, hi := 0, min(d.Shown(), MaxMessage/fewestBytes)
		var best []byte
		for lo < hi {
			n := (lo + hi + 1) / 2
			if raw, err = render(d.Trim(n, cut.also), e); err != nil {
				return nil, err
			}
			if len(raw) <= MaxMessage {
				lo, best = n, raw
			} else {
				hi = n - 1
			}
		}
		if best != nil {
			return best, nil
		}
	}
	return render(d.Brief(0).Trim(0, 0), e)
}

func render(d notify.Digest, e Envelope) ([]byte, error) {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent())
	m.SetBoundary("nw-" + hash(d.ID, 16))
	m.SetMessageIDWithValue(messageID(d, e.From.Domain))
	m.SetDateWithValue(dateIn(d))
	m.SetGenHeader(mail.HeaderSubject, headerText(notify.Subject(d)))
	// RFC 3834 §5: no vacation notice answers this.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("List-Id", "newswatch digests <newswatch."+e.From.Domain+">")
	// One thread for each subscriber, whose first message nobody has.
	m.SetGenHeader("References", "<"+hash(d.Subscriber, 8)+".digests@"+e.From.Domain+">")
	setUnsubscribe(m, e.Unsubscribe, d.LeaveURL)
	m.SetAddrHeaderFromMailAddress(mail.HeaderFrom, &stdmail.Address{Name: e.From.Name, Address: e.From.Spec()})
	if e.Sender != (Address{}) {
		m.SetGenHeader("Sender", e.Sender.header())
	}
	if e.ReplyTo != (Address{}) {
		m.SetGenHeader("Reply-To", e.ReplyTo.header())
	}
	if e.To == (Address{}) {
		m.SetGenHeader("To", "undisclosed-recipients:;")
	} else {
		m.SetAddrHeaderFromMailAddress(mail.HeaderTo, &stdmail.Address{Address: e.To.Spec()})
	}
	text, html := crlf(e.Layout.Text(d)), crlf(e.Layout.HTML(d))
	m.SetBodyString(mail.TypeTextPlain, text, mail.WithPartEncoding(shorter(text)))
	m.AddAlternativeString(mail.TypeTextHTML, html, mail.WithPartEncoding(shorter(html)))
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("email: render digest %s: %w", d.ID, err)
	}
	return b.Bytes(), nil
}

// messageID is fixed when the digest is sealed: a receiver that gets the same
// digest twice can tell.
func messageID(d notify.Digest, domain string) string {
	return hash(d.ID, 16) + "." + hash(d.Subscriber, 4) + "@" + domain
}

// hash makes an id that is fit for a header, and does not tell a subscriber's
// name to servers on the way. A digest's own id is one already.
func hash(s string, n int) string {
	if b, err := hex.DecodeString(s); err == nil && len(b) == n {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:n])
}

func dateIn(d notify.Digest) time.Time {
	if tz, err := time.LoadLocation(d.Timezone); err == nil && d.Timezone != "Local" {
		return d.Sealed.In(tz)
	}
	return d.Sealed.UTC()
}

// headerText makes text fit for an unstructured header: no controls, and encoded
// (RFC 2047) not only where it is not ASCII but also where it holds what looks
// like an encoded word, which a reader would decode into something else.
func headerText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if isASCII(s) && !strings.Contains(s, "=?") {
		return s
	}
	// 45 bytes are 60 of base64, so a word stays within its 75 (RFC 2047 §2).
	var words []string
	for len(s) > 0 {
		n := 0
		for i, r := range s {
			if end := i + len(string(r)); end <= 45 {
				n = end
			}
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

// crlf ends every line as SMTP wants it (RFC 5321 §2.3.8). A bare CR, which some
// servers take for the end of a line and others do not, does not get through.
func crlf(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "")
	return strings.ReplaceAll(s, "\n", "\r\n")
}

// shorter picks the encoding that takes less room: quoted-printable for text that
// is mostly ASCII, and stays readable in the source; base64 for Malayalam.
func shorter(s string) mail.Encoding {
	quoted := len(s)
	for i := range len(s) {
		if c := s[i]; c >= 0x7f || c == '=' {
			quoted += 2
		}
	}
	if quoted > len(s)/3*4 {
		return mail.EncodingB64
	}
	return mail.EncodingQP
}

// setUnsubscribe says how the reader leaves: by the URIs, and by the page where it
// leaves, if there is one. A mail reader may do the latter with one click where the
// page is https (RFC 8058 §3.1).
func setUnsubscribe(m *mail.Msg, uris []string, page string) {
	if all := unsubscribe(append(slices.Clone(uris), page)); all != "" {
		m.SetGenHeader("List-Unsubscribe", all)
	}
	if unsubscribe([]string{page}) != "" && strings.HasPrefix(page, "https://") {
		m.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
}

// unsubscribe joins URIs for RFC 2369 §3.2; what could leave its angle brackets
// is left out.
func unsubscribe(uris []string) string {
	var out []string
	for _, u := range uris {
		if u != "" && isASCII(u) && !strings.ContainsAny(u, "<> ,\r\n\t") {
			out = append(out, "<"+u+">")
		}
	}
	return strings.Join(out, ", ")
}
