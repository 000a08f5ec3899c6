package classifier

import (
	"strings"
	"testing"
)

// TestOperators holds what the operators find: the proving spans, or "-" where
// the rule does not match.
func TestOperators(t *testing.T) {
	csam := Concept{ID: "csam", Terms: map[string][]Source{"en": {Text("csam"), Text("abuse material")}}}
	for _, tt := range []struct{ query, body, want string }{
		// ? is one character, whatever its bytes.
		{"te?t", "a test and a text, a tent", "test|text|tent"},
		{"te?t", "a teapot, tet, a tests", "-"},
		{"te?t*", "testing tet", "testing"},
		{"wom?n", "women and woman", "women|woman"},
		{"ഹ?്ട്", "ഹണ്ട് ഹന്ട്", "ഹണ്ട്|ഹന്ട്"},
		{"na?ve", "naïve, nave", "naïve"},
		{`"operation p hu?t"`, "Operation P-Hunt", "Operation P-Hunt"},
		{"organi?ation NEAR/2 cri??", "crime organisation", "crime|organisation"},
		{"te?t te??", "test", "test"},
		{"ph?nt-raid", "Phunt raid; phontraid", "Phunt raid|phontraid"},

		// Regular expressions see folded words with a space between them.
		{"/p ?hunt/", "P-Hunt and PHunt", "P-Hunt|PHunt"},
		{"/P[- ]?Hunt/", "P.HUNT", "P.HUNT"},
		{"/^police/", "Police; police", "Police"},
		{"/hunt$/", "hunt hunt.", "hunt"},
		{"/[0-9]{3,}/", "41 of 1,000 and 2026", "000|2026"},
		{`/ipc? section [0-9]+/`, "IPC section 67 (B)", "IPC section 67"},
		{"/ഓപ്പറേഷൻ/", "ഓപ്പറേഷന്\u200d", "ഓപ്പറേഷന്\u200d"},
		{"/café/", "cafe", "cafe"},
		{"/hunt/ NEAR/1 kerala", "Hunting in Kerala. At dawn all the hunters went to the fields of Kerala", "Hunting|Kerala"},
		{"title:/hunt/", "hunt", "-"},
		{"/head .*police/", "police", "-"}, // from one field into the next
		{"/ /", "a", "-"},
		{"ATLEAST/2(/p.lice/)", "police, pulice", "police|pulice"},
		{"NOT /film/ police", "police", "police"},

		// SAME takes a sentence by UAX #29, a paragraph up to an empty line.
		{"SAME/SENTENCE(police raid)", "Police came. A raid took place. The police made a raid.", "police|raid"},
		{"SAME/SENTENCE(police raid)", "Police came. A raid took place.", "-"},
		{"SAME/SENTENCE(police raid)", "Police of the U.S. raid homes.", "Police|raid"},
		{"SAME/SENTENCE(police raid)", "Police\nraid", "-"},
		{"SAME/SENTENCE(പൊലീസ് റെയ്ഡ്)", "പൊലീസ് വന്നു. റെയ്ഡ് നടന്നു.", "-"},
		{"SAME/SENTENCE(पुलिस छापा)", "पुलिस आई। छापा पड़ा।", "-"},
		{`SAME/SENTENCE("police raid" kerala)`, "In Kerala police. Raid in Kerala", "-"}, // the phrase runs over the end
		{"SAME/SENTENCE((police OR cbi) raid*)", "CBI came. CBI raids.", "CBI|raids"},
		{"SAME/SENTENCE(@csam police)", "Police found abuse material.", "Police|abuse material"},
		{"SAME/PARAGRAPH(police raid)", "Police came.\nA raid took place.\n\nRaid.", "Police|raid"},
		{"SAME/PARAGRAPH(police raid)", "Police came.\n \nA raid took place.", "-"},
		{"SAME/PARAGRAPH(police NEAR/3 kerala raid)", "Police in Kerala. A raid.", "Police|Kerala|raid"},
		{"SAME/SENTENCE(head police)", "police", "-"}, // from the headline into the body
		{"title:SAME/SENTENCE(police raid)", "police raid", "-"},
		{"ATLEAST/2(SAME/SENTENCE(police raid))", "Police raid. Raid by police.", "Police|raid|Raid|police"},
		{"ATLEAST/2(SAME/SENTENCE(police raid))", "Police raid raid police.", "-"}, // one sentence

		// A weight changes nothing of what is found.
		{"police^3 raid", "police raid", "police|raid"},
		{`"police raid"^9 OR kerala`, "kerala", "kerala"},
		{"(police OR cbi)^2 NEAR/1 raid", "cbi raid", "cbi|raid"},
		{"NOT police^3 raid", "raid", "raid"},
		{"@csam^2", "csam", "csam"},
		{"{CSAM}^2 OR /csa[m]/^2", "csam", "csam"},
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

func TestOperatorsCanonical(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"te?t", "te?t"},
		{`"A Te?t*"`, `"a te?t*"`},
		{"PH?nt-raid", "ph?nt-raid"},
		{"/P Hunt/", "/P Hunt/"},
		{`/a\/b c/`, ""}, // a slash is no letter
		{"title:/hunt/", "title:/hunt/"},
		{"url:(/hunt/)", "url:(/hunt/)"},
		{"url:/hunt/", "url:hunt"},
		{"SAME/SENTENCE(a b (c OR d))", "SAME/SENTENCE(a AND b AND (c OR d))"},
		{"title:SAME/PARAGRAPH(a b)", "SAME/PARAGRAPH(title:a AND title:b)"},
		{"a^3 b", "a^3 AND b"},
		{"(a OR b)^3", "(a OR b)^3"},
		{"(a^2)^3", "a^3"},
		{`title:"a b"^3`, `title:"a b"^3`},
		{`"a b"~2^3`, "(a NEAR/2 b)^3"},
		{"NOT a^2", "NOT a^2"},
	} {
		got, errs := parseQuery(tt.in, false)
		if got != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", tt.in, got, tt.want, errs)
		}
		if again, _ := parseQuery(got, false); got != "" && again != got {
			t.Errorf("%s: %s parses to %s", tt.in, got, again)
		}
	}
}

