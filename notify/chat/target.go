package chat

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
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

var (
	slackHosts = []string{"hooks.slack.com", "hooks.slack-gov.com"}
	token      = regexp.MustCompile(`^[A-Za-z0-9_.~-]{1,200}$`)
	digits     = regexp.MustCompile(`^[0-9]{1,30}$`)
)

func tokens(words ...string) bool {
	return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !token.MatchString(w) })
}

// recognised is the service whose https URL this is, which is rewritten to the
// service's own form.
func (r *reading) recognised() string {
	host, p := strings.ToLower(r.Hostname()), r.parts()
	switch {
	case slices.Contains(slackHosts, host) && len(p) == 4 && p[0] == "services":
		r.URL = &url.URL{Scheme: "slack", User: url.UserPassword("hook", strings.Join(p[1:], "-")), Host: host}
		return "slack"
	case (host == "discord.com" || host == "discordapp.com") && len(p) == 4 && p[0] == "api" && p[1] == "webhooks":
		r.URL = &url.URL{Scheme: "discord", User: url.User(p[3]), Host: p[2]}
		return "discord"
	case strings.HasSuffix(host, ".logic.azure.com"), strings.HasSuffix(host, ".api.powerplatform.com"), strings.HasSuffix(host, ".webhook.office.com"):
		return "teams"
	}
	return ""
}

func slackURL(r *reading) error {
	user, pass := r.userinfo()
	if strings.HasPrefix(user, "xox") && pass == "" {
		user, pass, _ = strings.Cut(user, "-")
	}
	if strings.HasPrefix(user, "xox") && pass != "" {
		if !tokens(user, pass) || !tokens(r.Host) {
			return errors.New("want slack://xoxb:TOKEN@CHANNEL-ID")
		}
		r.out.endpoint = "https://slack.com/api/chat.postMessage"
		r.bearer(user + "-" + pass)
		r.out.fields = object{"channel": r.Host}
		if ts := r.take("thread_ts", "threadts"); ts != "" {
			r.out.fields["thread_ts"] = ts
		}
		r.secret(pass, r.Host)
		return nil
	}
	p := strings.Split(pass, "-")
	if user != "hook" {
		p = append([]string{r.Host}, r.parts()...) // the old form
	}
	if len(p) != 3 || !tokens(p...) {
		return errors.New("want slack://hook:A-B-C@webhook, of https://hooks.slack.com/services/A/B/C")
	}
	host := slackHosts[0]
	if slices.Contains(slackHosts, r.Host) {
		host = r.Host
	}
	r.out.endpoint = "https://" + host + "/services/" + strings.Join(p, "/")
	r.secret(p...)
	return nil
}

func teamsURL(r *reading) error {
	if r.User != nil || r.query.Has("host") || strings.HasSuffix(strings.ToLower(r.Hostname()), ".webhook.office.com") {
		return errors.New(`connectors were shut down by Microsoft: in the channel, add the workflow "Post to a channel when a webhook request is received", and write its URL with teams:// for https://`)
	}
	if !strings.Contains(r.Hostname(), ".") || len(r.parts()) == 0 {
		return errors.New("want teams://HOST/PATH?QUERY, of a workflow's https URL")
	}
	u := url.URL{Scheme: "https", Host: r.Host, Path: r.Path, RawPath: r.RawPath, RawQuery: r.RawQuery}
	r.out.endpoint = u.String()
	r.secret(r.Path, r.RawQuery)
	for _, v := range r.query {
		r.secret(v...)
	}
	r.query = nil
	return nil
}

func discordURL(r *reading) error {
	tok, _ := r.userinfo()
	if !tokens(tok) || !digits.MatchString(r.Host) || len(r.parts()) > 0 {
		return errors.New("want discord://TOKEN@ID, of https://discord.com/api/webhooks/ID/TOKEN")
	}
	q := url.Values{"wait": {"true"}} // so that the answer says whether it was taken
	if id := r.take("thread_id", "threadid"); id != "" {
		if !digits.MatchString(id) {
			return errors.New("thread_id is a number")
		}
		q.Set("thread_id", id)
	}
	r.out.endpoint = "https://discord.com/api/webhooks/" + r.Host + "/" + tok + "?" + q.Encode()
	r.secret(tok, r.Host)
	return nil
}

