package classifier

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// parseQuery returns the canonical form of a query, or the errors.
func parseQuery(q string, plain bool) (string, Errors) {
	p := parser{src: Text(q), concepts: known, plain: plain}
	e := p.parse()
	if e == nil {
		return "", p.problems
	}
	return e.String(), nil
}

// The bad queries are files of package rulefile.
func TestCanonical(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"a", "a"},
		{"a b", "a AND b"},
		{"a AND b", "a AND b"},
		{"a OR b OR a", "a OR b"},
		{"(a OR b) c", "(a OR b) AND c"},
		{"a (b (c d))", "a AND b AND c AND d"},
		{"a AND b -c NOT d", "a AND b AND NOT c AND NOT d"},
		{"a OR NOT b", "a OR NOT b"},
		{"NOT NOT a", "a"},
		{"--a", "a"},
		{"a -b", "a AND NOT b"},
		{"a AND NOT (b OR c)", "a AND NOT (b OR c)"},
		{"-(a b)", "NOT (a AND b)"},
		{`-"a b"`, `NOT "a b"`},
		{`"Operation P Hunt"`, `"operation p hunt"`},
		{`“Operation P Hunt”`, `"operation p hunt"`},
		{`"a"`, "a"},
		{"P-Hunt", "p-hunt"},
		{"P‑Hunt", "p-hunt"},
		{"P.Hunt", `"p hunt"`},
		{"peer-to-peer", "peer-to-peer"},
		{`"Operation P-Hunt*"`, `"operation p-hunt*"`},
		{"title:(a OR b)", "title:a OR title:b"},
		{"title:(a -b)", "title:a AND NOT title:b"},
		{"title:(@c OR (b c))", "title:@c OR (title:b AND title:c)"},
		{"title:title:a", "title:a"},
		{"title: a", "title:a"},
		{"intitle:a ingress:b inurl:c", "title:a AND lead:b AND url:c"},
		{"inurl:/news/p-hunt/", `url:"news p-hunt"`},
		{`title:"a b"`, `title:"a b"`},
		{"site:(x.org OR y.org)", "site:x.org OR site:y.org"},
		{"site:www.TheHindu.com lang:EN-in", "site:thehindu.com AND lang:en-in"},
		{`"and"`, "\"and\""},
		{`"a and b"`, `"a and b"`},
		{"and/or", `"and or"`},
		{"u/s", `"u s"`},
		{"67-B", "67-b"},
		{"10:30", `"10 30"`},
		{"children's", `"children s"`},
		{"porn*,", "porn*"},
		{"ഹണ്ട്*", "ഹണ്ട*"},
		{"ഓപ്പറേഷൻ", "ഓപ്പറേഷന്"},
		{"児童*", `"児 童"`},
		{"@c", "@c"},
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

func TestQueriesAreBounded(t *testing.T) {
	for _, tt := range []struct{ query, want string }{
		{strings.Repeat("word ", maxQuery/5+1), "bytes long"},
		{`"` + strings.Repeat("word ", maxWords+1) + `"`, "the phrase has 65 words"},
		{"{" + strings.Repeat("word ", maxWords+1) + "}", "the phrase has 65 words"},
		{"/" + strings.Repeat("a", maxRegexp+1) + "/", "at most 1000 are allowed"},
		{strings.Repeat("NOT ", 1000) + "a", "nested more than"},
		{strings.Repeat("title:(", 1000) + "a", "nested more than"},
	} {
		_, errs := parseQuery(tt.query, false)
		if len(errs) != 1 || !strings.Contains(errs[0].Msg, tt.want) {
			t.Errorf("%.20s…: %d errors, %v", tt.query, len(errs), errs)
		}
	}
}

// TestPlainTerms holds how the entries of any, all, none and of a concept read.
func TestPlainTerms(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"film review", `"film review"`},
		{"sex and the city", `"sex and the city"`},
		{"child pornograph*", `"child pornograph*"`},
		{"operation p-hunt", `"operation p-hunt"`},
		{"007", "007"},
		{"@c", "@c"},
		{"title:film review", `title:"film review"`},
		{"film review OR book review", `"film review" OR "book review"`},
		{`"p hunt" AND kerala police`, `"p hunt" AND "kerala police"`},
		{"NOT film", "NOT film"},
	} {
		if got, errs := parseQuery(tt.in, true); got != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", tt.in, got, tt.want, errs)
		}
	}
}

func TestPlainForm(t *testing.T) {
	rule := Rule{
		ID: "r", Any: []Source{Text("csam"), Text("child porn*")}, All: []Source{Text("arrest*"), Text("police OR cbi")},
		None: []Source{Text("film review")},
	}
	c := compiler{concepts: map[string]*concept{}}
	want := `(csam OR "child porn*") AND arrest* AND (police OR cbi) AND NOT "film review"`
	if e := c.parseRule(rule); e == nil || e.String() != want {
		t.Errorf("got %v, want %s; %v", e, want, c.errs)
	}
}

