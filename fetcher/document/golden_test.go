package document

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write what the fixtures give to their golden files")

// TestFixtures reads each document in testdata, named after what was wrong with
// one like it, and compares all that came of it with the golden file beside it.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	sitemaps, err := filepath.Glob("testdata/sitemap/*")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, sitemaps...)
	for _, file := range files {
		if strings.HasSuffix(file, ".golden.json") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := Parse(t.Context(), Input{
				Body: body, FeedID: "gazette", URL: "https://g.example/feeds/all", Sitemap: strings.Contains(file, "sitemap"),
				Now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
			})
			if err != nil {
				t.Fatal(err)
			}
			checkDocument(t, doc, DefaultLimits())
			got, err := json.MarshalIndent(doc, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(file, filepath.Ext(file)) + ".golden.json"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if string(got)+"\n" != string(want) {
				t.Errorf("have\n%s\nwant\n%s", got, want)
			}
		})
	}
}
