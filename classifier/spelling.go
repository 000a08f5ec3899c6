package classifier

import (
	"slices"
	"strings"
)

// maxVariants bounds the spellings of one word.
const maxVariants = 16

// variantsOf says how a word can be spelt otherwise: each row has parts of words
// that stand for one another. All are folded, so that the chillu letters, nuktas
// and accents are out of the way already. Only what cannot turn one word of news
// into another is here: Malayalam ഒ and ഓ, say, stand for one another in പൊലീസ്,
// and make a flag of a crore in കൊടി.
var variantsOf = struct {
	anywhere, start, end [][]string
}{
	anywhere: [][]string{
		// Malayalam: the au sign, old and new; the doubled ra of typewriters; and
		// vowels that were typed as a letter and a sign.
		{"\u0d57", "\u0d4c"},
		{"റ്റ", "ററ"},
		{"ഓ", "ഒ\u0d3e"},
		{"ഈ", "ഇ\u0d57"},
		{"ഔ", "ഒ\u0d57"},
		{"ഐ", "എ\u0d46"},
		{"പൊലീസ", "പോലീസ", "പോലിസ", "പൊലിസ"},
		// Hindi: the nasal before a consonant of its class, and the two dots of
		// the nasal vowel.
		{"ंक", "ङ्क"},
		{"ंग", "ङ्ग"},
		{"ंच", "ञ्च"},
		{"ंज", "ञ्ज"},
		{"ंट", "ण्ट"},
		{"ंड", "ण्ड"},
		{"ंत", "न्त"},
		{"ंद", "न्द"},
		{"ंध", "न्ध"},
		{"ंप", "म्प"},
		{"ंब", "म्ब"},
		{"ंभ", "म्भ"},
		{"ं", "ँ"},
		{"पॉक्सो", "पोक्सो", "पाक्सो"},
	},
	start: [][]string{
		{"ഓപ്പറേഷന", "ഓപറേഷന"},
		{"ഒ\u0d3eപ്പറേഷന", "ഒ\u0d3eപറേഷന"},
		{"ऑपरेशन", "आपरेशन"},
		{"ऑनलाइन", "आनलाइन"},
		{"पुलिस", "पुलीस"},
		{"पोलीस", "पोलिस"},          // Marathi
		{"போலீஸ", "பொலிஸ", "போலிஸ"}, // Tamil, of India and of Sri Lanka
		{"ஆபரேஷன", "ஆப்ரேஷன", "ஆப்பரேஷன"},
		{"ಪೊಲೀಸ", "ಪೋಲೀಸ", "ಪೊಲಿಸ", "ಪೋಲಿಸ"}, // Kannada
		{"পুলিশ", "পুলিস"},                   // Bengali
		// English
		{"paed", "ped"},
		{"gynaec", "gynec"},
		{"grey", "gray"},
		{"gaol", "jail"},
		{"colour", "color"},
		{"behaviour", "behavior"},
		{"labour", "labor"},
		{"honour", "honor"},
		{"favour", "favor"},
		{"neighbour", "neighbor"},
		{"harbour", "harbor"},
		{"rumour", "rumor"},
		{"humour", "humor"},
		{"armour", "armor"},
		{"endeavour", "endeavor"},
		{"saviour", "savior"},
		{"vapour", "vapor"},
		{"rigour", "rigor"},
		{"odour", "odor"},
		{"defence", "defense"},
		{"offence", "offense"},
		{"pretence", "pretense"},
		{"licence", "license"},
		{"practice", "practise"},
		{"programme", "program"},
		{"catalogue", "catalog"},
		{"judgement", "judgment"},
		{"traveller", "traveler"},
		{"travelled", "traveled"},
		{"travelling", "traveling"},
		{"cancelled", "canceled"},
		{"cancelling", "canceling"},
		{"counsellor", "counselor"},
		{"counselling", "counseling"},
		{"labelled", "labeled"},
		{"signalled", "signaled"},
		{"enrolment", "enrollment"},
		{"centre", "center"},
		{"theatre", "theater"},
		{"fibre", "fiber"},
		{"sceptic", "skeptic"},
	},
	end: [][]string{
		{"ise", "ize"},
		{"ised", "ized"},
		{"ises", "izes"},
		{"iser", "izer"},
		{"isers", "izers"},
		{"ising", "izing"},
		{"isation", "ization"},
		{"isations", "izations"},
		{"isational", "izational"},
		{"yse", "yze"},
		{"ysed", "yzed"},
		{"yses", "yzes"},
		{"yser", "yzer"},
		{"ysing", "yzing"},
	},
}

// endings that a prefix may be cut off in, besides those of whole words.
var cutEndings = [][]string{{"is", "iz"}, {"isat", "izat"}, {"isati", "izati"}, {"isatio", "izatio"}, {"ys", "yz"}, {"isin", "izin"}}

// endingStem is how many letters must stand before an ending, which tells
// organise from rise and from prise.
const endingStem = 3

// variants are the spellings of a folded word, or of the beginning of one, that a
// loosely spelt rule takes for the same. The word itself is the first.
func variants(w string, prefix bool) []string {
	out := []string{w}
	if strings.IndexByte(w, '?') >= 0 {
		return out
	}
	add := func(v string) {
		if len(out) < maxVariants && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for n := 0; n < len(out); n++ {
		v := out[n]
		eachOther(variantsOf.anywhere, func(from, to string) {
			if i := strings.Index(v, from); i >= 0 {
				add(v[:i] + to + v[i+len(from):])
			}
		})
		eachOther(variantsOf.start, func(from, to string) {
			// A programme has no other programme in it.
			if rest, ok := strings.CutPrefix(v, from); ok && !(strings.HasPrefix(to, from) && strings.HasPrefix(v, to)) {
				add(to + rest)
			}
		})
		endings := variantsOf.end
		if prefix {
			endings = slices.Concat(endings, cutEndings)
		}
		eachOther(endings, func(from, to string) {
			if stem, ok := strings.CutSuffix(v, from); ok && len(stem) >= endingStem {
				add(stem + to)
			}
		})
	}
	return out
}

// eachOther calls f for every two members of every row, in both directions.
func eachOther(rows [][]string, f func(from, to string)) {
	for _, row := range rows {
		for _, from := range row {
			for _, to := range row {
				if from != to {
					f(from, to)
				}
			}
		}
	}
}
