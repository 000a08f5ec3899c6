package email

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"net/textproto"
	"regexp"
	"strings"
	"time"
)

// BounceWord is what VERP adds to the address of reports for a recipient. Without
// the key nobody can make it up, so a report that comes to it is about a message
// that was sent to the recipient. It is the same whatever the case of the address,
// as servers may change that.
func BounceWord(key []byte, to Address) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("newswatch/bounce\x00" + strings.ToLower(to.Spec())))
	return hex.EncodeToString(m.Sum(nil)[:bounceWordLen/2])
}

const bounceWordLen = 16 // hexadecimal digits

// CheckBounce says why VERP cannot add its words to an address: what stands before
// its @ has 64 octets at most with them (RFC 5321 §4.5.3.1.1), and a server may
// refuse a message from a longer one.
func CheckBounce(a Address) error {
	a.Local += "+" + strings.Repeat("0", bounceWordLen)
	if len(a.Local) > maxLocal || len(a.Spec()) > maxAddress {
		return fmt.Errorf("email: too long for the %d bytes that VERP adds before the @: at most %d there, and %d in all",
			bounceWordLen+1, maxLocal-bounceWordLen-1, maxAddress-bounceWordLen-1)
	}
	return nil
}

const (
	maxReport     = 1 << 20 // bytes of a report that are read
	maxParts      = 20      // of them, parts
	maxRecipients = 100     // and groups of fields about recipients
)

// ErrNoReport is returned for what is no report of a message that was given up.
var ErrNoReport = errors.New("email: this is no report of a message that was not delivered")

// Report is what a mail server says of a message that it had taken, and could not
// deliver (RFC 3464). Anybody can write one; only its words tell that it is about a
// message of ours.
type Report struct {
	// Words are those that VERP may have made, of the addresses that it came to.
	Words []string
	Date  time.Time
	// Code is an enhanced status code (RFC 3463) of class 5.
	Code string
}

// ReadReport reads a message. ErrNoReport is for one that is none, or that does not
// say that the delivery was given up for a reason that lasts.
func ReadReport(r io.Reader) (Report, error) {
	msg, err := mail.ReadMessage(bufio.NewReader(io.LimitReader(r, maxReport)))
	if err != nil {
		return Report{}, ErrNoReport
	}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/report" || params["boundary"] == "" {
		return Report{}, ErrNoReport
	}
	var out Report
	out.Date, _ = msg.Header.Date() // zero where it is none
	for _, values := range msg.Header {
		for _, v := range values {
			for _, m := range bounceAddress.FindAllStringSubmatch(v, maxParts) {
				out.Words = append(out.Words, strings.ToLower(m[1]))
			}
		}
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for range maxParts {
		p, err := parts.NextRawPart()
		if err != nil {
			break
		}
		if kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type")); err != nil || kind != "message/delivery-status" {
			continue
		}
		if out.Code = givenUp(p); out.Code != "" {
			return out, nil
		}
	}
	return Report{}, ErrNoReport
}

var (
	bounceAddress = regexp.MustCompile(fmt.Sprintf(`(?i)\+([0-9a-f]{%d})@`, bounceWordLen))
	lasting       = regexp.MustCompile(`^5\.[0-9]{1,3}\.[0-9]{1,3}\b`)
)

// givenUp returns why the delivery to a recipient failed for good; empty when it
// failed to none. A message of ours has one recipient, whom a server on the way may
// have replaced by others.
func givenUp(status io.Reader) string {
	fields := textproto.NewReader(bufio.NewReader(status))
	for range maxRecipients {
		group, err := fields.ReadMIMEHeader()
		action, _, _ := strings.Cut(group.Get("Action"), "(") // a comment may follow
		code := lasting.FindString(strings.TrimSpace(group.Get("Status")))
		if strings.EqualFold(strings.TrimSpace(action), "failed") && code != "" {
			return code
		}
		if err != nil {
			break
		}
	}
	return ""
}

// PauseAfter says how many such reports, each of another day, are enough to believe
// that the mailbox will take nothing: as many as of answers in SMTP. Zero is for
// what is about the message, or a policy, and says nothing of the mailbox.
func (r Report) PauseAfter() int {
	detail := strings.TrimPrefix(r.Code, "5.")
	switch subject, _, _ := strings.Cut(detail, "."); {
	case detail == "1.1":
		return 1
	case subject == "3", subject == "6", subject == "7":
		return 0
	}
	return 3
}

// Reason says what the report says, in words that hold no address.
func (r Report) Reason() string {
	return "a mail server that took it reports " + r.Code + meanings[strings.TrimPrefix(r.Code, "5.")]
}