func TestLooseSpelling(t *testing.T) {
	for _, tt := range []struct {
		term, text string
		want       bool
	}{
		{"പൊലീസ്", "പോലീസ് എത്തി", true},
		{"പൊലീസ്*", "പോലിസിന്റെ", true},
		{"കൊടി", "കോടി", false}, // a flag, a crore
		{"കുറ്റം", "കുററം", true},
		{"ഓപ്പറേഷൻ", "ഒാപ്പറേഷന്\u200d", true},
		{"हंट", "हण्ट", true},
		{"हिंदी", "हिन्दी", true},
		{"पाँच", "पांच", true},
		{"बॉल", "बाल", false},       // a ball, a child
		{"पॉक्सो", "पोस्को", false}, // an act, a steel maker
		{"போலீஸ்", "பொலிஸ்", true},
		{"ಪೊಲೀಸ್*", "ಪೋಲಿಸರು", true},
		{"পুলিশ", "পুলিস", true},
		{"organise", "organize", true},
		{"organized", "organised", true},
		{"organis*", "organization", true},
		{"rise", "rize", false},
		{"honour", "honors", false}, // another form is another word
		{"honour*", "honors", true},
		{"paedophil*", "pedophile", true},
		{"programme", "program", true},
		{"sexual offence", "sexual offense", true},
		{`"child-centre"`, "child center", true},
		{"{organise}", "organize", false},
	} {
		rule := Rule{ID: "r", Any: []Source{Text(tt.term)}}
		for _, rule.Spelling = range []Spelling{AsWritten, Loose} {
			rs, _, err := Compile([]Rule{rule}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(rs.Match(&Doc{Title: tt.text})) == 1, tt.want && rule.Spelling == Loose; got != want {
				t.Errorf("%s in %q, spelling %q: got %v", tt.term, tt.text, rule.Spelling, got)
			}
		}
	}
}

// TestVariantsAreFolded holds that no row of the table is written in a way that
// no folded word is.
func TestVariantsAreFolded(t *testing.T) {
	for _, rows := range [][][]string{variantsOf.anywhere, variantsOf.start, variantsOf.end, cutEndings} {
		for _, row := range rows {
			for _, s := range row {
				if f := foldWild("a" + s); f != "a"+s {
					t.Errorf("%q folds to %q", s, f)
				}
			}
		}
	}
	if got := variants("program", false); len(got) != 2 {
		t.Errorf("program is spelt %q", got)
	}
	if got := variants(strings.Repeat("हिंदी", 10), false); len(got) != maxVariants {
		t.Errorf("%d variants", len(got))
	}
}

func TestPlainNear(t *testing.T) {
	rule := Rule{
		ID: "r", Any: []Source{Text("kerala")}, None: []Source{Text("film")},
		Near: &Near{Words: []Source{Text("police OR cbi"), Text("big raid"), Text("arrest*")}, Within: 2},
	}
	c := compiler{concepts: map[string]*concept{}}
	want := `kerala AND (((police OR cbi) NEAR/2 "big raid") NEAR/2 arrest*) AND NOT film`
	if e := c.parseRule(rule); e == nil || e.String() != want {
		t.Errorf("got %v, want %s; %v", e, want, c.errs)
	}
}

func TestASCIIClassFinding(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  bool
	}{
		{`/\bhunt\b/`, false},
		{`/\\bഹണ്ട/`, false},
		{`/\bഹണ്ട/`, true},
		{`/ഹണ്ട\w*/`, true},
		{`/ഹണ്ട[a-z]*/`, false},
	} {
		p := parser{src: Text(tt.query), concepts: known}
		p.parse()
		if got := len(p.findings) == 1 && p.findings[0].Check == ASCIIClass; got != tt.want {
			t.Errorf("%s: %v", tt.query, p.findings)
		}
	}
}

