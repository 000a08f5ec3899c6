package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/backtest"
	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/store"
	"github.com/newswatch/newswatch/web/desk"
)

const (
	// maxClauses and maxFound bound what is shown of an explanation, maxFindings of
	// a backtest.
	maxClauses  = 60
	maxFound    = 3
	maxFindings = 60
	// maxDepth is how deep clauses are indented.
	maxDepth = 6
	maxExpr  = 200
)

// rulesView is what each rule found lately, and two ways to try rules.
type rulesView struct {
	Rules []ruleRow
	Pager pager
	// Tried is the text that was given to the tester, Edited the rule file.
	Tried  tried
	Edited string
	// Fault is what is wrong with what was given, line by line.
	Fault    string
	Trial    *trialView
	Backtest *backtestView
}

// ruleRow is one rule.
type ruleRow struct {
	ID, Name, Severity string
	Tags               []string
	Week, Month        int
	Feeds              []feedLink
}

// tried is the tester's form as it was filled in.
type tried struct{ Title, Body, URL, Lang string }

// trialView is what the rules made of a text.
type trialView struct {
	Verdict   string
	Explained []explained
	More      int
}

// explained is one rule, clause by clause.
type explained struct {
	Rule      string
	Matched   bool
	Condition string
	Clauses   []clause
	More      int
	Near      []string
}

// clause is one part of a condition.
type clause struct {
	Depth int
	Expr  string
	Holds bool
	Found []string
}

// backtestView is what an edited file would change.
type backtestView struct {
	Items   string
	Partial bool
	Rules   []backtestRow
	// More counts the findings that are not shown.
	More int
}

type backtestRow struct {
	Rule                       string
	Found, Was, Added, Removed int
	Findings                   []finding
}

type finding struct {
	Change, Title, Link, Outlet, Lang string
	Sentence                          []piece
}

// rules shows the page, and answers its two forms at its own address, so that the
// links of the answer lead where those of the page do. Neither form changes
// anything.
func (s *Server) rules(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		s.showRules(w, r, http.StatusOK, rulesView{})
		return
	}
	form, ok := s.form(w, r)
	switch {
	case !ok:
	case form.Has("rules"):
		s.tryRules(w, r, form.Get("rules"))
	default:
		s.tryText(w, r, tried{form.Get("title"), form.Get("body"), strings.TrimSpace(form.Get("url")), form.Get("lang")})
	}
}

// showRules fills in what every form of the page has.
func (s *Server) showRules(w http.ResponseWriter, r *http.Request, status int, view rulesView) {
	ctx, cancel := bounded(r)
	defer cancel()
	now := s.o.Now()
	t, err := s.o.Store.Tally(ctx, desk.Days(now.In(s.o.Location), chartDays))
	if err != nil {
		s.storeFailed(w, r, err)
		return
	}
	rules := slices.Clone(s.o.Rules().Rules())
	month := func(id string) (month, week int) {
		days := t.Rules[id]
		for i, n := range days {
			month += n
			if i >= len(days)-7 {
				week += n
			}
		}
		return month, week
	}
	slices.SortStableFunc(rules, func(a, b classifier.Rule) int {
		x, _ := month(a.ID)
		y, _ := month(b.ID)
		return y - x
	})
	rules, view.Pager = turn(rules, r)
	for _, rule := range rules {
		row := ruleRow{ID: rule.ID, Name: short(rule.Name, maxName), Severity: rule.Severity.String(), Tags: rule.Tags}
		if row.Name == "" {
			row.Name = rule.ID
		}
		row.Month, row.Week = month(rule.ID)
		row.Feeds = s.feedLinks("feeds/"+rule.ID, nil)
		view.Rules = append(view.Rules, row)
	}
	s.show(w, r, status, rulesPage, "Rules", s.o.Status(), now, view)
}

