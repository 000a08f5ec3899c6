package configs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/newswatch/newswatch/feed"
)

// FeedEdit is a file of feeds with more of them at the end of its list. Nothing
// is written before Write.
type FeedEdit struct {
	// Path is the file, and Lines what is put into it.
	Path  string
	Lines string
	// Added are the feeds with the ids that they were given.
	Added []feed.Feed
	// Creates says that there is no such file yet, and that it begins as the
	// default feeds, which hold as long as there is none.
	Creates bool

	before, after []byte
}

// AddFeeds puts feeds at the end of the list in file, which is one of
// l.FeedFiles; empty means the last of them. A feed without an ID is given one. What is
// in the file stays as it is, comments and blanks too, and the whole
// configuration is read with the change before it is believed: the error says
// what is wrong with it otherwise.
func (l *Loaded) AddFeeds(file string, feeds []feed.Feed) (*FeedEdit, error) {
	e := &FeedEdit{Path: file, Added: slices.Clone(feeds)}
	if err := e.read(l); err != nil {
		return nil, err
	}
	taken := make(map[string]bool)
	for _, f := range l.Feeds {
		taken[f.ID] = true
	}
	for i := range e.Added {
		f := &e.Added[i]
		if f.ID == "" {
			f.ID = feedID(f.URL)
			for n := 2; taken[f.ID]; n++ {
				f.ID = fmt.Sprintf("%s-%d", feedID(f.URL), n)
			}
		}
		taken[f.ID] = true
	}
	if err := e.insert(); err != nil {
		return nil, fmt.Errorf("%s: %w; add it by hand:\n%s", e.Path, err, e.Lines)
	}
	after, _, err := load(edited{disk{}, e}, l.Path, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	want := make(map[string]string)
	for _, f := range append(slices.Clone(l.Feeds), e.Added...) {
		want[f.ID] = f.URL
	}
	if len(after.Feeds) != len(want) {
		return nil, fmt.Errorf("configs: %s: with the change there would be %d feeds, not %d", e.Path, len(after.Feeds), len(want))
	}
	for _, f := range after.Feeds {
		if want[f.ID] != f.URL {
			return nil, fmt.Errorf("configs: %s: the change would make another feed of %s", e.Path, f.ID)
		}
	}
	return e, nil
}

// read finds the file and what is in it.
func (e *FeedEdit) read(l *Loaded) error {
	switch {
	case l.Path == "":
		return errors.New("there is no configuration file, and the built-in feeds cannot be changed: write a newswatch.yaml, which may be empty, or name one with --config")
	case e.Path == "" && len(l.FeedFiles) > 0:
		e.Path = l.FeedFiles[len(l.FeedFiles)-1]
	case e.Path == "":
		e.Path, e.Creates = filepath.Join(filepath.Dir(l.Path), "feeds.yaml"), true
		var err error
		e.before, err = defaultFiles.ReadFile("feeds.yaml")
		return err
	case !slices.Contains(l.FeedFiles, e.Path):
		return fmt.Errorf("%s is not a file of feeds of this configuration: include.feeds names %s", e.Path, strings.Join(l.FeedFiles, ", "))
	}
	var err error
	e.before, err = disk{}.read(e.Path)
	return err
}

// insert puts the feeds at the end of the list: as text, since a YAML writer
// would put its own form in place of the operator's.
func (e *FeedEdit) insert() error {
	nl := "\n"
	if bytes.Contains(e.before, []byte("\r\n")) {
		nl = "\r\n"
	}
	indent, opened, listErr := listOf(e.before)
	for _, f := range e.Added {
		e.Lines += strings.Repeat(" ", indent) + "- " + flow(f) + nl
	}
	if listErr != nil {
		return listErr
	}
	text := bytes.Clone(e.before)
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, nl...)
	}
	if !opened {
		text = append(text, "feeds:"+nl...)
	}
	text = append(text, e.Lines...)
	e.after = text
	before, after := elements(e.before), elements(e.after)
	if len(after) != len(before)+len(e.Added) || !reflect.DeepEqual(append([]any{}, before...), append([]any{}, after[:len(before)]...)) {
		return errors.New("the end of the list cannot be found")
	}
	return nil
}