// telegramChat is a number, or the name of a public channel; a topic may follow.
var telegramChat = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z0-9_]{3,64})(?::([0-9]{1,20}))?$`)

func telegramURL(r *reading) error {
	bot, key := r.userinfo()
	if !digits.MatchString(bot) || !tokens(key) {
		return errors.New("want telegram://TOKEN@telegram?chats=CHAT, with the token 123456:ABC… of @BotFather")
	}
	chats := r.take("chats", "channels")
	if strings.Contains(chats, ",") {
		return errors.New("one chat: make a subscriber of each, or a retry for one would bring the digest to the others twice")
	}
	m := telegramChat.FindStringSubmatch(chats)
	if m == nil {
		return errors.New("chats wants a number such as -1001234567890, or @channel")
	}
	r.out.fields = object{"chat_id": m[1]}
	if m[2] != "" {
		r.out.fields["message_thread_id"], _ = strconv.ParseInt(m[2], 10, 64) // digits, as the expression says
	}
	if n := r.take("notification"); n == "no" || n == "false" {
		r.out.fields["disable_notification"] = true
	}
	r.out.endpoint = "https://api.telegram.org/bot" + bot + ":" + key + "/sendMessage"
	r.secret(key, m[1])
	return nil
}

func matrixURL(r *reading) error {
	user, tok := r.userinfo()
	if user != "" || tok == "" {
		return errors.New("want an access token, matrix://:TOKEN@HOST/?rooms=!ROOM: a password would have to be kept for nothing but to get one")
	}
	room := r.take("rooms", "room")
	switch {
	case strings.Contains(room, ","):
		return errors.New("one room: make a subscriber of each")
	case !strings.HasPrefix(room, "!") || strings.ContainsAny(room, " /?"):
		return errors.New("rooms wants the internal id of a room, which begins with !")
	}
	if !tokens(strings.ReplaceAll(tok, "=", "")) {
		return errors.New("the access token holds a character that tokens do not have")
	}
	r.out.endpoint = r.scheme + "://" + r.Host + "/_matrix/client/v3/rooms/" + url.PathEscape(room) + "/send/m.room.message"
	r.bearer(tok)
	r.secret(tok, room)
	return nil
}

func mattermostURL(r *reading) error {
	name, _ := r.userinfo()
	p := r.parts()
	if len(p) == 3 && p[0] == "hooks" {
		p = p[1:] // as Mattermost shows it
	}
	if len(p) < 1 || len(p) > 2 || !tokens(p[0]) {
		return errors.New("want mattermost://HOST/TOKEN, of https://HOST/hooks/TOKEN")
	}
	r.room(name, p[1:])
	r.out.endpoint = r.scheme + "://" + r.Host + "/hooks/" + p[0]
	r.secret(p[0])
	return nil
}

func rocketURL(r *reading) error {
	name, _ := r.userinfo()
	p := r.parts()
	if len(p) < 2 || len(p) > 3 || !tokens(p[0], p[1]) {
		return errors.New("want rocketchat://HOST/TOKEN-A/TOKEN-B, of https://HOST/hooks/TOKEN-A/TOKEN-B")
	}
	r.room(name, p[2:])
	if c, ok := r.out.fields["channel"].(string); ok && c[0] != '@' && c[0] != '#' {
		r.out.fields["channel"] = "#" + c
	}
	r.out.endpoint = r.scheme + "://" + r.Host + "/hooks/" + p[0] + "/" + p[1]
	r.secret(p[0], p[1])
	return nil
}

// room keeps the name to post under and the channel, where they are given.
func (r *reading) room(name string, channel []string) {
	r.out.fields = object{}
	if name != "" {
		r.out.fields["username"] = name
	}
	if len(channel) > 0 {
		r.out.fields["channel"] = channel[0]
		r.secret(channel[0])
	}
}

var topic = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func ntfyURL(r *reading) error {
	p := r.parts()
	if len(p) != 1 || !topic.MatchString(p[0]) {
		return errors.New("want ntfy://HOST/TOPIC")
	}
	r.out.fields = object{"topic": p[0]}
	if err := r.priority(1, 5); err != nil {
		return err
	}
	if tags := r.take("tags"); tags != "" {
		r.out.fields["tags"] = strings.Split(tags, ",")
	}
	if user, pass := r.userinfo(); user == "" && pass != "" {
		r.bearer(pass)
		r.secret(pass)
	} else if user != "" {
		login := base64.StdEncoding.EncodeToString([]byte(user + ":" + pass))
		r.out.header = map[string]string{"Authorization": "Basic " + login}
		r.secret(user, pass, login)
	}
	r.out.endpoint = r.scheme + "://" + r.Host + "/"
	r.secret(p[0])
	return nil
}

func gotifyURL(r *reading) error {
	p := r.parts()
	tok := r.take("token")
	if tok == "" && len(p) > 0 {
		tok, p = p[len(p)-1], p[:len(p)-1]
	}
	if !tokens(tok) {
		return errors.New("want gotify://HOST/TOKEN")
	}
	if len(p) > 0 && p[len(p)-1] == "message" {
		p = p[:len(p)-1]
	}
	r.out.fields = object{}
	if err := r.priority(0, 10); err != nil {
		return err
	}
	r.out.endpoint = (&url.URL{Scheme: r.scheme, Host: r.Host, Path: "/" + strings.Join(append(p, "message"), "/")}).String()
	r.out.header = map[string]string{"X-Gotify-Key": tok}
	r.secret(tok)
	return nil
}

func (r *reading) priority(lo, hi int) error {
	s := r.take("priority")
	if s == "" {
		return nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < lo || n > hi {
		return fmt.Errorf("priority is a number from %d to %d", lo, hi)
	}
	r.out.fields["priority"] = n
	return nil
}

func genericURL(r *reading) error {
	r.out.titleKey, r.out.messageKey = "title", "message"
	if k := r.take("titlekey"); k != "" {
		r.out.titleKey = k
	}
	if k := r.take("messagekey"); k != "" {
		r.out.messageKey = k
	}
	if r.out.titleKey == r.out.messageKey {
		return errors.New("titlekey and messagekey are the same")
	}
	for _, k := range cosmetic {
		r.take(k)
	}
	if user, pass := r.userinfo(); user != "" {
		login := base64.StdEncoding.EncodeToString([]byte(user + ":" + pass))
		r.out.header = map[string]string{"Authorization": "Basic " + login}
		r.secret(user, pass, login)
	}
	for _, v := range r.query {
		r.secret(v...)
	}
	r.out.endpoint = (&url.URL{Scheme: r.scheme, Host: r.Host, Path: r.Path, RawPath: r.RawPath, RawQuery: r.query.Encode()}).String()
	r.secret(r.parts()...)
	r.query = nil // what is left is the receiver's
	return nil
}
