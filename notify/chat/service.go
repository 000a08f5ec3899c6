package chat

import (
	"errors"
	"strings"
	"unicode/utf8"
)

var errTooLong = errors.New("not even the count of the stories fits into a message")

// service is what one service's messages look like and what it means by its
// answers.
type service struct {
	// message is what is sent, and false when it is beyond the service's limits.
	message func(to Target, subject string, lines []line) (any, bool)
	// accepted looks into an answer whose status says yes; nil believes the status.
	accepted func(answer) bool
	// verdict reads the service's own errors; nil, or false, leaves the status.
	verdict func(code int, said answer, body string) (verdict, bool)
	// own tells whether an answer that says no is in the service's words, as it
	// documents them; nil, or false, and nobody knows who said it.
	own func(said answer, body string) bool
	put bool // the message's id is part of the endpoint
}

type object map[string]any

// What the services take, as they document it; most is in units of UTF-16. Each is
// less than the limit by what may be counted differently.
const (
	discordLimit    = 2000  // content
	telegramLimit   = 4096  // text, without its markup
	telegramMarked  = 95    // of 100 entities
	slackLimit      = 8000  // of 13,200 in blocks
	slackRuns       = 900   // elements
	teamsLimit      = 25000 // bytes, of 28 kB
	matrixLimit     = 40000 // bytes, of an event of 65,536
	mattermostLimit = 15000 // of 16,383
	rocketLimit     = 4900  // of 5,000
	ntfyLimit       = 4000  // bytes, of 4,096; beyond, the message becomes a file
	gotifyLimit     = 16000
	genericLimit    = 64000
)

var services = map[string]service{
	"slack": {
		message: slackMessage, verdict: slackVerdict, own: slackOwn,
		// Its API answers 200 to everything; a webhook answers with "ok".
		accepted: func(a answer) bool { return a.OK == nil || *a.OK },
	},
	"teams":    {message: teamsMessage, own: func(a answer, _ string) bool { return a.Error.code }},
	"discord":  {message: discordMessage, verdict: discordVerdict, own: discordOwn},
	"telegram": {message: telegramMessage, verdict: telegramVerdict, accepted: isOK, own: func(a answer, _ string) bool { return a.OK != nil }},
	"matrix":   {message: matrixMessage, put: true, verdict: matrixVerdict, own: func(a answer, _ string) bool { return a.ErrCode != "" }},
	"mattermost": {
		message: mattermostMessage,
		own:     func(a answer, _ string) bool { return a.ID != "" },
	},
	"rocketchat": {
		message: rocketMessage, accepted: func(a answer) bool { return a.Success == nil || *a.Success },
		own: func(a answer, _ string) bool { return a.Success != nil },
	},
	"ntfy":    {message: ntfyMessage, own: func(a answer, _ string) bool { return a.Code != nil }},
	"gotify":  {message: gotifyMessage, own: func(a answer, _ string) bool { return a.ErrorCode != nil }},
	"generic": {message: genericMessage},
}

func isOK(a answer) bool { return a.OK != nil && *a.OK }

// slackMessage uses rich text, whose runs are text and nothing else: neither markup
// nor a mention can come out of one. text is what a notification shows.
func slackMessage(to Target, subject string, lines []line) (any, bool) {
	var elements []any
	add := func(e object, bold bool) {
		if bold {
			e["style"] = object{"bold": true}
		}
		elements = append(elements, e)
	}
	for i, l := range lines {
		if i > 0 {
			add(object{"type": "text", "text": "\n"}, false)
		}
		for _, r := range l {
			switch {
			case r.text == "": // Slack refuses a run of nothing
			case r.url != "":
				add(object{"type": "link", "url": r.url, "text": unlinked(r.text)}, r.bold)
			default:
				add(object{"type": "text", "text": unlinked(r.text)}, r.bold)
			}
		}
	}
	m := object{
		"text": slackEntities.Replace(unlinked(subject)),
		"blocks": []any{object{"type": "rich_text", "elements": []any{
			object{"type": "rich_text_section", "elements": elements},
		}}},
		"unfurl_links": false, "unfurl_media": false, "link_names": false, "parse": "none",
	}
	for k, v := range to.fields {
		m[k] = v
	}
	n, _ := visible(lines)
	return m, n <= slackLimit && len(elements) <= slackRuns
}

