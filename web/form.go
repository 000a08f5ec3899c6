package web

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/notify"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/subscription"
)

// form is what a person chose, in the terms of the page.
type form struct {
	Channel, Email, URL, Secret string
	Rules, Tags, Languages      []string
	Severity                    string
	// Often is one of the words of oftens, or custom: the schedule in Custom.
	Often, Hour, Day, Custom string
	Timezone, Lang           string
	Empty                    bool // a digest too when there is no news
	Agree, Erase             bool
	Stamp                    string
}

// oftens are the schedules that a person can choose, in plain words.
var oftens = []subscription.Choice{
	{ID: "immediate", Name: "As it happens"},
	{ID: "hourly", Name: "Every hour"},
	{ID: "daily", Name: "Every day"},
	{ID: "twice", Name: "Twice a day, twelve hours apart"},
	{ID: "weekdays", Name: "Monday to Friday"},
	{ID: "weekly", Name: "Once a week"},
}

var days = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}

// maxEach bounds how many values of one field are looked at.
const maxEach = 1000

// decode reads a posted form. It takes whatever there is: what is wrong with it,
// subscription.Check says.
func decode(v url.Values) form {
	all := func(key string) []string {
		var out []string
		for _, s := range v[key][:min(len(v[key]), maxEach)] {
			if s != "" {
				out = append(out, strings.ToValidUTF8(s, "\uFFFD"))
			}
		}
		return out
	}
	one := func(key string) string { return strings.ToValidUTF8(v.Get(key), "\uFFFD") }
	return form{
		Channel: one("channel"), Email: one("email"), URL: one("url"), Secret: one("secret"),
		Rules: all("rule"), Tags: all("tag"), Languages: all("language"), Severity: one("severity"),
		Often: one("often"), Hour: one("hour"), Day: one("day"), Custom: one("custom"), Timezone: one("timezone"), Lang: one("lang"),
		Empty: one("empty") == "1", Agree: one("agree") == "1", Erase: one("erase") == "1", Stamp: one("stamp"),
	}
}

func emptyForm(cat subscription.Catalogue) form {
	return form{Channel: subscription.Email, Severity: "low", Often: "daily", Hour: "7", Day: "1", Timezone: cat.Timezone}
}

func (f form) request() subscription.Request {
	q := subscription.Request{Channel: f.Channel, Address: f.Email, Secret: f.Secret, Wishes: f.wishes(), Agreed: f.Agree, Method: "page"}
	if f.Channel == subscription.Webhook {
		q.Address = f.URL
	}
	return q
}

func (f form) wishes() store.Wishes {
	w := store.Wishes{
		Rules: f.Rules, Tags: f.Tags, Languages: f.Languages, Schedule: f.schedule(), Timezone: strings.TrimSpace(f.Timezone),
		WhenEmpty: notify.Skip, Severity: -1, Lang: f.Lang,
	}
	if sev, err := classifier.ParseSeverity(f.Severity); err == nil && f.Severity != "" {
		w.Severity = sev
	}
	if f.Empty {
		w.WhenEmpty = notify.Send
	}
	return w
}

// schedule is the chosen one in the words of notify.ParseSchedule. What is none
// comes out as it was given, for Check to refuse.
func (f form) schedule() string {
	hour, err := strconv.Atoi(f.Hour)
	if err != nil || hour < 0 || hour > 23 {
		hour = 99
	}
	switch f.Often {
	case "immediate":
		return "immediate"
	case "hourly":
		return "@hourly"
	case "daily":
		return fmt.Sprintf("0 %d * * *", hour)
	case "twice":
		a, b := hour, (hour+12)%24
		return fmt.Sprintf("0 %d,%d * * *", min(a, b), max(a, b))
	case "weekdays":
		return fmt.Sprintf("0 %d * * 1-5", hour)
	case "weekly":
		return fmt.Sprintf("0 %d * * %s", hour, f.Day)
	case "custom":
		return f.Custom
	}
	return "choose how often"
}

var plainCron = regexp.MustCompile(`^0 ([0-9]{1,2})(?:,([0-9]{1,2}))? \* \* (\*|1-5|[0-6])$`)

// often is the inverse of schedule.
func (f *form) often(spec string) {
	f.Hour, f.Day = "7", "1"
	switch spec {
	case "immediate":
		f.Often = "immediate"
		return
	case "@hourly":
		f.Often = "hourly"
		return
	}
	m := plainCron.FindStringSubmatch(spec)
	switch {
	case m == nil:
		f.Often, f.Custom = "custom", spec
		return
	case m[2] != "":
		f.Often = "twice"
	case m[3] == "*":
		f.Often = "daily"
	case m[3] == "1-5":
		f.Often = "weekdays"
	default:
		f.Often, f.Day = "weekly", m[3]
	}
	f.Hour = m[1]
	if f.schedule() != spec { // twice, and not twelve hours apart
		f.Often, f.Custom = "custom", spec
	}
}

// formOf shows wishes in the terms of the page.
func formOf(w store.Wishes) form {
	f := form{
		Rules: w.Rules, Tags: w.Tags, Languages: w.Languages, Severity: w.Severity.String(), Timezone: w.Timezone, Lang: w.Lang,
		Empty: w.WhenEmpty == notify.Send,
	}
	f.often(w.Schedule)
	return f
}

// offered are the lists of the page, with what is chosen marked.
type offered struct {
	Rules, Tags, Languages, Severities, Oftens, Hours, Days, Langs []option
}

type option struct {
	ID, Name string
	Chosen   bool
}

