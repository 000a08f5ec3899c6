package email

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"regexp"
	"strings"

	"github.com/newswatch/newswatch/notify"
)

// phase is a step of the dialogue; its text goes into errors.
type phase string

const (
	phaseConnect phase = "connect"
	phaseBanner  phase = "banner"
	phaseHello   phase = "EHLO"
	phaseTLS     phase = "TLS"
	phaseAuth    phase = "AUTH"
	phaseReset   phase = "RSET"
	phaseMail    phase = "MAIL FROM"
	phaseRcpt    phase = "RCPT TO"
	phaseData    phase = "DATA"
	phaseBody    phase = "message"
	phaseDot     phase = "end of message"
)

// failed says what an error in a phase means. Of a server's reply only the codes
// are kept: its text often repeats the recipient's address, and may repeat what
// was sent to log in.
//
//   - 4xx, and whatever ends the session, passes: try again (RFC 5321 §4.2.1).
//   - 5xx to RCPT, DATA or the message is this recipient's or this message's
//     fault, and permanent.
//   - 5xx before that is a fault of the configuration or of the server, and so is
//     a policy that refuses to relay (X.7.x, RFC 3463 §3.8): were it permanent, one
//     wrong password would make a dead letter of every digest.
func failed(p phase, err error) error {
	de := &notify.DeliveryError{Failure: notify.FailureConnect}
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		de.Failure, de.Permanent = judge(p, reply)
		if de.Permanent {
			de.PauseAfter = pauseAfter(p, reply)
		}
		de.Err = fmt.Errorf("email: %s: the server answered %s", p, codes(reply))
		return de
	}
	if _, ok := errors.AsType[textproto.ProtocolError](err); ok {
		err = errors.New("what the server said is not SMTP")
	}
	var timeout net.Error
	switch {
	case errors.Is(err, errNoUTF8):
		de.Failure, de.Permanent, de.PauseAfter = notify.FailureRejected, true, 1
	case errors.Is(err, errNoAuth):
		de.Failure = notify.FailureAuth
	case errors.Is(err, context.Canceled):
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		de.Failure = notify.FailureTimeout
		err = errors.New("timed out")
	case p == phaseTLS, notify.IsTLS(err):
		de.Failure = notify.FailureTLS
	case p == phaseAuth && !isNetwork(err):
		// What a mechanism says may hold what it was given.
		de.Failure = notify.FailureAuth
		err = errors.New("the login did not work")
	}
	switch {
	case errors.Is(err, errTooMuch):
		err = errTooMuch
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("the server hung up")
	}
	if p == phaseDot && de.Failure != notify.FailureTLS {
		err = fmt.Errorf("%w; the server may have the message", err)
	}
	de.Err = fmt.Errorf("email: %s: %w", p, err)
	return de
}

func judge(p phase, reply *textproto.Error) (f notify.Failure, permanent bool) {
	_, policy := enhanced(reply)
	switch {
	// RFC 4954 §6 and §4: the login failed, or is wanted.
	case p == phaseAuth, reply.Code == 530, reply.Code == 534, reply.Code == 535, reply.Code == 538:
		if reply.Code/100 == 4 {
			return notify.FailureDeferred, false
		}
		return notify.FailureAuth, false
	case p == phaseTLS:
		return notify.FailureTLS, false
	case reply.Code/100 != 5:
		return notify.FailureDeferred, false
	case p == phaseRcpt:
		return notify.FailureRejected, !policy
	case p == phaseData, p == phaseDot:
		return notify.FailureRejected, true
	}
	return notify.FailureRejected, false
}

// pauseAfter says how many such answers on end are enough to believe that the
// mailbox will take nothing: one where there is no such mailbox (RFC 3463, X.1.1),
// three where the reason may pass. A refusal of the message itself says nothing
// about the mailbox; but some servers tell of a mailbox only after the message.
func pauseAfter(p phase, reply *textproto.Error) int {
	code, _ := enhanced(reply)
	_, detail, _ := strings.Cut(code, ".")
	switch {
	case p != phaseRcpt && !strings.HasPrefix(detail, "1.") && !strings.HasPrefix(detail, "2."):
		return 0
	case detail == "1.1":
		return 1
	}
	return 3
}

// ended reports whether an answer or error ends the session that it came in.
func ended(err error) bool {
	reply, ok := errors.AsType[*textproto.Error](err)
	return !ok || reply.Code == 421 // RFC 5321 §3.8
}

// statusCode is an enhanced status code (RFC 2034 §4) before the text of a reply.
var statusCode = regexp.MustCompile(`^([245])\.([0-9]{1,3})\.([0-9]{1,3})(?:\s|$)`)

func enhanced(reply *textproto.Error) (code string, policy bool) {
	m := statusCode.FindStringSubmatch(reply.Msg)
	if m == nil {
		return "", false
	}
	return m[1] + "." + m[2] + "." + m[3], m[2] == "7"
}

func codes(reply *textproto.Error) string {
	code, _ := enhanced(reply)
	if code == "" {
		return fmt.Sprint(reply.Code)
	}
	return fmt.Sprintf("%d %s%s", reply.Code, code, meanings[code[2:]])
}

// meanings are the words for the codes that operators meet (RFC 3463 §3, RFC 7372).
var meanings = map[string]string{
	"1.1": " (no such mailbox)", "1.2": " (no such domain)", "1.3": " (bad address)", "1.6": " (the mailbox has moved)",
	"1.10": " (the domain takes no mail)", "2.1": " (the mailbox is disabled)", "2.2": " (the mailbox is full)",
	"3.4": " (the message is too big)", "4.1": " (no answer from the host)", "4.7": " (the delivery expired)",
	"7.0": " (refused by policy)", "7.1": " (refused by policy)", "7.8": " (wrong user name or password)",
	"7.20": " (no valid DKIM signature)", "7.23": " (SPF does not allow this server)", "7.25": " (no reverse DNS)",
	"7.26": " (neither SPF nor DKIM passed)",
}

func isNetwork(err error) bool {
	_, op := errors.AsType[*net.OpError](err)
	return op || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, errTooMuch)
}
