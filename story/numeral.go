package story

import (
	"slices"
	"strconv"
	"strings"

	"github.com/newswatch/newswatch/classifier/text"
)

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
