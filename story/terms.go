package story

import (
	_ "embed"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
	"github.com/newswatch/newswatch/gazetteer"
)

//go:embed terms.txt
var termList string

// class says what a term is, and so how much it tells.
type class uint32

const (
	weak     class = iota // in nearly every report of the field
	common                // an everyday word
	word                  // any other word
	stage                 // what was done: arrest, sentence
	body                  // an organisation
	name                  // an operation that is told of again and again
	role                  // who it was
	place                 // a town, or what is smaller
	region                // a state, a country
	count                 // a number of persons or things
	age                   // of a person, in years
	duration              // a number of years
	percent
	proper // a word with a capital where only a name has one
	classes
)

// A term is a class and, below it, 28 bits: a number's value, or a hash of what the
// term stands for. Two reports that have a term in common say the same thing there,
// whatever their languages. Terms are kept in the store, see Sketch: neither the
// order of classes nor the hash may change.
type term uint32

const valueBits = 28

func (t term) class() class { return class(t >> valueBits) }
func (t term) value() int   { return int(t & (1<<valueBits - 1)) }

func number(c class, n int) term { return term(c)<<valueBits | term(min(n, 1<<valueBits-1)) } //nolint:gosec // not negative

func named(c class, s string) term {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // a hash takes everything
	return term(c)<<valueBits | term(h.Sum32()>>(32-valueBits))
}

// concepts are the phrases of the list, folded.
var concepts = make(map[string]term)

// starts are the Indic ones, the longest first, by their first two characters.
var starts = make(map[string][]string)

// maxPhrase is the most words of a phrase in the list.
var maxPhrase = 1

// spots are the places by the value that their terms have.
var spots = make(map[term]gazetteer.Place)

