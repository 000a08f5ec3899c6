package fetcher

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// compressed is s in the given coding.
func compressed(t testing.TB, coding, s string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "flate":
		w, _ = flate.NewWriter(&b, flate.BestCompression)
	case "flate, stored":
		w, _ = flate.NewWriter(&b, flate.NoCompression)
	case "br":
		w = brotli.NewWriter(&b)
	case "zstd":
		w, _ = zstd.NewWriter(&b, zstd.WithWindowSize(8<<20))
	case "zstd, wide window":
		w, _ = zstd.NewWriter(&b, zstd.WithWindowSize(64<<20), zstd.WithEncoderConcurrency(1))
	}
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// lookalike is doc in bare deflate whose first two bytes pass the check of a
// zlib header that they are not: a stored block (RFC 1951 §3.2.4) begins with a
// zero and its length, which is padded to be a multiple of 31.
func lookalike(t testing.TB, doc string) string {
	for len(doc)&0xff != 31 {
		doc += "\n"
	}
	s := compressed(t, "flate, stored", doc)
	if (uint(s[0])<<8|uint(s[1]))%31 != 0 || s[0]&0x0f == 8 {
		t.Fatalf("% x is no lookalike", s[:2])
	}
	return s
}

func TestContentCoding(t *testing.T) {
	doc := rss("a", "b", "c")
	gz := compressed(t, "gzip", doc)
	stored := lookalike(t, doc)
	bomb := strings.Repeat(" ", 16<<20)
	for _, tt := range []struct {
		name   string
		coding string
		body   string
		reason Reason
	}{
		{"none", "", doc, ""},
		{"identity (RFC 9110 §12.5.3)", "identity", doc, ""},
		{"gzip (RFC 9110 §8.4.1.3)", "gzip", gz, ""},
		{"gzip in capitals", "GZIP", gz, ""},
		{"x-gzip (RFC 9110 §8.4.1.3)", "x-gzip", gz, ""},
		{"gzip in two members (RFC 1952 §2.2)", "gzip", compressed(t, "gzip", doc[:100]) + compressed(t, "gzip", doc[100:]), ""},
		{"deflate as zlib (RFC 9110 §8.4.1.2)", "deflate", compressed(t, "zlib", doc), ""},
		{"deflate as servers misread it (RFC 9110 §8.4.1.2, note)", "deflate", compressed(t, "flate", doc), ""},
		{"deflate that could be zlib by its check (RFC 1950 §2.2)", "deflate", stored, ""},
		{"brotli (RFC 7932)", "br", compressed(t, "br", doc), ""},
		{"zstd (RFC 8878)", "zstd", compressed(t, "zstd", doc), ""},

		{"gzip cut off", "gzip", gz[:len(gz)/2], ReasonBody},
		{"gzip without its check", "gzip", gz[:len(gz)-8], ReasonBody},
		{"gzip with a wrong check", "gzip", gz[:len(gz)-5] + "xxxxx", ReasonBody},
		{"gzip that is none", "gzip", doc, ReasonBody},
		{"gzip of nothing", "gzip", "", ReasonBody},
		{"gzip header alone", "gzip", gz[:10], ReasonBody},
		{"junk after gzip", "gzip", gz + "junk", ReasonBody},
		{"zlib cut off", "deflate", compressed(t, "zlib", doc)[:40], ReasonBody},
		{"deflate cut off", "deflate", compressed(t, "flate", doc)[:40], ReasonBody},
		{"deflate of one byte", "deflate", "x", ReasonBody},
		{"brotli cut off", "br", compressed(t, "br", doc)[:40], ReasonBody},
		{"brotli that is none", "br", "\xff\xff\xff\xff\xff\xff\xff", ReasonBody},
		{"zstd cut off", "zstd", compressed(t, "zstd", doc)[:40], ReasonBody},
		{"zstd that is none", "zstd", doc, ReasonBody},
		{"zstd with a window beyond RFC 9659", "zstd", compressed(t, "zstd, wide window", strings.Repeat(doc, 30_000)), ReasonBody},

		{"gzip twice", "gzip, gzip", compressed(t, "gzip", gz), ReasonBody},
		{"gzip in brotli", "gzip, br", compressed(t, "br", gz), ReasonBody},
		{"compress (RFC 9110 §8.4.1.1)", "compress", gz, ReasonBody},
		{"not a coding", "utf-8", doc, ReasonBody},

		{"a bomb in gzip", "gzip", compressed(t, "gzip", bomb), ReasonTooLarge},
		{"a bomb in zlib", "deflate", compressed(t, "zlib", bomb), ReasonTooLarge},
		{"a bomb in brotli", "br", compressed(t, "br", bomb), ReasonTooLarge},
		{"a bomb in zstd", "zstd", compressed(t, "zstd", bomb), ReasonTooLarge},
		{"a bomb in ten thousand members", "gzip", strings.Repeat(compressed(t, "gzip", strings.Repeat(" ", 1<<10)), 10_000), ReasonTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{MaxBody: 1 << 20, Timeout: time.Minute})
			s := newSite(t, "127.0.0.1", sends(tt.body, "Content-Encoding: "+tt.coding))
			outcome := Fetched
			if tt.reason != "" {
				outcome = Failed
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := cpu(t)
			res := check(t, c, feedAt(s.URL), State{}, outcome, tt.reason)
			runtime.ReadMemStats(&after)
			if took := cpu(t) - began; took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			// The server's side is in it too.
			if took := after.TotalAlloc - before.TotalAlloc; took > 40<<20 {
				t.Errorf("took %d MiB", took>>20)
			}
			if tt.reason == "" && (len(res.Items) != 3 || res.Bytes != int64(len(tt.body))) {
				t.Errorf("%d items, %d bytes", len(res.Items), res.Bytes)
			}
		})
	}
}

