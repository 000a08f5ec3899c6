package ruletest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/newswatch/newswatch/classifier"
)

func texts(ss ...string) (out []classifier.Source) {
	for _, s := range ss {
		out = append(out, classifier.Text(s))
	}
	return out
}

func run(t *testing.T, r classifier.Rule) Result {
	t.Helper()
	r.ID = "r"
	rs, _, err := classifier.Compile([]classifier.Rule{r, {ID: "untested", Query: classifier.Text("x")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Run(rs)
}

func TestPassing(t *testing.T) {
	for name, r := range map[string]classifier.Rule{
		"headline":       {Query: classifier.Text("title:p-hunt"), MustMatch: texts("P-Hunt raids"), MustNotMatch: texts("Treasure hunt")},
		"body":           {Query: classifier.Text("body:p-hunt"), MustMatch: texts("P-Hunt raids")},
		"both":           {Query: classifier.Text("title:raids AND body:p-hunt"), MustMatch: texts("Raids in Kochi\nOperation P-Hunt goes on.")},
		"where it takes": {Query: classifier.Text("p-hunt"), Languages: []string{"ml"}, Feeds: []string{"nie"}, FeedTags: []string{"kerala"}, MustMatch: texts("P-Hunt raids")},
	} {
		res := run(t, r)
		if err := res.Err(); err != nil || res.Rules != 1 || res.Tests != len(r.MustMatch)+len(r.MustNotMatch) {
			t.Errorf("%s: %+v", name, res)
		}
	}
}

func TestFailing(t *testing.T) {
	for _, tt := range []struct {
		name string
		rule classifier.Rule
		want string
	}{
		{
			"near miss",
			classifier.Rule{Query: classifier.Text("hunt AND police NOT film"), MustMatch: texts("Police hunt film pirates")},
			"rule \"r\": must_match: the rule does not match this text\n    Police hunt film pirates\n    ^\n    would have matched but for NOT film",
		},
		{
			"nothing found",
			classifier.Rule{Query: classifier.Text("hunt AND police"), MustMatch: texts("Raids in Kochi")},
			"rule \"r\": must_match: the rule does not match this text\n    Raids in Kochi\n    ^\n    the rule is hunt AND police; nothing that it asks for is near",
		},
		{
			"matches",
			classifier.Rule{Query: classifier.Text("hunt OR police"), MustNotMatch: texts("Treasure hunt in Kochi")},
			"rule \"r\": must_not_match: the rule matches this text\n    Treasure hunt in Kochi\n    ^\n    hunt found \"hunt\"",
		},
		{
			"matches as a body",
			classifier.Rule{Query: classifier.Text("body:hunt"), MustNotMatch: texts("Treasure hunt in Kochi")},
			"rule \"r\": must_not_match: the rule matches this text\n    Treasure hunt in Kochi\n    ^\n    body:hunt found \"hunt\"",
		},
		{
			"matches without a word",
			classifier.Rule{Query: classifier.Text("NOT film"), MustNotMatch: texts("Treasure hunt")},
			"rule \"r\": must_not_match: the rule matches this text\n    Treasure hunt\n    ^\n    the rule NOT film holds for a text with none of its words",
		},
	} {
		err := run(t, tt.rule).Err()
		if err == nil {
			t.Errorf("%s: passed", tt.name)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

func TestUntested(t *testing.T) {
	rs, _, err := classifier.Compile([]classifier.Rule{
		{ID: "r", Any: []classifier.Source{classifier.Text("a")}, MustNotMatch: []classifier.Source{classifier.Text("b")}},
		{ID: "s", Any: []classifier.Source{classifier.Text("b")}, MustMatch: []classifier.Source{classifier.Text("b")}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	res := Run(rs)
	if len(res.Untested) != 1 || res.Untested[0].Rule != "r" || res.Untested[0].Check != classifier.NoTest || res.Err() != nil {
		t.Errorf("%+v", res)
	}
}
