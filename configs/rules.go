package configs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/newswatch/newswatch/classifier"
	"github.com/newswatch/newswatch/classifier/rulefile"
	"github.com/newswatch/newswatch/classifier/ruletest"
)

// ruleset reads the rules and concepts of all files, makes one ruleset of them
// and runs the tests that their authors wrote.
func (l *loader) ruleset(included []file) *classifier.Ruleset {
	var sources []rulefile.File
	for _, f := range included {
		data, ok := l.read(f)
		if !ok {
			l.rulesBroken = true
			continue
		}
		sources = append(sources, rulefile.File{Name: f.tree.show(f.name), Data: data})
	}
	unread := l.rulesBroken
	rules, concepts, formErr := rulefile.Parse(sources)
	l.ruleErrors(formErr)
	if unread {
		// What could be read may refer to what could not: the errors of a ruleset
		// with holes would hide the real one.
		return nil
	}
	l.rules = rules
	rs, findings, err := classifier.Compile(rules, concepts)
	l.ruleErrors(err)
	if l.rulesBroken {
		return nil // lint of what is wrong would be guesses
	}
	for _, f := range findings {
		l.warnings = append(l.warnings, ruleProblem(f.Pos, f.Rule, f.Msg+" ["+string(f.Check)+"]", f.Suggestion, f.Line, f.Caret))
	}
	l.ruleErrors(ruletest.Run(rs).Err())
	return rs
}

// ruleErrors takes over what the rule loader, the compiler or a rule's own test
// found.
func (l *loader) ruleErrors(err error) {
	if err == nil {
		return
	}
	es, ok := errors.AsType[classifier.Errors](err)
	l.rulesBroken = true
	if !ok {
		l.add(Problem{Message: err.Error()})
		return
	}
	for _, e := range es {
		l.add(ruleProblem(e.Pos, e.Rule, e.Msg, e.Suggestion, e.Line, e.Caret))
	}
}

func ruleProblem(pos classifier.Pos, rule, msg, hint, line string, caret int) Problem {
	if rule != "" {
		msg = fmt.Sprintf("rule %q: %s", rule, msg)
	}
	lines := strings.Split(hint, "\n") // two readings of a query stand on two lines
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return Problem{Pos: pos, Message: printable(msg), Hint: strings.Join(lines, "\n"), Line: printable(line), Caret: caret + 1}
}

// checkRuleFeeds refuses a rule that is for feeds or tags that do not exist: it
// would never match, in silence.
func (l *loader) checkRuleFeeds() {
	if l.feedsBroken {
		return
	}
	var ids, tags []string
	for _, f := range l.feeds {
		ids, tags = append(ids, f.ID), append(tags, f.Tags...)
	}
	tags = uniq(tags)
	for _, r := range l.rules {
		for _, id := range r.Feeds {
			if !slices.Contains(ids, id) {
				l.add(ruleProblem(r.Pos, r.ID, fmt.Sprintf("feeds: there is no feed %q", id), didYouMean(id, ids), "", 0))
			}
		}
		for _, tag := range r.FeedTags {
			if !slices.Contains(tags, tag) {
				l.add(ruleProblem(r.Pos, r.ID, fmt.Sprintf("feed_tags: no feed has the tag %q", tag), didYouMean(tag, tags), "", 0))
			}
		}
	}
}

// known is what the rules and the feeds offer to subscribers.
func (l *loader) known() known {
	k := known{allRules: !l.rulesBroken, allTags: !l.rulesBroken && !l.feedsBroken}
	for _, r := range l.rules {
		k.rules = append(k.rules, r.ID)
		k.tags = append(k.tags, r.Tags...)
	}
	for _, f := range l.feeds {
		k.tags = append(k.tags, f.Tags...)
	}
	k.tags = uniq(k.tags)
	return k
}

func uniq(ss []string) []string {
	slices.Sort(ss)
	return slices.Compact(ss)
}
