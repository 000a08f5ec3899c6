package configs

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// Errors quote the offending line, and errors end in logs and in terminals that
// others see. So whatever looks like a secret, or like somebody's address, is
// taken out of a line before it is shown, wherever in the line the error is.
var (
	// A misspelt key is the likeliest error of all, so a word that only resembles
	// one that has a secret counts, and so does one whose colon was forgotten.
	secretPair = regexp.MustCompile(`(?i)((?:<<|[\w-]*(?:pass|pwd|secr|tok|mai|chat|auth)[\w-]*)["']?\s*[:=]\s*)("[^"]*"?|'[^']*'?|\[[^\]]*\]?|[^\s,}\]][^,}\]]*)`)
	secretWord = regexp.MustCompile(`(?i)([\w-]*(?:pass|pwd|secr|tok|mai|chat|auth)[\w-]*\s+)("[^"]*"?|'[^']*'?|\[[^\]]*\]?)`)
	address    = regexp.MustCompile(`[^\s"',:{}\[\]<>/]+@[^\s"',{}\[\]<>]+`)
	userInfo   = regexp.MustCompile(`(://)[^\s/"'@]+(@)`)
	urlPair    = regexp.MustCompile(`(?i)\b(url["']?\s*:\s*)("[^"]*"?|'[^']*'?|[^\s,}\]][^,}\]]*)`)
	urlPath    = regexp.MustCompile(`(?i)\b(https?://[^\s/"',}\]?#]+)[/?#][^\s"',}\]]*`)
	secretHead = regexp.MustCompile(`(?i)^(\s*)(?:-\s+)?["']?[\w-]*(?:pass|pwd|secr|tok|mai|chat|auth)[\w-]*["']?\s*:?\s*(?:[|>][-+0-9]*)?\s*(?:#.*)?$`)
)

// redact hides what must not be shown in line, and returns the caret's new
// place. private also hides the paths of URLs, which in a webhook are its key.
func redact(line string, caret int, private bool) (string, int) {
	line, caret = replace(line, caret, userInfo, func(m []string) string { return m[1] + hidden + m[2] })
	for _, re := range []*regexp.Regexp{secretPair, secretWord} {
		line, caret = replace(line, caret, re, func(m []string) string { return m[1] + hidden })
	}
	line, caret = replace(line, caret, address, func(m []string) string {
		if strings.HasPrefix(m[0], hidden[1:]) {
			return m[0]
		}
		return "<address>"
	})
	if private {
		line, caret = replace(line, caret, urlPair, func(m []string) string {
			if urlPath.MatchString(m[2]) {
				return m[0]
			}
			return m[1] + hidden
		})
		line, caret = replace(line, caret, urlPath, func(m []string) string { return m[1] + "/…" })
	}
	return line, caret
}

// replace is Regexp.ReplaceAllStringFunc that keeps the caret, counted in
// characters from 1, on what it pointed at: at the beginning of a match's
// replacement where what it pointed at is gone.
func replace(line string, caret int, re *regexp.Regexp, with func(groups []string) string) (string, int) {
	var b strings.Builder
	last, shift := 0, 0
	for _, loc := range re.FindAllStringSubmatchIndex(line, -1) {
		groups := make([]string, 0, 4)
		for i := 0; i < len(loc); i += 2 {
			g := ""
			if loc[i] >= 0 {
				g = line[loc[i]:loc[i+1]]
			}
			groups = append(groups, g)
		}
		repl := with(groups)
		start := utf8.RuneCountInString(line[:loc[0]]) + 1
		oldLen, newLen := utf8.RuneCountInString(line[loc[0]:loc[1]]), utf8.RuneCountInString(repl)
		switch {
		case caret >= start+oldLen:
			shift += newLen - oldLen
		case caret >= start+newLen:
			shift += start + newLen - 1 - caret
		}
		b.WriteString(line[last:loc[0]])
		b.WriteString(repl)
		last = loc[1]
	}
	b.WriteString(line[last:])
	return b.String(), caret + shift
}

// secretLines marks the lines that continue a secret: those indented deeper
// than a key that holds one and has its value on the lines below.
func secretLines(lines []string) []bool {
	marked := make([]bool, len(lines))
	depth := -1
	for i, l := range lines {
		indent := len(l) - len(strings.TrimLeft(l, " "))
		if depth >= 0 && (indent > depth || strings.TrimSpace(l) == "") {
			marked[i] = true
			continue
		}
		depth = -1
		if m := secretHead.FindStringSubmatch(l); m != nil {
			depth = len(m[1])
		}
	}
	return marked
}
