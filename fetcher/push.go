package fetcher

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/newswatch/newswatch/fetcher/document"
)

// Push is the hub that a feed announces (W3C WebSub §4), which tells at once when
// the feed has news, and when it was last asked to.
type Push struct {
	Hub   string `json:"hub,omitempty"`
	Topic string `json:"topic,omitempty"` // what the feed is called there
	// Asked is when the hub was last asked for a subscription. A zero time is one
	// that never was, or whose feed has changed its hub or its name.
	Asked time.Time `json:"asked,omitzero"`
	// Refused is set where the hub did not take what was asked at that time.
	Refused bool `json:"refused,omitempty"`
}

const (
	// maxPushURL bounds the addresses that are kept of a hub and a topic.
	maxPushURL = 1 << 10
	// pushTimeout bounds the request to a hub, which is made between a feed's
	// document and its record.
	pushTimeout = 10 * time.Second
	// turnPatience is how long a turn at the hub is waited for. One hub may be that
	// of a thousand feeds, and where it hangs all of them would stand in line there,
	// each with its news in hand.
	turnPatience = time.Second
	// maxLinks bounds the links that are looked at in the headers of an answer.
	maxLinks = 32
)

// ErrNoTurn is returned by Subscribe where the hub was not asked at all, since
// others were asking it, or it wants no requests for now.
var ErrNoTurn = errors.New("fetcher: there was no turn at the hub in time")

// announced takes the hub that an answer names: in its Link headers, or in the
// document. A feed that names none any more is polled only. A topic that is not
// named is the address that answered.
func (st *State) announced(h http.Header, from *url.URL, hints document.Hints) {
	hub, topic := linkHeaders(h, from)
	if hub == "" && len(hints.Hubs) > 0 {
		hub = hints.Hubs[0]
		topic = hints.Self
	}
	if topic == "" {
		topic = from.String()
	}
	if !pushable(hub) || !pushable(topic) {
		st.Push = Push{}
		return
	}
	if hub != st.Push.Hub || topic != st.Push.Topic {
		st.Push = Push{Hub: hub, Topic: topic}
	}
}

func pushable(raw string) bool {
	if raw == "" || len(raw) > maxPushURL {
		return false
	}
	_, err := parseURL(raw)
	return err == nil
}

// linkHeaders returns the first hub and the first self of an answer's Link headers
// (RFC 8288 §3), as absolute addresses.
func linkHeaders(h http.Header, from *url.URL) (hub, self string) {
	left := maxLinks
	for _, line := range h.Values("Link") {
		for line != "" && left > 0 {
			left--
			var target, params string
			if target, params, line = nextLink(line); target == "" {
				continue
			}
			u, err := from.Parse(target)
			if err != nil {
				continue
			}
			for _, rel := range relations(params) {
				switch {
				case rel == "hub" && hub == "":
					hub = u.String()
				case rel == "self" && self == "":
					self = bare(u).String()
				}
			}
		}
	}
	return hub, self
}

// nextLink cuts the first link of a list off: its target, its parameters, and what
// is left of the list. A comma within brackets or quotes ends nothing.
func nextLink(list string) (target, params, rest string) {
	quoted, bracket := false, false
	end := len(list)
	for i := 0; i < len(list) && end == len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"' && !bracket:
			quoted = !quoted
		case c == '<' && !quoted:
			bracket = true
		case c == '>' && !quoted:
			bracket = false
		case c == ',' && !quoted && !bracket:
			end = i
		}
	}
	link := list[:end]
	if end < len(list) {
		rest = list[end+1:]
	}
	link = strings.TrimSpace(link)
	if !strings.HasPrefix(link, "<") {
		return "", "", rest
	}
	target, params, _ = strings.Cut(link[1:], ">")
	return strings.TrimSpace(target), params, rest
}

// relations are the types that the first rel parameter lists (RFC 8288 §3.3). Quoted
// text is passed over first: a title may hold anything.
func relations(params string) []string {
	for params != "" {
		var p string
		p, params = nextParam(params)
		name, value, ok := strings.Cut(p, "=")
		if ok && strings.EqualFold(strings.TrimSpace(name), "rel") {
			return strings.Fields(strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`)))
		}
	}
	return nil
}

// nextParam cuts the first parameter off, at a semicolon that is not quoted.
func nextParam(params string) (first, rest string) {
	quoted := false
	for i := 0; i < len(params); i++ {
		switch c := params[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return params[:i], params[i+1:]
		}
	}
	return params, ""
}

// Subscribe posts a form to a hub and returns nil when the hub took it, and ErrNoTurn
// when it was too busy to be asked. Redirects are not followed: a form with a secret
// in it goes where it was sent or nowhere.
func (c *Client) Subscribe(ctx context.Context, hub string, form url.Values) error {
	u, err := parseURL(hub)
	if err != nil {
		return err
	}
	patient, giveUp := context.WithTimeout(ctx, turnPatience)
	defer giveUp()
	leave, err := c.turns.enter(patient, hostKey(u), nil)
	if ctx.Err() != nil && err != nil {
		return wrap(ctx.Err())
	}
	if err != nil {
		return ErrNoTurn
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return failf(ReasonConfig, nil, "%s: the hub cannot be asked", u.Host)
	}
	r.Header.Set("User-Agent", c.userAgent)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.opt.Transport.RoundTrip(r)
	if err != nil {
		return explainTransport(u.Host, pushTimeout, err)
	}
	defer resp.Body.Close()
	c.heed(u, resp)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return explainStatus(u.Host, resp.StatusCode)
	}
	return nil
}