// teamsMessage is an Adaptive Card, as a workflow "when a webhook request is
// received" posts it. The text runs of a RichTextBlock have no markup.
func teamsMessage(_ Target, subject string, lines []line) (any, bool) {
	var blocks []any
	for _, l := range lines {
		var runs []any
		for _, r := range l {
			t := object{"type": "TextRun", "text": unlinked(r.text)}
			if r.bold {
				t["weight"] = "Bolder"
			}
			if r.url != "" {
				t["selectAction"] = object{"type": "Action.OpenUrl", "url": r.url}
			}
			runs = append(runs, t)
		}
		if len(runs) > 0 {
			blocks = append(blocks, object{"type": "RichTextBlock", "spacing": "Small", "inlines": runs})
		}
	}
	m := object{
		"type": "message", "summary": subject,
		"attachments": []any{object{
			"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": nil,
			"content": object{
				"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
				"msteams": object{"width": "Full"}, "fallbackText": subject, "body": blocks,
			},
		}},
	}
	body, err := encode(m)
	return m, err == nil && len(body) <= teamsLimit
}

// suppressEmbeds is a flag of a Discord message: no previews.
const suppressEmbeds = 1 << 2

func discordMessage(_ Target, _ string, lines []line) (any, bool) {
	content := discordText.write(lines)
	return object{
		"content": content, "flags": suppressEmbeds,
		"allowed_mentions": object{"parse": []string{}},
	}, units(content) <= discordLimit
}

func telegramMessage(to Target, _ string, lines []line) (any, bool) {
	text := htmlText.write(lines)
	m := object{"text": text, "parse_mode": "HTML", "link_preview_options": object{"is_disabled": true}}
	for k, v := range to.fields {
		m[k] = v
	}
	n, marked := visible(lines)
	return m, n <= telegramLimit && marked <= telegramMarked && len(text) <= 4*telegramLimit
}

func matrixMessage(_ Target, _ string, lines []line) (any, bool) {
	plain := plainText.write(lines)
	rich := ""
	for i, l := range lines {
		if i > 0 {
			rich += "<br>"
		}
		rich += htmlText.write([]line{l})
	}
	return object{
		"msgtype": "m.text", "body": plain, "format": "org.matrix.custom.html", "formatted_body": rich,
		"m.mentions": object{}, // nobody
	}, len(plain)+len(rich) <= matrixLimit
}

// mattermostMessage is an attachment: in one, a link has no preview and a name
// alarms nobody.
func mattermostMessage(to Target, subject string, lines []line) (any, bool) {
	text := mattermostText.write(lines)
	m := object{"attachments": []any{object{"fallback": subject, "text": text}}}
	for k, v := range to.fields {
		m[k] = v
	}
	return m, units(text) <= mattermostLimit
}

func rocketMessage(to Target, _ string, lines []line) (any, bool) {
	text := rocketText.write(lines)
	m := object{"text": text, "parseUrls": false}
	for k, v := range to.fields {
		m[k] = v
	}
	return m, units(text) <= rocketLimit
}

func ntfyMessage(to Target, subject string, lines []line) (any, bool) {
	text := plainText.write(lines)
	m := object{"title": subject, "message": text}
	for k, v := range to.fields {
		m[k] = v
	}
	return m, len(text) <= ntfyLimit
}

func gotifyMessage(to Target, subject string, lines []line) (any, bool) {
	text := plainText.write(lines)
	m := object{"title": subject, "message": text, "extras": object{"client::display": object{"contentType": "text/plain"}}}
	for k, v := range to.fields {
		m[k] = v
	}
	return m, utf8.RuneCountInString(text) <= gotifyLimit
}

func genericMessage(to Target, subject string, lines []line) (any, bool) {
	text := plainText.write(lines)
	return object{to.titleKey: subject, to.messageKey: text}, len(text) <= genericLimit
}

var slackEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
