package webhook

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/newswatch/newswatch/notify"
)

// maxEcho bounds the answer to a challenge.
const maxEcho = 4 << 10

// challenge is the body of the question whether an endpoint wants digests.
type challenge struct {
	Type      string `json:"type"`
	Version   int    `json:"version"`
	Challenge string `json:"challenge"`
}

// errEcho says what the endpoint did not do. The answer is not quoted: the echo is
// a secret.
var errEcho = errors.New("the answer is not the challenge; see docs/subscriptions.md")

// Challenge posts a signed challenge. The endpoint shows that it wants to be
// written to, and that it has the secret's owner behind it, by answering 2xx with
// the echo: as {"challenge": "…"} or as it is.
func (h *Hook) Challenge(ctx context.Context, id, echo string) error {
	body, err := json.Marshal(challenge{Type: "challenge", Version: 1, Challenge: echo})
	if err != nil {
		return &notify.DeliveryError{Failure: notify.FailureLocal, Err: fmt.Errorf("webhook: encode a challenge: %w", err)}
	}
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
	req.Header.Set("webhook-signature", sign(h.keys, id, now, body))
	res, err := h.client.Do(req)
	if err != nil {
		return h.failed(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxEcho))
	if bad := h.judge(res, now); bad != nil {
		return bad
	}
	if err != nil {
		return h.failed(err)
	}
	var said challenge
	if json.Unmarshal(answer, &said) != nil {
		said.Challenge = strings.TrimSpace(string(answer))
	}
	if subtle.ConstantTimeCompare([]byte(said.Challenge), []byte(echo)) != 1 {
		return &notify.DeliveryError{Failure: notify.FailureRejected, Permanent: true, Err: fmt.Errorf("webhook: %s: %w", h.host, errEcho)}
	}
	return nil
}

// SecretLength is the number of bytes in a secret, or an error that does not
// quote it.
func SecretLength(s string) (int, error) {
	key, err := parseSecret(s)
	if err != nil {
		return 0, fmt.Errorf("webhook: the secret: %w", err)
	}
	return len(key), nil
}
