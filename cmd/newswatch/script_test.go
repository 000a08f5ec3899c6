package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts, and the tests that kill it, run this test binary as
// newswatch.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"newswatch": main})
}

// TestScripts runs the command lines of testdata/script as a user would type
// them. "serve DIR" serves a folder from loopback; its address is $SERVER.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TZ", "UTC")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"serve": func(ts *testscript.TestScript, _ bool, args []string) {
				dir := ts.MkAbs(args[0])
				// The validator is the content: a file's time is too coarse for a
				// script that edits it twice in a second.
				server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					body, err := os.ReadFile(filepath.Join(dir, filepath.Clean("/"+r.URL.Path)))
					if err != nil {
						http.NotFound(w, r)
						return
					}
					w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(body)))
					http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
				}))
				ts.Defer(server.Close)
				ts.Setenv("SERVER", server.URL)
			},
			// fill FILE replaces $NAME in a file with the script's variables, and
			// @ago(2h) with a time in the form of RFC 822.
			"fill": func(ts *testscript.TestScript, _ bool, args []string) {
				for _, name := range args {
					path := ts.MkAbs(name)
					b, err := os.ReadFile(path)
					ts.Check(err)
					text := os.Expand(string(b), ts.Getenv)
					for {
						before, rest, ok := strings.Cut(text, "@ago(")
						if !ok {
							break
						}
						d, rest, _ := strings.Cut(rest, ")")
						back, err := time.ParseDuration(d)
						ts.Check(err)
						text = before + time.Now().Add(-back).UTC().Format(time.RFC1123Z) + rest
					}
					ts.Check(os.WriteFile(path, []byte(text), 0o600))
				}
			},
			// exits CODE COMMAND... wants this exit code.
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec(args[1], args[2:]...)
				code := "0"
				if err != nil {
					code = strings.TrimPrefix(err.Error(), "exit status ")
				}
				if code != args[0] {
					ts.Fatalf("%s: exit code %s, want %s", strings.Join(args[1:], " "), code, args[0])
				}
			},
		},
	})
}
