package email

import (
	"bytes"
	"context"
	"fmt"
	stdmail "net/mail"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/newswatch/newswatch/notify"
)

// Letter is a message that is no digest: the question whether somebody wants
// digests, and the like. It is plain text.
type Letter struct {
	// ID makes the Message-ID; it is the same at every try.
	ID      string
	Date    time.Time
	Subject string
	Text    string
	// Leave is where the reader leaves, for List-Unsubscribe.
	Leave string
}

// Write sends a letter, as Notify does a digest.
func (m *Mailbox) Write(ctx context.Context, l Letter) error {
	raw, err := m.letter(l)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	return m.sender.deliver(ctx, m.to, raw)
}

func (m *Mailbox) letter(l Letter) ([]byte, error) {
	from := m.sender.from
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	msg.SetMessageIDWithValue(hash(l.ID, 16) + ".letter@" + from.Domain)
	msg.SetDateWithValue(l.Date.UTC())
	msg.SetGenHeader(mail.HeaderSubject, headerText(l.Subject))
	// RFC 3834 §5: no vacation notice answers this.
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	setUnsubscribe(msg, nil, l.Leave)
	msg.SetAddrHeaderFromMailAddress(mail.HeaderFrom, &stdmail.Address{Name: from.Name, Address: from.Spec()})
	msg.SetAddrHeaderFromMailAddress(mail.HeaderTo, &stdmail.Address{Address: m.to.Spec()})
	text := crlf(l.Text)
	msg.SetBodyString(mail.TypeTextPlain, text, mail.WithPartEncoding(shorter(text)))
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("email: render a letter: %w", err)
	}
	return b.Bytes(), nil
}
