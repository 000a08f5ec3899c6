// Package chat sends digests as messages of chat and push services: Slack, Teams,
// Discord, Telegram, Matrix, Mattermost, Rocket.Chat, ntfy, Gotify, and whatever
// takes a title and a text as JSON. docs/chat.md is for those who read them.
package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/newswatch/newswatch/notify"
)

const (
	// DefaultTimeout bounds one try, from dialling to the end of the answer.
	DefaultTimeout = 20 * time.Second
	// maxAnswer is how much of an answer is read.
	maxAnswer = 64 << 10
)

// Config is one room.
type Config struct {
	// URL names the service and the room, with its token: see Parse.
	URL string
	// Transport reaches the service; the daemon gives a guarded one, which refuses
	// addresses that are not public. nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout that is zero is DefaultTimeout.
	Timeout   time.Duration
	UserAgent string
	// Gates bound what the service is given at a time; nil bounds nothing.
	Gates *notify.Gates
}

// Room is one place that digests go to. It is safe for concurrent use.
//
// A digest is one message, whatever its length: what a service has no room for is
// counted. Of two messages the first could arrive without the second, and a retry
// would bring it twice.
type Room struct {
	to      Target
	service service
	timeout time.Duration
	agent   string
	gates   *notify.Gates
	client  *http.Client
}

var _ notify.Notifier = (*Room)(nil)

// New checks the configuration; it does not connect. Its errors quote nothing of
// the URL but the service.
func New(cfg Config) (*Room, error) {
	to, err := Parse(cfg.URL)
	if err != nil {
		return nil, err
	}
	r := &Room{to: to, service: services[to.Service], timeout: cfg.Timeout, agent: cfg.UserAgent, gates: cfg.Gates}
	if r.timeout <= 0 {
		r.timeout = DefaultTimeout
	}
	if r.agent == "" {
		r.agent = "newswatch"
	}
	r.client = &http.Client{
		Transport: cfg.Transport,
		// A redirect could lead the digest, and the token, anywhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return r, nil
}

// Body is the JSON that is sent for the digest, the same at every try.
func (r *Room) Body(d notify.Digest) ([]byte, error) {
	body, err := fit(d, r.to, r.service)
	if err != nil {
		return nil, fmt.Errorf("chat: encode digest %s: %w", d.ID, err)
	}
	return body, nil
}

// Notify sends the digest.
func (r *Room) Notify(ctx context.Context, d notify.Digest) error {
	body, err := r.Body(d)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	return r.gates.Through(ctx, r.to.Host(), func() error { return r.send(ctx, d.ID, body) })
}

func (r *Room) send(ctx context.Context, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	method, endpoint := http.MethodPost, r.to.endpoint
	if r.service.put {
		// The service takes a second message of the same id for the first.
		method, endpoint = http.MethodPut, endpoint+"/"+url.PathEscape(id)
	}
	req, err := http.NewRequestWithContext(ctx, method, endpoint, bytes.NewReader(body))
	if err != nil {
		return r.failure(notify.FailureLocal, errors.New("the url cannot be requested"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", r.agent)
	for k, v := range r.to.header {
		req.Header.Set(k, v)
	}
	res, err := r.client.Do(req)
	if err != nil {
		return r.failed(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil && res.StatusCode/100 == 2 && r.service.accepted != nil {
		return r.failed(err) // what it said is part of the answer
	}
	return r.judge(res, answer)
}

func (r *Room) failure(f notify.Failure, err error) *notify.DeliveryError {
	return &notify.DeliveryError{Failure: f, Err: fmt.Errorf("chat: %s: %w", r.to.Service, err)}
}

// failed says what became of a request without an answer. The text of the HTTP
// client's own error holds the whole URL, so only its cause is kept.
func (r *Room) failed(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	f, err := notify.ConnectionFailure(err)
	if slices.ContainsFunc(r.to.secrets, func(s string) bool { return strings.Contains(err.Error(), s) }) {
		err = errors.New("the request failed")
	}
	return r.failure(f, err)
}

// encode writes JSON as short as it can be: <, > and & stay as they are, since no
// browser reads it as HTML.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
