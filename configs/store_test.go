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
