package guard

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/newswatch/newswatch/classifier/text"
)

// The scripts of India have no capitals, so here a name is a word in a place where
// only a name stands, and not one of the common words that stand there too. Words
// are compared by their stems, since they inflect.

// stems returns folded stems. A word has one when it begins with it.
func stems(words string) []string {
	var out []string
	for _, w := range strings.Fields(words) {
		out = append(out, text.Fold(w))
	}
	return out
}

func hasStem(word string, list []string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.HasPrefix(word, s) })
}

func isIndic(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return r >= 0x900 && r <= 0xdff
}

var (
	indicChildren = stems(`കുട്ടി പെൺകുട്ടി ആൺകുട്ടി ബാലിക ബാലൻ ബാലന ബാലവേല വിദ്യാർഥിനി വിദ്യാർത്ഥിനി കുഞ്ഞ് കുഞ്ഞി ശിശു കൗമാരക്കാര
		പ്രായപൂർത്തിയാകാത്ത പോക്സോ പിഞ്ചു
		लड़की लड़के बच्ची बच्चे बच्चा बच्चों बालिका बालक किशोरी किशोर नाबालिग मासूम शिशु पॉक्सो पोक्सो छात्रा
		சிறுமி சிறுவன் சிறுவர் மாணவி குழந்தை போக்சோ பெண்குழந்தை`)
	// indicNouns stand before an age as a name does.
	indicNouns = append(stems(`വിദ്യാർഥി വിദ്യാർത്ഥി മകൾ മകൻ മകള സഹോദരി സഹോദരൻ വയസ് വകുപ്പ ക്ലാസ് ഇര അതിജീവിത ചെറുമകൾ ജനുവരി
		ഫെബ്രുവരി മാർച്ച് ഏപ്രിൽ മെയ് ജൂൺ ജൂലൈ ഓഗസ്റ്റ് സെപ്റ്റംബർ ഒക്ടോബർ നവംബർ ഡിസംബർ തീയതി റൂറൽ സിറ്റി
		छात्र बेटी बेटा पुत्री पुत्र धारा पीड़िता बहन भाई साल वर्ष कक्षा जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर
		மாணவன் மாணவர் மகள் மகன் பிரிவு வயது வகுப்பு`), indicChildren...)
	indicOffspring = stems(`മകൾ മകള മകൻ മകന മക്കൾ മക്കള പുത്രി ചെറുമക बेटी बेटे बेटा पुत्री पुत्र மகள் மகளை மகளுக்கு மகன் மகனை`)
	indicRelatives = stems(`അമ്മ അച്ഛൻ പിതാവ് മാതാവ് രണ്ടാനച്ഛൻ അമ്മാവൻ മുത്തച്ഛൻ മുത്തശ്ശി സഹോദരൻ സഹോദരി बाप पिता मां माता चाचा मामा दादा
		தந்தை தாய் மாமா சித்தப்பா`)
	// indicOwners are whose child it may be said to be without a name.
	indicOwners = stems(`ഇയാള അയാള ഇവരു അവരു അവന്റെ അവള തന്റെ യുവതി യുവാവ ഭാര്യ ഭർത്താവ പ്രതി സഹോദര സുഹൃത്ത അയൽവാസി അയൽക്കാര
		കാമുകി കാമുക ദമ്പതി ബന്ധു അധ്യാപ ഉദ്യോഗസ്ഥ പൊലീസ പോലീസ നടന്റെ നടിയ നേതാവ തൊഴിലാളി സ്ത്രീ അമ്മ അച്ഛ പിതാവ മാതാവ കുടുംബ കുട്ടി
		പെൺകുട്ടി ഒരാള സ്വദേശി കർഷക ഡോക്ട മന്ത്രി മറ്റൊരാള വീട്ടമ്മ വിധവ പ്രവാസി ഉടമ ജീവനക്കാര നാട്ടുകാര
		उस उन अपन इस आरोपी महिला व्यक्ति युवक युवती पड़ोसी दंपति मजदूर किसान परिवार गांव शिक्षक पुलिस साल वर्ष दोस्त पति पत्नी मां
		एक शख्स भाई बहन नेता सिपाही दरोगा रिश्तेदार कारोबारी मालिक डॉक्टर किराएदार विधवा प्रेमिका चाचा मामा मंत्री अधिकारी लोगों
		அவர அவள அவன பெண்ண பெண் தனது தன் தம்பதி தொழிலாளி விவசாயி நண்பர உறவினர குற்றவாளி ஆசிரிய போலீஸ் காவலர சகோதர`)
	indicGenitive = []string{text.Fold("ന്റെ"), text.Fold("ുടെ"), text.Fold("ിന്"), text.Fold("யின்"), text.Fold("வின்"), text.Fold("னின்"), text.Fold("ரின்"), text.Fold("ன்")}
	indicCalled   = stems(`എന്ന പേരുള്ള नामक नाम என்ற என்னும்`)
	indicSchools  = stems(`സ്കൂൾ സ്കൂള സ്‌കൂൾ സ്‌കൂള വിദ്യാലയ ഹൈസ്കൂൾ ഹൈസ്കൂള എച്ച്എസ്എസ് മദ്രസ അങ്കണവാടി അംഗൻവാടി स्कूल विद्यालय मदरसा आंगनवाड़ी பள்ளி`)
	indicKinds    = stems(`ഹയർ സെക്കൻഡറി ഹയർസെക്കൻഡറി പബ്ലിക് ഹൈ എൽപി യുപി കോൺവെന്റ് സെൻട്രൽ മോഡൽ ഇന്റർനാഷണൽ വൊക്കേഷണൽ
		पब्लिक कॉन्वेंट इंटरनेशनल मॉडल हाई उच्च माध्यमिक केंद्रीय नवोदय सेंट्रल கான்வென்ட் மேல்நிலை மெட்ரிக் உயர்நிலை நடுநிலை`)
	indicSaints  = stems(`സെന്റ് സെയ്ന്റ് ഹോളി ശ്രീ सेंट संत श्री செயின்ட் புனித`)
	indicGeneral = stems(`സ്വകാര്യ സർക്കാർ ഗവ ഒരു ഈ ആ പ്രമുഖ എയ്ഡഡ് പ്രദേശത്തെ നഗരത്തിലെ ജില്ലയിലെ പഞ്ചായത്തിലെ നാട്ടിലെ സമീപത്തെ
		അടുത്തുള്ള സംസ്ഥാനത്തെ ഇവിടത്തെ വിവിധ കുട്ടിയുടെ പെൺകുട്ടിയുടെ രാജ്യത്തെ ഇതേ മേഖലയിലെ അതേ ഗ്രാമത്തിലെ
		सरकारी निजी प्राइवेट प्राथमिक एक के में की का को इस उस और अपने जिले शहर गांव राजकीय கள்ளர் அரசு தனியார் ஒரு மகளிர் தொடக்க பகுதி`)
	indicNative   = stems(`സ്വദേശിനി സ്വദേശിയായ നിവാസിയായ निवासी गांव சேர்ந்த`)
	indicLocative = []string{text.Fold("ിലെ"), text.Fold("ത്തെ")}
)