func offers(cat subscription.Catalogue, f form) offered {
	mark := func(cs []subscription.Choice, chosen ...string) []option {
		out := make([]option, len(cs))
		for i, c := range cs {
			out[i] = option{c.ID, c.Name, slices.Contains(chosen, c.ID)}
		}
		return out
	}
	named := func(names []string) []subscription.Choice {
		out := make([]subscription.Choice, len(names))
		for i, n := range names {
			out[i] = subscription.Choice{ID: n, Name: n}
		}
		return out
	}
	var hours, weekdays []subscription.Choice
	for h := range 24 {
		hours = append(hours, subscription.Choice{ID: strconv.Itoa(h), Name: fmt.Sprintf("%02d:00", h)})
	}
	for i, d := range days {
		weekdays = append(weekdays, subscription.Choice{ID: strconv.Itoa(i), Name: d})
	}
	often := slices.Clone(oftens)
	if f.Often == "custom" && f.Custom != "" {
		often = append(often, subscription.Choice{ID: "custom", Name: "As it is: " + f.Custom})
	}
	langs := make([]subscription.Choice, len(cat.Languages))
	for i, l := range cat.Languages {
		langs[i] = subscription.Choice{ID: l, Name: languageName(l)}
	}
	worded := make([]subscription.Choice, 0, 4)
	for _, l := range notify.Languages() {
		worded = append(worded, subscription.Choice{ID: l, Name: languageName(l)})
	}
	return offered{
		Langs: mark(worded, cmp.Or(f.Lang, "en")),
		Rules: mark(cat.Rules, f.Rules...), Tags: mark(named(cat.Tags), f.Tags...), Languages: mark(langs, f.Languages...),
		Severities: mark(named([]string{"low", "medium", "high", "critical"}), f.Severity),
		Oftens:     mark(often, f.Often), Hours: mark(hours, f.Hour), Days: mark(weekdays, f.Day),
	}
}

// describe says in plain words what a reader is sent.
func describe(w store.Wishes, cat subscription.Catalogue) []string {
	f := formOf(w)
	what := []string{"Everything that the rules find"}
	if len(w.Rules) > 0 {
		what = []string{"What these rules find: " + listed(w.Rules, func(id string) string { return ruleName(cat, id) })}
	}
	if len(w.Tags) > 0 {
		what = append(what, "on "+strings.Join(w.Tags, ", "))
	}
	if len(w.Languages) > 0 {
		what = append(what, "in "+listed(w.Languages, languageName))
	}
	if w.Severity > classifier.Low {
		what = append(what, "of severity "+w.Severity.String()+" or above")
	}
	hour, _ := strconv.Atoi(f.Hour)
	at := fmt.Sprintf(" at %02d:00", hour)
	var when string
	switch f.Often {
	case "immediate":
		when = "As it happens"
	case "hourly":
		when = "Every hour"
	case "daily":
		when = "Every day" + at
	case "twice":
		when = fmt.Sprintf("Every day at %02d:00 and %02d:00", min(hour, (hour+12)%24), max(hour, (hour+12)%24))
	case "weekdays":
		when = "Monday to Friday" + at
	case "weekly":
		day, _ := strconv.Atoi(f.Day)
		when = "Every " + days[day%len(days)] + at
	default:
		when = "On the schedule " + f.Custom
	}
	if f.Often != "immediate" {
		when += ", " + w.Timezone + " time"
		if f.Empty {
			when += ", also when there is no news"
		}
	}
	return []string{strings.Join(what, "; ") + ".", when + "."}
}

func listed(ids []string, name func(id string) string) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = name(id)
	}
	return strings.Join(names, ", ")
}

// ruleName is a rule's name for people, or its id where it is not there any more.
func ruleName(cat subscription.Catalogue, id string) string {
	for _, c := range cat.Rules {
		if c.ID == id {
			return c.Name
		}
	}
	return id
}

// boxes is a list of checkboxes under one name.
type boxes struct {
	Name    string
	Options []option
}

func (c offered) RuleBoxes() boxes     { return boxes{"rule", c.Rules} }
func (c offered) TagBoxes() boxes      { return boxes{"tag", c.Tags} }
func (c offered) LanguageBoxes() boxes { return boxes{"language", c.Languages} }

// zones are offered; any other of the IANA database may be written.
var zones = []string{
	"Asia/Kolkata", "UTC", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "America/Chicago", "America/Los_Angeles", "America/New_York",
	"America/Sao_Paulo", "America/Toronto", "Asia/Colombo", "Asia/Dhaka", "Asia/Dubai", "Asia/Jakarta", "Asia/Karachi", "Asia/Kathmandu",
	"Asia/Manila", "Asia/Singapore", "Asia/Tokyo", "Australia/Sydney", "Europe/Amsterdam", "Europe/Berlin", "Europe/London", "Europe/Paris",
	"Pacific/Auckland",
}

func (c offered) Zones() []string { return zones }

// languageNames are those of the feeds that newswatch comes with; another shows as
// its code.
var languageNames = map[string]string{
	"ar": "Arabic", "bn": "Bengali", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "gu": "Gujarati",
	"hi": "Hindi", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "kn": "Kannada", "ml": "Malayalam", "mr": "Marathi",
	"nl": "Dutch", "pa": "Punjabi", "pt": "Portuguese", "ta": "Tamil", "te": "Telugu", "tl": "Filipino", "ur": "Urdu",
}

func languageName(code string) string {
	if n := languageNames[code]; n != "" {
		return n
	}
	return code
}
