package classifier

import (
	"net/url"
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	for _, tt := range []struct{ query, link, want string }{
		{`url:"p hunt"`, "https://example.org/news/operation-p-hunt-kerala-41-held-123.html", "p-hunt"},
		{`url:"p hunt"`, "https://example.org/operation_p_hunt/", "p_hunt"},
		{`url:"p hunt"`, "https://example.org/?s=p+hunt", "p+hunt"},
		{`url:"p hunt"`, "https://example.org/p%20hunt%2Dkerala", "p%20hunt"},
		{`url:"p hunt"`, "https://example.org/P%2dHUNT", "P%2dHUNT"},
		{`url:"p hunt"`, "https://example.org/champ-hunt", "-"},
		{"url:ഹണ്ട്*", "https://example.org/" + url.PathEscape("ഓപ്പറേഷൻ-പി-ഹണ്ടിൽ-41-പേർ") + ".html", url.PathEscape("ഹണ്ടിൽ")},
		{"url:kerala", "https://example.org/100%-kerala%", "kerala"}, // signs that encode nothing
		{"url:kerala", "https://example.org/%ff%fekerala%e0%b4", "kerala"},
		{"url:kerala", "https://example.org/%25kerala", "kerala"},
		{"url:(/p ?hunt/)", "https://example.org/p%2Dhunt", "p%2Dhunt"},
	} {
		got := "-"
		doc := Doc{URL: tt.link}
		rs := query(t, tt.query)
		if ms := rs.Match(&doc); len(ms) == 1 {
			checkMatches(t, &doc, ms[0])
			got = ms[0].Matches[0].Text
		}
		if got != tt.want {
			t.Errorf("%s in %s: got %s, want %s", tt.query, tt.link, got, tt.want)
		}
	}
}

func TestExplainShowsTheDecodedAddress(t *testing.T) {
	rs, _, err := Compile([]Rule{{ID: "r", Query: Text("url:hunt")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := rs.Explain("r", &Doc{URL: "https://example.org/" + url.PathEscape("ഹണ്ട്")})
	if err != nil || len(x.Text) != 1 || !strings.HasSuffix(x.Text[0].Text, " ഹണ്ട്") {
		t.Errorf("%v %v", x.Text, err)
	}
}
