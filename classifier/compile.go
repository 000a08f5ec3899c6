package classifier

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Ruleset is a set of rules, ready to match. It never changes.
type Ruleset struct {
	rules    []Rule
	index    map[string]int
	concepts []Concept
	version  string

	compiled []compiled
	lexicon  *lexicon
	searched fieldMask // the fields that some rule looks into
	// waiting[waitingAt[l]:waitingAt[l+1]] are the rules to look at when literal
	// l is found: each rule waits for literals one of which it cannot do without.
	waiting   []waiter
	waitingAt []int32
	always    []int32 // the rules that no literal is necessary for

	pool sync.Pool // of *scratch
}

// waiter is a rule that waits for a literal. If also[0] is one, not -1, it needs
// also[0] or also[1] besides: looking for those here spares most evaluations.
type waiter struct {
	rule int32
	also [2]literal
}

type compiled struct {
	cond   condition
	filter *filter // nil where the rule takes every item
}

// Rules returns the rules as they were given. The caller must not change them.
func (rs *Ruleset) Rules() []Rule { return rs.rules }

// Concepts returns the concepts that the rules may name. The caller must not
// change them.
func (rs *Ruleset) Concepts() []Concept { return rs.concepts }

// Rule returns the rule with an id.
func (rs *Ruleset) Rule(id string) (Rule, bool) {
	i, ok := rs.index[id]
	if !ok {
		return Rule{}, false
	}
	return rs.rules[i], true
}

// Version is a short hash over all that decides what the rules match and what a
// hit prints of them. Equal rules have equal versions, however they are written.
func (rs *Ruleset) Version() string { return rs.version }

// concept is a Concept that was parsed.
type concept struct {
	def   Concept
	exprs []Expr
	refs  []string
	state int // of the search for cycles: 0 not yet, 1 under way, 2 done
}

// parsed is a Rule whose condition was understood.
type parsed struct {
	rule Rule
	expr Expr
}

var idRE = regexp.MustCompile(`^[\pL\pN][\pL\pN\pM-]*$`)

// Compile makes a Ruleset of rules and the concepts that they name. A non-nil
// error is an Errors with all that is wrong. The findings are about what is
// allowed and looks like a mistake; they are complete only without an error.
func Compile(rules []Rule, concepts []Concept) (*Ruleset, []Finding, error) {
	c := &compiler{concepts: map[string]*concept{}}
	c.parseConcepts(concepts)
	c.parseRules(rules)
	c.checkPlaces()
	if len(c.errs) > 0 {
		c.errs.Sort()
		return nil, c.findings, c.errs
	}
	rs := c.build()
	rs.concepts = concepts
	c.shadows()
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return comparePos(a.Pos, b.Pos) })
	return rs, c.findings, nil
}

type compiler struct {
	concepts map[string]*concept
	rules    []parsed
	errs     Errors
	findings []Finding
	// unchecked have concepts beside a NEAR or within an ATLEAST.
	unchecked []*parser
}

// errorAt records an error about a whole rule or concept.
func (c *compiler) errorAt(pos Pos, line func(int) string, rule, suggestion, format string, args ...any) {
	e := &Error{Pos: pos, Rule: rule, Msg: fmt.Sprintf(format, args...), Suggestion: suggestion}
	e.Line, e.Caret = pos.in(line)
	c.errs = append(c.errs, e)
}

func (c *compiler) parser(src Source, rule string, plain bool) *parser {
	return &parser{src: src, rule: rule, concepts: c.concepts, plain: plain}
}

// finish takes over what a parser found. The concepts are parsed by the time
// that checkPlaces is called.
func (c *compiler) finish(p *parser) {
	if len(p.places) > 0 {
		c.unchecked = append(c.unchecked, p)
	}
	c.errs = append(c.errs, p.problems...)
	c.findings = append(c.findings, p.findings...)
}

