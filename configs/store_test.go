package configs

import (
	"strings"
	"testing"
)

// TestWhatIsAskedOfRedis reads what stands beside store.url.
func TestWhatIsAskedOfRedis(t *testing.T) {
	for _, c := range []struct {
		store, warning, problem string
		wait                    int
		evict                   bool
	}{
		{store: "{url: \"redis://h/0\"}"},
		{store: "{url: \"redis://h/0\", wait_replicas: 1, allow_eviction: true}", wait: 1, evict: true},
		{store: "{url: \"redis://h/0\", wait_replicas: 0, allow_eviction: false}"},
		{store: "{url: \"redis://h/0\", wait_replicas: -1}", problem: "want 0 to 10"},
		{store: "{url: \"redis://h/0\", wait_replicas: 11}", problem: "want 0 to 10"},
		{store: "{url: \"redis://h/0\", allow_eviction: perhaps}", problem: "neither true nor false"},
		{store: "{wait_replicas: 1}", wait: 1, warning: "neither replicas nor eviction"},
	} {
		f := with("server", "store: "+c.store+"\n")
		loaded, warnings, err := loadFiles(f)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: got %v, want %q", c.store, err, c.problem)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.store, err)
			continue
		}
		if s := loaded.Store; s.WaitReplicas != c.wait || s.AllowEviction != c.evict {
			t.Errorf("%s: wait for %d, evict %t", c.store, s.WaitReplicas, s.AllowEviction)
		}
		var said []string
		for _, w := range warnings {
			said = append(said, w.String())
		}
		if got := strings.Join(said, "\n"); strings.Contains(got, "eviction") != (c.warning != "") || !strings.Contains(got, c.warning) {
			t.Errorf("%s: warnings %q, want %q", c.store, got, c.warning)
		}
	}
}

// TestSameStore: two names of one store are told from two stores.
func TestSameStore(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"redis://localhost", "redis://u:p@127.0.0.1:6379/0", true},
		{"redis://[::1]:6379", "redis://LOCALHOST:6379", true},
		{"redis://Redis.Example.Org.", "redis://redis.example.org:6379", true},
		{"redis://localhost", "redis://localhost/1", false},
		{"redis://localhost:6379", "redis://localhost:6380", false},
		{"redis://127.0.0.2", "redis://127.0.0.1", false},
		{"redis+cluster://a,b", "redis+cluster://b,c", true},
		{"redis+cluster://a,b", "redis+cluster://c,d", false},
		{"redis+sentinel://a,b/one", "redis+sentinel://b/one", true},
		{"redis+sentinel://a,b/one", "redis+sentinel://a,b/two", false},
		{"sqlite:no-such-file.db", "sqlite:no-such-file.db", false},
		{"sqlite:store_test.go", "sqlite:../configs/store_test.go", true},
		{"sqlite:store_test.go", "redis://localhost", false},
	} {
		a, aerr := ParseStoreURL(c.a)
		b, berr := ParseStoreURL(c.b)
		if aerr != nil || berr != nil || a.Same(b) != c.same || b.Same(a) != c.same {
			t.Errorf("%s and %s: same %v, want %v (%v, %v)", c.a, c.b, a.Same(b), c.same, aerr, berr)
		}
	}
}
