package classifier

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/newswatch/newswatch/feed"
)

// Of several rules the most reserved says how much of an item is shown, and what is
// withheld is in no part of the hit.
func TestReserved(t *testing.T) {
	rules := map[byte]Show{'e': ShowExcerpt, 't': ShowTitle, 'l': ShowLink, 'n': "of a newer version"}
	for _, tt := range []struct {
		rules           string
		title, sentence bool
	}{{"", true, true}, {"e", true, true}, {"et", true, false}, {"te", true, false}, {"etl", false, false}, {"le", false, false}, {"n", false, false}} {
		h := Hit{Item: feed.Item{
			Title: "a headline", Summary: "a sentence", Content: "a sentence", Authors: []string{"a headline"}, Categories: []string{"a headline"}, Link: "https://news.example/1",
		}}
		for i := range tt.rules {
			h.Rules = append(h.Rules, RuleMatch{Rule: tt.rules[i : i+1], Show: rules[tt.rules[i]], Excerpt: Excerpt{Text: "a sentence"}, Matches: []Match{{Text: "a sentence"}}})
		}
		before, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(h.Reserved())
		if err != nil {
			t.Fatal(err)
		}
		if title, sentence := strings.Contains(string(got), "a headline"), strings.Contains(string(got), "a sentence"); title != tt.title || sentence != tt.sentence {
			t.Errorf("%q: the headline is shown: %t, the sentence: %t: %s", tt.rules, title, sentence, got)
		}
		if !strings.Contains(string(got), "https://news.example/1") {
			t.Errorf("%q: the link is gone", tt.rules)
		}
		if after, _ := json.Marshal(h); string(after) != string(before) {
			t.Errorf("%q: the hit itself was changed", tt.rules)
		}
	}
}

func TestShowOfRules(t *testing.T) {
	plain, found, err := Compile([]Rule{{ID: "r", Query: Text("csam^3 raid")}}, nil)
	if err != nil || len(found) > 0 {
		t.Fatal(found, err)
	}
	reserved, found, err := Compile([]Rule{{ID: "r", Query: Text("csam^3 raid"), Show: ShowTitle}}, nil)
	if err != nil || len(found) != 1 || found[0].Check != UnusedWeight {
		t.Fatal(found, err)
	}
	if plain.Version() == reserved.Version() {
		t.Error("the version does not tell what is shown")
	}
	if _, _, err := Compile([]Rule{{ID: "r", Query: Text("csam"), Show: "titles"}}, nil); err == nil || !strings.Contains(err.Error(), "excerpt, title or link") {
		t.Errorf("an unknown show: %v", err)
	}
	m := reserved.Match(&Doc{Title: "csam raid"})
	if len(m) != 1 || m[0].Show != ShowTitle {
		t.Errorf("the match carries %+v", m)
	}
}