// listOf returns the indentation of the list's hyphens, and whether its key is
// there; the list is the last thing in the file, since its key is the only one.
func listOf(text []byte) (indent int, opened bool, err error) {
	const usual = 2
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil || len(doc.Content) == 0 {
		return usual, false, err
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode || len(root.Content) != 2 {
		return usual, !isNull(root), nil
	}
	switch list := root.Content[1]; {
	case isNull(list):
		return usual, true, nil
	case list.Kind != yaml.SequenceNode || list.Style&yaml.FlowStyle != 0:
		return usual, true, errors.New("the list of feeds is not written with a hyphen for each")
	default:
		return list.Column - 1, true, nil
	}
}

// elements are the list's, as plain values.
func elements(text []byte) []any {
	var doc struct {
		Feeds []any `yaml:"feeds"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil
	}
	return doc.Feeds
}

// flow writes a feed on one line. A string in JSON is one in YAML; a dollar sign
// is doubled, or it might begin a variable.
func flow(f feed.Feed) string {
	var parts []string
	text := func(key, value string) {
		if value == "" {
			return
		}
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if enc.Encode(strings.ReplaceAll(value, "$", "$$")) == nil {
			parts = append(parts, key+": "+strings.TrimSpace(b.String()))
		}
	}
	parts = append(parts, "id: "+plain(f.ID))
	text("url", f.URL)
	text("name", f.Name)
	if len(f.Tags) > 0 {
		tags := make([]string, len(f.Tags))
		for i, t := range f.Tags {
			tags[i] = plain(t)
		}
		parts = append(parts, "tags: ["+strings.Join(tags, ", ")+"]")
	}
	text("lang", f.Lang)
	if f.Kind == feed.KindSitemap {
		parts = append(parts, "kind: sitemap")
	}
	if f.Every > 0 {
		parts = append(parts, "every: "+formatDuration(f.Every))
	}
	if f.FullText != "" {
		parts = append(parts, "full_text: "+string(f.FullText))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// plain writes an id, which needs quotes only where YAML would read a number, a
// date or a truth value.
func plain(id string) string {
	var v any
	if err := yaml.Unmarshal([]byte(id), &v); err == nil {
		if s, ok := v.(string); ok && s == id {
			return id
		}
	}
	return `"` + id + `"`
}

// Write puts the file in place of the old one, whole or not at all. It fails
// where somebody has changed it in the meantime.
func (e *FeedEdit) Write() error {
	path, mode := e.Path, os.FileMode(0o644)
	if !e.Creates {
		var err error
		if path, err = filepath.EvalSymlinks(e.Path); err != nil {
			return err
		}
		now, err := disk{}.read(path)
		if err != nil {
			return err
		}
		if !bytes.Equal(now, e.before) {
			return fmt.Errorf("%s was changed by somebody else just now: run the command again", e.Path)
		}
		if st, err := os.Stat(path); err == nil {
			mode = st.Mode().Perm()
		}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".feeds-*")
	if err != nil {
		return err
	}
	_, err = f.Write(e.after)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// edited is the disk with a file of feeds as it is to be.
type edited struct {
	disk
	edit *FeedEdit
}

func (d edited) read(name string) ([]byte, error) {
	if name == d.edit.Path {
		return d.edit.after, nil
	}
	return d.disk.read(name)
}

func (d edited) glob(pattern string) ([]string, error) {
	names, err := d.disk.glob(pattern)
	if ok, _ := filepath.Match(pattern, d.edit.Path); ok && !slices.Contains(names, d.edit.Path) {
		names = append(names, d.edit.Path)
	}
	return names, err
}

// Tidy returns the feed as a file of feeds may hold it: the address in its one
// form, a language that is none left out. The error says why the address cannot be
// a feed's.
func Tidy(f feed.Feed) (feed.Feed, error) {
	if err := setURL(&f, f.URL); err != nil {
		return f, errors.New(err.Message)
	}
	if lang, err := parseLang(f.Lang); err == nil {
		f.Lang = lang
	} else {
		f.Lang = ""
	}
	return f, nil
}

// Tag makes a tag of a word or a few, such as the name of a folder in a list of
// feeds; empty where nothing of it can be in one.
func Tag(words string) string {
	t := slug(words)
	if len(t) > 64 {
		t = strings.TrimRight(t[:64], "-")
	}
	return t
}
