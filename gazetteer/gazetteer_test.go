package gazetteer

import (
	"strings"
	"testing"

	"github.com/newswatch/newswatch/classifier/text"
)

func named(s string) string {
	var out []string
	for _, m := range Find(strings.Fields(text.Fold(s))) {
		out = append(out, m.String())
	}
	return strings.Join(out, ", ")
}

func TestFind(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"Raids in Kochi and Thrissur, Kerala", "Kochi, Thrissur, Kerala"},
		{"Kerala's police in New South Wales and New Delhi", "Kerala, New South Wales, Delhi"},
		{"Calicut court", "Kozhikode"},
		{"കൊച്ചിയിലും തൃശൂരിലും റെയ്ഡ്", "Kochi, Thrissur"},
		{"എറണാകുളത്ത് അറസ്റ്റ്", "Ernakulam"},
		{"തിരുവനന്തപുരത്തെ കോടതി", "Thiruvananthapuram"},
		{"തൃശ്ശൂര്‍", "Thrissur"}, // the chillu with a joiner
		{"दिल्ली और मुंबई में", "Delhi, Mumbai"},
		{"சென்னையில் கைது", "Chennai"},
		{"கோவையில் இளைஞர்", "Coimbatore"},
		{"കൊല്ലപ്പെട്ടു", ""}, // killed, not Kollam
		{"the capital", ""},
	} {
		if got := named(tt.text); got != tt.want {
			t.Errorf("%q names %q, want %q", tt.text, got, tt.want)
		}
	}
}

// Every place lies in one that is listed, and no name is two places'.
func TestList(t *testing.T) {
	if len(places) < 200 {
		t.Fatalf("%d places", len(places))
	}
	seen := make(map[string]string)
	for line := range strings.Lines(list) {
		in, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		id := ""
		for name := range strings.SplitSeq(rest, ",") {
			name = strings.TrimSpace(name)
			if id == "" {
				id = name
			}
			if other, taken := seen[text.Fold(name)]; taken {
				t.Errorf("%q is %s and %s", name, other, id)
			}
			seen[text.Fold(name)] = id
		}
		if _, known := seen[text.Fold(in)]; in != "" && !known {
			t.Errorf("%s lies in %s, which is not listed above it", id, in)
		}
	}
}

func TestWithin(t *testing.T) {
	place := func(name string) Place { return names[text.Fold(name)] }
	kochi := place("kochi")
	for name, want := range map[string]bool{"kochi": true, "ernakulam": true, "kerala": true, "india": true, "thrissur": false, "tamil nadu": false} {
		if kochi.Within(place(name)) != want {
			t.Errorf("Kochi within %s: %t", name, !want)
		}
	}
	if d := kochi.Depth(); d != 4 {
		t.Errorf("Kochi is %d deep", d)
	}
}
