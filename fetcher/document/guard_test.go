package document

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"testing"
)

// checkClean reads what gofeed is given with encoding/xml at its strictest: it
// is well-formed, no deeper than a person in an item, declares no namespace, and
// holds no text but one run in each element.
func checkClean(t *testing.T, body []byte) {
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, runs := 0, 0
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			depth++
			runs = 0
			if depth > 5 {
				t.Fatalf("depth %d in %q", depth, body)
			}
			for _, a := range tok.Attr {
				if a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || a.Name.Space == "xml" {
					t.Fatalf("attribute %v in %q", a.Name, body)
				}
			}
		case xml.EndElement:
			depth--
			runs = 0
		case xml.CharData:
			if runs++; runs > 1 {
				t.Fatalf("a text in pieces in %q", body)
			}
		default:
			t.Fatalf("%T in %q", tok, body)
		}
	}
	if depth != 0 {
		t.Fatalf("not closed: %q", body)
	}
}
