package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
)

func parseSecret(s string) ([]byte, error) {
	key := []byte(s)
	if enc, ok := strings.CutPrefix(s, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(enc); err != nil {
			return nil, errors.New("what follows whsec_ is not base64")
		}
	}
	if len(key) == 0 {
		return nil, errors.New("is empty")
	}
	return key, nil
}

// sign returns the value of webhook-signature: for each key, "v1," and the base64
// of HMAC-SHA256 over "id.timestamp.body", parted by spaces.
func sign(keys [][]byte, id string, at time.Time, body []byte) string {
	var sigs []string
	for _, key := range keys {
		h := hmac.New(sha256.New, key)
		fmt.Fprintf(h, "%s.%d.", id, at.Unix())
		h.Write(body)
		sigs = append(sigs, "v1,"+base64.StdEncoding.EncodeToString(h.Sum(nil)))
	}
	return strings.Join(sigs, " ")
}
