package document

import "strings"

// language returns a BCP 47 tag in lower case, or nothing where the text is not
// shaped like one (RFC 5646 §2.1). Underscores, as in locales, are mended.
func language(tag string) string {
	tag = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	if tag == "" || len(tag) > 35 {
		return ""
	}
	for i, part := range strings.Split(tag, "-") {
		if len(part) == 0 || len(part) > 8 || i == 0 && (len(part) < 2 || len(part) > 3) {
			return ""
		}
		for _, c := range []byte(part) {
			if !isLetter(c) && (i == 0 || !isDigit(c)) {
				return ""
			}
		}
	}
	return tag
}
