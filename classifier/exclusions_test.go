package classifier

import (
	"slices"
	"testing"
)

func TestWithoutExclusions(t *testing.T) {
	rs, _, err := Compile([]Rule{
		{ID: "hunt", Query: Text(`hunt AND police NOT (film OR treasure)`)},
		{ID: "either", Query: Text(`raid OR (arrest NOT film)`)},
		{ID: "plain", Any: []Source{Text("csam")}, None: []Source{Text("certification")}},
		{ID: "kept", Query: Text(`cyberdome`)},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	relaxed := rs.WithoutExclusions()
	for _, tc := range []struct {
		title string
		was   []string
		now   []string
	}{
		{"Police join the hunt", []string{"hunt"}, []string{"hunt"}},
		{"Police join the treasure hunt", nil, []string{"hunt"}},
		{"A hunt without them", nil, nil},
		{"An arrest in a film", nil, []string{"either"}},
		{"CSAM certification course", nil, []string{"plain"}},
		{"Cyberdome grows", []string{"kept"}, []string{"kept"}},
	} {
		doc := Doc{Title: tc.title}
		if got := ids(rs.Match(&doc)); !slices.Equal(got, tc.was) {
			t.Errorf("%q: the rules match %v, want %v", tc.title, got, tc.was)
		}
		if got := ids(relaxed.Match(&doc)); !slices.Equal(got, tc.now) {
			t.Errorf("%q: without exclusions %v, want %v", tc.title, got, tc.now)
		}
	}
}

func ids(found []RuleMatch) (out []string) {
	for _, f := range found {
		out = append(out, f.Rule)
	}
	return out
}
