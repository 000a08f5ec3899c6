package notify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/newswatch/newswatch/classifier"
)

// wording is everything that a digest says in a language of its own; what feeds,
// rules and failures are called comes from elsewhere and stays as it is. A test
// fails where a language lacks a phrase.
type wording struct {
	// months are the names in dates, January first, as CLDR abbreviates them.
	months     [12]string
	severities [4]string // low to critical

	reports, stories, notices, corrections plural
	// corrected heads the corrections. was is %s: a headline; withdrawn stands for a
	// report that was, and reworded for one whose words are not shown; takenDown is
	// said of one that is no longer there, and back of one that is there again.
	corrected, was, withdrawn, reworded, takenDown, back string
	// operator heads the notices, and noticesMore is %d: those that are not listed.
	operator, noticesMore string
	// noNews stands in the subject, noNewsHead over the digest.
	noNews, noNewsHead string
	reportsOfStories   string // %[1]s reports, %[2]s stories
	period             string // %[1]s sealed, %[2]s since
	part               string // the same, and %[3]s until: what came later is another message's
	tooLong            plural
	andMore            plural // entries that the cap cut
	found              string // %s: when; for a report without a date
	noTitle            string
	alsoRules          string // %s: names of rules
	alsoReported       string
	alsoMore           string // %d: reports that are not listed beside others
	alsoOnly           plural // the same where none is listed
	earlier            string // %s: title, outlet and day of a case's first report

	feeds, rules plural
	read         string // %[1]s feeds, %[2]d of them read, %[3]s since
	allWell      string // goes on from read
	failing      string // %[1]d feeds: %[2]s, in this form
	silent       string // the same
	notesMore    string // %d: feeds that are not named
	version      string // %[1]s rules, %[2]s version, %[3]s the digest's id
	change       string // leads to where its reader changes what it is sent
	leave        string
	stop         string // the mark that ends a sentence
}

// plural is a count in words. None of the languages here has more forms than two.
type plural struct{ one, other string }

func (p plural) of(n int) string {
	if n == 1 {
		return strings.ReplaceAll(p.one, "%d", "1")
	}
	return strings.ReplaceAll(p.other, "%d", strconv.Itoa(n))
}

