// Package websub is the subscriber's part of WebSub (W3C Recommendation, 23
// January 2018): a hub tells at once when a feed has news. What a hub sends is
// taken for a word that the feed should be read now, never for the news itself:
// the feed's own server has the last word on what it says, and every document
// goes the one way through the fetcher.
package websub

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Lease is for how long a subscription is asked for, and RenewAfter when it is
// asked for again. Hubs grant less at their pleasure and say so to the callback
// only; to ask every day costs one request and needs no memory of what was said.
const (
	Lease      = 10 * 24 * time.Hour
	RenewAfter = 24 * time.Hour
)

// Keyring makes what a subscription needs that nobody can guess. All of it comes
// from one key and the names of things, so any replica can answer a hub, and
// nothing is stored.
type Keyring struct{ key []byte }

// NewKeyring derives a keyring from the store's signing key.
func NewKeyring(signing []byte) Keyring {
	return Keyring{mac(signing, "newswatch/websub")}
}

func mac(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, p := range parts {
		m.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return m.Sum(nil)
}

// topicLen is how many bytes of a topic's hash a token has.
const topicLen = 12

func topicHash(topic string) []byte {
	sum := sha256.Sum256([]byte(topic))
	return sum[:topicLen]
}

// Token is the secret part of the callback for one topic of one feed: the feed, the
// topic's hash, and a 256-bit tag of both.
func (k Keyring) Token(feed, topic string) string {
	body := encode([]byte(feed)) + "." + encode(topicHash(topic))
	return body + "." + encode(mac(k.key, "token", body))
}

// Secret is what the hub signs with (§5.1, hub.secret): fewer than 200 bytes.
func (k Keyring) Secret(token string) string {
	return hex.EncodeToString(mac(k.key, "secret", token))
}

// open returns the feed of a token, and the hash of its topic.
func (k Keyring) open(token string) (feed string, topic []byte, ok bool) {
	if len(token) > maxToken {
		return "", nil, false
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", nil, false
	}
	tag := encode(mac(k.key, "token", parts[0]+"."+parts[1]))
	if subtle.ConstantTimeCompare([]byte(tag), []byte(parts[2])) != 1 {
		return "", nil, false
	}
	id, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	topic, err2 := base64.RawURLEncoding.DecodeString(parts[1])
	return string(id), topic, err1 == nil && err2 == nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Request is the form that asks a hub for a subscription (§5.1). callback is the
// address at which Receiver is served, with a slash at its end.
func (k Keyring) Request(feed, topic, callback string) url.Values {
	token := k.Token(feed, topic)
	return url.Values{
		"hub.mode":          {"subscribe"},
		"hub.topic":         {topic},
		"hub.callback":      {callback + token},
		"hub.secret":        {k.Secret(token)},
		"hub.lease_seconds": {strconv.Itoa(int(Lease / time.Second))},
	}
}

// signatures are the methods that §8 names.
var signatures = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha384": sha512.New384, "sha512": sha512.New}

// signed returns the hash that a body must be written into, and what it must come
// to, of an X-Hub-Signature; nil where there is none that is known.
func signed(header, secret string) (hash.Hash, []byte) {
	method, sum, _ := strings.Cut(header, "=")
	make, ok := signatures[strings.ToLower(method)]
	want, err := hex.DecodeString(sum)
	if !ok || err != nil {
		return nil, nil
	}
	return hmac.New(make, []byte(secret)), want
}
