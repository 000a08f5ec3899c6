package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/web/api"
)

func TestSubscribeByAPI(t *testing.T) {
	l := newLobby(t)
	post := func(contentType, body string) (int, api.Problem) {
		t.Helper()
		w := l.ask("POST", "/api/v1/subscriptions", contentType, body)
		var p api.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil && w.Code >= 400 {
			t.Error(err)
		}
		if w.Code >= 400 && (w.Header().Get("Content-Type") != "application/problem+json" || p.Status != w.Code || p.Title == "") {
			t.Errorf("%s is answered %s %+v", body, w.Header().Get("Content-Type"), p)
		}
		return w.Code, p
	}
	const good = `{"channel":"email","address":"ann@example.org","agree":true,"rules":["p-hunt"],"schedule":"0 9 * * 1","severity":"high","lang":"hi"}`
	for body, code := range map[string]int{
		good: http.StatusAccepted, "": http.StatusBadRequest, "[]": http.StatusBadRequest, `{"chanel":"email"}`: http.StatusBadRequest,
		good + good:             http.StatusBadRequest,
		`{"channel":"email"}`:   http.StatusUnprocessableEntity,
		`{"severity":"severe"}`: http.StatusBadRequest,
		`{"address":"` + strings.Repeat("a", 1<<17) + `"}`: http.StatusRequestEntityTooLarge,
	} {
		if got, _ := post("application/json; charset=utf-8", body); got != code {
			t.Errorf("%.60s is answered %d, want %d", body, got, code)
		}
	}
	if code, _ := post("text/plain", good); code != http.StatusUnsupportedMediaType {
		t.Errorf("as text/plain: %d", code)
	}
	if _, p := post("application/json", `{"channel":"email","address":"x"}`); len(p.Faults) != 2 {
		t.Errorf("faults %q", p.Faults)
	}
	r, err := l.roll.Find(t.Context(), "ann@example.org")
	if err != nil || r.Wishes.Schedule != "0 9 * * 1" || r.Wishes.Lang != "hi" || r.Consent.Method != "api" {
		t.Errorf("%+v, %v", r.Wishes, err)
	}
}