// tryText answers the tester's form: a text, or a URL whose article is read.
func (s *Server) tryText(w http.ResponseWriter, r *http.Request, given tried) {
	view := rulesView{Tried: given}
	ctx, cancel := context.WithTimeout(r.Context(), reloadTimeout)
	defer cancel()
	var t desk.Trial
	var err error
	if given.URL != "" && given.Title == "" && given.Body == "" {
		t, err = s.o.MatchURL(ctx, given.URL, "")
	} else {
		t, err = s.o.Match(classifier.Doc{Title: given.Title, Body: given.Body, URL: given.URL, Lang: given.Lang}, "")
	}
	if err != nil {
		s.showFault(w, r, view, err)
		return
	}
	view.Tried.Title, view.Tried.Body = t.Doc.Title, t.Doc.Body
	view.Trial = viewTrial(t)
	s.showRules(w, r, http.StatusOK, view)
}

// tryRules answers the form with an edited rule file.
func (s *Server) tryRules(w http.ResponseWriter, r *http.Request, file string) {
	// A browser sends CR LF, which YAML bears and which would shift every column.
	view := rulesView{Edited: strings.ReplaceAll(file, "\r\n", "\n")}
	report, err := s.o.Backtest(r.Context(), view.Edited)
	if err != nil {
		s.showFault(w, r, view, err)
		return
	}
	view.Backtest = viewBacktest(report)
	s.showRules(w, r, http.StatusOK, view)
}

// showFault shows what is wrong with what was given beside it, to be mended.
func (s *Server) showFault(w http.ResponseWriter, r *http.Request, view rulesView, err error) {
	if !desk.IsFault(err) {
		if errors.Is(err, store.ErrNotFound) {
			s.notFound(w, r)
			return
		}
		s.storeFailed(w, r, err)
		return
	}
	view.Fault = cut(err.Error(), maxDetail)
	s.showRules(w, r, http.StatusUnprocessableEntity, view)
}

func viewTrial(t desk.Trial) *trialView {
	v := &trialView{More: t.More}
	switch n := len(t.Matched); {
	case n > 0:
		v.Verdict = count(n, "rule matches", "rules match") + " of " + thousands(t.Rules) + "."
	case len(t.Explained) > 0:
		v.Verdict = "No rule of " + thousands(t.Rules) + " matches; these nearly do."
	default:
		v.Verdict = "No rule of " + thousands(t.Rules) + " matches, and none nearly does."
	}
	for _, x := range t.Explained {
		e := explained{Rule: x.Rule, Matched: x.Matched, Condition: short(x.Canonical, maxExpr)}
		for _, c := range x.Clauses {
			if len(e.Clauses) == maxClauses {
				e.More = len(x.Clauses) - maxClauses
				break
			}
			var found []string
			for _, m := range c.Found[:min(len(c.Found), maxFound)] {
				found = append(found, short(m.Text, maxName))
			}
			e.Clauses = append(e.Clauses, clause{min(c.Depth, maxDepth), short(c.Expr, maxExpr), c.Holds, found})
		}
		for _, n := range x.NearMisses {
			e.Near = append(e.Near, sentence(n))
		}
		v.Explained = append(v.Explained, e)
	}
	return v
}

func viewBacktest(report *backtest.Report) *backtestView {
	v := &backtestView{Items: count(report.Items, "item", "items"), Partial: report.Partial}
	shown := 0
	for _, r := range report.Rules {
		row := backtestRow{Rule: r.Rule, Found: r.Found, Was: r.Was, Added: r.Added, Removed: r.Removed}
		v.More += r.Added + r.Removed
		for _, f := range r.Findings {
			if shown == maxFindings {
				break
			}
			shown++
			v.More--
			row.Findings = append(row.Findings, finding{
				Change: map[string]string{"+": "+", "-": "−"}[f.Change], Title: short(f.Title, maxTitle), Link: webLink(f.Link),
				Outlet: short(f.Outlet, maxName), Lang: lang(f.Lang), Sentence: marked(f.Sentence.Text, f.Sentence.Marks, classifier.MaxExcerpt),
			})
		}
		v.Rules = append(v.Rules, row)
	}
	return v
}
