package configs

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// maxSecret bounds the file that a secret is read from: a path that points at
// something else by mistake must not be read whole.
const maxSecret = 64 << 10

// secret reads key, or the file that key_file names. It reports whether there
// is one. An empty file name means none, which is how the default reads.
func (s *section) secret(key string, dst *Secret) bool {
	file := key + "_file"
	if s.has(key) && s.has(file) {
		s.fail(file, "both "+key+" and "+file+" are given", "keep one")
		return false
	}
	if s.has(key) {
		text, ok := s.scalar(key)
		if ok && text != "" {
			*dst = NewSecret(text)
		}
		return ok && text != ""
	}
	name, ok := s.scalar(file)
	if !ok || name == "" {
		return false
	}
	got, ok := s.l.secretFile(s.doc, s.values[file], s.path+file, name)
	*dst = got
	return ok
}

// secrets reads key or key_file where each may be one secret or a list of them.
func (s *section) secrets(key string) []Secret {
	file := key + "_file"
	if s.has(key) && s.has(file) {
		s.fail(file, "both "+key+" and "+file+" are given", "keep one")
		return nil
	}
	var out []Secret
	for _, k := range []string{key, file} {
		n, ok := s.l.resolve(s.doc, s.values[k])
		if !ok || n == nil {
			continue
		}
		nodes := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			nodes = n.Content
		}
		for _, c := range nodes {
			text, ok := s.l.scalar(s.doc, c, s.path+k)
			switch {
			case !ok || text == "":
			case k == key:
				out = append(out, NewSecret(text))
			default:
				if sec, ok := s.l.secretFile(s.doc, c, s.path+k, text); ok {
					out = append(out, sec)
				}
			}
		}
	}
	return out
}

// secretKey is the one of key and key_file that is given, for messages.
func (s *section) secretKey(key string) string {
	if !s.has(key) && s.has(key+"_file") {
		return key + "_file"
	}
	return key
}

// secretFile reads a secret from a file, without the line break at its end.
func (l *loader) secretFile(doc *document, at *yaml.Node, path, name string) (Secret, bool) {
	sec, ok := l.keyFile(doc, at, path, name)
	if ok && strings.ContainsAny(sec.Reveal(), "\r\n\x00") {
		l.failNode(doc, at, path+": the file holds more than one line", "put the secret alone into it")
		return Secret{}, false
	}
	return sec, ok
}

// keyFile reads a secret of any number of lines.
func (l *loader) keyFile(doc *document, at *yaml.Node, path, name string) (Secret, bool) {
	file := doc.path(name)
	refuse := func(why, hint string) (Secret, bool) {
		l.failNode(doc, at, fmt.Sprintf("%s: %s", path, why), hint)
		return Secret{}, false
	}
	// A FIFO without a writer would block the open for ever.
	st, err := os.Stat(file)
	if err != nil {
		return refuse("cannot read the file: "+cause(err), fmt.Sprintf("looked for %s", file))
	}
	if !st.Mode().IsRegular() {
		return refuse("not a file", fmt.Sprintf("looked at %s", file))
	}
	f, err := os.Open(file)
	if err != nil {
		return refuse("cannot read the file: "+cause(err), fmt.Sprintf("looked for %s", file))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	switch {
	case err != nil:
		return refuse("cannot read the file: "+cause(err), "")
	case len(data) > maxSecret:
		return refuse("the file is too large for a secret", fmt.Sprintf("at most %d KiB", maxSecret>>10))
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return refuse("the file is empty", "")
	}
	if openToAll(file, st.Mode()) {
		l.warn(doc, at, fmt.Sprintf("%s: everybody on this machine can read %s", path, file), "chmod 600 it")
	}
	return NewSecret(text), true
}

// openToAll reports whether others than its owner can read a secret, and its owner
// can change that. What lies in /run/secrets was put there by a container's engine,
// readable to all in the container, which is one program.
func openToAll(file string, mode os.FileMode) bool {
	return mode.Perm()&0o004 != 0 && runtime.GOOS != "windows" && !strings.HasPrefix(file, "/run/secrets/")
}
