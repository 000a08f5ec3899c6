// Package article finds the text of an article in the page that shows it. It is
// pure: it opens no connection, and of pictures and other media it keeps not
// even the address.
//
// A page is hostile until shown otherwise, and the library that finds the text
// was made for browsers' pages. So the page is first read by a scanner that
// bounds what it holds and writes a small page of the same words; only that one
// is parsed.
package article

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	readability "codeberg.org/readeck/go-readability/v2"
	"golang.org/x/net/html"
)

// Limits of one page. Of real pages the largest has some 3,000 elements.
const (
	maxElements  = 20_000
	maxAttribute = 512 // bytes of one value
	maxParseTime = 5 * time.Second
	maxTextBytes = 256 << 10
)

var (
	// ErrNoText is a page in which no article was found.
	ErrNoText = errors.New("no article found in the page")
	// ErrHostile is a page beyond a bound.
	ErrHostile = errors.New("beyond a bound")
	// ErrPanic is a defect of ours or of the parser, contained.
	ErrPanic = errors.New("the parser panicked")
)

// Page is one page as it came from its server.
type Page struct {
	// Body is the page after decompression.
	Body []byte
	// ContentType is the HTTP header of that name.
	ContentType string
	// URL is where the page came from.
	URL *url.URL
}

// Article is what is read of a page: plain text in Unicode.
type Article struct {
	// Title is the page's headline, one line; empty where it has none.
	Title string
	// Text has a blank line between paragraphs, and is cut at 256 KiB.
	Text string
}

// Read finds the article in a page. The error matches ErrNoText, ErrHostile
// or ErrPanic, or is ctx's own.
func Read(ctx context.Context, p Page) (found Article, err error) {
	defer func() {
		if r := recover(); r != nil {
			found, err = Article{}, fmt.Errorf("article: %w: %v", ErrPanic, r)
		}
	}()
	limited, cancel := context.WithTimeoutCause(ctx, maxParseTime,
		fmt.Errorf("article: %w: more than %s to parse", ErrHostile, maxParseTime))
	defer cancel()
	lean, linked, err := reduce(limited, toUTF8(p.Body, p.ContentType))
	if err != nil {
		return Article{}, err
	}
	// The reader lets the parser go as far as the deadline and no further.
	doc, err := html.Parse(&interruptible{ctx: limited, r: bytes.NewReader(lean)})
	switch {
	case limited.Err() != nil:
		return Article{}, context.Cause(limited)
	case err != nil:
		return Article{}, fmt.Errorf("article: %w: %w", ErrHostile, err)
	}
	// From here on nothing can be interrupted; what it costs is bounded by the
	// number of elements.
	parser := readability.NewParser()
	parser.DisableJSONLD = true
	parsed, err := parser.ParseAndMutate(doc, p.URL)
	if err != nil {
		return Article{}, fmt.Errorf("article: %w", err)
	}
	text := ""
	if parsed.Node != nil {
		var b strings.Builder
		if err := parsed.RenderText(&b); err != nil {
			return Article{}, fmt.Errorf("article: %w", err)
		}
		text = paragraphs(b.String())
	}
	// A page that is put together by scripts has its text only in what it tells
	// search engines.
	if len(text) < len(linked)/2 {
		text = linked
	}
	if text == "" {
		return Article{}, fmt.Errorf("article: %w", ErrNoText)
	}
	return Article{Title: headline(parsed.Title()), Text: text}, nil
}

// maxTitleBytes is the length beyond which nothing is a headline.
const maxTitleBytes = 512

// headline makes one line of a title.
func headline(s string) string {
	if len(s) > maxTitleBytes {
		return ""
	}
	return strings.ReplaceAll(paragraphs(s), "\n\n", " ")
}

// interruptible ends with the context's cause.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	if i.ctx.Err() != nil {
		return 0, context.Cause(i.ctx)
	}
	return i.r.Read(p)
}

// paragraphs makes each line of text a paragraph, its blanks made single, and
// cuts the whole at a character's boundary.
func paragraphs(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		line = strings.Join(strings.FieldsFunc(line, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r)
		}), " ")
		if line == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("\n\n")
		}
		b.WriteString(line)
		if b.Len() > maxTextBytes {
			break
		}
	}
	text := b.String()
	if len(text) > maxTextBytes {
		text = text[:maxTextBytes]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}
