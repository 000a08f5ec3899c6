package chat

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

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
