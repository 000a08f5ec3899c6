package chat

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Target is a room of a service. Nothing in it may be printed but Service.
type Target struct {
	Service  string
	endpoint string
	header   map[string]string
	fields   object // of each message
	// titleKey and messageKey are where a generic service looks.
	titleKey, messageKey string
	secrets              []string
}

// Plain reports whether the service is spoken to in the clear.
func (t Target) Plain() bool { return strings.HasPrefix(t.endpoint, "http://") }

// Host is the host that is dialled, without its port.
func (t Target) Host() string {
	u, _ := url.Parse(t.endpoint) // Parse made it
	return u.Hostname()
}

// parsers read the URL of each service.
var parsers = map[string]func(*reading) error{
	"slack": slackURL, "teams": teamsURL, "discord": discordURL, "telegram": telegramURL, "matrix": matrixURL,
	"mattermost": mattermostURL, "rocketchat": rocketURL, "ntfy": ntfyURL, "gotify": gotifyURL, "generic": genericURL,
}

// Services are the names of the services, which are the schemes of their URLs.
func Services() []string { return slices.Sorted(maps.Keys(parsers)) }

// Parse reads a URL in the forms that users of shoutrrr know:
//
//	slack://hook:A-B-C@webhook            slack://xoxb:TOKEN@CHANNEL
//	teams://HOST/PATH?QUERY               of a workflow's https URL
//	discord://TOKEN@ID?thread_id=ID
//	telegram://TOKEN@telegram?chats=CHAT
//	matrix://:ACCESS-TOKEN@HOST/?rooms=!ROOM
//	mattermost://[NAME@]HOST/TOKEN[/CHANNEL]
//	rocketchat://[NAME@]HOST/TOKEN-A/TOKEN-B[/CHANNEL]
//	ntfy://[USER:PASSWORD@]HOST/TOPIC
//	gotify://HOST/TOKEN
//	generic://HOST/PATH
//
// and the https URL that Slack, Discord or a workflow of Teams shows. Errors quote
// nothing of it but the scheme: a token may stand anywhere.
func Parse(raw string) (Target, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Scheme == "" || u.Opaque != "" {
		return Target{}, errors.New("chat: not a URL such as slack://hook:A-B-C@webhook")
	}
	r := &reading{URL: u, query: u.Query()}
	name, plain := strings.ToLower(u.Scheme), false
	switch {
	case name == "https":
		name = r.recognised()
		if name == "" {
			return Target{}, errors.New("chat: the https URL is of no service that is known by its host: write generic+https://…, or use webhook: for signed digests")
		}
	case name == "generic+https":
		name = "generic"
	case name == "generic+http":
		name, plain = "generic", true
	}
	parse, ok := parsers[name]
	if !ok {
		return Target{}, fmt.Errorf("chat: %.20q is not a service: want one of %s", name, strings.Join(Services(), ", "))
	}
	r.out.Service, r.scheme = name, "https"
	if plain || r.yes("disabletls") || name == "ntfy" && r.take("scheme") == "http" {
		r.scheme = "http"
	}
	if err := parse(r); err != nil {
		return Target{}, fmt.Errorf("chat: %s: %w", name, err)
	}
	for k := range r.query {
		if !slices.Contains(cosmetic, strings.ToLower(k)) {
			return Target{}, fmt.Errorf("chat: %s: a parameter is not known: see docs/chat.md", name)
		}
	}
	if e, err := url.Parse(r.out.endpoint); err != nil || e.Hostname() == "" || e.Scheme != "https" && e.Scheme != "http" {
		return Target{}, fmt.Errorf("chat: %s: the host is not one", name)
	}
	return r.out, nil
}

// cosmetic parameters are taken, since URLs are copied from elsewhere, and change
// nothing: digests look the same everywhere.
var cosmetic = []string{
	"color", "title", "icon", "botname", "username", "avatar", "avatarurl", "splitlines", "json", "preview", "parsemode", "template", "method", "contenttype",
}

// reading is a URL that is being read.
type reading struct {
	*url.URL
	query  url.Values
	scheme string
	out    Target
}

// take removes a parameter, whatever the case of its name.
func (r *reading) take(names ...string) string {
	out := ""
	for k, v := range r.query {
		if slices.Contains(names, strings.ToLower(k)) {
			delete(r.query, k)
			if len(v) > 0 && v[0] != "" {
				out = v[0]
			}
		}
	}
	return out
}

func (r *reading) yes(name string) bool {
	switch strings.ToLower(r.take(name)) {
	case "yes", "true", "1":
		return true
	}
	return false
}

// secret keeps words out of every error.
func (r *reading) secret(words ...string) {
	for _, w := range words {
		if len(w) > 3 {
			r.out.secrets = append(r.out.secrets, w, url.PathEscape(w))
		}
	}
}

func (r *reading) userinfo() (user, password string) {
	if r.User == nil {
		return "", ""
	}
	password, _ = r.User.Password()
	return r.User.Username(), password
}

// parts are the segments of the path.
func (r *reading) parts() []string {
	return strings.FieldsFunc(r.Path, func(c rune) bool { return c == '/' })
}

func (r *reading) bearer(token string) {
	r.out.header = map[string]string{"Authorization": "Bearer " + token}
}