// checkPlaces refuses a concept of conditions where words are needed.
func (c *compiler) checkPlaces() {
	for _, p := range c.unchecked {
		for _, x := range p.places {
			if !placesOnly(c.concepts, x.text, 0) {
				c.errs = append(c.errs, p.src.Errorf(x.at, p.rule, "use a concept of words and phrases",
					"the concept %q has terms with AND or NOT, which stand at no place", x.text))
			}
		}
	}
}

func (c *compiler) parseConcepts(defs []Concept) {
	for _, d := range defs {
		switch {
		case !idRE.MatchString(d.ID):
			c.errorAt(d.Pos, d.Line, "", "use letters, digits and '-'", "%q is not a name for a concept", d.ID)
		case c.concepts[d.ID] != nil:
			c.errorAt(d.Pos, d.Line, "", "put all its terms in one place", "the concept %q was defined before, at %s", d.ID, c.concepts[d.ID].def.Pos)
		default:
			c.concepts[d.ID] = &concept{def: d}
		}
	}
	for _, d := range defs {
		k := c.concepts[d.ID]
		if k == nil || k.def.Pos != d.Pos {
			continue
		}
		for _, lang := range d.languages() {
			for _, src := range d.Terms[lang] {
				p := c.parser(src, "", true)
				if e := p.parse(); e != nil {
					k.exprs = append(k.exprs, e)
				}
				for _, r := range p.refs {
					k.refs = append(k.refs, r.text)
				}
				c.finish(p)
			}
		}
		if len(k.exprs) == 0 && len(c.errs) == 0 {
			f := Finding{Check: EmptyConcept, Pos: d.Pos, Msg: fmt.Sprintf("the concept %q has no terms", d.ID)}
			f.Line, f.Caret = d.Pos.in(d.Line)
			c.findings = append(c.findings, f)
		}
	}
	for _, d := range defs {
		if path := c.cycle(d.ID, nil); path != nil {
			c.errorAt(d.Pos, d.Line, "", "", "the concept contains itself: @%s", strings.Join(path, " → @"))
		}
	}
}

// cycle returns the way from a concept to itself, nil if there is none.
func (c *compiler) cycle(id string, path []string) []string {
	k := c.concepts[id]
	if k == nil || k.state == 2 {
		return nil
	}
	path = append(path, id)
	if k.state == 1 {
		return path[slices.Index(path, id):]
	}
	k.state = 1
	defer func() { k.state = 2 }()
	for _, r := range k.refs {
		if found := c.cycle(r, path); found != nil {
			return found
		}
	}
	return nil
}

func (d Concept) languages() []string {
	out := make([]string, 0, len(d.Terms))
	for lang := range d.Terms {
		out = append(out, lang)
	}
	slices.Sort(out)
	return out
}

func (c *compiler) parseRules(rules []Rule) {
	seen := map[string]Pos{}
	for _, r := range rules {
		before := len(c.errs)
		if !idRE.MatchString(r.ID) {
			c.errorAt(r.Pos, r.Line, "", "use letters, digits and '-'", "%q is not an id for a rule", r.ID)
		} else if at, twice := seen[r.ID]; twice {
			c.errorAt(r.Pos, r.Line, r.ID, "an id names one rule for good; give this one another", "the id was used before, at %s", at)
		} else {
			seen[r.ID] = r.Pos
		}
		if !slices.Contains(Wheres(), r.Where.orAnywhere()) {
			c.errorAt(r.Pos, r.Line, r.ID, "", "where: %s must be one of %v", r.Where, Wheres())
		}
		for _, l := range r.Languages {
			if !langRE.MatchString(strings.ToLower(l)) {
				c.errorAt(r.Pos, r.Line, r.ID, "write a tag such as en, ml or pt-br", "%q is not a language tag", l)
			}
		}
		if r.Spelling != AsWritten && r.Spelling != Loose {
			c.errorAt(r.Pos, r.Line, r.ID, "leave it out, or write loose", "spelling: %s is not known", r.Spelling)
		}
		if _, ok := ParseShow(cmp.Or(string(r.Show), "excerpt")); !ok {
			c.errorAt(r.Pos, r.Line, r.ID, "write excerpt, title or link", "show: %s is not known", r.Show)
		}
		if n := r.Near; n != nil && (n.Within < 0 || n.Within > maxNear) {
			c.errorAt(r.Pos, r.Line, r.ID, "", "near: within must be a number from 0 to %d, not %d", maxNear, n.Within)
		}
		if r.Severity < Low || r.Severity > Critical {
			c.errorAt(r.Pos, r.Line, r.ID, "", "%s is not a severity", r.Severity)
		}
		if e := c.parseRule(r); e != nil && len(c.errs) == before {
			c.rules = append(c.rules, parsed{r, e})
		}
	}
}

