package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Notice is something that the operator should hear of: not news, but how the
// watch is kept. It has a place in the hit log, so that the cursor of a
// subscriber who is an operator covers it once, as it does hits.
type Notice struct {
	// ID is deterministic, see NoticeID: the same thing noticed twice, by two
	// processes or after a restart, is one notice.
	ID string `json:"id"`
	// Seq is its place in the log; the store gives it.
	Seq  int64      `json:"seq,omitempty"`
	At   time.Time  `json:"at"`
	Kind NoticeKind `json:"kind"`
	// Subject is the id of the feed or subscriber that it is about; it may be
	// empty.
	Subject string `json:"subject,omitempty"`
	// Text is a sentence. It holds no secret and no address of a subscriber.
	Text string `json:"text"`
}

// NoticeKind is the closed set of what operators are told.
type NoticeKind string

const (
	// SourceLost: a feed is not coming back by itself, or has not for days.
	SourceLost NoticeKind = "source_lost"
	// SourceSilent: a feed can be read, and publishes nothing for longer than its
	// own rate explains.
	SourceSilent NoticeKind = "source_silent"
	// SourceBack: a feed that was lost can be read again, or one that was silent
	// publishes again.
	SourceBack NoticeKind = "source_back"
	// FloodHeld: a feed brought so many new items at once that the old among
	// them were recorded and not reported.
	FloodHeld NoticeKind = "flood_held"
	// Offline: no feed at all can be reached, so the fault is on this side.
	Offline NoticeKind = "offline"
	// SubscriberPaused: a subscriber gets no digests until somebody looks.
	SubscriberPaused NoticeKind = "subscriber_paused"
	// MailReturned: mail to a subscriber was accepted, and came back later.
	MailReturned NoticeKind = "mail_returned"
	// ReloadFailed: a changed configuration was refused; the one before it is in
	// force.
	ReloadFailed NoticeKind = "reload_failed"
)

// NoticeKinds are all of them.
var NoticeKinds = []NoticeKind{SourceLost, SourceSilent, SourceBack, FloodHeld, Offline, SubscriberPaused, MailReturned, ReloadFailed}

// NoticeID names a notice by what makes it the same as another: 32 hexadecimal
// digits.
func NoticeID(kind NoticeKind, parts ...string) string {
	// The parts are ids, times and texts of ours: none holds a zero byte.
	h := sha256.Sum256([]byte(string(kind) + "\x00" + strings.Join(parts, "\x00")))
	return hex.EncodeToString(h[:16])
}

// MaxNotices bounds the notices that one digest lists; the rest is counted.
const MaxNotices = 20

// listed are the notices that a digest shows, bounded, and how many more there
// are.
func listed(all []Notice) (shown []Notice, more int) {
	for _, n := range all[:min(len(all), MaxNotices)] {
		n.Subject, n.Text = clip(n.Subject, maxOutlet), clip(n.Text, maxTitle)
		shown = append(shown, n)
	}
	return shown, len(all) - len(shown)
}
