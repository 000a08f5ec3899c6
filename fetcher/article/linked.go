package article

import (
	"bytes"
	"encoding/json"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// articleBody returns the longest schema.org articleBody in a JSON-LD script as
// plain text, empty if there is none.
func articleBody(script []byte) string {
	if !bytes.Contains(script, []byte(`"articleBody"`)) {
		return ""
	}
	var data any
	if err := json.Unmarshal(script, &data); err != nil {
		return ""
	}
	return paragraphs(plain(findBody(data)))
}

// findBody looks for the longest articleBody. How deep data nests is bounded by
// encoding/json.
func findBody(data any) string {
	var best string
	switch v := data.(type) {
	case []any:
		for _, e := range v {
			best = longer(best, findBody(e))
		}
	case map[string]any:
		for key, e := range v {
			if s, ok := e.(string); ok && key == "articleBody" {
				best = longer(best, s)
				continue
			}
			best = longer(best, findBody(e))
		}
	}
	return best
}

func longer(a, b string) string {
	if len(b) > len(a) {
		return b
	}
	return a
}

// plain takes the markup out of an articleBody, which should have none.
func plain(s string) string {
	var b strings.Builder
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return b.String()
		case html.TextToken:
			b.Write(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken, html.EndTagToken:
			name, _ := z.TagName()
			switch atom.Lookup(name) {
			case atom.P, atom.Br, atom.Div, atom.Li, atom.H1, atom.H2, atom.H3, atom.H4:
				b.WriteByte('\n')
			default:
				b.WriteByte(' ')
			}
		case html.CommentToken, html.DoctypeToken:
		}
	}
}