// TestRegexpNeedsItsLiteral holds what an item must have before an expression is
// run on it.
func TestRegexpNeedsItsLiteral(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"operation p.?hunt", "operation p"},
		{"(operation )?hunt[a-z]*", "hunt"},
		{"police|raid", "police|raid"},
		{"(hunt)+", "hunt"},
		{"[a-z]+", ""},
		{"hunt|[a-z]+", ""},
	} {
		re, err := parseRegexp(tt.src)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(needed(re), "|"); got != tt.want {
			t.Errorf("%s: needs %q, want %q", tt.src, got, tt.want)
		}
	}
}

func TestShadowed(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b Rule // b comes after a
		want string
	}{
		{"equal", Rule{Query: Text("csam raid")}, Rule{Query: Text("raid csam")}, "b"},
		{"narrower", Rule{Query: Text("csam raid")}, Rule{Query: Text("csam")}, "a"},
		{"narrower, later", Rule{Query: Text("csam")}, Rule{Query: Text("csam -film")}, "b"},
		{"fewer words", Rule{Query: Text("csam OR csem OR ccsec")}, Rule{Query: Text("ccsec OR csam")}, "b"},
		{"both", Rule{Query: Text("csam OR csem")}, Rule{Query: Text("csem raid*")}, "b"},
		{"plain form", Rule{Any: []Source{Text("csam")}}, Rule{All: []Source{Text("csam"), Text("raid")}}, "b"},
		{"neither", Rule{Query: Text("csam OR raid")}, Rule{Query: Text("csam OR csem")}, ""},
		{"other words", Rule{Query: Text("csam raid")}, Rule{Query: Text("csam arrest")}, ""},
		{"a weight", Rule{Query: Text("csam^3")}, Rule{Query: Text("csam raid")}, "b"},
		{"higher", Rule{Query: Text("csam")}, Rule{Query: Text("csam raid"), Severity: High}, ""},
		{"lower", Rule{Query: Text("csam"), Severity: High}, Rule{Query: Text("csam raid")}, "b"},
		{"equal words, first is lower", Rule{Query: Text("csam")}, Rule{Query: Text("csam"), Severity: High}, "a"},
		{"another part", Rule{Query: Text("csam"), Where: Headline}, Rule{Query: Text("csam raid")}, ""},
		{"another spelling", Rule{Query: Text("csam")}, Rule{Query: Text("csam raid"), Spelling: Loose}, ""},
		{"shows less", Rule{Query: Text("csam")}, Rule{Query: Text("csam raid"), Show: ShowLink}, ""},
		{"shows more", Rule{Query: Text("csam"), Show: ShowTitle}, Rule{Query: Text("csam raid")}, "b"},
		{"fewer languages", Rule{Query: Text("csam"), Languages: []string{"en", "ml"}}, Rule{Query: Text("csam"), Languages: []string{"ml"}}, "b"},
		{"more languages", Rule{Query: Text("csam"), Languages: []string{"en"}}, Rule{Query: Text("csam raid")}, ""},
		{"other feeds", Rule{Query: Text("csam"), Feeds: []string{"nie"}}, Rule{Query: Text("csam"), Feeds: []string{"toi"}}, ""},
		{"a tag of its own", Rule{Query: Text("csam")}, Rule{Query: Text("csam raid"), Tags: []string{"raids"}}, ""},
		{"no tag of its own", Rule{Query: Text("csam"), Tags: []string{"raids", "x"}}, Rule{Query: Text("csam raid"), Tags: []string{"raids"}}, "b"},
	} {
		tt.a.ID, tt.b.ID = "a", "b"
		_, found, err := Compile([]Rule{tt.a, tt.b}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found {
			if f.Check == Shadowed {
				got += f.Rule
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q is shadowed, want %q", tt.name, got, tt.want)
		}
	}
}

// TestLooseConcept holds that rules of either spelling share a concept, and not
// its spelling.
func TestLooseConcept(t *testing.T) {
	police := Concept{ID: "police", Terms: map[string][]Source{"ml": {Text("പൊലീസ്")}}}
	rs, _, err := Compile([]Rule{
		{ID: "strict", Query: Text("@police")}, {ID: "loose", Query: Text("@police"), Spelling: Loose}, {ID: "again", Query: Text("@police")},
	}, []Concept{police})
	if err != nil {
		t.Fatal(err)
	}
	doc := Doc{Title: "പോലീസ്"}
	if ms := rs.Match(&doc); len(ms) != 1 || ms[0].Rule != "loose" {
		t.Errorf("%+v", ms)
	}
	x, err := rs.Explain("loose", &doc)
	if err != nil || !x.Matched {
		t.Errorf("%+v, %v", x, err)
	}
}
