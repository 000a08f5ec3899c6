package subscription

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/email"
	"github.com/newswatch/newswatch/notify/webhook"
	"github.com/newswatch/newswatch/store"
)

// The channels that people can choose themselves.
const (
	Email   = "email"
	Webhook = "webhook"
)

// Request is what somebody asked for in a form or through the API.
type Request struct {
	Channel, Address string
	// Secret signs what is posted to a webhook.
	Secret string
	Wishes store.Wishes
	// Agreed says that the words of Consent were agreed to; Method is where: page
	// or api.
	Agreed bool
	Method string
}

// Catalogue is what can be chosen under the configuration in force.
type Catalogue struct {
	Rules     []Choice
	Tags      []string
	Languages []string
	Timezone  string // of who names none
}

// Choice is one thing to choose, and its name for people.
type Choice struct{ ID, Name string }

// Fault is what is wrong with one field of a request, in words for who filled it
// in.
type Fault struct {
	Field, Text string
}

const (
	maxChosen  = 200
	maxURL     = 2000
	mostOften  = time.Hour
	lookAhead  = 48 // turns of a schedule that are looked at
	shortestBy = 24 // bytes of a webhook's secret, by the Standard Webhooks specification
	longestBy  = 64
)

// Check returns the request as it would be stored, or what is wrong with it. It
// does not ask the store, so what it says tells nothing of who is subscribed.
func Check(q Request, cat Catalogue) (Request, []Fault) {
	var faults []Fault
	fault := func(field, format string, args ...any) {
		faults = append(faults, Fault{field, fmt.Sprintf(format, args...)})
	}
	var text string
	switch q.Channel {
	case Email:
		q.Address, text = mailbox(q.Address)
		q.Secret = ""
	case Webhook:
		q.Address, text = endpoint(q.Address)
		if why := secret(q.Secret); why != "" {
			fault("secret", "%s", why)
		}
	default:
		fault("channel", "choose email or webhook")
	}
	if text != "" {
		fault("address", "%s", text)
	}
	if !q.Agreed {
		fault("agree", "say that you want to be sent digests")
	}
	var more []Fault
	q.Wishes, more = CheckWishes(q.Wishes, cat)
	return q, append(faults, more...)
}

// CheckWishes returns the wishes as they would be stored, or what is wrong.
func CheckWishes(w store.Wishes, cat Catalogue) (store.Wishes, []Fault) {
	var faults []Fault
	fault := func(field, format string, args ...any) {
		faults = append(faults, Fault{field, fmt.Sprintf(format, args...)})
	}
	ids := make([]string, len(cat.Rules))
	for i, c := range cat.Rules {
		ids[i] = c.ID
	}
	for _, l := range []struct {
		field string
		list  *[]string
		known []string
	}{{"rules", &w.Rules, ids}, {"tags", &w.Tags, cat.Tags}, {"languages", &w.Languages, nil}} {
		if len(*l.list) > maxChosen {
			fault(l.field, "choose at most %d, or none for all", maxChosen)
			continue
		}
		kept := slices.Clone(*l.list)
		slices.Sort(kept)
		kept = slices.Compact(kept)
		for _, s := range kept {
			if l.known != nil && !slices.Contains(l.known, s) {
				fault(l.field, "%q cannot be chosen here", clip(s))
			}
			if l.field == "languages" {
				if _, err := language.Parse(s); err != nil || len(s) > 35 {
					fault(l.field, "%q is not a language code, such as en, ml or hi", clip(s))
				}
			}
		}
		*l.list = kept
	}
	if w.Severity < 0 || w.Severity > 3 {
		fault("severity", "choose low, medium, high or critical")
	}
	if w.Timezone == "" {
		w.Timezone = cat.Timezone
	}
	tz, err := zone(w.Timezone)
	if err != nil {
		fault("timezone", "%q is not a time zone, such as Asia/Kolkata", clip(w.Timezone))
	}
	if w.Schedule == "" {
		w.Schedule = "0 7 * * *"
	}
	if s, err := notify.ParseSchedule(w.Schedule, tz); err != nil {
		fault("schedule", "%s", strings.TrimPrefix(err.Error(), "notify: "))
	} else if why := tooOften(s); why != "" {
		fault("schedule", "%s", why)
	}
	switch w.WhenEmpty {
	case "":
		w.WhenEmpty = notify.Skip
	case notify.Skip, notify.Send:
	default:
		fault("when_empty", "choose skip or send")
	}
	if w.Lang != "" && !slices.Contains(notify.Languages(), w.Lang) {
		fault("lang", "choose one of %s", strings.Join(notify.Languages(), ", "))
	}
	return w, faults
}