// parseRule makes one condition of the query, or of the plain form.
func (c *compiler) parseRule(r Rule) Expr {
	hasQuery, hasPlain := r.Query.Text != "" || r.Query.At != nil, len(r.Any)+len(r.All)+len(r.None) > 0 || r.Near != nil
	switch {
	case hasQuery && hasPlain:
		c.errorAt(r.Pos, r.Line, r.ID, "move the words into the query, or make two rules of it", "the rule has a query and any, all, none or near")
		return nil
	case hasQuery:
		p := c.parser(r.Query, r.ID, false)
		e := p.parse()
		c.finish(p)
		return e
	case !hasPlain:
		c.errorAt(r.Pos, r.Line, r.ID, "give it a query, or a list of words under any or all", "the rule has no condition")
		return nil
	}
	list := func(srcs []Source) (out []Expr) {
		for _, s := range srcs {
			p := c.parser(s, r.ID, true)
			if e := p.parse(); e != nil {
				out = append(out, e)
			}
			c.finish(p)
		}
		return out
	}
	var parts []Expr
	if es := list(r.Any); len(es) > 0 {
		parts = append(parts, either(es...))
	}
	parts = append(parts, list(r.All)...)
	if r.Near != nil {
		if e := c.together(r); e != nil {
			parts = append(parts, e)
		}
	}
	for _, e := range list(r.None) {
		parts = append(parts, negate(e))
	}
	if len(parts) == 0 {
		return nil // each had an error
	}
	return all(parts...)
}

// together makes one condition of the near of the plain form.
func (c *compiler) together(r Rule) Expr {
	var e Expr
	for i, src := range r.Near.Words {
		p := c.parser(src, r.ID, true)
		next := p.parse()
		if next != nil && i == 0 && !isPlace(next) {
			p.errorf(0, "put a word, a phrase, or several of them with OR here", "near cannot tell where %s stands", next)
			next = nil
		}
		if next != nil && i > 0 && e != nil {
			next = p.near(lexeme{kind: lexNear, text: "NEAR/" + strconv.Itoa(r.Near.Within), n: r.Near.Within}, e, next)
		}
		p.places = append(p.places, p.refs...)
		c.finish(p)
		if e = next; e == nil {
			return nil
		}
	}
	if len(r.Near.Words) < 2 {
		c.errorAt(r.Pos, r.Line, r.ID, "write near: {words: [police, raid], within: 10}", "near needs at least two words")
		return nil
	}
	return e
}

// digest computes the version.
func (c *compiler) digest() string {
	h := sha256.New()
	write := func(parts ...string) {
		for _, p := range parts {
			h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
		}
		h.Write([]byte{'\n'})
	}
	for _, p := range c.rules {
		r := p.rule
		write("rule", r.ID, r.Name, r.Severity.String(), string(r.Where.orAnywhere()), p.expr.String())
		if r.Spelling == Loose {
			write("loose")
		}
		if r.Show != ShowExcerpt {
			write("show", string(r.Show))
		}
		write(r.Tags...)
		write(r.Languages...)
		write(r.Feeds...)
		write(r.FeedTags...)
	}
	ids := make([]string, 0, len(c.concepts))
	for id := range c.concepts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		write("concept", id, c.concepts[id].def.Display)
		for _, e := range c.concepts[id].exprs {
			write(e.String())
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

func (w Where) orAnywhere() Where {
	if w == "" {
		return Anywhere
	}
	return w
}
