package chat

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/notify"
)

// answer is what services say, each in fields of its own.
type answer struct {
	OK          *bool   `json:"ok"`      // Slack, Telegram
	Success     *bool   `json:"success"` // Rocket.Chat
	Error       fault   `json:"error"`   // Slack, Rocket.Chat, Gotify, Teams
	ErrorCode   any     `json:"errorCode"`
	ErrCode     text    `json:"errcode"`     // Matrix
	Code        any     `json:"code"`        // Discord, ntfy
	ID          text    `json:"id"`          // Mattermost, of an error
	Description text    `json:"description"` // Telegram
	RetryAfter  float64 `json:"retry_after"` // Discord, in seconds
	RetryMilli  float64 `json:"retry_after_ms"`
	Parameters  struct {
		RetryAfter float64 `json:"retry_after"`
	} `json:"parameters"` // Telegram
}

// text is a string where a string stands, and nothing where anything else does:
// a field of an unexpected kind must not hide the others.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) == nil {
		*t = text(s)
	}
	return nil
}

// fault is the name of an error: a string or, as Microsoft writes it, the code of an
// object; anything else is nothing.
type fault struct {
	name string
	code bool // of an object
}

func (f *fault) UnmarshalJSON(b []byte) error {
	var o struct{ Code text }
	switch {
	case json.Unmarshal(b, &f.name) == nil:
	case json.Unmarshal(b, &o) == nil && o.Code != "":
		f.name, f.code = string(o.Code), true
	}
	return nil
}

// judge says what an answer means. A digest that a service will never take ends;
// a room that is gone, or a token that is not good any more, pauses the subscriber
// as well. That is believed only in the service's own words: a 403 or 404 may be the
// page of what stands before it, a company's proxy or a network that fends off robots,
// and pass.
func (r *Room) judge(res *http.Response, body []byte) error {
	var said answer
	if json.Unmarshal(body, &said) != nil {
		said = answer{}
	}
	words := strings.TrimSpace(string(body))
	own := r.service.own != nil && r.service.own(said, words)
	code := res.StatusCode
	if code/100 == 2 && (r.service.accepted == nil || r.service.accepted(said)) {
		return nil
	}
	reason := fmt.Sprintf("answered %d %s", code, http.StatusText(code))
	if word := r.service.word(said, body); word != "" {
		reason += " (" + word + ")"
	}
	switch code {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		if own || r.service.own == nil {
			break
		}
		reason += ", in words that are not the service's: a proxy's, maybe"
	}
	de := r.failure(notify.FailureRejected, errors.New(reason))
	if own && r.service.verdict != nil {
		if v, ok := r.service.verdict(code, said, words); ok {
			de.Failure, de.Permanent, de.PauseAfter = v.failure, v.permanent, v.pauseAfter
			de.RetryAfter = retryAfter(res.Header.Get("Retry-After"), said)
			return de
		}
	}
	switch {
	case code == http.StatusGone && (own || r.service.own == nil), code == http.StatusNotFound && own:
		de.Failure, de.Permanent, de.PauseAfter = notify.FailureGone, true, 1
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		de.Failure = notify.FailureAuth
		if own {
			de.Permanent, de.PauseAfter = true, 1
		}
	case code == http.StatusRequestEntityTooLarge || code == http.StatusBadRequest && own:
		// The message's fault, as far as one can tell.
		de.Permanent = true
	case code/100 == 3:
		de.Err = fmt.Errorf("chat: %s answered %d, a redirect, which is not followed: change the url", r.to.Service, code)
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code/100 == 5:
		de.Failure = notify.FailureDeferred
		de.RetryAfter = retryAfter(res.Header.Get("Retry-After"), said)
	}
	return de
}

// retryAfter is how long a service asks to wait, in the form of any of them.
func retryAfter(header string, said answer) time.Duration {
	seconds := max(said.RetryAfter, said.RetryMilli/1000, said.Parameters.RetryAfter)
	if n, err := strconv.ParseFloat(strings.TrimSpace(header), 64); err == nil && n > 0 {
		seconds = max(seconds, n)
	}
	// The comparison also holds for what is no number at all.
	if limit := notify.MaxRetryAfter.Seconds(); !(seconds < limit) {
		seconds = limit
	}
	return time.Duration(seconds * float64(time.Second))
}

// safeWord is what may be repeated of an answer: the name of an error, never a
// sentence, which could name the room or repeat the token.
var safeWord = regexp.MustCompile(`^[A-Za-z][A-Za-z_.-]{2,60}$`)

