package configs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestSettings: every key that the schema knows is listed, none other is, and no
// secret is told.
func TestSettings(t *testing.T) {
	data, err := Schema("config")
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var want []string
	var walk func(raw json.RawMessage, path string)
	walk = func(raw json.RawMessage, path string) {
		var n node
		if err := json.Unmarshal(raw, &n); err != nil {
			t.Fatal(err)
		}
		if len(n.Properties) == 0 {
			// A secret may be given in a file, and is told of once. Of templates the
			// text is kept, and not where it was.
			if !strings.HasSuffix(path, "_file") && !strings.HasSuffix(path, "_template") {
				want = append(want, path)
			}
			return
		}
		for k, v := range n.Properties {
			walk(v, strings.TrimPrefix(path+"."+k, "."))
		}
	}
	walk(data, "")
	c := defaults()
	c.HTTP.AdminToken, c.SMTP.Password = NewSecret("hunter2"), NewSecret("hunter2")
	c.Store = Store{Engine: EngineRedis, Addresses: []string{"redis:6379"}, Username: "hunter2", Password: NewSecret("hunter2"), URL: NewSecret("redis://hunter2:hunter2@redis:6379")}
	var got []string
	for _, s := range c.Settings() {
		got = append(got, s.Key)
		if strings.Contains(s.Value, "hunter2") {
			t.Errorf("%s tells a secret: %s", s.Key, s.Value)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("Config.Settings must list every key\nsettings\n%q\nschema\n%q", got, want)
	}
}