// mailbox reads an address that a stranger wrote; it returns it in one form, or
// says what is wrong.
func mailbox(s string) (addr, why string) {
	const want = "want an address such as name@example.org"
	s = strings.TrimSpace(s)
	a, err := email.ParseAddress(s)
	if err != nil || a.Name != "" || strings.ContainsAny(s, "<>") {
		return "", want
	}
	labels := strings.Split(a.Domain, ".")
	top := labels[len(labels)-1]
	// Mail of strangers goes to names of the public DNS: not to a machine of the
	// inner network, and not to an address literal in disguise.
	if len(labels) < 2 || strings.Trim(top, "0123456789") == "" || slices.Contains(innerTops, top) {
		return "", want
	}
	return a.Spec(), ""
}

// innerTops are the last labels of names that no public mail server has (RFC
// 2606, RFC 6762, RFC 8375, RFC 9476).
var innerTops = []string{"local", "localhost", "localdomain", "internal", "invalid", "test", "onion", "alt", "arpa", "lan", "home", "corp"}

// endpoint reads the URL of a webhook. Where it leads is judged when it is
// dialled.
func endpoint(s string) (addr, why string) {
	s = strings.TrimSpace(s)
	u, err := url.Parse(s)
	switch {
	case err != nil || len(s) > maxURL || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return "", "want a URL such as https://example.org/hook"
	case u.Scheme != "https":
		return "", "want https: a digest must not cross the network in the clear"
	case u.User != nil:
		return "", "want a URL without a user name: what is posted is signed with the secret"
	case u.Fragment != "" || strings.HasSuffix(s, "#"):
		return "", "want a URL without a # part"
	}
	if a, err := netip.ParseAddr(u.Hostname()); err != nil && !strings.Contains(u.Hostname(), ".") {
		return "", "want the full name of a host"
	} else if err == nil && (a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast()) {
		return "", "want an address of the public internet"
	}
	u.Host = strings.ToLower(u.Host)
	if strings.ContainsFunc(u.String(), func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", "want a URL without blanks"
	}
	return u.String(), ""
}

func secret(s string) string {
	const how = "make one with: echo whsec_$(openssl rand -base64 32)"
	n, err := webhook.SecretLength(s)
	if err != nil || n < shortestBy || n > longestBy {
		return fmt.Sprintf("want a secret of %d to %d bytes; %s", shortestBy, longestBy, how)
	}
	return ""
}

// zone finds a time zone by its name in the IANA database.
func zone(name string) (*time.Location, error) {
	if name == "Local" || name == "" || len(name) > 64 {
		return nil, fmt.Errorf("subscription: no time zone")
	}
	return time.LoadLocation(name)
}

// tooOften says why a schedule is: it comes more than once an hour, at any time of
// the days to come, or looks for news more often than an immediate one need.
func tooOften(s notify.Schedule) string {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if notify.IsImmediate(s) {
		if s.Next(at).Sub(at) < notify.DefaultHold {
			return fmt.Sprintf("looks for news more than once in %s: choose immediate alone", notify.DefaultHold)
		}
		return ""
	}
	for range lookAhead {
		next := s.Next(at)
		if next.IsZero() {
			return ""
		}
		after := s.Next(next)
		if !after.IsZero() && after.Sub(next) < mostOften {
			return "comes more than once an hour: choose immediate, which waits for news"
		}
		at = next
	}
	return ""
}

// clip bounds what is repeated of a stranger's words.
func clip(s string) string {
	const most = 40
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