// wordings are by language tag.
var wordings = map[string]*wording{
	"en": {
		months:     [12]string{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
		severities: [4]string{"low", "medium", "high", "critical"},

		reports: plural{"%d report", "%d reports"}, stories: plural{"%d story", "%d stories"}, notices: plural{"%d notice", "%d notices"},
		corrections: plural{"%d correction", "%d corrections"},
		corrected:   "Corrections to what you were sent before",
		was:         "Before: %s",
		withdrawn:   "Withdrawn by the operator. Please delete it.",
		reworded:    "Its headline has changed.",
		takenDown:   "Taken down by its publisher.",
		back:        "It is there again, after its publisher had taken it down.",
		operator:    "For the operator", noticesMore: "And %d more; newswatch's pages list them.",
		noNews: "no news", noNewsHead: "No news",
		reportsOfStories: "%[1]s of %[2]s",
		period:           "%[1]s. Covers what was found since %[2]s.",
		part:             "%[1]s. Covers what was found from %[2]s to %[3]s; what was found later follows in another message.",
		tooLong:          plural{"%d story is too long for this message.", "%d stories are too long for this message."},
		andMore:          plural{"%d more story is not in this message.", "%d more stories are not in this message."},
		found:            "found %s",
		noTitle:          "(no title)",
		alsoRules:        "Also found by: %s",
		alsoReported:     "Also reported by:",
		alsoMore:         "and %d more",
		alsoOnly:         plural{"Also in %d other report", "Also in %d other reports"},
		earlier:          "Earlier: %s",

		feeds: plural{"%d feed", "%d feeds"}, rules: plural{"%d rule", "%d rules"},
		read:      "%[1]s, %[2]d read since %[3]s",
		allWell:   ", none failing, none unusually silent",
		failing:   "%[1]d failing: %[2]s",
		silent:    "%[1]d unusually silent: %[2]s",
		notesMore: "and %d more",
		version:   "%[1]s, version %[2]s. Digest %[3]s",
		change:    "Change what you are sent", leave: "Leave",
		stop: ".",
	},
	"ml": {
		months:     [12]string{"ജനു", "ഫെബ്രു", "മാർ", "ഏപ്രി", "മേയ്", "ജൂൺ", "ജൂലൈ", "ഓഗ", "സെപ്റ്റം", "ഒക്ടോ", "നവം", "ഡിസം"},
		severities: [4]string{"കുറഞ്ഞത്", "ഇടത്തരം", "ഉയർന്നത്", "അതീവ ഗുരുതരം"},

		reports: plural{"%d റിപ്പോർട്ട്", "%d റിപ്പോർട്ടുകൾ"}, stories: plural{"%d വാർത്ത", "%d വാർത്തകൾ"}, notices: plural{"%d അറിയിപ്പ്", "%d അറിയിപ്പുകൾ"},
		corrections: plural{"%d തിരുത്ത്", "%d തിരുത്തുകൾ"},
		corrected:   "മുമ്പ് അയച്ച വാർത്തകളിലെ തിരുത്തുകൾ",
		was:         "മുമ്പ്: %s",
		withdrawn:   "നടത്തിപ്പുകാർ പിൻവലിച്ചു. ദയവായി മായ്ച്ചുകളയുക.",
		reworded:    "തലക്കെട്ട് മാറി.",
		takenDown:   "പ്രസാധകർ നീക്കം ചെയ്തു.",
		back:        "പ്രസാധകർ നീക്കം ചെയ്തിരുന്നു; ഇപ്പോൾ വീണ്ടും ലഭ്യമാണ്.",
		operator:    "നടത്തിപ്പുകാർക്ക്", noticesMore: "%d എണ്ണം കൂടിയുണ്ട്; newswatch-ന്റെ പേജുകളിൽ കാണാം.",
		noNews: "പുതിയ വാർത്തകളില്ല", noNewsHead: "പുതിയ വാർത്തകളില്ല",
		reportsOfStories: "%[2]s, %[1]s",
		period:           "%[1]s. %[2]s മുതൽ കണ്ടെത്തിയവ.",
		part:             "%[1]s. %[2]s മുതൽ %[3]s വരെ കണ്ടെത്തിയവ; ബാക്കി മറ്റൊരു സന്ദേശത്തിൽ വരും.",
		tooLong:          plural{"ഈ സന്ദേശത്തിൽ ഒതുങ്ങാത്ത %d വാർത്ത കൂടിയുണ്ട്.", "ഈ സന്ദേശത്തിൽ ഒതുങ്ങാത്ത %d വാർത്തകൾ കൂടിയുണ്ട്."},
		andMore:          plural{"ഈ സന്ദേശത്തിലില്ലാത്ത %d വാർത്ത കൂടിയുണ്ട്.", "ഈ സന്ദേശത്തിലില്ലാത്ത %d വാർത്തകൾ കൂടിയുണ്ട്."},
		found:            "കണ്ടെത്തിയത്: %s",
		noTitle:          "(തലക്കെട്ടില്ല)",
		alsoRules:        "ഈ നിയമങ്ങളും കണ്ടെത്തി: %s",
		alsoReported:     "മറ്റു മാധ്യമങ്ങളിൽ:",
		alsoMore:         "കൂടാതെ %d എണ്ണം കൂടി",
		alsoOnly:         plural{"മറ്റ് %d റിപ്പോർട്ടിലും", "മറ്റ് %d റിപ്പോർട്ടുകളിലും"},
		earlier:          "നേരത്തെ: %s",

		feeds: plural{"%d ഫീഡ്", "%d ഫീഡുകൾ"}, rules: plural{"%d നിയമം", "%d നിയമങ്ങൾ"},
		read:      "%[1]s; %[3]s മുതൽ വായിച്ചത്: %[2]d",
		allWell:   "; തകരാറിലായതോ പതിവില്ലാതെ നിശ്ശബ്ദമായതോ ഒന്നുമില്ല",
		failing:   "തകരാറിലായത് %[1]d: %[2]s",
		silent:    "പതിവില്ലാതെ നിശ്ശബ്ദം %[1]d: %[2]s",
		notesMore: "%d എണ്ണം കൂടി",
		version:   "%[1]s, പതിപ്പ് %[2]s. ഡൈജസ്റ്റ് %[3]s",
		change:    "നിങ്ങൾക്ക് അയയ്ക്കുന്നത് മാറ്റുക", leave: "ഒഴിവാകുക",
		stop: ".",
	},
	"hi": {
		months:     [12]string{"जन॰", "फ़र॰", "मार्च", "अप्रैल", "मई", "जून", "जुल॰", "अग॰", "सित॰", "अक्तू॰", "नव॰", "दिस॰"},
		severities: [4]string{"कम", "मध्यम", "उच्च", "अति गंभीर"},

		reports: plural{"%d रिपोर्ट", "%d रिपोर्टें"}, stories: plural{"%d ख़बर", "%d ख़बरें"}, notices: plural{"%d सूचना", "%d सूचनाएँ"},
		corrections: plural{"%d सुधार", "%d सुधार"},
		corrected:   "पहले भेजी गई ख़बरों में सुधार",
		was:         "पहले: %s",
		withdrawn:   "संचालक ने वापस ली। कृपया इसे मिटा दें।",
		reworded:    "शीर्षक बदल गया।",
		takenDown:   "प्रकाशक ने हटा दी।",
		back:        "प्रकाशक ने हटा दी थी; अब फिर उपलब्ध है।",
		operator:    "संचालक के लिए", noticesMore: "और %d हैं; newswatch के पन्नों पर देखें।",
		noNews: "कोई नई ख़बर नहीं", noNewsHead: "कोई नई ख़बर नहीं",
		reportsOfStories: "%[2]s, %[1]s",
		period:           "%[1]s। %[2]s के बाद मिली ख़बरें।",
		part:             "%[1]s। %[2]s से %[3]s तक मिली ख़बरें; बाकी एक और संदेश में आएँगी।",
		tooLong:          plural{"%d ख़बर इस संदेश में नहीं समाई।", "%d ख़बरें इस संदेश में नहीं समाईं।"},
		andMore:          plural{"%d और ख़बर इस संदेश में नहीं है।", "%d और ख़बरें इस संदेश में नहीं हैं।"},
		found:            "मिली: %s",
		noTitle:          "(शीर्षक नहीं)",
		alsoRules:        "इन नियमों से भी मिली: %s",
		alsoReported:     "अन्य माध्यमों में:",
		alsoMore:         "और %d",
		alsoOnly:         plural{"%d और रिपोर्ट में भी", "%d और रिपोर्टों में भी"},
		earlier:          "इससे पहले: %s",

		feeds: plural{"%d फ़ीड", "%d फ़ीड"}, rules: plural{"%d नियम", "%d नियम"},
		read:      "%[1]s; %[3]s से पढ़ी गईं: %[2]d",
		allWell:   "; कोई विफल नहीं, कोई असामान्य रूप से मौन नहीं",
		failing:   "विफल %[1]d: %[2]s",
		silent:    "असामान्य रूप से मौन %[1]d: %[2]s",
		notesMore: "और %d",
		version:   "%[1]s, संस्करण %[2]s। डाइजेस्ट %[3]s",
		change:    "आपको क्या भेजा जाए, बदलें", leave: "सदस्यता छोड़ें",
		stop: "।",
	},
}

// Languages are the tags of the languages that a digest can be worded in, in
// their order.
func Languages() []string { return slices.Sorted(maps.Keys(wordings)) }

// wording is the digest's. One that was sealed by a newer newswatch may name a
// language that this one does not know; English then is better than nothing.
func (d Digest) wording() *wording {
	if w, ok := wordings[d.Lang]; ok {
		return w
	}
	return wordings["en"]
}

func (w *wording) severity(s classifier.Severity) string {
	if i := int(s - classifier.Low); i >= 0 && i < len(w.severities) {
		return w.severities[i]
	}
	return s.String()
}

// day prints a day without its year, dateTime a day and a time with its zone.
func (w *wording) day(t time.Time) string {
	return strconv.Itoa(t.Day()) + " " + w.months[t.Month()-1]
}

func (w *wording) dateTime(t time.Time) string {
	return fmt.Sprintf("%s %d, %s", w.day(t), t.Year(), clock(t))
}

// clock prints the time of day with its zone. Zones without a name of their own
// have an offset for one, such as +0545.
func clock(t time.Time) string {
	zone, offset := t.Zone()
	if strings.HasPrefix(zone, "+") || strings.HasPrefix(zone, "-") {
		zone = fmt.Sprintf("UTC%+03d:%02d", offset/3600, max(offset, -offset)/60%60)
	}
	return t.Format("15:04 ") + zone
}