// indicChild reports whether a word is for a child, or for somebody of an age under
// 18, as 14കാരി.
func indicChild(w string) bool {
	if !isIndic(w) {
		n := strings.TrimLeft(w, "0123456789")
		age := w[:len(w)-len(n)]
		return len(age) > 0 && len(age) <= 2 && (age < "18" && len(age) == 2 || len(age) == 1) && (strings.HasPrefix(n, "കാരി") || strings.HasPrefix(n, text.Fold("കാരൻ")))
	}
	return hasStem(w, indicChildren)
}

// childNear reports whether one of the n words from i on is for a child, or an age
// under 18.
func (p prose) childNear(i, n int) bool {
	for j := i; j < i+n; j++ {
		if t := p.at(j); indicChild(t.folded) || t.number > 0 && t.number < 18 {
			return true
		}
	}
	return false
}

// plain reports whether an Indic word may be a name for all that is known of it.
func (p prose) plain(i int, but ...[]string) bool {
	t := p.at(i)
	if !isIndic(t.folded) || t.known {
		return false
	}
	return !slices.ContainsFunc(but, func(list []string) bool { return hasStem(t.folded, list) })
}

// indicAged finds a name and a child's age, അഞ്ജലി (14), or a relative's name and
// any age.
func indicAged(p prose, i int, about bool) int {
	n := p.at(i + 1)
	if n.number < 1 || n.number > 99 || strings.TrimSpace(n.gap) != "(" || i+2 < len(p.tokens) && !strings.HasPrefix(p.at(i+2).gap, ")") {
		return i
	}
	if !p.plain(i, indicNouns) {
		return i
	}
	if n.number < 18 || about && (hasStem(p.at(i-1).folded, indicRelatives) || hasStem(p.at(i-2).folded, indicRelatives) && p.gapIs(i, " ")) {
		return i + 2
	}
	return i
}

