package configs

import (
	"fmt"
	"strings"
)

// expand replaces ${NAME} and ${NAME:-default} in one value; $$ is a dollar
// sign, and so is a $ before anything else. What a variable holds is never
// looked at again, neither for variables nor as YAML, so that it cannot change
// the structure of the file. The error tells the byte offset that it is about.
func expand(s string, env func(string) (string, bool)) (string, *expandError) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		rest := s[i:]
		switch {
		case strings.HasPrefix(rest, "$$"):
			b.WriteByte('$')
			i += 2
		case strings.HasPrefix(rest, "${"):
			end := strings.IndexByte(rest, '}')
			if end < 0 {
				return "", &expandError{At: i, Message: "${ without a closing }", Hint: "write $$ for a dollar sign"}
			}
			name, fallback, hasFallback := strings.Cut(rest[2:end], ":-")
			if !isEnvName(name) {
				return "", &expandError{
					At: i, Message: fmt.Sprintf("%q is not the name of an environment variable", name),
					Hint: "write ${NAME} or ${NAME:-default}, and $$ for a dollar sign",
				}
			}
			v, ok := env(name)
			switch {
			case ok && (v != "" || !hasFallback):
				b.WriteString(v)
			case hasFallback:
				b.WriteString(fallback)
			default:
				return "", &expandError{
					At: i, Message: fmt.Sprintf("environment variable %s is not set", name),
					Hint: fmt.Sprintf("set it, or write ${%s:-default}", name),
				}
			}
			i += end + 1
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return b.String(), nil
}

type expandError struct {
	At      int
	Message string
	Hint    string
}

func isEnvName(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '_', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case '0' <= c && c <= '9' && i > 0:
		default:
			return false
		}
	}
	return s != ""
}
