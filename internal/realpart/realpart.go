// Package realpart finds the real servers that tests talk to, such as Redis and
// a mail server. In CI a missing one fails the test; elsewhere the test is
// skipped, and says what to install.
package realpart

import (
	"os"
	"os/exec"
	"testing"
)

// Require returns the path of the first of the named programs that is
// installed. pkg is the Debian package that would bring it.
func Require(t testing.TB, pkg string, programs ...string) string {
	t.Helper()
	for _, p := range programs {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
		for _, dir := range []string{"/usr/sbin/", "/usr/bin/", "/usr/local/bin/"} {
			if st, err := os.Stat(dir + p); err == nil && !st.IsDir() {
				return dir + p
			}
		}
	}
	const missing = "none of %v is installed (Debian package %s)"
	if InCI() {
		t.Fatalf(missing, programs, pkg)
	}
	t.Skipf(missing, programs, pkg)
	return ""
}

// InCI reports whether the run is one that must not skip.
func InCI() bool { return os.Getenv("CI") == "true" }
