package article

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// dropped are elements whose tags do not reach the parser: media, and what can
// hold no article.
var dropped = map[atom.Atom]bool{
	atom.Img: true, atom.Picture: true, atom.Source: true, atom.Video: true,
	atom.Audio: true, atom.Track: true, atom.Embed: true, atom.Object: true,
	atom.Param: true, atom.Canvas: true, atom.Map: true, atom.Area: true,
	atom.Link: true, atom.Base: true, atom.Frame: true, atom.Frameset: true,
	atom.Input: true, atom.Select: true, atom.Option: true, atom.Optgroup: true,
	atom.Template: true,
}

// rawText are elements that do not reach the parser either, and whose content,
// which is no markup, goes with them. A title is one: where it stands in the
// middle of a page it would be taken for a part of the text.
var rawText = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Iframe: true, atom.Noembed: true,
	atom.Noframes: true, atom.Textarea: true, atom.Xmp: true, atom.Title: true,
}

// kept are the attributes by which the parts of a page are told apart.
var kept = map[string]bool{
	"id": true, "class": true, "role": true, "hidden": true, "style": true,
	"aria-hidden": true, "aria-modal": true, "href": true, "rel": true,
	"itemprop": true, "itemtype": true, "lang": true, "dir": true,
	"property": true, "name": true, "content": true,
}

// reduce writes the page anew with only the elements and attributes that are of
// use, each attribute once, and fails on a page with more elements than an
// article can have. It also returns the text of the article as the page tells it
// to search engines, empty if it does not.
func reduce(ctx context.Context, page []byte) (lean []byte, linked string, err error) {
	var out bytes.Buffer
	z := html.NewTokenizer(&interruptible{ctx: ctx, r: bytes.NewReader(page)})
	elements, roots := 0, 0
	var raw rawContent
	for {
		token := z.Next()
		was := raw
		raw = shown
		switch token {
		case html.ErrorToken:
			if err := z.Err(); !errors.Is(err, io.EOF) {
				return nil, "", err
			}
			return out.Bytes(), linked, nil
		case html.TextToken:
			switch was {
			case shown:
				out.WriteString(html.EscapeString(string(z.Text())))
			case linkedData:
				linked = longer(linked, articleBody(z.Text()))
			case hidden:
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			if elements++; elements > maxElements {
				return nil, "", fmt.Errorf("article: %w: more than %d elements", ErrHostile, maxElements)
			}
			name, hasAttr := z.TagName()
			tag := atom.Lookup(name)
			switch {
			case tag == atom.Script && isLinkedData(z, hasAttr):
				raw = linkedData
			case rawText[tag]:
				raw = hidden
			case dropped[tag]:
			case tag == atom.Html, tag == atom.Body:
				// The parser merges the attributes of each further one with those it
				// has, at a cost that grows with the square of their number.
				if roots++; roots <= 2 {
					writeTag(&out, z, name, hasAttr)
				}
			default:
				writeTag(&out, z, name, hasAttr)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if tag := atom.Lookup(name); !dropped[tag] && !rawText[tag] {
				out.WriteString("</")
				out.Write(name)
				out.WriteByte('>')
			}
		case html.CommentToken, html.DoctypeToken:
		}
	}
}

// rawContent says what becomes of the text that follows a tag.
type rawContent int

const (
	shown      rawContent = iota
	hidden                // content of an element in rawText
	linkedData            // JSON-LD
)

// writeTag writes the start tag that the tokenizer is at.
func writeTag(out *bytes.Buffer, z *html.Tokenizer, name []byte, more bool) {
	out.WriteByte('<')
	out.Write(name)
	for seen := make(map[string]bool, len(kept)); more; {
		var key, value []byte
		key, value, more = z.TagAttr()
		if !kept[string(key)] || seen[string(key)] || len(value) > maxAttribute {
			continue
		}
		seen[string(key)] = true
		fmt.Fprintf(out, ` %s="%s"`, key, html.EscapeString(string(value)))
	}
	out.WriteByte('>')
}

// isLinkedData reports whether the script tag that the tokenizer is at holds
// JSON-LD.
func isLinkedData(z *html.Tokenizer, more bool) bool {
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		if string(key) == "type" {
			return strings.EqualFold(strings.TrimSpace(string(value)), "application/ld+json")
		}
	}
	return false
}
