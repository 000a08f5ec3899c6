package classifier

import (
	"strings"
	"testing"
)

// query compiles a rule set of one query.
func query(t *testing.T, q string, concepts ...Concept) *Ruleset {
	t.Helper()
	rs, _, err := Compile([]Rule{{ID: "r", Query: Text(q)}}, concepts)
	if err != nil {
		t.Fatalf("%s\n%v", q, err)
	}
	return rs
}

func canonical(t *testing.T, q string) string {
	t.Helper()
	p := parser{src: Text(q)}
	e := p.parse()
	if e == nil {
		t.Fatalf("%s\n%v", q, p.problems)
	}
	return e.String()
}

func TestCanonical(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a", "a"},
		{"a b", "a AND b"},
		{"a AND b", "a AND b"},
		{"a OR b OR a", "a OR b"},
		{"(a OR b) c", "(a OR b) AND c"},
		{"a (b (c d))", "a AND b AND c AND d"},
		{"NOT NOT a", "a"},
		{"a -b", "a AND NOT b"},
		{"a AND NOT (b OR c)", "a AND NOT (b OR c)"},
		{"-(a b)", "NOT (a AND b)"},
		{`"Operation P Hunt"`, `"operation p hunt"`},
		{`“Operation P Hunt”`, `"operation p hunt"`},
		{"P-Hunt", "p-hunt"},
		{"P.Hunt", `"p hunt"`},
		{`"Operation P-Hunt*"`, `"operation p-hunt*"`},
		{"title:(a OR b c*d)", ""},
		{"title:(a OR b)", "title:a OR title:b"},
		{"intitle:a ingress:b inurl:c", "title:a AND lead:b AND url:c"},
		{`title:"a b"`, `title:"a b"`},
		{"site:www.TheHindu.com lang:EN-in", "site:thehindu.com AND lang:en-in"},
		{`"and"`, `"and"`},
		{"u/s", `"u s"`},
		{"67-B", "67-b"},
		{"ഹണ്ട്*", "ഹണ്ട*"},
		{"ഓപ്പറേഷൻ", "ഓപ്പറേഷന്"},
	} {
		if tt.want == "" {
			continue
		}
		got := canonical(t, tt.in)
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
		if again := canonical(t, got); again != got {
			t.Errorf("%s: %s parses to %s", tt.in, got, again)
		}
	}
}

func TestMatchTitle(t *testing.T) {
	for _, tt := range []struct {
		query, title string
		want         string // the proving spans, or "-" for no match
	}{
		{"csam", "New CSAM law", "CSAM"},
		{"csam law", "New CSAM law", "CSAM|law"},
		{"csam AND film", "New CSAM law", "-"},
		{"p-hunt", "Kerala P-Hunt, P.Hunt and PHunt", "P-Hunt|P.Hunt|PHunt"},
		{`"p hunt"`, "Kerala P-Hunt and PHunt", "P-Hunt"},
		{`"p hunt"`, "treasure hunt", "-"},
		{"porn*", "Pornography, porn and popcorn", "Pornography|porn"},
		{`"child porn*"`, "child pornographic material", "child pornographic"},
		{"hunt NOT film", "The hunt", "hunt"},
		{"hunt NOT film", "The hunt film", "-"},
		{"a OR NOT b", "c", ""},
		{"title:hunt", "hunt", "hunt"},
		{"body:hunt", "hunt", "-"},
		{"67-b", "u/s 67(B), 67 B, 67-B, 67B", "67(B|67 B|67-B|67B"},
		{"kerala", "Kerala’s police", "Kerala"},
		{`"ഓപ്പറേഷൻ പി ഹണ്ട്*"`, "ഓപ്പറേഷന്\u200d പി.ഹണ്ടെന്ന പരിശോധന", "ഓപ്പറേഷന്\u200d പി.ഹണ്ടെന്ന"},
		{"पी-हंट", "ऑपरेशन पी-हंट में 41 गिरफ्तार", "पी-हंट"},
		{"పీ-హంట్", "ఆపరేషన్ పీ హంట్", "పీ హంట్"},
	} {
		got := query(t, tt.query).Match(&Doc{Title: tt.title})
		spans := "-"
		if len(got) == 1 {
			var out []string
			for _, m := range got[0].Matches {
				if tt.title[m.Start:m.End] != m.Text {
					t.Errorf("%s in %q: bytes %d to %d are not %q", tt.query, tt.title, m.Start, m.End, m.Text)
				}
				out = append(out, m.Text)
			}
			spans = strings.Join(out, "|")
		}
		if spans != tt.want {
			t.Errorf("%s in %q: got %s, want %s", tt.query, tt.title, spans, tt.want)
		}
	}
}