func init() {
	kinds := map[string]class{"stage": stage, "weak": weak, "body": body, "name": name, "role": role}
	for line := range strings.Lines(termList) {
		head, rest, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		kind, what, _ := strings.Cut(head, " ")
		t := named(kinds[kind], what)
		for phrase := range strings.SplitSeq(rest, ",") {
			folded := text.Fold(phrase)
			concepts[folded] = t
			maxPhrase = max(maxPhrase, strings.Count(folded, " ")+1)
			if isIndic(folded) {
				starts[prefix(folded, 2)] = append(starts[prefix(folded, 2)], folded)
			} else if !strings.Contains(folded, " ") {
				concepts[stem(folded)] = t
			}
		}
	}
	for _, list := range starts {
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	for p := range gazetteer.All() {
		spots[placeTerm(p)] = p
	}
}

// placeTerm is a region for a state or a country, and a place for a smaller one.
func placeTerm(p gazetteer.Place) term {
	if p.Region() {
		return named(region, p.String())
	}
	return named(place, p.String())
}

func isIndic(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r >= 0x900 && r <= 0xdff
}

// prefix is the first n characters of s.
func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// stem takes the endings of English off, lightly, and cuts an Indic word, whose
// endings are many, after its first six characters (truncation does about as well
// as true stemming in ranking: McNamee and Mayfield, "Character N-Gram Tokenization
// for European Language Text Retrieval", 2004).
func stem(w string) string {
	if isIndic(w) {
		return prefix(w, 6)
	}
	for _, suffix := range []string{"ing", "ies", "ed", "es", "s"} {
		if rest, ok := strings.CutSuffix(w, suffix); ok && len(rest) >= 4 {
			return rest
		}
	}
	return w
}

var sentenced = named(stage, "sentence")

// maxTerms bounds the terms of one text.
const maxTerms = 48

// scan returns the terms of the first n words of a text, each once, in order.
// A capital tells a name where it does not begin a sentence, and where not (nearly)
// every word has one, as in many headlines.
func scan(s string, n int) []term {
	var b text.Buffer
	b.Add(prefix(s, 16*n))
	tokens := b.Tokens()
	tokens = tokens[:min(len(tokens), n)]
	words := make([]string, len(tokens))
	for i, t := range tokens {
		words[i] = string(b.Folded(t))
	}
	capital, telling := capitals(s, tokens)
	at := make(map[int]gazetteer.Mention)
	for _, m := range gazetteer.Find(words) {
		at[m.From] = m
	}
	var out []term
	add := func(t term) {
		if !slices.Contains(out, t) && len(out) < maxTerms {
			out = append(out, t)
		}
	}
	gap := func(i int) string {
		if i <= 0 || i >= len(tokens) {
			return ""
		}
		return s[tokens[i-1].End:tokens[i].Start]
	}
	for i := 0; i < len(words); {
		before := ""
		if i > 0 {
			before = words[i-1]
		}
		if t, used := numeral(before, words[i:], func(j int) string { return gap(i + j) }); used > 0 {
			if t != 0 {
				add(t)
			}
			i += used
			continue
		}
		if t, used := concept(words[i:]); used > 0 {
			add(t)
			i += used
			continue
		}
		if m, ok := at[i]; ok {
			add(placeTerm(m.Place))
			i = m.To
			continue
		}
		w := words[i]
		i++
		if (w == "gets" || w == "get" || w == "awarded") && i < len(words) {
			if t, _ := numeral("", words[i:], func(j int) string { return gap(i + j) }); t.class() == duration && t != 0 {
				add(sentenced) // gets 12 years
				continue
			}
		}
		switch {
		case filler[w] || utf8.RuneCountInString(w) < 2:
		case everyday[w]:
			add(named(common, stem(w)))
		case telling && capital[i-1] && i > 1 && !strings.ContainsAny(gap(i-1), ".:!?\n\"“‘'|"):
			add(named(proper, stem(w)))
		default:
			add(named(word, stem(w)))
		}
	}
	return out
}

// capitals says which words begin with a capital letter, and whether that tells
// anything.
func capitals(s string, tokens []text.Token) (capital []bool, telling bool) {
	capital = make([]bool, len(tokens))
	long, with := 0, 0
	for i, t := range tokens {
		r, _ := utf8.DecodeRuneInString(s[t.Start:t.End])
		capital[i] = unicode.IsUpper(r)
		if t.End-t.Start > 3 && unicode.IsLetter(r) {
			long++
			if capital[i] {
				with++
			}
		}
	}
	return capital, with*2 <= long
}

// concept returns what the first words mean, by the list, and how many they are.
func concept(words []string) (term, int) {
	for n := min(maxPhrase, len(words)); n > 1; n-- {
		phrase := strings.Join(words[:n], " ")
		if t, ok := concepts[phrase]; ok {
			return t, n
		}
		if isIndic(phrase) { // the last word of an Indic phrase inflects
			for _, s := range starts[prefix(phrase, 2)] {
				if strings.Count(s, " ") == n-1 && strings.HasPrefix(phrase, s) {
					return concepts[s], n
				}
			}
		}
	}
	w := words[0]
	if t, ok := concepts[w]; ok {
		return t, 1
	}
	if !isIndic(w) {
		if t, ok := concepts[stem(w)]; ok {
			return t, 1
		}
		return 0, 0
	}
	for _, s := range starts[prefix(w, 2)] {
		if strings.HasPrefix(w, s) {
			return concepts[s], 1
		}
	}
	return 0, 0
}

// numeral reads a number at the first word, and what it counts. gap(i) is what
// stands before word i. It returns no term for a number that tells nothing, such
// as the year of a date.
func numeral(before string, words []string, gap func(int) string) (term, int) {
	w := words[0]
	if n, ok := spelledAge(w); ok {
		return number(age, n), 1
	}
	digits := strings.TrimLeft(w, "0123456789")
	rest := digits // what is written on to the number: 31കാരൻ, 1m
	digits = w[:len(w)-len(digits)]
	used := 1
	var n int
	if digits == "" {
		v, ok := numberWords[w]
		if !ok {
			return 0, 0
		}
		if v%10 == 0 && v > 10 && len(words) > 1 && numberWords[words[1]] < 10 && strings.TrimSpace(gap(1)) != "," {
			if unit := numberWords[words[1]]; unit > 0 { // forty-one
				v, used = v+unit, 2
			}
		}
		n = v
	} else {
		var err error
		if n, err = strconv.Atoi(digits); err != nil || n > 1<<valueBits {
			return 0, 1
		}
		for rest == "" && used < len(words) && gap(used) == "," && allDigits(words[used]) && len(words[used]) >= 2 && len(words[used]) <= 3 {
			v, _ := strconv.Atoi(words[used])
			n = n*pow10(len(words[used])) + v
			used++
		}
		if rest == "" && used < len(words) && gap(used) == "." && allDigits(words[used]) {
			used++ // the part behind the point does not matter
		}
	}
	next := func(k int) string {
		if used+k < len(words) {
			return words[used+k]
		}
		return ""
	}
	switch {
	case multiples[next(0)] > 0:
		n = min(n, 1<<20) * multiples[next(0)]
		used++
	case strings.HasPrefix(rest, "കാരി") || strings.HasPrefix(rest, text.Fold("കാരൻ")) || strings.HasPrefix(rest, "കാര"):
		return number(age, n), used
	case rest != "" && rest != "m" && rest != "bn" && rest != "k" && !isIndic(rest) && digits != "":
		return 0, used // 67b, 4th
	}
	switch unit := next(0); {
	case months[unit] || months[before] && n <= 31:
		return 0, used // of a date
	case (unit == "year" || unit == "years" || unit == "yr") && next(1) == "old":
		return number(age, n), used + 2
	case unitStarts(unit, ageUnits):
		return number(age, n), used + 1
	case unit == "year" || unit == "years" || unit == "yr" || unitStarts(unit, yearUnits):
		return number(duration, n), used + 1
	case unit == "per" && next(1) == "cent":
		return number(percent, n), used + 2
	case unit == "percent" || strings.HasPrefix(gap(used), "%"):
		return number(percent, n), used
	case len(digits) == 4 && n >= 1900 && n < 2100 && multiples[next(-1)] == 0, n <= 1:
		return 0, used
	}
	return number(count, n), used
}

// spelledAge reads an age that Malayalam writes as one word: ഏഴുവയസ്സുകാരി.
func spelledAge(w string) (int, bool) {
	i := strings.Index(w, "വയസ")
	if i <= 0 {
		return 0, false
	}
	for _, a := range spelledAges {
		if strings.HasPrefix(w, a.stem) && len(a.stem) <= i {
			return a.n, true
		}
	}
	return 0, false
}

func unitStarts(w string, units []string) bool {
	return slices.ContainsFunc(units, func(u string) bool { return strings.HasPrefix(w, u) })
}

func allDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

var (
	multiples = map[string]int{"million": 1e6, "lakh": 1e5, "lakhs": 1e5, "crore": 1e7, "thousand": 1000, "ലക്ഷം": 1e5, "लाख": 1e5, "करोड़": 1e7}
	ageUnits  = folded("വയസ വയസ്സ वर्षीय வயது")
	yearUnits = folded("വർഷ साल वर्ष ஆண்டு")
	months    = set(`january february march april may june july august september october november december
		jan feb mar apr jun jul aug sep sept oct nov dec ജനുവരി ഫെബ്രുവരി മാർച്ച് ഏപ്രിൽ മെയ് ജൂൺ ജൂലൈ ഓഗസ്റ്റ്
		जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर`)
	// spelledAges are the stems of the numbers, the longer before what begins them.
	spelledAges = []struct {
		stem string
		n    int
	}{
		{"പതിനൊന്ന", 11},
		{"പന്ത്രണ്ട", 12},
		{"പതിമൂന്ന", 13},
		{"പതിനാല", 14},
		{"പതിനഞ്ച", 15},
		{"പതിനാറ", 16},
		{"പതിനേഴ", 17},
		{"മൂന്ന", 3},
		{"നാല", 4},
		{"അഞ്ച", 5},
		{"ആറ", 6},
		{"ഏഴ", 7},
		{"എട്ട", 8},
		{"ഒമ്പത", 9},
		{"ഒൻപത", 9},
		{"പത്ത", 10},
	}
	// numberWords are as headlines write them.
	numberWords = map[string]int{
		"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
		"eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
		"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
	}
)

func init() {
	for n, list := range map[int]string{
		2: "രണ്ട് രണ്ടുപേർ രണ്ടുപേര് രണ്ട दो இரண்டு இருவர்", 3: "മൂന്ന് മൂന്നുപേർ तीन மூன்று மூவர்", 4: "നാല് നാലുപേർ चार நான்கு நால்வர்",
		5: "അഞ്ച് അഞ്ചുപേർ पांच पाँच ஐந்து ஐவர்", 6: "ആറ് ആറുപേർ छह ஆறு", 7: "ഏഴ് ഏഴുപേർ सात ஏழு", 8: "എട്ട് എട്ടുപേർ आठ எட்டு", 9: "ഒമ്പത് नौ ஒன்பது", 10: "പത്ത് दस பத்து",
	} {
		for _, w := range folded(list) {
			numberWords[w] = n
		}
	}
}

func folded(words string) []string { return strings.Fields(text.Fold(words)) }
