package api

import (
	"net/http"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/feed"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

// ruleView is a rule in force.
type ruleView struct {
	ID        string              `json:"id"`
	Name      string              `json:"name"`
	Severity  classifier.Severity `json:"severity"`
	Tags      []string            `json:"tags"`
	Languages []string            `json:"languages"`
	Where     classifier.Where    `json:"where"`
	// Week is how many hits it had in the last seven days of the calendar.
	Week int `json:"week"`
}

// ruleWeek is how many days of the calendar a rule's count goes back.
const ruleWeek = 7

func (a *API) weekOf(r *http.Request) (map[string]int, error) {
	t, err := a.desk.Store.Tally(r.Context(), desk.Days(a.desk.Now().In(a.loc), ruleWeek))
	if err != nil {
		return nil, err
	}
	week := map[string]int{}
	for rule, days := range t.Rules {
		for _, n := range days {
			week[rule] += n
		}
	}
	return week, nil
}

func viewRule(rule classifier.Rule, week int) ruleView {
	where := rule.Where
	if where == "" {
		where = classifier.Anywhere
	}
	return ruleView{
		ID: rule.ID, Name: rule.Name, Severity: rule.Severity, Tags: list(rule.Tags), Languages: list(rule.Languages), Where: where, Week: week,
	}
}

func (a *API) rules(r *http.Request) (answer, error) {
	week, err := a.weekOf(r)
	if err != nil {
		return answer{}, err
	}
	out := listing[ruleView]{Items: []ruleView{}}
	for _, rule := range a.desk.Rules().Rules() {
		out.Items = append(out.Items, viewRule(rule, week[rule.ID]))
	}
	return answer{body: out}, nil
}

// ruleDetail is a rule with its condition.
type ruleDetail struct {
	ruleView
	// Condition is fully bracketed.
	Condition string `json:"condition"`
}

func (a *API) rule(r *http.Request) (answer, error) {
	rules := a.desk.Rules()
	rule, ok := rules.Rule(r.PathValue("id"))
	if !ok {
		return answer{}, store.ErrNotFound
	}
	week, err := a.weekOf(r)
	if err != nil {
		return answer{}, err
	}
	x, err := rules.Explain(rule.ID, &classifier.Doc{})
	if err != nil {
		return answer{}, err
	}
	return answer{body: ruleDetail{viewRule(rule, week[rule.ID]), x.Canonical}}, nil
}

// matchRequest is one of a text, a URL, and an item that is kept with its text.
type matchRequest struct {
	Item  string `json:"item"`
	URL   string `json:"url"`
	Title string `json:"title"`
	Lead  string `json:"lead"`
	Body  string `json:"body"`
	Lang  string `json:"lang"`
	// Rule is to be explained whatever it makes of the text.
	Rule string `json:"rule"`
}

// matchView is what the rules in force make of a text.
type matchView struct {
	Rules     int                      `json:"rules"`
	Matched   []string                 `json:"matched"`
	Explained []classifier.Explanation `json:"explained"`
	More      int                      `json:"more"`
}

func (a *API) match(r *http.Request) (answer, error) {
	var req matchRequest
	if err := read(r, &req); err != nil {
		return answer{}, err
	}
	text := req.Title != "" || req.Lead != "" || req.Body != ""
	var t desk.Trial
	var err error
	switch {
	case req.Item != "" && req.URL == "" && !text:
		id, perr := feed.ParseItemID(req.Item)
		if perr != nil {
			return answer{}, badRequest("The id of an item is 32 hexadecimal digits.")
		}
		t, err = a.desk.MatchItem(r.Context(), id, req.Rule)
	case req.URL != "" && req.Item == "" && !text:
		t, err = a.desk.MatchURL(r.Context(), req.URL, req.Rule)
	case req.Item == "" && req.URL == "":
		t, err = a.desk.Match(classifier.Doc{Title: req.Title, Lead: req.Lead, Body: req.Body, Lang: req.Lang}, req.Rule)
	default:
		return answer{}, badRequest("Give one of an item, a URL, and a text.")
	}
	if err != nil {
		return answer{}, err
	}
	return answer{body: matchView{t.Rules, t.Matched, t.Explained, t.More}}, nil
}

// backtestRequest is an edited rule file.
type backtestRequest struct {
	Rules string `json:"rules"`
}

func (a *API) backtest(r *http.Request) (answer, error) {
	var req backtestRequest
	if err := read(r, &req); err != nil {
		return answer{}, err
	}
	report, err := a.desk.Backtest(r.Context(), req.Rules)
	return answer{body: report}, err
}