func (service) word(said answer, body []byte) string {
	for _, w := range []string{said.Error.name, string(said.ErrCode), string(body)} {
		if w = strings.TrimSpace(w); safeWord.MatchString(w) {
			return w
		}
	}
	switch c := said.Code.(type) {
	case float64:
		return fmt.Sprintf("code %.0f", c)
	case string:
		if safeWord.MatchString(c) {
			return c
		}
	}
	return ""
}

type verdict struct {
	failure    notify.Failure
	permanent  bool
	pauseAfter int
}

var (
	gone     = verdict{notify.FailureGone, true, 1}
	login    = verdict{notify.FailureAuth, true, 1}
	rejected = verdict{notify.FailureRejected, true, 0}
	deferred = verdict{notify.FailureDeferred, false, 0}
)

// slackErrors are the names of errors that Slack gives in text, from a webhook
// with a status, from its API with 200.
var slackErrors = map[string]verdict{
	"invalid_auth": login, "not_authed": login, "account_inactive": login, "token_revoked": login, "token_expired": login,
	"no_permission": login, "missing_scope": login, "not_allowed_token_type": login, "invalid_token": login, "action_prohibited": login,
	"restricted_action": login, "team_access_not_granted": login, "ekm_access_denied": login, "org_login_required": deferred,
	"channel_not_found": gone, "not_in_channel": gone, "is_archived": gone, "channel_is_archived": gone, "no_service": gone,
	"no_service_id": gone, "no_team": gone, "team_disabled": gone, "user_not_found": gone, "no_active_hooks": gone, "posting_to_general_channel_denied": gone,
	"msg_too_long": rejected, "msg_blocks_too_long": rejected, "invalid_blocks": rejected, "invalid_blocks_format": rejected,
	"invalid_payload": rejected, "no_text": rejected,
	"ratelimited": deferred, "rate_limited": deferred, "message_limit_exceeded": deferred, "rollup_error": deferred,
	"internal_error": deferred, "fatal_error": deferred, "service_unavailable": deferred, "request_timeout": deferred,
}

// slackWord is how Slack's webhooks answer: the name of an error as text, with more
// behind it at times.
var slackWord = regexp.MustCompile(`^[a-z]+(_[a-z]+)+\b`)

func slackOwn(said answer, body string) bool { return said.OK != nil || slackWord.MatchString(body) }

// discordOwn: Discord's own errors have a code, 0 or of five digits and more; that of
// another may be a status.
func discordOwn(said answer, _ string) bool {
	code, ok := said.Code.(float64)
	return ok && (code == 0 || code >= 10_000)
}

func slackVerdict(_ int, said answer, body string) (verdict, bool) {
	v, ok := slackErrors[said.Error.name]
	if !ok {
		v, ok = slackErrors[body]
	}
	return v, ok
}

// telegramVerdict reads what Telegram says in words: it answers 400 for a chat
// that is not there.
func telegramVerdict(code int, said answer, _ string) (verdict, bool) {
	d := strings.ToLower(string(said.Description))
	switch {
	case code == http.StatusNotFound: // of the bot, by its token
		return login, true
	case code != http.StatusBadRequest:
		return verdict{}, false
	case strings.Contains(d, "chat not found"), strings.Contains(d, "upgraded to a supergroup"), strings.Contains(d, "peer_id_invalid"),
		strings.Contains(d, "thread not found"), strings.Contains(d, "topic_closed"), strings.Contains(d, "have no rights"), strings.Contains(d, "not enough rights"):
		return gone, true
	}
	return verdict{}, false
}

func matrixVerdict(_ int, said answer, _ string) (verdict, bool) {
	switch said.ErrCode {
	case "M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_SUSPENDED", "M_FORBIDDEN":
		return login, true
	case "M_NOT_FOUND", "M_INVALID_ROOM_STATE":
		return gone, true
	case "M_TOO_LARGE":
		return rejected, true
	case "M_LIMIT_EXCEEDED":
		return deferred, true
	}
	return verdict{}, false
}

// discordVerdict: 10003 is a channel that is gone and 10015 a webhook, 50013
// wants a permission, 50035 is about the message.
func discordVerdict(_ int, said answer, _ string) (verdict, bool) {
	switch said.Code {
	case 10003.0, 10015.0, 10008.0:
		return gone, true
	case 50001.0, 50013.0, 50027.0:
		return login, true
	case 50035.0, 50006.0:
		return rejected, true
	}
	return verdict{}, false
}
