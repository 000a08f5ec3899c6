package classifier

import (
	"slices"
	"strings"
	"unicode"
)

// scriptLanguages are the languages of the Indic scripts, in the order of their
// blocks in Unicode, of 128 characters each from U+0900.
var scriptLanguages = [...][]string{
	{"hi", "mr", "ne", "sa", "kok", "mai", "doi", "brx"}, // Devanagari
	{"bn", "as", "mni"}, // Bengali
	{"pa"},              // Gurmukhi
	{"gu"},              // Gujarati
	{"or"},              // Odia
	{"ta"},              // Tamil
	{"te"},              // Telugu
	{"kn"},              // Kannada
	{"ml"},              // Malayalam
	{"si"},              // Sinhala
}

// scriptLetters is how many letters are looked at to tell a text's script.
const scriptLetters = 200

// languages are those that the script of the text allows, nil where it says
// nothing: many feeds in Indian languages state that they are in English, which
// is what their software came with.
func (d *Doc) languages() []string {
	var counts [len(scriptLanguages)]int
	seen := 0
	for _, s := range []string{d.Title, d.Lead, d.Body} {
		for _, r := range s {
			if !unicode.IsLetter(r) {
				continue
			}
			if seen++; seen > scriptLetters {
				break
			}
			if block := int(r-0x0900) / 128; r >= 0x0900 && block < len(counts) {
				counts[block]++
			}
		}
	}
	for block, n := range counts {
		if 2*n > min(seen, scriptLetters) {
			return scriptLanguages[block]
		}
	}
	return nil
}

// inLanguage reports whether an item may be in one of the languages: it says so,
// or does not say, or is written in the script of one.
func (d *Doc) inLanguage(languages []string) bool {
	if d.Lang == "" || slices.ContainsFunc(languages, func(want string) bool { return withinLang(d.Lang, want) }) {
		return true
	}
	written := d.languages()
	return slices.ContainsFunc(languages, func(want string) bool {
		primary, _, _ := strings.Cut(strings.ToLower(want), "-")
		return slices.Contains(written, primary)
	})
}

// withinLang reports whether a language tag is the wanted one or a narrower one.
func withinLang(tag, want string) bool {
	return len(tag) >= len(want) && strings.EqualFold(tag[:len(want)], want) && (len(tag) == len(want) || tag[len(want)] == '-')
}