// indicNamed finds a child that is called something: അഞ്ജലി എന്ന പെൺകുട്ടി.
func indicNamed(p prose, i int, _ bool) int {
	if !p.plain(i, indicNouns, indicOwners) || !slices.Contains(indicCalled, p.at(i+1).folded) {
		return i
	}
	if p.childNear(i+2, 3) {
		return i + 2
	}
	return i
}

// indicKin finds a child by its parents: രാജന്റെ മകൾ, राजन की बेटी.
func indicKin(p prose, i int, about bool) int {
	if !about || i == 0 || !hasStem(p.at(i).folded, indicOffspring) {
		return i
	}
	j := i - 1
	for j > i-4 && (indicChild(p.at(j).folded) || p.at(j).number > 0 || hasStem(p.at(j).folded, indicYears)) {
		j--
	}
	owner := p.at(j).folded
	if owner == text.Fold("की") || owner == text.Fold("के") || owner == text.Fold("का") {
		if p.plain(j-1, indicOwners, indicNouns) {
			return i + 1
		}
		return i
	}
	couple := hasStem(owner, indicCouple)
	if couple && strings.ContainsAny(p.at(j-1).gap, "-–") {
		return i + 1
	}
	if couple || !p.plain(j, indicOwners, indicNouns) {
		return i
	}
	for _, g := range indicGenitive {
		if rest, ok := strings.CutSuffix(strings.TrimSuffix(owner, text.Fold("യും")), g); ok && rest != "" {
			return i + 1
		}
	}
	return i
}

var (
	indicCouple = stems(`ദമ്പതി दंपति தம்பதி`)
	indicYears  = stems(`വയസ് വയസുള്ള വയസ്സുള്ള वर्षीय साल वर्ष வயது`)
)

// indicSchool finds a school by its name, or by a place that is smaller than a town.
func indicSchool(p prose, i int, about bool) int {
	if !about || i == 0 || !hasStem(p.at(i).folded, indicSchools) {
		return i
	}
	kind, word := false, false
	for j := i - 1; j >= 0 && j > i-5 && p.gapIs(j+1, " .'’"); j-- {
		t := p.at(j).folded
		if hasStem(t, indicSaints) {
			return i + 1
		}
		if hasStem(t, indicKinds) {
			kind = true
			continue
		}
		if word || !p.plain(j, indicGeneral, indicNouns, indicOwners) {
			return i
		}
		if kind || j == i-1 && slices.ContainsFunc(indicLocative, func(l string) bool { return strings.HasSuffix(t, l) }) {
			return i + 1
		}
		word = true // a saint may stand before it
	}
	return i
}

// indicHome finds where a child lives: വൈപ്പിൻ സ്വദേശിനിയായ 14കാരി.
func indicHome(p prose, i int, about bool) int {
	if !about || !hasStem(p.at(i+1).folded, indicNative) || !p.plain(i, indicNouns, indicOwners, indicGeneral) {
		return i
	}
	if p.childNear(i+2, 3) {
		return i + 2
	}
	return i
}
