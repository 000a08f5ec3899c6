// Package webhook posts digests to an HTTP endpoint, signed as the Standard
// Webhooks specification says. docs/webhook.md is for those who receive them.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/notify"
)

const (
	// DefaultTimeout bounds one try, from dialling to the end of the answer.
	DefaultTimeout = 20 * time.Second
	// MaxBody is the largest body, in bytes. A digest that would be larger is cut,
	// and says by how much.
	MaxBody = 256 << 10
	// maxAnswer is how much of an answer is read. Nothing in it is used; what is
	// read lets the connection be used again.
	maxAnswer = 64 << 10
)

// Config is one endpoint.
type Config struct {
	// URL is https, or http where AllowHTTP is set. Its path or query often holds a
	// token, so it is never printed.
	URL string
	// Secrets sign every message, each with a signature of its own, so that a
	// receiver can change from one to the next: `whsec_` and base64, or any other
	// text as it is. Without one, messages are not signed.
	Secrets   []string
	AllowHTTP bool
	// Transport reaches the endpoint; the daemon gives a guarded one, which refuses
	// addresses that are not public. nil is http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout that is zero is DefaultTimeout.
	Timeout   time.Duration
	UserAgent string
	// Gates bound what the endpoint's host is given at a time; nil bounds nothing.
	Gates *notify.Gates
	// Now is the clock of webhook-timestamp; nil is time.Now.
	Now func() time.Time
}

// Hook is one endpoint. It is safe for concurrent use.
type Hook struct {
	cfg    Config
	host   string
	keys   [][]byte
	client *http.Client
}

var _ notify.Notifier = (*Hook)(nil)

// New checks the configuration; it does not connect. Its errors quote neither the
// URL nor a secret.
func New(cfg Config) (*Hook, error) {
	u, err := url.Parse(cfg.URL)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, errors.New("webhook: the url is not an absolute URL")
	case u.User != nil:
		return nil, errors.New("webhook: the url holds a user name: use a secret")
	case u.Scheme == "https", u.Scheme == "http" && cfg.AllowHTTP:
	case u.Scheme == "http":
		return nil, errors.New("webhook: the url is http, and digests would go over the network in the clear: want https")
	default:
		return nil, errors.New("webhook: the url is neither https nor http")
	}
	h := &Hook{cfg: cfg, host: u.Host}
	for i, s := range cfg.Secrets {
		key, err := parseSecret(s)
		if err != nil {
			return nil, fmt.Errorf("webhook: secret %d: %w", i+1, err)
		}
		h.keys = append(h.keys, key)
	}
	if h.cfg.Timeout <= 0 {
		h.cfg.Timeout = DefaultTimeout
	}
	if h.cfg.Now == nil {
		h.cfg.Now = time.Now
	}
	if h.cfg.UserAgent == "" {
		h.cfg.UserAgent = "newswatch"
	}
	h.client = &http.Client{
		Transport: cfg.Transport,
		// A redirect could lead the digest, and its signature, anywhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return h, nil
}

// message is the body. Type and version come first, so that a receiver can tell
// what it has before it reads the rest.
type message struct {
	Type      string        `json:"type"`
	Version   int           `json:"version"`
	Timestamp time.Time     `json:"timestamp"`
	Data      notify.Digest `json:"data"`
}

// Body is the JSON that is posted for the digest.
func Body(d notify.Digest) ([]byte, error) {
	body, err := marshal(d)
	for n := d.Shown(); err == nil && len(body) > MaxBody && n > 0; {
		n -= max(1, n/8)
		body, err = marshal(d.Trim(n, notify.MaxAlso))
	}
	return body, err
}

func marshal(d notify.Digest) ([]byte, error) {
	if d.Groups == nil {
		d.Groups = []notify.Group{} // a list in JSON, where nil is null
	}
	b, err := json.Marshal(message{Type: "digest", Version: 1, Timestamp: d.Sealed, Data: d})
	if err != nil {
		return nil, fmt.Errorf("webhook: encode digest %s: %w", d.ID, err)
	}
	return b, nil
}

// Notify posts the digest. Any 2xx accepts it.
func (h *Hook) Notify(ctx context.Context, d notify.Digest) error {
	body, err := Body(d)
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: err}
	}
	return h.cfg.Gates.Through(ctx, h.host, func() error { return h.post(ctx, d.ID, body) })
}

func (h *Hook) post(ctx context.Context, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: errors.New("webhook: the url cannot be requested")}
	}
	now := h.cfg.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", h.cfg.UserAgent)
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	if len(h.keys) > 0 {
		req.Header.Set("webhook-signature", sign(h.keys, id, now, body))
	}
	res, err := h.client.Do(req)
	if err != nil {
		return h.failed(err)
	}
	defer res.Body.Close()
	// The status is the whole answer; how the body ends changes nothing.
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return h.judge(res, now)
}

// judge says what a status means. The Standard Webhooks specification takes
// everything but 2xx for a failure to retry, and 410 for the wish to get nothing
// more. A receiver that is being installed anew answers 404 or 401 for an hour; a
// digest must outlive that.
func (h *Hook) judge(res *http.Response, now time.Time) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	de := &notify.DeliveryError{
		Failure: notify.FailureRejected,
		Err:     fmt.Errorf("webhook: %s answered %d %s", h.host, res.StatusCode, http.StatusText(res.StatusCode)),
	}
	switch code := res.StatusCode; {
	case code == http.StatusGone:
		de.Failure, de.Permanent, de.PauseAfter = notify.FailureGone, true, 1
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		de.Failure = notify.FailureAuth
	case code/100 == 3:
		de.Err = fmt.Errorf("webhook: %s answered %d, a redirect, which is not followed: change the url", h.host, code)
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code/100 == 5:
		de.Failure = notify.FailureDeferred
		de.RetryAfter = retryAfter(res.Header.Get("Retry-After"), now)
	}
	return de
}

// failed says what became of a request without an answer. The text of the HTTP
// client's own error holds the whole URL, so only its cause is kept.
func (h *Hook) failed(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	f, err := notify.ConnectionFailure(err)
	return &notify.DeliveryError{Failure: f, Err: fmt.Errorf("webhook: %s: %w", h.host, h.redacted(err))}
}

// redacted keeps an error whose text shows a part of the URL from doing so.
func (h *Hook) redacted(err error) error {
	u, _ := url.Parse(h.cfg.URL) // New has parsed it
	for _, part := range []string{u.EscapedPath(), u.Path, u.RawQuery} {
		if len(part) > 1 && strings.Contains(err.Error(), part) {
			return errors.New("the request failed")
		}
	}
	return err
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3).
func retryAfter(v string, now time.Time) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, notify.MaxRetryAfter)
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return min(t.Sub(now), notify.MaxRetryAfter)
	}
	return 0
}
