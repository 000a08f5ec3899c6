package classifier

import (
	"strings"
	"testing"
)

func TestNear(t *testing.T) {
	csam := Concept{ID: "csam", Terms: map[string][]Source{"en": {Text("csam"), Text("abuse material")}}}
	for _, tt := range []struct {
		query, body string
		want        string // the proving spans, or "-" for no match
	}{
		{"police NEAR/2 hunt", "police in a hunt", "police|hunt"},
		{"police NEAR/2 hunt", "police in a big hunt", "-"},
		{"police NEAR/0 hunt", "hunt police", "hunt|police"},
		{"police NEAR hunt", "police a b c d hunt", "police|hunt"},
		{"police NEAR hunt", "police a b c d e hunt", "-"},
		{"police NEAR/2 hunt", "hunt by the police", "hunt|police"},
		{"police ONEAR/2 hunt", "hunt by the police", "-"},
		{"police ONEAR/2 hunt", "police on the hunt", "police|hunt"},
		{`"p hunt" NEAR/10 (police OR kerala OR ccse*)`, "CCSEC began P-Hunt in Kerala", "CCSEC|P-Hunt|Kerala"},
		{"p-hunt NEAR/1 kerala", "PHunt in Kerala", "PHunt|Kerala"},
		{"police NEAR/1 police", "police", "-"}, // not near itself
		{"police NEAR/1 police", "police and police", "police|police"},
		{`child NEAR/3 "child abuse"`, "child abuse", "-"}, // what overlaps is not near
		{`"police hunt"~1`, "hunt by police", "hunt|police"},
		{`"police hunt"~1`, "hunt by the police", "-"},
		{`"a b c"~1`, "a x b y c", "a|b|c"},
		{"@csam NEAR/1 police", "Police seized abuse material. Nothing else. Much later: CSAM.", "Police|abuse material"},
		{"a NEAR/1 b NEAR/1 c", "a x b x c", "a|b|c"},
		{"a NEAR/1 b NEAR/1 c", "c x a x b", "c|a|b"},
		{"a NEAR/1 b AND c", "a b and later c", "a|b|c"},
		{"c OR a NEAR/1 b", "a b", "a|b"},
		{"NOT a NEAR/1 b", "a x y b", ""},
		{"-(a NEAR/1 b)", "a b", "-"},
		{"title:(a NEAR/1 b)", "a b", "-"},
		{"body:(a NEAR/1 b)", "a b", "a|b"},
		{"head NEAR/9 police", "police", "-"}, // from the headline into the body
		{"ATLEAST/2(police OR cbi)", "Police and CBI", "Police|CBI"},
		{"ATLEAST/3(police OR cbi)", "Police and CBI", "-"},
		{"ATLEAST/2(abuse OR \"abuse material\")", "abuse material", "-"}, // one place
		{"ATLEAST/2(a NEAR/1 b)", "a b, and x, and so on, b a", "a|b|b|a"},
		{"ATLEAST/2(@csam)", "CSAM is abuse material", "CSAM|abuse material"},
	} {
		got := "-"
		doc := Doc{Title: "Head", Body: tt.body}
		if ms := query(t, tt.query, csam).Match(&doc); len(ms) == 1 {
			checkMatches(t, &doc, ms[0])
			var out []string
			for _, m := range ms[0].Matches {
				out = append(out, m.Text)
			}
			got = strings.Join(out, "|")
		}
		if got != tt.want {
			t.Errorf("%s in %q: got %s, want %s", tt.query, tt.body, got, tt.want)
		}
	}
}

func TestNearCanonical(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a NEAR b", "a NEAR/4 b"},
		{"a NEAR/3 b ONEAR c", "(a NEAR/3 b) ONEAR/4 c"},
		{"a NEAR/3 b c", "(a NEAR/3 b) AND c"},
		{"NOT a NEAR/3 b", "NOT (a NEAR/3 b)"},
		{"(a OR b) NEAR/3 c", "(a OR b) NEAR/3 c"},
		{"title:(a NEAR/3 b)", "title:a NEAR/3 title:b"},
		{`"a b"~3`, "a NEAR/3 b"},
		{`title:"a b c"~3`, "(title:a NEAR/3 title:b) NEAR/3 title:c"},
		{"ATLEAST/3(a OR b)", "ATLEAST/3(a OR b)"},
		{"title:ATLEAST/3(a)", "ATLEAST/3(title:a)"},
	} {
		got, errs := parseQuery(tt.in, false)
		if got != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", tt.in, got, tt.want, errs)
		}
		if again, errs := parseQuery(got, false); again != got {
			t.Errorf("%s: %s parses to %s (%v)", tt.in, got, again, errs)
		}
	}
}

// TestNearOfManyPlaces holds that a text that repeats two words ends in time.
func TestNearOfManyPlaces(t *testing.T) {
	doc := Doc{Body: strings.Repeat("a b ", 100_000) + "c"}
	rs := query(t, "((a NEAR/1000 b) NEAR/1000 a) NEAR/1000 d OR ATLEAST/9(a NEAR/1000 b)")
	if ms := rs.Match(&doc); len(ms) != 1 || len(ms[0].Matches) != MaxMatches {
		t.Errorf("%d rules", len(ms))
	}
}
