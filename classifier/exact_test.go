package classifier

import (
	"strings"
	"testing"
)

func TestExact(t *testing.T) {
	for _, tt := range []struct{ query, body, want string }{
		{"{US}", "The US told us.", "US"},
		{"{us}", "The US told us.", "us"},
		{"{Us}", "The US told us.", "-"},
		{"{P-Hunt}", "P Hunt, p-hunt, P-Hunt, PHunt", "P-Hunt"},
		{"{Operation P-Hunt}", "Operation\n P-Hunt", "Operation\n P-Hunt"},
		{"{Café}", "the Cafe\u0301", "Cafe\u0301"},
		{"{U.S.}", "in the U.S. today", "U.S"},
		{"NOT {US}", "told us", ""},
		{"body:{US} NEAR/1 told", "told the US", "told|US"},
		{"title:{US}", "US", "-"},
		{"ATLEAST/2({US} OR {UK})", "US and UK", "US|UK"},
	} {
		got := "-"
		q := strings.Replace(tt.query, "NEAR/1 told", "NEAR/1 body:told", 1)
		doc := Doc{Body: tt.body}
		if ms := query(t, q).Match(&doc); len(ms) == 1 {
			checkMatches(t, &doc, ms[0])
			var out []string
			for _, m := range ms[0].Matches {
				out = append(out, m.Text)
			}
			got = strings.Join(out, "|")
		}
		if got != tt.want {
			t.Errorf("%s in %q: got %q, want %q", tt.query, tt.body, got, tt.want)
		}
	}
	for in, want := range map[string]string{
		"{CSAM}": "{CSAM}", "{ Operation   P-Hunt }": "{Operation P-Hunt}", "title:{U.S.}": "title:{U.S}", "{a (b) c}": "{a (b) c}",
	} {
		got, errs := parseQuery(in, false)
		if again, _ := parseQuery(got, false); got != want || again != got {
			t.Errorf("%s: got %s, then %s, want %s (%v)", in, got, again, want, errs)
		}
	}
}
