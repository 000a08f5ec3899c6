package webhook

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/notify/notifytest"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("webhook.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("webhook.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSchemaOfBodies: what is really posted is valid, from a full digest to an
// empty one; what lacks a part is not.
func TestSchemaOfBodies(t *testing.T) {
	s := compiled(t)
	full := notifytest.Digest()
	full.Lang, full.MoreURL, full.More, full.LeaveURL, full.ChangeURL = "ml", "https://n.example/hits", 3, "https://n.example/u/1", "https://n.example/c/1"
	full.Notices = []notify.Notice{{ID: "a", Seq: 9, At: full.Sealed, Kind: notify.SourceLost, Subject: "x", Text: "x is lost."}}
	full.Corrections = []notify.Correction{
		{Title: "New", Was: "Old", Link: "https://news.example/1", Outlet: "Example", Published: full.Sealed, Found: full.Sealed, At: full.Sealed},
		{Outlet: "Example", Found: full.Sealed, At: full.Sealed, Withdrawn: true},
		{Title: "Old", Outlet: "Example", Found: full.Sealed, At: full.Sealed, TakenDown: true},
		{Title: "Old", Outlet: "Example", Found: full.Sealed, At: full.Sealed, Back: true},
	}
	full.CorrectionsMore, full.Part = 1, true
	full.NoticesMore, full.Groups[0].Entries[0].AlsoMore = 1, 2
	full.Groups[0].Entries[0].Show, full.Groups[0].Entries[0].TakenDown = "title", true
	full.Groups[0].Entries[0].Earlier = notify.Earlier{Item: full.Groups[0].Entries[0].Item, Title: "Raids", Link: "https://n.example/1", Outlet: "O", Published: full.Since}
	empty := notify.Digest{ID: full.ID, Subscriber: "desk", Since: full.Since, Until: full.Until, Sealed: full.Sealed, Timezone: "UTC"}
	long := notifytest.Digest()
	for range 1000 {
		long.Groups[0].Entries = append(long.Groups[0].Entries, long.Groups[0].Entries[0])
		long.Entries++
	}
	for name, d := range map[string]notify.Digest{"full": full, "empty": empty, "cut": long, "no entries left": full.Trim(0, 0)} {
		body, err := Body(d)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Contains(body, []byte(`"groups":[`)) {
			t.Errorf("%s: groups is no list in %.300s", name, body)
		}
	}
	b, err := json.Marshal(challenge{Type: "challenge", Version: 1, Challenge: "x"})
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("challenge: %v", err)
	}

	body, err := Body(full)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(m map[string]any){
		"another version": func(m map[string]any) { m["version"] = 2.0 },
		"no data":         func(m map[string]any) { delete(m, "data") },
		"no id":           func(m map[string]any) { delete(m["data"].(map[string]any), "id") },
		"groups is null":  func(m map[string]any) { m["data"].(map[string]any)["groups"] = nil },
		"no time":         func(m map[string]any) { m["timestamp"] = "today" },
	} {
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		spoil(m)
		if s.Validate(m) == nil {
			t.Errorf("%s is valid", name)
		}
	}
}

// TestSchemaKeys: the schema knows the fields of every type that is posted, and
// no others.
func TestSchemaKeys(t *testing.T) {
	var doc struct {
		Defs map[string]struct {
			Properties map[string]any `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(Schema(), &doc); err != nil {
		t.Fatal(err)
	}
	want := make(map[string][]string)
	var walk func(ty reflect.Type, name string)
	walk = func(ty reflect.Type, name string) {
		for ty.Kind() == reflect.Slice || ty.Kind() == reflect.Array {
			ty = ty.Elem()
		}
		if ty.Kind() != reflect.Struct || ty == reflect.TypeFor[time.Time]() || ty == reflect.TypeFor[feed.ItemID]() || want[name] != nil {
			return
		}
		for f := range fields(ty) {
			key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want[name] = append(want[name], key)
			inner := f.Type
			for inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			walk(inner, defName(inner.Name()))
		}
		slices.Sort(want[name])
	}
	walk(reflect.TypeFor[message](), "digestMessage")
	walk(reflect.TypeFor[challenge](), "challengeMessage")
	got := make(map[string][]string)
	for name, d := range doc.Defs {
		if d.Properties != nil {
			got[name] = slices.Sorted(maps.Keys(d.Properties))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-types +schema:\n%s", diff)
	}
}

func fields(ty reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range ty.NumField() {
			if !yield(ty.Field(i)) {
				return
			}
		}
	}
}

func defName(typeName string) string {
	switch typeName {
	case "SourceNote":
		return "source"
	case "":
		return ""
	}
	return strings.ToLower(typeName[:1]) + typeName[1:]
}