func TestLint(t *testing.T) {
	concepts := []Concept{{ID: "empty"}, {ID: "c", Terms: map[string][]Source{"en": {Text("csam")}}}}
	for _, tt := range []struct {
		query string
		where Where
		want  Check
	}{
		{"a AND b", "", ""},
		{"a AND NOT b", "", ""},
		{"a and b", "", LowerCaseOperator},
		{"a or b", "", LowerCaseOperator},
		{"a Not b", "", LowerCaseOperator},
		{`"a and b"`, "", ""},
		{"a AND NOT a", "", NeverMatches},
		{"a AND (b OR c) AND NOT (b OR c)", "", NeverMatches},
		{"(a OR b) AND NOT a AND NOT b", "", NeverMatches},
		{"a AND @empty", "", NeverMatches},
		{"a OR @empty", "", ""},
		{"body:a", Headline, NeverMatches},
		{"body:a OR title:b", Headline, ""},
		{"NOT a", "", AlwaysMatches},
		{"a OR NOT b", "", AlwaysMatches},
		{"NOT (a AND b)", "", AlwaysMatches},
		{"a b c d e f g h i j k l AND NOT (a b)", "", NeverMatches},
		{"a OR (b AND NOT a)", "", ""},
		{"body:a NEAR/3 body:b", Headline, NeverMatches},
		{"lang:en", "", ""},
		{"a AND NOT lang:en", "", ""},
	} {
		_, found, err := Compile([]Rule{{ID: "r", Query: Text(tt.query), Where: tt.where}}, concepts)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			if f.Rule == "r" {
				got = append(got, string(f.Check))
			} else if f.Check != EmptyConcept {
				t.Errorf("%v", f)
			}
		}
		if s := strings.Join(got, " "); s != string(tt.want) {
			t.Errorf("%s: found %q, want %q", tt.query, s, tt.want)
		}
		if len(found) == len(got) {
			t.Errorf("%s: the empty concept is not found", tt.query)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	names := []string{"title", "lead", "body", "severity"}
	for got, want := range map[string]string{
		"titel": "title", "tilte": "title", "Title": "title", "bdy": "body", "laed": "lead", "severty": "severity", "mood": "", "": "", "x": "",
	} {
		if n := DidYouMean(got, names); n != want {
			t.Errorf("%s: %q, want %q", got, n, want)
		}
	}
}

// FuzzParseQuery holds that a query is either refused with errors that have a
// place, or has a canonical form that parses back to itself.
func FuzzParseQuery(f *testing.F) {
	for _, q := range []string{
		"a AND (b OR -c)", `title:("p hunt*" OR @c)`, "site:x.org lang:en", "a b OR c", `"`, "((((", "p-hunt*", "te*t", "{A}", "/a/", "W/5",
		"te?t* ഹ?്ട്", "/p.?hunt/^3", "SAME/SENTENCE(a (b OR c))^2", "url:(/a/)", "title:SAME/PARAGRAPH(a b)", "ഹണ്ട്*", "児童ポルノ*", `“a”`, "a^3", `"a b"~3`, "NEAR/2", "-", "@", "*", "title:", "67(B)", "u/s", "not",
	} {
		f.Add(q, false)
		f.Add(q, true)
	}
	f.Fuzz(func(t *testing.T, q string, plain bool) {
		got, errs := parseQuery(q, plain)
		if got == "" {
			if len(errs) == 0 {
				t.Fatalf("%q: neither a condition nor an error", q)
			}
			for _, e := range errs {
				if e.Msg == "" || e.Caret < 0 || e.Caret > utf8.RuneCountInString(e.Line) {
					t.Fatalf("%q: %+v", q, e)
				}
			}
			return
		}
		if again, errs := parseQuery(got, false); again != got {
			t.Fatalf("%q: %q parses to %q (%v)", q, got, again, errs)
		}
	})
}

// FuzzMatch holds that whatever a rule and an item hold, a match is where it says.
func FuzzMatch(f *testing.F) {
	f.Add("p-hunt OR lead:csam", "P-Hunt", "CSAM was …", "CSAM was found. ഓപ്പറേഷന്\u200d പി.ഹണ്ട്")
	f.Add(`"a b*" NOT c`, "a bcd", "", "\xff a b\u0301")
	f.Add("児童ポルノ", "児童ポルノ", "", "")
	f.Add("SAME/SENTENCE(te?t /h.nt/)^2 OR ATLEAST/2(ab*^3)", "Text", "A test. A hunt.", "A test. A hunt. A tent hunts.\n\nabc abd")
	f.Fuzz(func(t *testing.T, q, title, lead, body string) {
		rs, _, err := Compile([]Rule{{ID: "r", Query: Text(q)}}, nil)
		if err != nil {
			return
		}
		doc := &Doc{Title: title, Lead: lead, Body: body}
		ms := rs.Match(doc)
		for _, m := range ms {
			checkMatches(t, doc, m)
		}
		if x, err := rs.Explain("r", doc); err != nil || x.Matched != (len(ms) == 1) {
			t.Fatalf("Match found %d, Explain says %v, %v", len(ms), x.Matched, err)
		}
		p := parser{src: Text(q)}
		if want := (reference{doc: doc}).holds(p.parse()); want != (len(ms) == 1) {
			t.Fatalf("%q: engine %v, reference %v", q, !want, want)
		}
	})
}