// TestMaxBody is at the limit and one byte beyond, on the wire and after
// decompression.
func TestMaxBody(t *testing.T) {
	doc := rss("a")
	pad := func(n int) string { return doc + strings.Repeat(" ", n-len(doc)) }
	const most = 64 << 10
	for _, tt := range []struct {
		name    string
		answer  http.HandlerFunc
		outcome Outcome
		reason  Reason
	}{
		{"at the limit", sends(pad(most)), Fetched, ""},
		{"beyond it", sends(pad(most + 1)), Failed, ReasonTooLarge},
		{"at the limit, chunked", chunked(pad(most)), Fetched, ""},
		{"beyond it, chunked", chunked(pad(most + 1)), Failed, ReasonTooLarge},
		{"beyond it on the wire alone", chunked(strings.Repeat(compressed(t, "gzip", ""), most/20)+compressed(t, "gzip", doc), "Content-Encoding: gzip"), Failed, ReasonTooLarge},
		{"at the limit once decompressed", sends(compressed(t, "gzip", pad(most)), "Content-Encoding: gzip"), Fetched, ""},
		{"beyond it once decompressed", sends(compressed(t, "gzip", pad(most+1)), "Content-Encoding: gzip"), Failed, ReasonTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newClient(t, Options{MaxBody: most})
			s := newSite(t, "127.0.0.1", tt.answer)
			check(t, c, feedAt(s.URL), State{}, tt.outcome, tt.reason)
		})
	}
}

func chunked(body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		set(w, header)
		fmt.Fprint(w, body[:10])
		w.(http.Flusher).Flush()
		fmt.Fprint(w, body[10:])
	}
}

// TestMediaIsNotRead: not even the first byte of a picture is taken in.
func TestMediaIsNotRead(t *testing.T) {
	c, _ := newClient(t, Options{})
	for _, media := range []string{"image/jpeg", "IMAGE/png", " image/svg+xml", "video/mp4", "audio/mpeg; codecs=x"} {
		s := newSite(t, "127.0.0.1", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{media}
			fmt.Fprint(w, rss("a"))
		})
		if res := check(t, c, feedAt(s.URL), State{}, Failed, ReasonNotAFeed); res.Bytes != 0 {
			t.Errorf("%s: %d bytes were read", media, res.Bytes)
		}
	}
}

// TestSuspectIsParsedAlone: a document that may have killed the process is not
// parsed beside another, which would share the blame for the next death.
func TestSuspectIsParsedAlone(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", sends(rss("a")))
	done, err := c.parseTurn(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.Fetch(ctx, feedAt(s.URL), State{Poisoned: 1}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v: a suspect was parsed beside another document", err)
	}
	done()
	if _, err := c.Fetch(t.Context(), feedAt(s.URL), State{Poisoned: 1}, nil); err != nil {
		t.Error(err)
	}
}

// TestParsingWaitsItsTurn: while as many bytes are being parsed as may be, no
// document is marked or parsed, however small.
func TestParsingWaitsItsTurn(t *testing.T) {
	c, _ := newClient(t, Options{})
	s := newSite(t, "127.0.0.1", sends(rss("a")))
	done, err := c.parseTurn(t.Context(), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var marks []bool
	mark := func(_ context.Context, parsing bool) error { marks = append(marks, parsing); return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := c.Fetch(ctx, feedAt(s.URL), State{}, mark); !errors.Is(err, context.DeadlineExceeded) || len(marks) != 0 {
		t.Errorf("got %v and marks %v: a document that waits must not be blamed", err, marks)
	}
	done()
	if _, err := c.Fetch(t.Context(), feedAt(s.URL), State{}, mark); err != nil || !slices.Equal(marks, []bool{true, false}) {
		t.Errorf("got %v and marks %v, want one before and one after the parse", err, marks)
	}
}

func FuzzReadBody(f *testing.F) {
	for _, coding := range []string{"gzip", "zlib", "flate", "br", "zstd"} {
		f.Add(strings.NewReplacer("zlib", "deflate", "flate", "deflate").Replace(coding), []byte(compressed(f, coding, "some text")))
	}
	const most = 64 << 10
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		resp := &http.Response{
			Header:        http.Header{"Content-Encoding": {coding}},
			Body:          io.NopCloser(bytes.NewReader(body)),
			ContentLength: -1,
		}
		var out bytes.Buffer
		n, err := readBody(&out, resp, "example.org", most, false)
		if out.Len() > most || n > most {
			t.Errorf("%d bytes in, %d out", n, out.Len())
		}
		if err == nil && coding == "" && !bytes.Equal(out.Bytes(), body) {
			t.Error("a plain body changed")
		}
	})
}
