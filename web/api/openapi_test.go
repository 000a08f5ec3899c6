package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"
)

// description is openapi.yaml, as far as the tests walk it.
type description struct {
	doc     map[string]any
	schemas *jsonschema.Compiler
}

func describe(t *testing.T) *description {
	t.Helper()
	data, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var raw any
	if err := yaml.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	// Through JSON, so that numbers and keys are what a schema expects.
	asJSON, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(asJSON)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("https://newswatch.example/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return &description{doc.(map[string]any), c}
}

// at follows a path of keys; nil where there is nothing.
func at(v any, keys ...string) any {
	for _, k := range keys {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

// check validates an answer against what the description says of it.
func (d *description) check(t *testing.T, method, path string, status int, ctype string, body []byte) {
	t.Helper()
	responses := []string{"paths", path, strings.ToLower(method), "responses"}
	r := at(d.doc, append(responses, fmt.Sprint(status))...)
	where := strings.Join([]string{"paths", esc(path), strings.ToLower(method), "responses", fmt.Sprint(status)}, "/")
	if r == nil && status >= 400 {
		r, where = at(d.doc, "components", "responses", "Problem"), "components/responses/Problem"
	}
	if r == nil {
		t.Errorf("%s %s: the answer %d is not described", method, path, status)
		return
	}
	content := at(r, "content")
	if content == nil {
		if len(body) > 0 {
			t.Errorf("%s %s: %d has a body that is not described", method, path, status)
		}
		return
	}
	if at(content, ctype) == nil {
		t.Errorf("%s %s: %d is %s, which is not described", method, path, status, ctype)
		return
	}
	if !strings.HasSuffix(ctype, "json") {
		return
	}
	schema, err := d.schemas.Compile("https://newswatch.example/openapi.json#/" + where + "/content/" + esc(ctype) + "/schema")
	if err != nil {
		t.Fatal(err)
	}
	got, err := jsonschema.UnmarshalJSON(strings.NewReader(string(body)))
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	if err := schema.Validate(got); err != nil {
		t.Errorf("%s %s: %d\n%v\n%s", method, path, status, err, body)
	}
}

// esc makes a key part of a JSON pointer in a URL.
func esc(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(key)
}

// TestDescription: every route is described and every description is of a route;
// parameters in the path are declared; references lead somewhere.
func TestDescription(t *testing.T) {
	d := describe(t)
	described := map[string]bool{}
	ids := map[string]bool{}
	for path, item := range at(d.doc, "paths").(map[string]any) {
		for method, op := range item.(map[string]any) {
			if method == "parameters" {
				continue
			}
			described[strings.ToUpper(method)+" "+path] = true
			id, _ := at(op, "operationId").(string)
			if id == "" || ids[id] || at(op, "summary") == nil || at(op, "responses", "default") == nil {
				t.Errorf("%s %s: operationId %q, summary, or default answer", method, path, id)
			}
			ids[id] = true
		}
		if strings.Contains(path, "{id}") && at(item, "parameters") == nil {
			t.Errorf("%s: its parameter is not declared", path)
		}
	}
	o := open(t)
	for _, rt := range o.api().Routes() {
		key := rt.Method + " " + rt.Path
		if !described[key] {
			t.Errorf("%s is not described", key)
		}
		delete(described, key)
	}
	delete(described, "POST /subscriptions") // web serves it, to everyone
	for key := range described {
		t.Errorf("%s is described and not served", key)
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if at(d.doc, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...) == nil {
					t.Errorf("%s leads nowhere", ref)
				}
			}
			for _, x := range v {
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(d.doc)
}

// TestAnswers asks for everything, and holds each answer against the
// description.
func TestAnswers(t *testing.T) {
	d, o := describe(t), open(t)
	h := o.api()
	hit, plain := o.items[0].ID.String(), o.items[2].ID.String()
	none := strings.Repeat("0", 32)
	asked := map[string]bool{}
	for _, tt := range []struct {
		method, path, target, body string
		want                       int
		holds                      string // a part of the body
	}{
		{"GET", "/status", "", "", 200, `"dead_letters":2`},
		{"GET", "/status", "", "", 200, `"grades":{"fine":1,"unread":1}`},
		{"GET", "/notices", "", "", 200, `"subject":"nie"`},
		{"GET", "/notices", "/notices?limit=1", "", 200, `"next":`},
		{"GET", "/notices", "/notices?before=1", "", 200, `{"items":[]}`},
		{"GET", "/notices", "/notices?before=0", "", 400, "not one that newswatch gave"},
		{"GET", "/notices", "/notices?limit=501", "", 400, "from 1 to 500"},
		{"GET", "/config", "", "", 200, `"http.admin_token"`},
		{"GET", "/openapi.yaml", "", "", 200, "openapi: 3.1.0"},
		{"GET", "/hits", "", "", 200, `"Police arrest a man"`},
		{"GET", "/hits", "/hits?severity=high&limit=1", "", 200, `"next":`},
		{"GET", "/hits", "/hits?since=never&severity=dire", "", 400, `"faults":["The severity`},
		{"GET", "/hits", "/hits?limit=501", "", 400, "from 1 to 500"},
		{"GET", "/hits", "/hits?words=nobody", "", 200, `{"items":[]}`},
		{"GET", "/stories", "", "", 200, `"lead":`},
		{"GET", "/hits/{id}", "/hits/" + hit, "", 200, `\u003cscript\u003e`},
		{"GET", "/hits/{id}", "/hits/" + none, "", 404, "no such thing"},
		{"GET", "/hits/{id}", "/hits/..%2f..%2fetc%2fpasswd", "", 400, "32 hexadecimal"},
		{"GET", "/tally", "", "", 200, `"arrests":[0,0`},
		{"GET", "/tally", "/tally?days=91", "", 400, "1 to 90"},
		{"GET", "/feeds", "", "", 200, `"https://nie.example/feed"`},
		{"GET", "/feeds", "/feeds?limit=1", "", 200, `"next":"nie"`},
		{"GET", "/feeds", "/feeds?limit=1&after=nie", "", 200, `"id":"quiet"`},
		{"GET", "/feeds", "/feeds?grade=fine&grade=hard", "", 200, `"grade":"fine"`},
		{"GET", "/feeds", "/feeds?grade=hard", "", 200, `{"items":[]}`},
		{"GET", "/feeds", "/feeds?grade=bad", "", 400, "one of fine"},
		{"GET", "/feeds", "/feeds?words=EXAMPLE+quiet", "", 200, `{"items":[{"id":"quiet"`},
		{"GET", "/feeds", "/feeds?words=example&grade=unread", "", 200, `{"items":[{"id":"quiet"`},
		{"GET", "/feeds", "/feeds?words=pass", "", 200, `{"items":[]}`},
		{"GET", "/feeds", "/feeds?words=example&limit=1", "", 200, `"next":"nie"`},
		{"GET", "/feeds/{id}", "/feeds/nie", "", 200, `"items":5`},
		{"GET", "/feeds/{id}", "/feeds/nie", "", 200, `"per_day":6`},
		{"GET", "/feeds/{id}", "/feeds/no", "", 404, ""},
		{"POST", "/feeds/{id}/poll", "/feeds/nie/poll", "", 202, `"due":"2026-11-23T12:00:00Z"`},
		{"POST", "/feeds/{id}/poll", "/feeds/no/poll", "", 404, ""},
		{"POST", "/feeds/{id}/pause", "/feeds/nie/pause", "", 204, ""},
		{"GET", "/feeds/{id}", "/feeds/nie", "", 200, `"paused":"2026`},
		{"POST", "/feeds/{id}/resume", "/feeds/nie/resume", "", 204, ""},
		{"GET", "/rules", "", "", 200, `"week":2`},
		{"GET", "/rules/{id}", "/rules/arrests", "", 200, `police`},
		{"GET", "/rules/{id}", "/rules/no", "", 404, ""},
		{"POST", "/match", "", `{"title":"Police arrest two"}`, 200, `"matched":["arrests"]`},
		{"POST", "/match", "", `{"title":"Nothing","rule":"arrests"}`, 200, `"matched":[]`},
		{"POST", "/match", "", `{"item":"` + plain + `"}`, 200, `"matched":[]`},
		{"POST", "/match", "", `{"item":"` + none + `"}`, 404, ""},
		{"POST", "/match", "", `{"url":"https://nie.example/a"}`, 200, `"operation-p-hunt"`},
		{"POST", "/match", "", `{"url":"http://10.0.0.1/"}`, 422, "not a public address"},
		{"POST", "/match", "", `{"url":"https://nie.example/a","title":"x"}`, 400, "one of"},
		{"POST", "/match", "", `{"titel":"x"}`, 400, "titel"},
		{"POST", "/match", "", `{"title":"x"} {}`, 400, "behind"},
		{"POST", "/match", "", `{}`, 422, "no text"},
		{"POST", "/match", "", `{"title":"x","rule":"arests"}`, 422, "did you mean"},
	} {
		target := tt.target
		if target == "" {
			target = tt.path
		}
		asked[tt.method+" "+tt.path] = true
		o.now = o.now.Add(time.Minute) // The limits are another test's.
		w := ask(h, tt.method, target, tt.body)
		if strings.Contains(tt.holds, "12:00:00Z") {
			tt.holds = o.now.Format(`"due":"` + time.RFC3339)
		}
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.holds) {
			t.Errorf("%s %s %s: %d, want %d with %q\n%s", tt.method, target, tt.body, w.Code, tt.want, tt.holds, w.Body)
		}
		ctype, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		d.check(t, tt.method, tt.path, w.Code, ctype, w.Body.Bytes())
	}
	changes(t, d, o, h, asked)
	for _, rt := range o.api().Routes() {
		if !asked[rt.Method+" "+rt.Path] {
			t.Errorf("nobody asked %s %s", rt.Method, rt.Path)
		}
	}
}

// changes asks for what changes something, and looks whether it did.
func changes(t *testing.T, d *description, o *office, h http.Handler, asked map[string]bool) {
	rules := func(query string) string {
		body, err := json.Marshal(map[string]string{"rules": "rules:\n  - id: arrests\n    query: " + query + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	hit := o.items[0].ID.String()
	for _, tt := range []struct {
		method, path, target, body string
		want                       int
		holds                      string
	}{
		{"POST", "/backtest", "", rules("verdict OR (arrest* AND @police)"), 200, `"added":1,"removed":0`},
		{"POST", "/backtest", "", rules("verdict AND"), 422, "rules.yaml:3"},
		{"POST", "/backtest", "", `{"rules":"concepts: {}"}`, 422, "no rule"},
		{"GET", "/subscribers", "", "", 200, `"schedule":"@hourly"`},
		{"GET", "/subscribers/{id}/preview", "/subscribers/desk/preview", "", 200, `"groups":[]`},
		{"GET", "/subscribers/{id}/preview", "/subscribers/no/preview", "", 404, ""},
		{"POST", "/subscribers/{id}/send", "/subscribers/desk/send", "", 202, `"id":"desk"`},
		{"POST", "/subscribers/{id}/send", "/subscribers/no/send", "", 404, ""},
		{"POST", "/subscribers/{id}/pause", "/subscribers/desk/pause", "", 204, ""},
		{"POST", "/subscribers/{id}/pause", "/subscribers/no/pause", "", 404, ""},
		{"GET", "/subscribers", "", "", 200, `"paused":{`},
		{"POST", "/subscribers/{id}/resume", "/subscribers/desk/resume", "", 204, ""},
		{"GET", "/deliveries", "", "", 200, `"digest":"sent"`},
		{"GET", "/deliveries", "/deliveries?subscriber=no", "", 200, `{"items":[]}`},
		{"GET", "/dead-letters", "", "", 200, `"id":"dead-2"`},
		{"POST", "/dead-letters/{id}/resend", "/dead-letters/dead/resend", "", 202, `"id":"dead"`},
		{"POST", "/dead-letters/{id}/resend", "/dead-letters/no/resend", "", 404, ""},
		{"GET", "/dead-letters", "", "", 200, `"resending":true`},
		{"DELETE", "/dead-letters/{id}", "/dead-letters/dead-2", "", 204, ""},
		{"DELETE", "/dead-letters/{id}", "/dead-letters/dead-2", "", 404, ""},
		{"DELETE", "/hits/{id}", "/hits/" + hit, "", 204, ""},
		{"GET", "/hits/{id}", "/hits/" + hit, "", 404, ""},
		{"POST", "/reload", "", "", 204, ""},
		{"POST", "/reload", "", "", 422, `"faults":["rules.yaml:3:1: unknown key"`},
	} {
		target := tt.target
		if target == "" {
			target = tt.path
		}
		asked[tt.method+" "+tt.path] = true
		o.now = o.now.Add(time.Minute)
		w := ask(h, tt.method, target, tt.body)
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.holds) {
			t.Errorf("%s %s: %d, want %d with %q\n%s", tt.method, target, w.Code, tt.want, tt.holds, w.Body)
		}
		ctype, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		d.check(t, tt.method, tt.path, w.Code, ctype, w.Body.Bytes())
	}
}

// TestFilters: each parameter of a query that is described is one that is read,
// and every one that is read is described.
func TestFilters(t *testing.T) {
	d := describe(t)
	var names []string
	for _, p := range at(d.doc, "paths", "/hits", "get", "parameters").([]any) {
		ref := at(p, "$ref").(string)
		names = append(names, regexp.MustCompile(`[^/]+$`).FindString(ref))
	}
	o := open(t)
	h := o.api()
	all := ask(h, "GET", "/hits", "").Body.String()
	for _, tt := range []string{
		"rule=no", "tag=no", "feed=no", "outlet=no", "lang=ml", "severity=critical", "words=no", "since=2027-01-01", "until=2020-01-01", "before=1." + strings.Repeat("0", 32), "limit=1",
	} {
		name, _, _ := strings.Cut(tt, "=")
		if ask(h, "GET", "/hits?"+tt, "").Body.String() == all {
			t.Errorf("%s changes nothing", tt)
		}
		if !slices.Contains(names, name) {
			t.Errorf("%s is not described", name)
		}
	}
	if len(names) != 12 {
		t.Errorf("%d parameters are described: %q", len(names), names)
	}
}
